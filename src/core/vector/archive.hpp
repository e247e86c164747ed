// Numbers and texts as bytes, checked: the files of models and indexes.
//
// An archive is 8 bytes of magic, a 32-bit version of the format, the values, and the SHA-256 of all before
// it. Little endian, no padding. Reading never trusts a length: what is cut off, altered, of another kind or
// of a newer version is an Error (kind refused, codes "model_damaged", "model_newer"), never a crash or a
// huge allocation. Host byte order must be little endian, as on every machine this runs on (checked when
// compiled).
#pragma once
#include "core/base/error.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lumina::vector {

static_assert(std::endian::native == std::endian::little);

template <class T>
concept Plain = std::is_arithmetic_v<T>;

class ArchiveWriter {
 public:
  // The magic has 8 characters.
  ArchiveWriter(std::string_view magic, std::uint32_t version);

  template <Plain T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put_text(std::string_view text);
  template <Plain T>
  void put_all(std::span<const T> values) {
    put<std::uint64_t>(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  template <Plain T>
  void put_all(const std::vector<T>& values) {
    put_all(std::span<const T>(values));
  }

  // The whole archive with its checksum; the writer is empty after it.
  std::string finish() &&;

 private:
  std::string bytes_;
};

// Reads what a writer wrote, in the same order. After a first fault every value is zero or empty and status()
// says so; check it once at the end. The bytes must outlive the reader.
class ArchiveReader {
 public:
  static Result<ArchiveReader> open(std::string_view bytes, std::string_view magic, std::uint32_t newest);

  std::uint32_t version() const { return version_; }

  template <Plain T>
  T take() {
    T value{};
    const auto from = raw(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  std::string_view take_text();
  template <Plain T>
  std::vector<T> take_all() {
    const auto count = take<std::uint64_t>();
    if (count > rest_.size() / sizeof(T)) {
      spoil("a list is longer than the file");
      return {};
    }
    std::vector<T> values(static_cast<std::size_t>(count));
    const auto from = raw(values.size() * sizeof(T));
    if (!from.empty()) std::memcpy(values.data(), from.data(), from.size());
    return values;
  }

  // Declares the contents wrong, for checks of the caller's own.
  void spoil(std::string_view why);
  bool good() const { return fault_.empty(); }
  // Fails on the first fault, and when bytes are left.
  Status status() const;

 private:
  ArchiveReader(std::string_view rest, std::uint32_t version) : rest_(rest), version_(version) {}
  std::string_view raw(std::size_t count);

  std::string_view rest_;
  std::uint32_t version_ = 0;
  std::string fault_;
};

// Writes beside the target, syncs and renames, so that a reader sees the old file or the new one whole. Kind
// storage_full or unavailable when the disk refuses.
Status write_file(const std::filesystem::path& path, std::string_view bytes);
// Kind not_found, unavailable.
Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace lumina::vector

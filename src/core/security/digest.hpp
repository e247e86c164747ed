// SHA-256 of bytes that come piece by piece (FIPS 180-4): files that are hashed while they are written.
//
// One thread at a time. Throws std::runtime_error when the cryptographic library fails.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::security {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // 64 lower-case hex digits; once, after the last piece.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct FileDigest {
  std::string hex;
  std::int64_t bytes = 0;
};
// Nothing when the file cannot be read to its end. Blocks.
std::optional<FileDigest> sha256_of_file(const std::filesystem::path& path);

}  // namespace lumina::security

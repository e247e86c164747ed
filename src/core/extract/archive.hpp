// A ZIP archive in memory, read under a budget: what entries say they hold, what they really hold, and how
// much that is for their packed size.
//
// For the child that reads DOCX and EPUB; the bytes must outlive it. Throws Bomb over the budget and
// std::runtime_error for what is no archive. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::extract {

struct Bomb : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Archive {
 public:
  static constexpr std::uint64_t most_of_entry = 64 << 20, most_of_all = 128 << 20, most_ratio = 200;
  static constexpr std::int64_t most_entries = 10'000;

  explicit Archive(std::string_view bytes);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  // Nothing when there is no such entry.
  std::optional<std::string> read(const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::uint64_t taken_ = 0;
};

}  // namespace lumina::extract

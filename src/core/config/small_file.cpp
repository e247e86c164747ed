#include "core/config/small_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace lumina::config {
namespace {

std::string because(const std::filesystem::path& path, int fault) {
  return fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(fault));
}

}  // namespace

std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path,
                                                        std::size_t limit) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(because(path, errno));
  std::string content;
  std::array<char, 16384> piece{};
  for (;;) {
    const auto got = ::read(file, piece.data(), piece.size());
    const int fault = errno;
    if (got < 0 && fault == EINTR) continue;
    if (got < 0) {
      ::close(file);
      return std::unexpected(because(path, fault));
    }
    if (got == 0) break;
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      ::close(file);
      return std::unexpected(fmt::format("cannot read {}: larger than {} bytes", path.string(), limit));
    }
  }
  ::close(file);
  return content;
}

std::expected<std::string, std::string> read_secret_file(const std::filesystem::path& path) {
  auto content = read_small_file(path, 64 << 10);
  if (!content) return content;
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (content->empty()) return std::unexpected(fmt::format("{} is empty", path.string()));
  return content;
}

}  // namespace lumina::config

#include "core/config/secret.hpp"

#include "core/base/file.hpp"
#include "core/config/small_file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace lumina::config {
namespace {

std::string reason(int fault) { return std::generic_category().message(fault); }

std::optional<std::string> random_hex(std::size_t bytes) {
  std::array<std::uint8_t, 32> noise{};
  if (bytes > noise.size()) bytes = noise.size();
  std::size_t filled = 0;
  while (filled < bytes) {
    const auto got = ::getrandom(noise.data() + filled, bytes - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    filled += static_cast<std::size_t>(got);
  }
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += fmt::format("{:02x}", noise[i]);
  return text;
}

// Nothing, or why not.
std::optional<std::string> write_durably(const std::filesystem::path& path, std::string_view content) {
  const File file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!file.open() || !file.write(content) || !file.sync()) return reason(errno);
  return {};
}

std::expected<StoredSecret, std::string> read_stored(const std::filesystem::path& path) {
  auto content = read_secret_file(path);
  if (!content) return std::unexpected(std::move(content.error()));
  if (content->size() < 32) {
    return std::unexpected(
        fmt::format("{} holds fewer than 32 bytes; remove it to have a new one made", path.string()));
  }
  StoredSecret stored{*std::move(content), false, {}};
  struct stat about{};
  if (::stat(path.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
    stored.warning = fmt::format("others can read the secret; run: chmod 600 {}", path.string());
  }
  return stored;
}

}  // namespace

std::expected<StoredSecret, std::string> load_or_create_secret(const std::filesystem::path& data_dir) {
  const auto path = data_dir / "secret";
  std::error_code fault;
  std::filesystem::create_directories(data_dir, fault);
  if (fault) return std::unexpected(fmt::format("cannot make {}: {}", data_dir.string(), fault.message()));
  if (std::filesystem::exists(path, fault)) return read_stored(path);

  const auto secret = random_hex(32);
  const auto suffix = random_hex(8);
  if (!secret || !suffix) return std::unexpected("the system gives no random numbers");
  // Written aside and linked into place, so nobody ever reads half a secret and the first of two starters
  // wins.
  const auto draft = data_dir / ("secret." + *suffix);
  const auto unwritten = write_durably(draft, *secret + '\n');
  int link_fault = 0;
  if (!unwritten && ::link(draft.c_str(), path.c_str()) != 0) link_fault = errno;
  // Some network file systems have no hard links.
  if (link_fault != 0 && link_fault != EEXIST && ::rename(draft.c_str(), path.c_str()) == 0) link_fault = 0;
  ::unlink(draft.c_str());
  if (unwritten) return std::unexpected(fmt::format("cannot write {}: {}", path.string(), *unwritten));
  if (link_fault == EEXIST) return read_stored(path);
  if (link_fault != 0)
    return std::unexpected(fmt::format("cannot write {}: {}", path.string(), reason(link_fault)));
  sync_folder(data_dir);
  return StoredSecret{*secret, true, {}};
}

}  // namespace lumina::config

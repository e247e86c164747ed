#include "modules/ai/document_scanner.hpp"

#include "core/base/text.hpp"
#include "core/telemetry/log.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace lumina::ai {
namespace {

constexpr std::size_t step = 128 * 1024;
constexpr timeval patience{20, 0};

struct Socket {
  int number = -1;
  ~Socket() {
    if (number >= 0) ::close(number);
  }
};

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string size_prefix(std::size_t n) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(static_cast<unsigned char>(n >> shift));
  return out;
}

// What the daemon says; nothing when it cannot be asked.
std::optional<std::string> verdict_on(const std::string& path, std::string_view bytes) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.data(), path.size());
  const Socket socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.number < 0) return {};
  ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(socket.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  bool sent = send_all(socket.number, std::string_view("zINSTREAM\0", 10));
  for (std::size_t at = 0; sent && at < bytes.size(); at += step) {
    const auto piece = bytes.substr(at, step);
    sent = send_all(socket.number, size_prefix(piece.size())) && send_all(socket.number, piece);
  }
  if (!sent || !send_all(socket.number, size_prefix(0))) return {};
  std::string answer;
  std::array<char, 512> buffer{};
  while (answer.size() < 4096 && answer.find('\0') == std::string::npos) {
    const auto n = ::recv(socket.number, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return std::string(trim_ascii(answer.substr(0, answer.find('\0'))));
}

}  // namespace

Status Scanner::check(std::string_view bytes) const {
  if (!configured()) return {};
  const auto verdict = verdict_on(rules_.socket, bytes);
  if (verdict && verdict->ends_with("OK")) return {};
  if (verdict && verdict->ends_with("FOUND"))
    return fail(ErrorKind::refused, "infected", "The file is infected and was not kept");
  log::warn("the virus scanner gives no verdict", {{"answer", verdict.value_or("none")}});
  if (!rules_.required) return {};
  return Failure(Error{ErrorKind::unavailable,
                       "scanner_down",
                       "Files cannot be checked for viruses now; try again later",
                       {},
                       30});
}

}  // namespace lumina::ai

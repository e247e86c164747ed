#include "modules/ai/document_scanner.hpp"

#include "core/base/text.hpp"
#include "core/telemetry/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace lumina::ai {
namespace {

using Moment = std::chrono::steady_clock::time_point;
constexpr std::size_t step = 128 * 1024, longest_answer = 4096;
constexpr std::string_view tcp = "tcp://";

// A connection on which everything together has to be done by a moment.
class Line {
 public:
  explicit Line(Moment until) : until_(until) {}
  ~Line() {
    if (socket_ >= 0) ::close(socket_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  bool connect(const std::string& where) {
    return where.starts_with(tcp) ? connect_tcp(where.substr(tcp.size())) : connect_unix(where);
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && !may_wait(POLLOUT)) return false;
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Up to a NUL; nothing when it does not come.
  std::optional<std::string> answer() {
    std::string said;
    std::array<char, 512> buffer{};
    while (said.size() < longest_answer) {
      const auto n = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (n == 0 || (n < 0 && !may_wait(POLLIN))) return {};
      if (n > 0) said.append(buffer.data(), static_cast<std::size_t>(n));
      if (const auto end = said.find('\0'); end != std::string::npos) return said.substr(0, end);
    }
    return {};
  }

 private:
  bool connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path.data(), path.size());
    return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  bool connect_tcp(const std::string& host_and_port) {
    const auto colon = host_and_port.rfind(':');
    if (colon == std::string::npos) return false;
    auto host = host_and_port.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), host_and_port.c_str() + colon + 1, &hints, &found) != 0) return false;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, &::freeaddrinfo);
    for (const auto* a = found; a != nullptr; a = a->ai_next)
      if (connect_to(a->ai_family, a->ai_addr, a->ai_addrlen)) return true;
    return false;
  }
  bool connect_to(int family, const sockaddr* address, socklen_t size) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return false;
    if (::connect(socket_, address, size) == 0) return true;
    if (errno != EINPROGRESS || !ready(POLLOUT)) return false;
    int error = 0;
    socklen_t length = sizeof error;
    return ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }
  // After a call that failed: whether it is worth doing again, now that the socket is ready.
  bool may_wait(short what) {
    if (errno == EINTR) return true;
    return (errno == EAGAIN || errno == EWOULDBLOCK) && ready(what);
  }
  bool ready(short what) const {
    pollfd waiting{socket_, what, 0};
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      const int n = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
      if (n > 0) return true;
      if (n < 0 && errno != EINTR) return false;
    }
  }

  const Moment until_;
  int socket_ = -1;
};

std::string size_prefix(std::size_t n) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(static_cast<unsigned char>(n >> shift));
  return out;
}

// What the daemon says; nothing when it cannot be asked.
std::optional<std::string> verdict_on(const ScanRules& rules, std::string_view bytes) {
  Line line(std::chrono::steady_clock::now() + rules.patience);
  if (!line.connect(rules.socket)) return {};
  bool sent = line.send(std::string_view("zINSTREAM\0", 10));
  for (std::size_t at = 0; sent && at < bytes.size(); at += step) {
    const auto piece = bytes.substr(at, step);
    sent = line.send(size_prefix(piece.size())) && line.send(piece);
  }
  if (sent) (void)line.send(size_prefix(0));
  // A daemon that takes no more, because the file is too large for it, has said so.
  return line.answer();
}

}  // namespace

Status Scanner::check(std::string_view bytes) const {
  if (!configured()) return {};
  constexpr std::string_view prefix = "stream: ", found = " FOUND";
  const auto verdict = verdict_on(rules_, bytes);
  if (verdict == "stream: OK") return {};
  if (verdict && verdict->starts_with(prefix) && verdict->ends_with(found) &&
      verdict->size() > prefix.size() + found.size())
    return fail(ErrorKind::refused, "infected", "The file is infected and was not kept");
  const auto said = verdict.value_or("none");
  log::warn("the virus scanner gives no verdict", {{"answer", is_valid_utf8(said) ? said : "unreadable"}});
  if (!rules_.required) return {};
  return Failure(Error{ErrorKind::unavailable,
                       "scanner_down",
                       "Files cannot be checked for viruses now; try again later",
                       {},
                       30});
}

}  // namespace lumina::ai

#include "core/runtime/service_notify.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace lumina::runtime {
namespace {

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::microseconds> watchdog_from_environment() {
  const auto interval = whole(from_environment("WATCHDOG_USEC"));
  if (!interval || *interval <= 0) return std::nullopt;
  const auto watched = from_environment("WATCHDOG_PID");
  if (!watched.empty() && whole(watched) != ::getpid()) return std::nullopt;
  return std::chrono::microseconds(*interval);
}

// The address and its length; nothing when the name is empty, relative or too long.
std::optional<std::pair<sockaddr_un, socklen_t>> address_of(std::string_view name) {
  sockaddr_un address{};
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) {
    return std::nullopt;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool abstract = name[0] == '@';
  if (abstract) address.sun_path[0] = '\0';
  const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
  return std::pair{address, static_cast<socklen_t>(length)};
}

// A line break in a status would start a field of its own.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

}  // namespace

ServiceNotify::ServiceNotify()
    : ServiceNotify(from_environment("NOTIFY_SOCKET"), watchdog_from_environment()) {}

ServiceNotify::ServiceNotify(std::string socket, std::optional<std::chrono::microseconds> watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
  if (address_of(socket_)) fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceNotify::~ServiceNotify() {
  if (fd_ >= 0) ::close(fd_);
}

bool ServiceNotify::ready(std::string_view status) {
  return send(status.empty() ? "READY=1" : "READY=1\nSTATUS=" + one_line(status));
}

bool ServiceNotify::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros));
}

bool ServiceNotify::stopping() { return send("STOPPING=1"); }

bool ServiceNotify::status(std::string_view text) { return send("STATUS=" + one_line(text)); }

bool ServiceNotify::alive() { return send("WATCHDOG=1"); }

bool ServiceNotify::send(std::string_view message) const {
  if (fd_ < 0) return false;
  const auto address = address_of(socket_);
  if (!address) return false;
  for (;;) {
    const auto sent = ::sendto(fd_, message.data(), message.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address->first), address->second);
    if (sent < 0 && errno == EINTR) continue;
    return sent == static_cast<ssize_t>(message.size());
  }
}

}  // namespace lumina::runtime

// Tells systemd how the service is doing, and keeps its watchdog quiet.
//
// Speaks the notification protocol itself: datagrams of NAME=value lines to the socket in $NOTIFY_SOCKET (a
// path, or
// '@' and an abstract name). Without that variable every call does nothing. Never blocks, never throws; a
// lost message is reported by the return value. Thread-safe. Source: sd_notify(3), sd_watchdog_enabled(3).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::runtime {

class ServiceNotify {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of this process's environment.
  ServiceNotify();
  ServiceNotify(std::string socket, std::optional<std::chrono::microseconds> watchdog);
  ~ServiceNotify();
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;

  bool active() const { return fd_ >= 0; }

  bool ready(std::string_view status = {});  // after start and after a reload
  bool reloading();                          // with the monotonic time that Type=notify-reload needs
  bool stopping();
  bool status(std::string_view text);  // one line for systemctl status
  bool alive();                        // WATCHDOG=1: call at least every watchdog_interval() / 2

  // How long systemd waits for alive() before it kills the service; nothing when it does not watch this
  // process.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_; }

 private:
  bool send(std::string_view message) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
  int fd_ = -1;
};

}  // namespace lumina::runtime

#include "core/runtime/service_notify.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using lumina::runtime::ServiceNotify;

namespace {

// The socket that systemd would listen on, with a path or an abstract name ('@').
class Listener {
 public:
  explicit Listener(const std::string& name) : name_(name) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd_ >= 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool abstract = name[0] == '@';
    if (abstract) address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)) == 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    ::close(fd_);
    if (name_[0] == '/') ::unlink(name_.c_str());
  }
  std::string received() const {
    std::array<char, 4096> message{};
    const auto got = ::recv(fd_, message.data(), message.size(), MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(message.data(), static_cast<std::size_t>(got));
  }

 private:
  std::string name_;
  int fd_ = -1;
};

std::string unique(const std::string& start) {
  return start + "luminalib-notify-" + std::to_string(::getpid());
}

}  // namespace

TEST_CASE("systemd hears of start, reload, status, life and stop, by path and by abstract name", "[K2]") {
  for (const auto& name : {unique((std::filesystem::temp_directory_path() / "").string()), unique("@")}) {
    INFO(name);
    const Listener systemd(name);
    ServiceNotify service(name, std::chrono::seconds(30));
    CHECK(service.active());
    CHECK(service.ready());
    CHECK(systemd.received() == "READY=1");
    CHECK(service.ready("Serving at http://127.0.0.1:8000"));
    CHECK(systemd.received() == "READY=1\nSTATUS=Serving at http://127.0.0.1:8000");
    CHECK(service.reloading());
    CHECK(std::regex_match(systemd.received(), std::regex("RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*")));
    CHECK(service.alive());
    CHECK(systemd.received() == "WATCHDOG=1");
    CHECK(service.status("3 requests\nSTOPPING=1"));
    CHECK(systemd.received() == "STATUS=3 requests STOPPING=1");
    CHECK(service.stopping());
    CHECK(systemd.received() == "STOPPING=1");
    CHECK(systemd.received() == "nothing");
    CHECK(service.watchdog_interval() == std::chrono::seconds(30));
  }
}

TEST_CASE("without systemd every message is a no-op", "[K2]") {
  for (const auto& name :
       {std::string(), std::string("relative"), std::string("/"), std::string(200, '/'), std::string("@")}) {
    ServiceNotify service(name, std::nullopt);
    CHECK_FALSE(service.active());
    CHECK_FALSE(service.ready());
    CHECK_FALSE(service.stopping());
    CHECK_FALSE(service.watchdog_interval());
  }
  ServiceNotify gone("/nonexistent/notify", std::nullopt);
  CHECK_FALSE(gone.ready());
}

TEST_CASE("socket and watchdog come from the environment, the watchdog only for this process", "[K2]") {
  const auto name = unique("@env-");
  const Listener systemd(name);
  ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  {
    ServiceNotify service;
    CHECK(service.ready());
    CHECK(systemd.received() == "READY=1");
    CHECK(service.watchdog_interval() == std::chrono::seconds(30));
  }
  ::unsetenv("WATCHDOG_PID");
  CHECK(ServiceNotify().watchdog_interval() == std::chrono::seconds(30));
  for (const auto* pid : {"1", "x"}) {
    ::setenv("WATCHDOG_PID", pid, 1);
    CHECK_FALSE(ServiceNotify().watchdog_interval());
  }
  ::unsetenv("WATCHDOG_PID");
  for (const auto* interval : {"0", "-1", "", "soon", "99999999999999999999"}) {
    ::setenv("WATCHDOG_USEC", interval, 1);
    CHECK_FALSE(ServiceNotify().watchdog_interval());
  }
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("NOTIFY_SOCKET");
}

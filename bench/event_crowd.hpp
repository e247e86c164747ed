// Readers of the event stream, as many as wished, in one thread: when the first and the last of them heard of
// each loan.
#pragma once

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <chrono>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace lumina::bench {

class EventCrowd {
 public:
  using Clock = std::chrono::steady_clock;
  struct Told {
    Clock::time_point first, last;
    std::size_t readers = 0;
  };

  EventCrowd(std::uint16_t port, const std::string& token, std::size_t readers) : rest_(readers) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const auto request = "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                         token + "\r\n\r\n";
    for (std::size_t i = 0; i < readers; ++i) open(port, request, i);
    thread_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
  }
  ~EventCrowd() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    for (const int socket : sockets_) close(socket);
    close(epoll_);
  }
  EventCrowd(const EventCrowd&) = delete;
  EventCrowd& operator=(const EventCrowd&) = delete;

  std::size_t readers() const { return sockets_.size(); }
  std::optional<Told> told(std::int64_t loan) {
    const std::lock_guard lock(mutex_);
    const auto found = told_.find(loan);
    return found == told_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void open(std::uint16_t port, const std::string& request, std::size_t reader) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockets_.push_back(socket);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      throw std::runtime_error("an event stream does not open");
    epoll_event event{.events = EPOLLIN, .data = {.u64 = reader}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }
  void read(const std::stop_token& stop) {
    std::array<epoll_event, 256> ready{};
    std::vector<char> buffer(256 * 1024);
    while (!stop.stop_requested()) {
      const int many = epoll_wait(epoll_, ready.data(), ready.size(), 50);
      for (int i = 0; i < many; ++i) {
        const auto reader = ready[static_cast<std::size_t>(i)].data.u64;
        const auto got = recv(sockets_[reader], buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got <= 0) {
          if (got == 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, sockets_[reader], nullptr);
          continue;
        }
        take(rest_[reader], std::string_view(buffer.data(), static_cast<std::size_t>(got)));
      }
    }
  }
  void take(std::string& rest, std::string_view bytes) {
    const auto now = Clock::now();
    rest += bytes;
    std::size_t begin = 0, end = 0;
    const std::lock_guard lock(mutex_);
    while ((end = rest.find("\n\n", begin)) != std::string::npos) {
      note(std::string_view(rest).substr(begin, end - begin), now);
      begin = end + 2;
    }
    rest.erase(0, begin);
  }
  void note(std::string_view event, Clock::time_point now) {
    if (event.find("event: borrow.created") == std::string_view::npos) return;
    constexpr std::string_view name = "\"resource_id\":";
    const auto at = event.find(name);
    std::int64_t loan = 0;
    if (at == std::string_view::npos ||
        std::from_chars(event.data() + at + name.size(), event.data() + event.size(), loan).ec != std::errc())
      return;
    auto& told = told_[loan];
    if (told.readers++ == 0) told.first = now;
    told.last = now;
  }

  int epoll_ = -1;
  std::vector<int> sockets_;
  std::vector<std::string> rest_;  // of each reader: an event that is not whole yet
  std::mutex mutex_;
  std::unordered_map<std::int64_t, Told> told_;
  std::jthread thread_;
};

}  // namespace lumina::bench

// A plain blocking HTTP client for tests: sends any octets, reads answers by their framing. Waits at most ten
// seconds for anything, then throws.
#pragma once
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace lumina::wire {

struct Answer {
  int status = 0;
  std::string head;  // with the status line and the blank line
  std::string body;

  // The value of the first field of that name (as the server spells it); empty when absent.
  std::string field(std::string_view name) const {
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    const auto at = head.find(wanted);
    if (at == std::string::npos) return {};
    const auto begin = at + wanted.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  bool says_close() const { return field("Connection") == "close"; }
};

class Client {
 public:
  explicit Client(std::uint16_t port, const char* from = "127.0.0.1") {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bind_to(from);
    const auto to = endpoint("127.0.0.1", port);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), unread_(std::move(other.unread_)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  int descriptor() const { return fd_; }

  // False when the server has closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      wait(POLLOUT);
      const auto n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // Throws when the connection ends before the answer does.
  Answer read(bool without_body = false) {
    Answer answer;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) throw std::runtime_error("closed within a head: " + unread_);
    answer.head = unread_.substr(0, end + 4);
    unread_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const auto length = answer.field("Content-Length");
    if (length.empty() || without_body) return answer;
    const auto size = std::stoul(length);
    while (unread_.size() < size)
      if (!receive()) throw std::runtime_error("closed within a body");
    answer.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return answer;
  }
  Answer ask(std::string_view octets) {
    send(octets);
    return read();
  }
  // Whether the server has closed; what arrives before that is dropped.
  bool closed() {
    try {
      unread_.clear();
      while (receive()) unread_.clear();
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  // Reads on until the text has arrived; false when the connection ends before that. Nothing is taken away.
  bool reads(std::string_view text) {
    while (unread_.find(text) == std::string::npos)
      if (!receive()) return false;
    return true;
  }
  const std::string& unread() const { return unread_; }
  void forget() { unread_.clear(); }
  // Everything until the server closes.
  std::string read_all() {
    while (receive()) continue;
    return std::exchange(unread_, {});
  }
  // Whether nothing at all arrives for a while.
  bool silent(std::chrono::milliseconds time) const {
    pollfd waited{fd_, POLLIN, 0};
    return unread_.empty() && ::poll(&waited, 1, static_cast<int>(time.count())) == 0;
  }

 private:
  static sockaddr_in endpoint(const char* address, std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    ::inet_pton(AF_INET, address, &out.sin_addr);
    return out;
  }
  void bind_to(const char* address) const {
    const auto from = endpoint(address, 0);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
      throw std::runtime_error("cannot bind the test client");
  }
  void wait(short events) const {
    pollfd waited{fd_, events, 0};
    if (::poll(&waited, 1, 10'000) == 0) throw std::runtime_error("the server is silent");
  }
  bool receive() {
    wait(POLLIN);
    char piece[16 * 1024];
    const auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    unread_.append(piece, static_cast<std::size_t>(n));
    return true;
  }

  int fd_ = -1;
  bool connected_ = false;
  std::string unread_;
};

}  // namespace lumina::wire

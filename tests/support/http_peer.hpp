// An HTTP server for tests that answers as it is told, also badly: for clients of other people's servers.
//
//   HttpPeer peer([](const HttpPeer::Received& request) { return HttpPeer::Reply{.body = "{}"}; });
//   ...client to peer.url()...
//   CHECK(peer.received()[0].header("Authorization") == "Bearer k");
//
// Header only. A thread for each connection; a connection carries one request.
#pragma once
#include "core/base/text.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace lumina::test {

class HttpPeer {
 public:
  enum class Mood : std::uint8_t {
    fine,
    hang,     // takes the request and says nothing
    drip,     // a byte every 20 ms
    garbage,  // no HTTP at all
    half,     // chunks without their end
    huge,     // never ends
    cut,      // closes in the middle of a body with a length
    slam,     // closes at once
  };
  struct Reply {
    int status = 200;
    std::string content_type = "application/json";
    std::string headers;  // more lines, each with CRLF
    std::string body;
    Mood mood = Mood::fine;
  };
  struct Received {
    std::string target, head, body;
    std::string header(std::string_view name) const {
      for (std::size_t at = 0; at < head.size();) {
        const auto end = head.find("\r\n", at);
        const auto line = std::string_view(head).substr(at, end - at);
        if (const auto colon = line.find(':');
            colon != std::string_view::npos && iequals(line.substr(0, colon), name))
          return std::string(trim_ascii(line.substr(colon + 1)));
        if (end == std::string::npos) break;
        at = end + 2;
      }
      return {};
    }
  };
  using Handler = std::function<Reply(const Received&)>;

  explicit HttpPeer(Handler handler) : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("the peer cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpPeer() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::scoped_lock lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    close(listener_);
  }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Received> received() const {
    const std::scoped_lock lock(mutex_);
    return received_;
  }
  std::size_t calls() const { return received().size(); }
  void answer_with(Handler handler) {
    const std::scoped_lock lock(mutex_);
    handler_ = std::move(handler);
  }

 private:
  void accept_all() {
    while (!stopping_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::scoped_lock lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }

  bool read_request(int fd, Received& request) const {
    std::string all;
    char piece[4096];
    std::size_t head_end = std::string::npos, wanted = 0;
    while (head_end == std::string::npos || all.size() < head_end + 4 + wanted) {
      const auto got = recv(fd, piece, sizeof piece, 0);
      if (got <= 0) return false;
      all.append(piece, static_cast<std::size_t>(got));
      if (head_end == std::string::npos && (head_end = all.find("\r\n\r\n")) != std::string::npos) {
        request.head = all.substr(0, head_end);
        const auto length = request.header("Content-Length");
        std::from_chars(length.data(), length.data() + length.size(), wanted);
      }
    }
    request.body = all.substr(head_end + 4);
    const auto begin = request.head.find(' ') + 1;
    request.target = request.head.substr(begin, request.head.find(' ', begin) - begin);
    return true;
  }

  static bool say(int fd, std::string_view bytes) {
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void wait_for_end(int fd) const {
    char byte = 0;
    while (!stopping_ && recv(fd, &byte, 1, 0) > 0) {
    }
  }

  void serve(int fd) {
    Received request;
    if (read_request(fd, request)) {
      Handler handler;
      {
        const std::scoped_lock lock(mutex_);
        received_.push_back(request);
        handler = handler_;
      }
      write_reply(fd, handler(request));
    }
    const std::scoped_lock lock(mutex_);
    std::erase(open_, fd);
    close(fd);
  }

  void write_reply(int fd, const Reply& reply) const {
    const std::string head = "HTTP/1.1 " + std::to_string(reply.status) +
                             " X\r\nContent-Type: " + reply.content_type + "\r\n" + reply.headers;
    const std::string with_length =
        head + "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
    switch (reply.mood) {
      case Mood::fine:
        say(fd, with_length + reply.body);
        return;
      case Mood::hang:
        wait_for_end(fd);
        return;
      case Mood::drip:
        if (!say(fd, with_length)) return;
        for (const char c : reply.body) {
          if (stopping_ || !say(fd, {&c, 1})) return;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return;
      case Mood::garbage:
        say(fd, "\x16\x03\x01 this is no HTTP \r\n\r\n");
        return;
      case Mood::half:
        say(fd, head + "Transfer-Encoding: chunked\r\n\r\n");
        say(fd, hex(reply.body.size() / 2) + "\r\n" + reply.body.substr(0, reply.body.size() / 2) + "\r\n");
        return;
      case Mood::huge: {
        if (!say(fd, head + "\r\n")) return;
        const std::string filling(64 * 1024, 'x');
        while (!stopping_ && say(fd, filling)) {
        }
        return;
      }
      case Mood::cut:
        say(fd, with_length + reply.body.substr(0, reply.body.size() / 2));
        return;
      case Mood::slam:
        return;
    }
  }
  static std::string hex(std::size_t n) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, n, 16).ptr;
    return {text, end};
  }

  mutable std::mutex mutex_;
  Handler handler_;
  std::vector<Received> received_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
};

}  // namespace lumina::test

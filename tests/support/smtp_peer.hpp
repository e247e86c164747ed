// A mail server for tests: speaks SMTP on a port of this machine, with STARTTLS or TLS from the start and
// with AUTH when told, keeps what it is sent, and answers as it is told.
//
//   SmtpPeer peer;
//   peer.answer("RCPT", "450 4.2.1 come back later");  // the next RCPT, once
//   ...
//   REQUIRE(peer.has(1));
//   CHECK(peer.received()[0].to == "ada@example.org");
//
// Header only, so that tests of every kind can use it. A thread for each connection.
#pragma once
#include "core/base/text.hpp"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
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

struct ReceivedMail {
  std::string from, to, data;  // data with CRLF, dots unstuffed
  std::string login;           // "user password" that came with AUTH
  bool encrypted = false;
  int connection = 0;

  // A header's value with its folds undone; empty when there is none.
  std::string header(std::string_view name) const {
    std::string found;
    bool inside = false;
    std::size_t at = 0;
    while (at < data.size()) {
      const auto end = data.find("\r\n", at);
      const std::string line = data.substr(at, end - at);
      if (line.empty()) break;
      at = end == std::string::npos ? data.size() : end + 2;
      if (line[0] == ' ' || line[0] == '\t') {
        if (inside) found += " " + line.substr(1);
        continue;
      }
      const auto colon = line.find(':');
      inside = colon != std::string::npos && iequals(line.substr(0, colon), name);
      if (inside) found = std::string(trim_ascii(line.substr(colon + 1)));
    }
    return std::string(trim_ascii(found));
  }
  // The headers as they came.
  std::string head() const { return data.substr(0, data.find("\r\n\r\n") + 2); }
  // A part of multipart/alternative, decoded: "plain" or "html".
  std::string part(std::string_view type) const {
    const auto begin = data.find("text/" + std::string(type));
    if (begin == std::string::npos) return {};
    const auto body = data.find("\r\n\r\n", begin) + 4;
    std::string packed;
    for (const char c : data.substr(body, data.find("\r\n--", body) - body))
      if (c != '\r' && c != '\n') packed += c;
    return base64_decode(packed).value_or("(no base64)");
  }
  std::string text() const { return part("plain"); }
};

class SmtpPeer {
 public:
  enum class Tls : std::uint8_t { none, starttls, immediate };
  struct Script {
    Tls tls = Tls::none;
    std::string certificate, key;  // PEM files
    std::string user, password;    // AUTH is offered, and needed, when set
  };

  SmtpPeer() : SmtpPeer(Script{}) {}
  explicit SmtpPeer(Script script) : script_(std::move(script)) {
    std::signal(SIGPIPE, SIG_IGN);
    if (script_.tls != Tls::none) {
      context_ = SSL_CTX_new(TLS_server_method());
      if (SSL_CTX_use_certificate_chain_file(context_, script_.certificate.c_str()) != 1 ||
          SSL_CTX_use_PrivateKey_file(context_, script_.key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("the peer's certificate cannot be read");
    }
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("the peer cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~SmtpPeer() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    close(listener_);
    SSL_CTX_free(context_);
  }
  SmtpPeer(const SmtpPeer&) = delete;
  SmtpPeer& operator=(const SmtpPeer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<ReceivedMail> received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  // Waits until so many mails were taken.
  bool has(std::size_t count) const {
    for (int i = 0; i < 10'000; ++i) {
      if (received().size() >= count) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  // The next command of this kind ("." is the end of a message) is answered so, once; "" closes instead.
  void answer(const std::string& verb, std::string line) {
    std::lock_guard lock(mutex_);
    script_of_[verb].push_back(std::move(line));
  }
  // Called with each command before it is answered. Before the first connection.
  std::function<void(std::string_view verb)> heard;

 private:
  struct Line {
    int fd;
    SSL* ssl = nullptr;
    std::string buffer{};
    ~Line() { SSL_free(ssl); }
    bool start_tls(SSL_CTX* context) {
      ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      buffer.clear();
      return SSL_accept(ssl) == 1;
    }
    bool send(const std::string& text) const {
      const auto bytes = text + "\r\n";
      const auto length = static_cast<int>(bytes.size());
      return (ssl ? SSL_write(ssl, bytes.data(), length)
                  : static_cast<int>(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL))) == length;
    }
    // Without its CRLF.
    bool read(std::string& out) {
      while (true) {
        if (const auto end = buffer.find("\r\n"); end != std::string::npos) {
          out = buffer.substr(0, end);
          buffer.erase(0, end + 2);
          return true;
        }
        char more[4096];
        const auto got =
            ssl ? SSL_read(ssl, more, sizeof more) : static_cast<int>(recv(fd, more, sizeof more, 0));
        if (got <= 0) return false;
        buffer.append(more, static_cast<std::size_t>(got));
      }
    }
  };

  void accept_all() {
    while (!stopping_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = ++connections_;
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number] {
        serve(fd, number);
        std::lock_guard inner(mutex_);
        std::erase(open_, fd);
        close(fd);
      });
    }
  }

  std::string answer_to(const std::string& verb, std::string usual) {
    if (heard) heard(verb);
    std::lock_guard lock(mutex_);
    auto& waiting = script_of_[verb];
    if (waiting.empty()) return usual;
    auto line = std::move(waiting.front());
    waiting.pop_front();
    return line;
  }

  static std::string between(const std::string& line) {
    const auto open = line.find('<'), end = line.find('>');
    return open == std::string::npos || end == std::string::npos ? "" : line.substr(open + 1, end - open - 1);
  }

  void serve(int fd, int number) {
    Line line{fd};
    bool encrypted = false;
    if (script_.tls == Tls::immediate) {
      if (!line.start_tls(context_)) return;
      encrypted = true;
    }
    std::string login, text;
    ReceivedMail mail;
    const auto say = [&](const std::string& verb, const std::string& usual) {
      const auto said = answer_to(verb, usual);
      return !said.empty() && line.send(said) && !said.starts_with("421");
    };
    if (!say("CONNECT", "220 peer.example ESMTP")) return;
    while (line.read(text)) {
      std::string verb = text.substr(0, text.find(' '));
      for (char& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      if (verb == "EHLO") {
        std::string offer = "250-peer.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n";
        if (script_.tls == Tls::starttls && !encrypted) offer += "250-STARTTLS\r\n";
        if (!script_.user.empty() && (encrypted || script_.tls == Tls::none))
          offer += "250-AUTH PLAIN LOGIN\r\n";
        if (!say(verb, offer + "250 SIZE 1000000")) return;
      } else if (verb == "STARTTLS" && script_.tls == Tls::starttls) {
        if (!say(verb, "220 go on") || !line.start_tls(context_)) return;
        encrypted = true;
      } else if (verb == "AUTH") {
        std::string given = text.size() > 11 ? text.substr(11) : "";
        if (given.empty()) {
          if (!line.send("334 ") || !line.read(given)) return;
        }
        std::string decoded = base64_decode(given).value_or("");  // \0user\0password
        for (char& c : decoded)
          if (c == '\0') c = ' ';
        login = std::string(trim_ascii(decoded));
        const bool right = login == script_.user + " " + script_.password;
        if (!say(verb, right ? "235 2.7.0 welcome" : "535 5.7.8 no such login")) return;
      } else if (verb == "MAIL") {
        const bool may = script_.user.empty() || !login.empty();
        mail = {};
        mail.from = between(text);
        if (!say(verb, may ? "250 2.1.0 sender" : "530 5.7.0 authenticate first")) return;
      } else if (verb == "RCPT") {
        mail.to = between(text);
        if (!say(verb, "250 2.1.5 recipient")) return;
      } else if (verb == "DATA") {
        const auto said = answer_to(verb, "354 go on");
        if (said.empty() || !line.send(said)) return;
        if (!said.starts_with("354")) continue;
        while (line.read(text) && text != ".")
          mail.data += (text.starts_with("..") ? text.substr(1) : text) + "\r\n";
        if (text != ".") return;
        mail.login = login;
        mail.encrypted = encrypted;
        mail.connection = number;
        const auto verdict = answer_to(".", "250 2.0.0 taken");
        // Kept before it is answered: a peer that answers nothing has it all the same.
        if (verdict.empty() || verdict.starts_with("250")) {
          std::lock_guard lock(mutex_);
          received_.push_back(mail);
        }
        if (verdict.empty() || !line.send(verdict)) return;
      } else if (verb == "QUIT") {
        line.send("221 bye");
        return;
      } else if (verb == "RSET" || verb == "NOOP") {
        if (!say(verb, "250 well")) return;
      } else if (!line.send("500 5.5.1 what?")) {
        return;
      }
    }
  }

  const Script script_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> script_of_;
  std::vector<ReceivedMail> received_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace lumina::test

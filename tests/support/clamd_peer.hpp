// A ClamAV daemon for tests: speaks zINSTREAM by the letter of clamd(8) and answers as it is told, also
// badly.
//
// Header only. Over a UNIX socket or over TCP; a thread serves one connection after the other.
#pragma once
#include <arpa/inet.h>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lumina::test {

class ClamdPeer {
 public:
  enum class Mood : std::uint8_t {
    fine,     // OK, or FOUND for what holds the EICAR string
    hang,     // takes everything and says nothing
    drip,     // a byte of the answer now and then, without end
    garbage,  // an answer that is none, but ends like one
    slam,     // closes at once
    half,     // closes within its answer
    small,    // takes little and says that it is too much
  };
  enum class Over : std::uint8_t { unix_socket, tcp };

  explicit ClamdPeer(Over over = Over::unix_socket, Mood first = Mood::fine) : mood(first) {
    if (over == Over::unix_socket) {
      static std::atomic<int> next{0};
      path_ = std::filesystem::temp_directory_path() /
              ("clamd-" + std::to_string(::getpid()) + "-" + std::to_string(next++));
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
      listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      listen_on(reinterpret_cast<sockaddr*>(&address), sizeof address);
      where_ = path_.string();
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      listen_on(reinterpret_cast<sockaddr*>(&address), size);
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
      where_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~ClamdPeer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove(path_, error);
  }
  ClamdPeer(const ClamdPeer&) = delete;
  ClamdPeer& operator=(const ClamdPeer&) = delete;

  // As the setting clamd_socket takes it.
  const std::string& where() const { return where_; }
  // What was sent to be scanned, one after the other, and what was wrong with how.
  std::vector<std::string> scanned() const {
    std::lock_guard lock(mutex_);
    return scanned_;
  }
  std::string fault() const {
    std::lock_guard lock(mutex_);
    return fault_;
  }

  std::atomic<Mood> mood;

 private:
  void listen_on(const sockaddr* address, socklen_t size) const {
    if (::bind(listener_, address, size) != 0 || ::listen(listener_, 64) != 0)
      throw std::runtime_error("the daemon cannot listen");
  }
  bool readable(int socket) const {
    while (!stopping_) {
      pollfd waited{socket, POLLIN, 0};
      if (::poll(&waited, 1, 20) > 0) return true;
    }
    return false;
  }
  void serve() {
    while (readable(listener_)) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      answer(socket);
      ::close(socket);
    }
  }
  // Exactly that many bytes; false when they do not come.
  bool take(int socket, std::string& out, std::size_t size) const {
    out.clear();
    while (out.size() < size) {
      if (!readable(socket)) return false;
      std::string piece(size - out.size(), '\0');
      const auto n = ::recv(socket, piece.data(), piece.size(), 0);
      if (n <= 0) return false;
      out.append(piece, 0, static_cast<std::size_t>(n));
    }
    return true;
  }
  void note(const std::string& fault) {
    std::lock_guard lock(mutex_);
    if (fault_.empty()) fault_ = fault;
  }
  static void say(int socket, std::string_view text) {
    (void)::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  }
  void answer(int socket) {
    const auto how = mood.load();
    if (how == Mood::slam) return;
    std::string piece, whole;
    if (!take(socket, piece, 10) || piece != std::string_view("zINSTREAM\0", 10)) return note("no zINSTREAM");
    while (true) {
      if (!take(socket, piece, 4)) return note("no chunk length");
      std::uint32_t size = 0;
      for (const char c : piece) size = size << 8 | static_cast<unsigned char>(c);
      if (size == 0) break;
      if (size > (25U << 20)) return note("a chunk length that is none");
      if (!take(socket, piece, size)) return note("half a chunk");
      whole += piece;
      if (how == Mood::small)
        return say(socket, std::string_view("INSTREAM size limit exceeded. ERROR\0", 36));
    }
    const bool infected = whole.find("EICAR-STANDARD-ANTIVIRUS-TEST-FILE") != std::string::npos;
    {
      std::lock_guard lock(mutex_);
      scanned_.push_back(std::move(whole));
    }
    using namespace std::string_view_literals;
    if (how == Mood::fine)
      say(socket, infected ? "stream: Win.Test.EICAR_HDB-1 FOUND\0"sv : "stream: OK\0"sv);
    if (how == Mood::garbage) say(socket, "whatever you say is NOT OK\0"sv);
    if (how == Mood::half) say(socket, "stream: OK"sv);
    while (!stopping_ && (how == Mood::hang || how == Mood::drip)) {
      pollfd waited{socket, POLLIN, 0};
      if (::poll(&waited, 1, 20) > 0) return;  // the client gave up
      if (how == Mood::drip) say(socket, "x");
    }
  }

  std::filesystem::path path_;
  std::string where_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> scanned_;
  std::string fault_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace lumina::test

// The HTTP server: listens, deals connections round-robin to the io threads, stops without losing an answer.
//
//   IoThreads io(0);
//   Server server(io, options, application);  // throws when the TLS files are wrong
//   server.start();                           // throws when an address cannot be bound
//   io.start();
//   ...
//   server.stop(30s);
//
// `application` is called on every io thread at once; it and `io` must outlive the server. start() raises the
// soft limit of open files when the caps ask for more; what the system refuses lowers the cap.
#pragma once
#include "core/config/config.hpp"
#include "core/http/limits.hpp"
#include "core/http/message.hpp"
#include "core/http/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lumina::http {

class IoThreads;

struct ServerOptions {
  std::vector<config::ListenAddress> listen;  // port 0: the system chooses
  Limits limits;
  std::optional<TlsOptions> tls;  // plain HTTP without
  bool reuse_port = false;        // several processes share the address
};

// Totals since the start, but for `open`. The fields are read one after the other.
struct ServerStats {
  std::uint64_t open = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;         // connections over a cap
  std::uint64_t accept_errors = 0;   // no descriptor or no memory left
  std::uint64_t requests = 0;        // heads handed to the application
  std::uint64_t refused_heads = 0;   // answered without it: malformed, too large, too late
  std::uint64_t timeouts = 0;        // deadlines missed, idle connections not counted
  std::uint64_t exceptions = 0;      // that escaped the application; each is a bug
  std::uint64_t dropped_fields = 0;  // response fields that must not be written; each is a bug
};

class Server {
 public:
  // Not thread-safe: start() and stop() belong to one thread, which is no io thread. The others may be called
  // anywhere.
  Server(IoThreads& io, ServerOptions options, Application& application);
  // Cuts what stop() left.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Throws std::runtime_error that names the address and the reason.
  void start();
  // Bound ports in the order of `listen`.
  std::vector<std::uint16_t> ports() const;

  // Reads certificate and key again for handshakes from now on; on failure the old pair stays and the error
  // says why.
  std::expected<void, std::string> reload_tls();

  // Accepts no more, ends idle connections, lets requests in flight finish with "Connection: close", and cuts
  // what is left after `grace`: sockets are closed and the application's coroutines cancelled. Waits
  // `patience` more for those that cannot be; true when everything ended. Calling it again is harmless.
  bool stop(std::chrono::milliseconds grace, std::chrono::milliseconds patience = std::chrono::seconds(2));
  bool draining() const;

  ServerStats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lumina::http

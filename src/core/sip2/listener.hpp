// The port of self-check machines: accepts, reads lines, keeps time, writes what the host answers.
//
//   Listener listener(io, {.listen = addresses}, host);
//   listener.start();  // throws when an address cannot be bound
//   listener.stop(5s);
//
// A connection stays on one io thread; its messages are answered one after the other. Connections over the
// cap are closed at once, those that say nothing in time too. `io` and `host` outlive the listener; start()
// and stop() belong to one thread, which is no io thread.
#pragma once
#include "core/base/task.hpp"
#include "core/config/config.hpp"
#include "core/sip2/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lumina::http {
class IoThreads;
}

namespace lumina::sip2 {

// What a terminal hears: nothing is only said when the connection is to be closed.
struct Reply {
  std::optional<Message> message;
  bool close = false;
};

// One connected terminal, until it hangs up.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual Task<Reply> answer(Message request) = 0;
  // Whether somebody signed in: then it may be silent for longer.
  virtual bool signed_in() const = 0;
};

class Host {
 public:
  virtual ~Host() = default;
  virtual std::shared_ptr<Terminal> connected(std::string address) = 0;
};

struct ListenerOptions {
  using Time = std::chrono::milliseconds;
  std::vector<config::ListenAddress> listen;  // port 0: the system chooses
  std::size_t connections = 64;
  std::size_t of_one_address = 16;
  Time login_time{15'000};  // from accept to the end of the first message, and between those before the login
  Time idle_time{900'000};  // between two messages of a terminal that is signed in
  Time line_time{10'000};   // from the first byte of a line to its end
  Time write_time{10'000};
};

class Listener {
 public:
  Listener(http::IoThreads& io, ListenerOptions options, Host& host);
  ~Listener();  // stop(0)
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  std::vector<std::uint16_t> ports() const;
  // Accepts no more, lets what is being answered end within `grace`, and closes everything; true when
  // everything ended.
  bool stop(std::chrono::milliseconds grace);
  std::size_t open() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace lumina::sip2

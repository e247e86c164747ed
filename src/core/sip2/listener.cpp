#include "core/sip2/listener.hpp"

#include "core/http/io_threads.hpp"
#include "core/sip2/conversation.hpp"
#include "core/telemetry/log.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <utility>

namespace lumina::sip2 {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

using Acceptor = asio::basic_socket_acceptor<tcp, IoExecutor>;
using Socket = asio::basic_stream_socket<tcp, IoExecutor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
constexpr asio::use_awaitable_t<IoExecutor> awaiting;

}  // namespace

// A connection; everything in it belongs to its io thread.
struct Connection : std::enable_shared_from_this<Connection> {
  Connection(asio::io_context& context, Socket accepted, asio::ip::address from)
      : io(context),
        socket(std::move(accepted)),
        deadline(context.get_executor()),
        address(std::move(from)) {}

  // Closes the socket when the time is over, which ends what waits for it.
  void expect_within(std::chrono::milliseconds time) {
    deadline.expires_after(time);
    deadline.async_wait([weak = weak_from_this()](error_code ec) {
      const auto self = weak.lock();
      if (!ec && self && Timer::clock_type::now() >= self->deadline.expiry()) self->close();
    });
  }
  void relax() { deadline.cancel(); }
  void close() {
    error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
    deadline.cancel();
  }

  asio::io_context& io;
  Socket socket;
  Timer deadline;
  const asio::ip::address address;
  std::string read;  // and not used yet
  bool answering = false;
  bool draining = false;
};

struct Listener::State : std::enable_shared_from_this<State> {
  State(http::IoThreads& threads, ListenerOptions o, Host& h) : io(threads), options(std::move(o)), host(h) {}

  struct Door {
    explicit Door(IoExecutor executor) : acceptor(executor), pause(executor) {}
    Acceptor acceptor;
    Timer pause;
  };

  void open(const config::ListenAddress& address);
  void accept(Door& door);
  void welcome(asio::io_context& context, Socket socket);
  Task<std::optional<std::string>> next_line(std::shared_ptr<Connection> c, bool signed_in) const;
  Task<bool> say(std::shared_ptr<Connection> c, std::string line) const;
  Task<void> converse(std::shared_ptr<Connection> c, std::shared_ptr<Terminal> terminal) const;
  void ended(const std::shared_ptr<Connection>& c);
  // On every connection's own thread, or here when none runs.
  void on_each(void (*act)(Connection&));

  http::IoThreads& io;
  const ListenerOptions options;
  Host& host;
  std::vector<std::unique_ptr<Door>> doors;
  std::vector<std::uint16_t> ports;
  std::size_t next = 0;  // belongs to the first io thread

  std::mutex mutex;
  std::condition_variable all_gone;
  std::set<std::shared_ptr<Connection>> connections;
  bool stopping = false;
};

void Listener::State::open(const config::ListenAddress& address) {
  auto door = std::make_unique<Door>(io.at(0).get_executor());
  const auto host_address = asio::ip::make_address(address.host);
  try {
    Acceptor& acceptor = door->acceptor;
    acceptor.open(tcp::endpoint(host_address, address.port).protocol());
    acceptor.set_option(Acceptor::reuse_address(true));
    if (host_address.is_v6()) acceptor.set_option(asio::ip::v6_only(true));
    acceptor.bind({host_address, address.port});
    acceptor.listen(64);
    ports.push_back(acceptor.local_endpoint().port());
  } catch (const boost::system::system_error& e) {
    throw std::runtime_error("cannot listen for self-check machines on " + address.to_string() + ": " +
                             e.code().message());
  }
  doors.push_back(std::move(door));
}

void Listener::State::accept(Door& door) {
  auto& context = io.at(next);
  next = (next + 1) % io.size();
  door.acceptor.async_accept(context,
                             [self = shared_from_this(), &door, &context](error_code ec, Socket socket) {
                               if (!ec) self->welcome(context, std::move(socket));
                               if (!door.acceptor.is_open()) return;
                               if (!ec || ec == asio::error::connection_aborted) return self->accept(door);
                               door.pause.expires_after(100ms);
                               door.pause.async_wait([self, &door](error_code) {
                                 if (door.acceptor.is_open()) self->accept(door);
                               });
                             });
}

void Listener::State::welcome(asio::io_context& context, Socket socket) {
  error_code ec;
  const auto address = socket.remote_endpoint(ec).address();
  if (ec) return;
  auto connection = std::make_shared<Connection>(context, std::move(socket), address);
  {
    const std::lock_guard lock(mutex);
    const auto of_this = std::ranges::count(connections, address, &Connection::address);
    if (stopping || connections.size() >= options.connections ||
        static_cast<std::size_t>(of_this) >= options.of_one_address) {
      log::warn("a self-check machine was turned away", {{"address", address.to_string()}});
      return;
    }
    connections.insert(connection);
  }
  asio::co_spawn(context, converse(connection, host.connected(address.to_string())),
                 [self = shared_from_this(), connection](std::exception_ptr thrown) {
                   self->ended(connection);
                   if (!thrown) return;
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const std::exception& e) {
                     log::error("a self-check session failed", {{"what", e.what()}});
                   }
                 });
}

void Listener::State::ended(const std::shared_ptr<Connection>& c) {
  c->close();
  const std::lock_guard lock(mutex);
  connections.erase(c);
  if (connections.empty()) all_gone.notify_all();
}

Task<std::optional<std::string>> Listener::State::next_line(std::shared_ptr<Connection> c,
                                                            bool signed_in) const {
  bool begun = !c->read.empty();
  c->expect_within(begun ? options.line_time : signed_in ? options.idle_time : options.login_time);
  std::size_t looked = 0;
  while (true) {
    if (const auto end = c->read.find('\r', looked); end != std::string::npos) {
      std::string line = c->read.substr(0, end);
      c->read.erase(0, end + 1);
      c->relax();
      // After the carriage return some send a line feed.
      line.erase(0, std::min(line.find_first_not_of('\n'), line.size()));
      co_return line;
    }
    looked = c->read.size();
    if (looked > longest_line) co_return std::nullopt;
    std::array<char, 1024> buffer;
    error_code ec;
    const auto n =
        co_await c->socket.async_read_some(asio::buffer(buffer), asio::redirect_error(awaiting, ec));
    if (ec) co_return std::nullopt;
    c->read.append(buffer.data(), n);
    if (!begun && c->read.find_first_not_of('\n') != std::string::npos) {
      begun = true;
      c->expect_within(options.line_time);
    }
  }
}

Task<bool> Listener::State::say(std::shared_ptr<Connection> c, std::string line) const {
  c->expect_within(options.write_time);
  error_code ec;
  co_await asio::async_write(c->socket, asio::buffer(line), asio::redirect_error(awaiting, ec));
  c->relax();
  co_return !ec;
}

Task<void> Listener::State::converse(std::shared_ptr<Connection> c,
                                     std::shared_ptr<Terminal> terminal) const {
  Conversation conversation;
  while (!c->draining) {
    auto waiting = next_line(c, terminal->signed_in());
    const auto line = co_await std::move(waiting);
    if (!line) co_return;
    auto step = conversation.heard(*line);
    if (step.next == Conversation::Next::close) co_return;
    if (step.next == Conversation::Next::nothing) continue;
    bool last = false;
    if (step.next == Conversation::Next::answer) {
      c->answering = true;
      auto answering = terminal->answer(std::move(step.request));
      auto reply = co_await std::move(answering);
      c->answering = false;
      if (!reply.message) co_return;
      step.line = conversation.answered(std::move(*reply.message));
      last = reply.close;
    }
    auto saying = say(c, std::move(step.line));
    const bool heard = co_await std::move(saying);
    if (!heard || last) co_return;
  }
}

void Listener::State::on_each(void (*act)(Connection&)) {
  std::vector<std::shared_ptr<Connection>> all;
  {
    const std::lock_guard lock(mutex);
    all.assign(connections.begin(), connections.end());
  }
  for (auto& c : all) asio::post(c->io, [c, act] { act(*c); });
}

Listener::Listener(http::IoThreads& io, ListenerOptions options, Host& host)
    : state_(std::make_shared<State>(io, std::move(options), host)) {}

Listener::~Listener() { stop(0ms); }

void Listener::start() {
  for (const auto& address : state_->options.listen) state_->open(address);
  for (auto& door : state_->doors)
    asio::post(state_->io.at(0), [self = state_, &door = *door] { self->accept(door); });
}

std::vector<std::uint16_t> Listener::ports() const { return state_->ports; }

std::size_t Listener::open() const {
  const std::lock_guard lock(state_->mutex);
  return state_->connections.size();
}

bool Listener::stop(std::chrono::milliseconds grace) {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
  }
  asio::post(state.io.at(0), [self = state_] {
    for (auto& door : self->doors) {
      error_code ignored;
      door->acceptor.close(ignored);
      door->pause.cancel();
    }
  });
  const auto gone = [&](std::chrono::milliseconds time) {
    std::unique_lock lock(state.mutex);
    return state.all_gone.wait_for(lock, time, [&] { return state.connections.empty(); });
  };
  state.on_each([](Connection& c) {
    c.draining = true;
    if (!c.answering) c.close();
  });
  if (!state.io.running()) return gone(0ms);
  if (gone(grace)) return true;
  state.on_each([](Connection& c) { c.close(); });
  return gone(2s);
}

}  // namespace lumina::sip2

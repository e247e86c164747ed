#include "core/http/server.hpp"

#include "core/http/connection.hpp"
#include "core/http/io_threads.hpp"
#include "core/http/shard.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <future>
#include <mutex>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/socket.h>
#include <utility>

namespace lumina::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

using Acceptor = asio::basic_socket_acceptor<tcp, IoExecutor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// How many connections the limit of open files allows, after asking for as many as `wanted` need.
std::size_t allowed_connections(std::size_t wanted) {
  constexpr std::size_t for_the_rest =
      256;  // databases, files, listeners, refused connections on their way out
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  const rlim_t needed = wanted + for_the_rest;
  if (files.rlim_cur < needed) {
    rlimit raised = files;
    raised.rlim_cur = std::min<rlim_t>(needed, files.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  if (files.rlim_cur >= needed) return wanted;
  return files.rlim_cur > 2 * for_the_rest ? files.rlim_cur - for_the_rest : files.rlim_cur / 2;
}

// Runs `work` on the thread of `context` and waits for its end; at once when no thread runs it.
template <class Work>
void run_there(bool running, asio::io_context& context, Work work) {
  if (!running) return work();
  std::promise<void> done;
  asio::post(context, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  State(IoThreads& threads, ServerOptions o, Application& app)
      : io(threads), options(std::move(o)), application(app) {}

  struct Listener {
    Listener(IoExecutor executor, config::ListenAddress a)
        : acceptor(executor), pause(executor), address(std::move(a)) {}
    Acceptor acceptor;
    Timer pause;
    config::ListenAddress address;
  };

  void open(Listener& listener) const;
  void accept(Listener& listener);
  void deal(Socket socket, Shard& shard);
  void take_waiting(Listener& listener);
  Shard& next_shard() {
    Shard& shard = *shards[next];
    next = (next + 1) % shards.size();
    return shard;
  }
  TlsContext tls() const {
    const std::lock_guard lock(tls_mutex);
    return tls_context;
  }
  template <class Work>
  void on_each_shard(Work work) {
    for (auto& shard : shards) run_there(io.running(), shard->io, [&] { work(*shard); });
  }

  IoThreads& io;
  const ServerOptions options;
  Application& application;
  std::shared_ptr<Ledger> ledger;
  std::vector<std::shared_ptr<Shard>> shards;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::uint16_t> ports;
  mutable std::mutex tls_mutex;
  TlsContext tls_context;
  std::size_t next = 0;  // belongs to the first io thread, like everything about accepting
  Counter accepted;
  Counter refused;
  Counter accept_errors;
  std::atomic<bool> draining = false;
};

void Server::State::open(Listener& listener) const {
  const auto address = asio::ip::make_address(listener.address.host);
  const tcp::endpoint endpoint(address, listener.address.port);
  Acceptor& acceptor = listener.acceptor;
  acceptor.open(endpoint.protocol());
  acceptor.set_option(Acceptor::reuse_address(true));
  if (options.reuse_port) acceptor.set_option(ReusePort(true));
  if (address.is_v6()) acceptor.set_option(asio::ip::v6_only(true));
  acceptor.bind(endpoint);
  acceptor.listen(4096);
  acceptor.non_blocking(true);
}

void Server::State::accept(Listener& listener) {
  Shard& shard = next_shard();
  listener.acceptor.async_accept(
      shard.io, [self = shared_from_this(), &listener, &shard](error_code ec, Socket socket) {
        if (!ec) self->deal(std::move(socket), shard);
        if (!listener.acceptor.is_open()) return;
        if (!ec || ec == asio::error::connection_aborted) return self->accept(listener);
        self->accept_errors.add();
        listener.pause.expires_after(100ms);
        listener.pause.async_wait([self, &listener](error_code) {
          if (listener.acceptor.is_open()) self->accept(listener);
        });
      });
}

void Server::State::deal(Socket socket, Shard& shard) {
  error_code ec;
  const auto address = socket.remote_endpoint(ec).address();
  if (ec) return;
  accepted.add();
  const auto entry = ledger->enter(address);
  if (entry != Ledger::Entry::admitted) refused.add();
  if (entry == Ledger::Entry::flooding) return ledger->leave(address);
  auto begin = [shard = shard.shared_from_this(), socket = std::move(socket), address, entry,
                tls = tls()]() mutable {
    serve(std::move(shard), std::move(socket), address, entry, std::move(tls));
  };
  asio::post(shard.io, std::move(begin));
}

// Clients that the system has connected already are not turned away.
void Server::State::take_waiting(Listener& listener) {
  for (;;) {
    Shard& shard = next_shard();
    error_code ec;
    Socket socket(shard.io);
    listener.acceptor.accept(socket, ec);
    if (ec) return;
    deal(std::move(socket), shard);
  }
}

Server::Server(IoThreads& io, ServerOptions options, Application& application)
    : state_(std::make_shared<State>(io, std::move(options), application)) {
  if (!state_->options.tls) return;
  const auto loaded = reload_tls();
  if (!loaded) throw std::runtime_error(loaded.error());
}

Server::~Server() {
  stop(0ms);
  state_->on_each_shard([](Shard& shard) { shard.stop(); });
  if (state_->io.running() && state_->ledger) state_->ledger->wait_until_empty();
}

void Server::start() {
  State& state = *state_;
  if (state.ledger) throw std::logic_error("the server was started already");
  for (const auto& address : state.options.listen) {
    auto listener = std::make_unique<State::Listener>(state.io.at(0).get_executor(), address);
    try {
      state.open(*listener);
    } catch (const boost::system::system_error& e) {
      throw std::runtime_error("cannot listen on " + address.to_string() + ": " + e.code().message());
    }
    state.ports.push_back(listener->acceptor.local_endpoint().port());
    state.listeners.push_back(std::move(listener));
  }
  const auto most = allowed_connections(state.options.limits.connections);
  state.ledger = std::make_shared<Ledger>(most, state.options.limits.connections_per_address);
  for (std::size_t i = 0; i < state.io.size(); ++i)
    state.shards.push_back(
        std::make_shared<Shard>(state.io.at(i), state.options.limits, state.application, state.ledger));
  for (auto& shard : state.shards) asio::post(shard->io, [shard] { shard->start(); });
  for (auto& listener : state.listeners)
    asio::post(state.io.at(0), [self = state_, &listener = *listener] { self->accept(listener); });
}

std::vector<std::uint16_t> Server::ports() const { return state_->ports; }

std::expected<void, std::string> Server::reload_tls() {
  if (!state_->options.tls) return std::unexpected("TLS is not configured");
  auto loaded = load_tls(*state_->options.tls);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  const std::lock_guard lock(state_->tls_mutex);
  state_->tls_context = std::move(*loaded);
  return {};
}

bool Server::stop(std::chrono::milliseconds grace, std::chrono::milliseconds patience) {
  State& state = *state_;
  if (!state.ledger) return true;
  const auto began = std::chrono::steady_clock::now();
  if (!state.draining.exchange(true)) {
    for (auto& shard : state.shards) shard->draining = true;
    run_there(state.io.running(), state.io.at(0), [&] {
      for (auto& listener : state.listeners) {
        error_code ignored;
        state.take_waiting(*listener);
        listener->acceptor.close(ignored);
        listener->pause.cancel();
      }
    });
    state.on_each_shard([](Shard& shard) { shard.drain(); });
  }
  if (!state.io.running()) return state.ledger->open() == 0;
  if (state.ledger->wait_until_empty(began + grace)) return true;
  state.on_each_shard([](Shard& shard) { shard.cut(); });
  return state.ledger->wait_until_empty(std::chrono::steady_clock::now() + patience);
}

bool Server::draining() const { return state_->draining; }

ServerStats Server::stats() const {
  const State& state = *state_;
  ServerStats stats;
  if (!state.ledger) return stats;
  stats.open = state.ledger->open();
  stats.accepted = state.accepted.get();
  stats.refused = state.refused.get();
  stats.accept_errors = state.accept_errors.get();
  for (const auto& shard : state.shards) {
    stats.requests += shard->counters.requests.get();
    stats.refused_heads += shard->counters.refused_heads.get();
    stats.timeouts += shard->counters.timeouts.get();
    stats.exceptions += shard->counters.exceptions.get();
    stats.dropped_fields += shard->counters.dropped_fields.get();
  }
  return stats;
}

}  // namespace lumina::http

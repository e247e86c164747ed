// An application for wire tests, and a server that runs it on two io threads and a port of the system's
// choice.
//
//   /echo          the body back; bodies up to 1 MiB
//   /ten           the same up to 10 bytes
//   /none          204
//   /bytes/N       N octets
//   /refused       401 from admit()
//   /later         200 from coroutines in admit() and handle()
//   /gate          waits in handle() until the gate is opened
//   /throw/admit, /throw/handle, /throw/later
//   /injection     tries to write a second header
#pragma once
#include "core/http/io_threads.hpp"
#include "core/http/refusing.hpp"
#include "core/http/server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lumina::wire {

using namespace std::chrono_literals;

struct Finished {
  int status = 0;
  std::uint64_t bytes = 0;
};

class Toy final : public http::Application, public http::Refusing {
 public:
  std::unique_ptr<http::Exchange> begin() override;
  http::Response refuse(int status, std::string_view code, std::string_view detail) override {
    http::Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = R"({"code":")" + std::string(code) + R"(","detail":")" + std::string(detail) + "\"}";
    if (status == 503) response.set("Retry-After", "1");
    return response;
  }

  http::Response refuse_at(int status, std::string_view code, std::string_view detail, std::string_view path,
                           std::string_view peer) override {
    auto response = refuse(status, code, detail);
    response.body.pop_back();
    response.body += R"(,"instance":")" + std::string(path) + R"(","peer":")" + std::string(peer) + "\"}";
    return response;
  }

  std::vector<Finished> finished() const {
    const std::lock_guard lock(mutex_);
    return finished_;
  }
  void record(Finished what) {
    const std::lock_guard lock(mutex_);
    finished_.push_back(what);
  }

  // Of the exchange that finished last; waits until one has. An answer is read before its exchange hears of
  // it.
  int last_status() const {
    for (;;) {
      const auto all = finished();
      if (!all.empty()) return all.back().status;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> gate_open = false;
  std::atomic<int> waiting = 0;

 private:
  mutable std::mutex mutex_;
  std::vector<Finished> finished_;
};

class ToyExchange final : public http::Exchange {
 public:
  explicit ToyExchange(Toy& toy) : toy_(toy) {}

  Eventual<http::Admission> admit(const http::Request& request) override {
    const auto path = request.head.path();
    if (path == "/throw/admit") throw std::runtime_error("admit");
    http::Admission admission;
    admission.body_limit = path == "/ten" ? 10 : 1 << 20;
    if (path == "/refused") {
      admission.refusal = http::Response{};
      admission.refusal->status = 401;
      admission.refusal->body = "no";
    }
    if (path == "/later") return admit_later(std::move(admission));
    return admission;
  }

  Eventual<http::Response> handle(http::Request& request) override {
    const auto path = request.head.path();
    http::Response response;
    response.content_type = "text/plain";
    if (path == "/throw/handle") throw std::runtime_error("handle");
    if (path == "/throw/later") return fail_later();
    if (path == "/gate") return wait_for_gate();
    if (path == "/later") return answer_later();
    if (path == "/injection") {
      response.set("X-A", "1\r\nX-Injected: 1");
      response.set("X-B\r\nX-Injected", "1");
    }
    if (path == "/none") {
      response.status = 204;
      response.content_type.clear();
    } else if (path.starts_with("/bytes/")) {
      response.body.assign(std::stoul(std::string(path.substr(7))), 'x');
    } else if (path == "/target") {
      response.body = request.head.target + " " + std::string(request.head.header("host"));
    } else {
      response.body = std::move(request.body);
    }
    return response;
  }

  void finished(int status, std::uint64_t bytes) override { toy_.record({status, bytes}); }

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
  static constexpr boost::asio::use_awaitable_t<IoExecutor> awaited{};

  static Task<http::Admission> admit_later(http::Admission admission) {
    Timer timer(co_await boost::asio::this_coro::executor, 1ms);
    co_await timer.async_wait(awaited);
    co_return admission;
  }
  static Task<http::Response> answer_later() {
    http::Response response;
    response.body = "later";
    co_return response;
  }
  static Task<http::Response> fail_later() {
    Timer timer(co_await boost::asio::this_coro::executor, 1ms);
    co_await timer.async_wait(awaited);
    throw std::runtime_error("later");
  }
  Task<http::Response> wait_for_gate() {
    ++toy_.waiting;
    Timer timer(co_await boost::asio::this_coro::executor);
    while (!toy_.gate_open) {
      timer.expires_after(2ms);
      co_await timer.async_wait(awaited);
    }
    http::Response response;
    response.body = std::string(5000, 'g');
    co_return response;
  }

  Toy& toy_;
};

inline std::unique_ptr<http::Exchange> Toy::begin() { return std::make_unique<ToyExchange>(*this); }

// Limits for tests: deadlines are looked at often.
inline http::Limits quick_limits() {
  http::Limits limits;
  limits.sweep_interval = 10ms;
  return limits;
}

struct ToyServer {
  explicit ToyServer(http::Limits limits = quick_limits(), std::optional<http::TlsOptions> tls = {})
      : server(io, options(limits, std::move(tls)), toy) {
    server.start();
    io.start();
  }
  std::uint16_t port() const { return server.ports().front(); }

  // Waits for what another thread is about to do; false after ten seconds.
  template <class Condition>
  static bool eventually(Condition condition) {
    for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
      if (condition()) return true;
      std::this_thread::sleep_for(1ms);
    }
    return condition();
  }

  Toy toy;
  http::IoThreads io{2};
  http::Server server;

 private:
  static http::ServerOptions options(const http::Limits& limits, std::optional<http::TlsOptions> tls) {
    http::ServerOptions out;
    out.listen = {{"127.0.0.1", 0}};
    out.limits = limits;
    out.tls = std::move(tls);
    return out;
  }
};

}  // namespace lumina::wire

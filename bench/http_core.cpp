// The HTTP core alone: answers every request with a shared body of 600 bytes and five fields, so that a load
// generator measures sockets, guard, parser and writing. Prints its port; ends on SIGINT or SIGTERM.
//
//   bench_http_core [port [threads]] & wrk -c64 -d5s http://127.0.0.1:PORT/
#include "core/http/io_threads.hpp"
#include "core/http/server.hpp"

#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

namespace {

using namespace lumina;
using namespace lumina::http;

class FixedExchange final : public Exchange {
 public:
  explicit FixedExchange(const SharedBytes& body) : body_(body) {}
  Eventual<Admission> admit(const Request&) override { return Admission{{}, 1 << 20}; }
  Eventual<Response> handle(Request&) override {
    Response response;
    response.shared = body_;
    response.set("X-Content-Type-Options", "nosniff");
    response.set("X-Request-Id", "0123456789abcdef");
    response.set("Cache-Control", "no-cache");
    response.set("ETag", "\"4242-7\"");
    response.set("RateLimit", "\"default\";r=997;t=42");
    return response;
  }
  void finished(int, std::uint64_t) override {}

 private:
  const SharedBytes& body_;
};

class FixedApplication final : public Application {
 public:
  std::unique_ptr<Exchange> begin() override { return std::make_unique<FixedExchange>(body_); }
  Response refuse(int status, std::string_view code, std::string_view) override {
    Response response;
    response.status = status;
    response.body = code;
    return response;
  }

 private:
  SharedBytes body_ = std::make_shared<const std::string>(600, 'x');
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  const auto argument = [&](int i) { return argc > i ? std::stoul(argv[i]) : 0; };
  FixedApplication application;
  IoThreads io(argument(2));
  ServerOptions options;
  options.listen = {{"127.0.0.1", static_cast<std::uint16_t>(argument(1))}};
  options.limits.connections_per_address = 0;
  Server server(io, options, application);
  server.start();
  io.start();
  std::printf("%d\n", server.ports().front());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&ending, &signal);
  server.stop(std::chrono::seconds(5));
  std::fprintf(stderr, "%llu requests\n", static_cast<unsigned long long>(server.stats().requests));
}

// luminalib serve: the application behind sockets, with the signals that an operator sends.
//
//   SIGTERM, SIGINT   drain: not ready, no new connections, answer what is in flight, exit 0
//   SIGHUP            read the configuration and the certificates again
//   SIGUSR1           open the log file anew
#include "app.hpp"
#include "cli/commands.hpp"
#include "cli/demo_library.hpp"
#include "core/http/io_threads.hpp"
#include "core/http/server.hpp"
#include "core/runtime/give_back.hpp"
#include "core/runtime/service_notify.hpp"
#include "core/sip2/listener.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <future>
#include <optional>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace lumina::cli {
namespace {

using namespace std::chrono_literals;

// Takes settings over beside the loop of signals: a model's file is read and hashed as a whole, and meanwhile
// the watchdog is fed and the server can be stopped. One at a time; of what is asked meanwhile the last
// counts.
class Reloads {
 public:
  explicit Reloads(App& app) : app_(app) {}

  void ask(const config::Config& fresh) {
    next_ = fresh;
    (void)busy();
  }
  // Also begins what waits.
  bool busy() {
    if (running_.valid() && running_.wait_for(0s) != std::future_status::ready) return true;
    running_ = {};
    if (!next_) return false;
    running_ = std::async(std::launch::async, [&app = app_, fresh = *std::exchange(next_, std::nullopt)] {
      try {
        app.reload(fresh);
      } catch (const std::exception& e) {
        log::error("the settings were not taken over", {{"what", e.what()}});
      }
    });
    return true;
  }
  // Before the application stops.
  void finish() {
    next_.reset();
    if (running_.valid()) running_.wait();
  }

 private:
  App& app_;
  std::optional<config::Config> next_;
  std::future<void> running_;
};

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, s);
  return set;
}

http::ServerOptions server_options(const config::Config& c) {
  http::ServerOptions options;
  options.listen = c.http_addr;
  options.limits.head_time = std::chrono::seconds(c.header_timeout_seconds);
  options.limits.body_time = std::chrono::seconds(c.body_timeout_seconds);
  options.limits.idle_time = std::chrono::seconds(c.idle_timeout_seconds);
  options.limits.write_time = std::chrono::seconds(c.write_timeout_seconds);
  options.limits.connections = static_cast<std::size_t>(c.max_connections);
  options.limits.connections_per_address = static_cast<std::size_t>(c.max_connections_per_address);
  if (!c.tls_cert.empty())
    options.tls = http::TlsOptions{c.tls_cert, c.tls_key, c.tls_min_version == config::TlsVersion::v1_2};
  return options;
}

void show_connections(metrics::Registry& registry, const http::Server& server) {
  registry.gauge("luminalib_http_connections", "Connections open now.", {},
                 [&server] { return static_cast<double>(server.stats().open); });
  const auto total = [&](std::string_view name, std::string_view help,
                         std::uint64_t http::ServerStats::* field) {
    registry.counter(name, help, {}, [&server, field] { return static_cast<double>(server.stats().*field); });
  };
  total("luminalib_http_connections_accepted_total", "Connections accepted.", &http::ServerStats::accepted);
  total("luminalib_http_connections_refused_total", "Connections over a cap.", &http::ServerStats::refused);
  total("luminalib_http_malformed_heads_total", "Requests refused before routing.",
        &http::ServerStats::refused_heads);
  total("luminalib_http_timeouts_total", "Deadlines missed by clients.", &http::ServerStats::timeouts);
}

// What a person sees at the start; the log has its own lines.
void greet(const std::string& program, const config::Config& c, const http::Server& server, App& app) {
  const auto& listen = c.http_addr.front();
  const std::string url =
      fmt::format("{}://{}:{}", c.tls_cert.empty() ? "http" : "https",
                  listen.host.find(':') == std::string::npos ? listen.host : "[" + listen.host + "]",
                  server.ports().front());
  fmt::print("LuminaLib {} is serving on {}\n  docs     {}/docs\n  metrics  {}/metrics\n  data     {}\n",
             LUMINA_VERSION, url, url, url,
             std::filesystem::absolute(c.data_dir).lexically_normal().string());
  if (const auto has = app.administration().has_admin(); has && !*has)
    fmt::print(
        "  There is no administrator yet. Make one:\n    {} admin create --email you@example.org "
        "--password-stdin --data-dir {}\n  or within 30 minutes: POST {}/api/v1/auth/bootstrap with token "
        "{}\n",
        program, c.data_dir, url, app.sign_in().offer_bootstrap());
  std::fflush(stdout);
}

}  // namespace

int serve(const Invocation& invocation, const config::Loaded& loaded) {
  config::Config config = loaded.config;
  // Signals are waited for here; every thread made from now on inherits the mask.
  const sigset_t signals = handled_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  log::Options log_options;
  log_options.level = config.log_level;
  log_options.format = config.log_format;
  log_options.path = config.log_file;
  log_options.max_file_bytes = static_cast<std::uint64_t>(config.log_file_max_bytes);
  const log::Sink sink(log_options);
  for (const auto& warning : loaded.warnings) log::warn(warning);

  runtime::ServiceNotify systemd;
  http::IoThreads io(static_cast<std::size_t>(config.io_threads), [](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
      log::error("an exception escaped a handler", {{"what", e.what()}});
    }
  });
  App app(config);
  http::Server server(io, server_options(config), app.application());
  show_connections(app.metrics(), server);
  sip2::ListenerOptions self_check;
  if (auto address = config::ListenAddress::parse(config.sip2_addr))
    self_check.listen = {std::move(*address)};
  sip2::Listener terminals(io, std::move(self_check), app.self_check());
  server.start();
  terminals.start();
  // After the ports are ours: nobody waits for a library to be filled to hear that one is taken.
  if (config.demo) load_demo_library(app, {}, [](std::string_view line) { log::info(line); });
  app.start_background();
  io.start();
  log::info("serving", {{"address", config.http_addr.front().to_string()}, {"port", server.ports().front()}});
  for (const auto port : terminals.ports()) log::info("serving self-check machines", {{"port", port}});
  greet(invocation.program, config, server, app);
  if (config.demo) print_demo_hints(config, server.ports().front());
  runtime::give_back_memory();
  systemd.ready("serving");

  const auto watchdog = systemd.watchdog_interval();
  Reloads reloads(app);
  const bool tls = !config.tls_cert.empty();
  bool reloading = false;
  while (true) {
    timespec wait{1, 0};
    if (reloading) {
      wait = {0, 50'000'000};
    } else if (watchdog) {
      const auto half = std::chrono::duration_cast<std::chrono::nanoseconds>(*watchdog / 2).count();
      wait = {half / 1'000'000'000, half % 1'000'000'000};
    }
    const int signal = sigtimedwait(&signals, nullptr, &wait);
    if (watchdog) systemd.alive();
    if (signal == SIGUSR1) log::reopen();
    if (signal == SIGHUP) {
      systemd.reloading();
      auto inputs = invocation.inputs;
      inputs.environment = config::process_environment();
      if (auto fresh = config::load(inputs)) {
        const auto change = config::reload(config, fresh->config);
        config = change.config;
        reloads.ask(config);
        log::set_level(config.log_level);
        for (const auto& name : change.changed) log::info("setting changed", {{"setting", name}});
        for (const auto& name : change.needs_restart)
          log::warn("setting needs a restart", {{"setting", name}});
      } else {
        for (const auto& fault : fresh.error())
          log::error("configuration not taken over", {{"reason", fault}});
      }
      if (tls) {
        if (auto renewed = server.reload_tls(); !renewed)
          log::error("certificate not taken over", {{"reason", renewed.error()}});
      }
      reloading = true;
    }
    if (reloading && !reloads.busy()) {
      reloading = false;
      systemd.ready("serving");
    }
    if (signal == SIGTERM || signal == SIGINT) break;
  }

  log::info("stopping", {{"grace_seconds", config.shutdown_grace_seconds}});
  systemd.stopping();
  app.drain();
  terminals.stop(std::chrono::seconds(5));
  const bool clean = server.stop(std::chrono::seconds(config.shutdown_grace_seconds));
  reloads.finish();
  app.stop_background();
  app.database().stop();
  io.stop();
  log::info("stopped", {{"clean", clean}});
  return 0;
}

}  // namespace lumina::cli

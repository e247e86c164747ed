#include "core/llm/relay.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <random>

namespace lumina::llm {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, IoExecutor>;

Failure unavailable(std::string code, std::string detail, int seconds) {
  return Failure(Error{ErrorKind::unavailable, std::move(code), std::move(detail), {}, seconds});
}

}  // namespace

void Post::show(ProviderStatus& one, ModelStatus& whole) const {
  one.circuit = breaker.state();
  one.failures_in_a_row = breaker.failures();
  one.requests = requests;
  one.failures = failures;
  if (one.circuit == Circuit::open) {
    one.available = false;
    if (one.detail.empty()) one.detail = "it failed again and again and is left alone for a while";
  }
  const auto waiting = door->figures();
  one.running = static_cast<std::int64_t>(waiting.running);
  whole.running += one.running;
  whole.waiting_interactive += static_cast<std::int64_t>(waiting.interactive);
  whole.waiting_bulk += static_cast<std::int64_t>(waiting.bulk);
  whole.queue_limit += static_cast<std::int64_t>(waiting.queue);
}

Milliseconds left(Clock::time_point until) {
  return std::chrono::duration_cast<Milliseconds>(until - Clock::now());
}

Failure none_configured(const std::string& what) {
  return unavailable("llm_not_configured", "No " + what + " is configured", 3600);
}
Failure too_late(const std::string& what) {
  return unavailable("llm_timeout", "The " + what + " did not answer in time", 10);
}

bool is_our_fault(const Error& error) {
  return error.code == "cancelled" || error.code == "prompt_too_long" || error.code == "bad_grammar" ||
         error.code == "llm_refused";
}

std::string_view outcome_name(const Error& error) {
  if (error.code == "cancelled") return "cancelled";
  if (error.code == "llm_busy") return "busy";
  return error.code == "llm_timeout" || error.code == "timeout" ? "timeout" : "failure";
}

Milliseconds pause_before(int attempt, Milliseconds first) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto whole = first * (1 << (attempt - 1));
  return whole * (80 + static_cast<int>(random() % 41)) / 100;
}

Task<void> rest(Milliseconds time) {
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(time);
  constexpr auto as_result = asio::as_tuple(asio::use_awaitable_t<IoExecutor>{});
  const auto ignored = co_await timer.async_wait(as_result);
  (void)ignored;
}

}  // namespace lumina::llm

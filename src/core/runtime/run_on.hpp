// Runs a function on a Pool and resumes the awaiting coroutine on its own io_context.
//
//   auto hash = [&] { return hasher.hash(password); };
//   Result<std::string> stored = co_await run_on(cpu, std::move(hash));
//
// The function returns R or Result<R>; the coroutine gets Result<R> (Status for void). A full queue or a
// stopped pool is Error{unavailable, "overloaded"} with retry_after_seconds 1; an exception of the function
// is rethrown to the coroutine. The function is destroyed on the pool's thread before the coroutine goes on,
// so it may hold references into the coroutine's frame. It cannot be interrupted: the coroutine waits for its
// end even when cancelled.
//
// Lifetime: the pool stops before the io_context ends. An io_context that ends with coroutines still awaiting
// destroys their frames in its own destructor, which is safe once the pool has stopped.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/runtime/pool.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace lumina::runtime {
namespace detail {

template <class T>
struct AsResult {
  using type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using type = Result<T>;
};
template <class F>
using ResultOf = typename AsResult<std::invoke_result_t<F&>>::type;

// The job as the pool holds it. Whatever becomes of it, run, turned away or discarded, the coroutine hears
// once.
template <class F, class Handler>
class AwaitedJob {
  using Outcome = ResultOf<F>;
  using Tracked = decltype(boost::asio::prefer(std::declval<IoExecutor>(),
                                               boost::asio::execution::outstanding_work.tracked));

 public:
  AwaitedJob(F function, Handler handler)
      : executor_(
            boost::asio::prefer(handler.get_executor(), boost::asio::execution::outstanding_work.tracked)),
        function_(std::move(function)),
        handler_(std::move(handler)) {}
  AwaitedJob(AwaitedJob&& other) noexcept
      : executor_(std::move(other.executor_)),
        function_(std::move(other.function_)),
        handler_(std::exchange(other.handler_, std::nullopt)) {}
  AwaitedJob& operator=(AwaitedJob&&) = delete;
  ~AwaitedJob() {
    if (!handler_) return;
    Error error{
        ErrorKind::unavailable, "overloaded", "The server has too much to do; try again shortly", {}, 1};
    function_.reset();
    resume(nullptr, Outcome(std::unexpect, std::move(error)));
  }

  void operator()() {
    std::exception_ptr thrown;
    std::optional<Outcome> outcome;
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
        std::invoke(*function_);
        outcome.emplace();
      } else {
        outcome.emplace(std::invoke(*function_));
      }
    } catch (...) {
      thrown = std::current_exception();
      outcome.emplace(std::unexpect);
    }
    function_.reset();
    resume(std::move(thrown), *std::move(outcome));
  }

 private:
  void resume(std::exception_ptr thrown, Outcome outcome) {
    auto completion = [handler = std::move(*handler_), thrown = std::move(thrown),
                       outcome = std::move(outcome)]() mutable {
      std::move(handler)(std::move(thrown), std::move(outcome));
    };
    handler_.reset();
    boost::asio::post(executor_, std::move(completion));
  }

  Tracked executor_;  // keeps the io_context running while the coroutine waits
  std::optional<F> function_;
  std::optional<Handler> handler_;
};

}  // namespace detail

template <class F>
Task<detail::ResultOf<F>> run_on(Pool& pool, F function) {
  using Token = boost::asio::use_awaitable_t<IoExecutor>;
  constexpr Token token;
  auto initiate = [&pool]<class Handler>(Handler&& handler, F f) {
    using Job = detail::AwaitedJob<F, std::decay_t<Handler>>;
    // A refused job tells the coroutine from its destructor.
    (void)pool.try_submit(Job(std::move(f), std::forward<Handler>(handler)));
  };
  return boost::asio::async_initiate<const Token, void(std::exception_ptr, detail::ResultOf<F>)>(
      std::move(initiate), token, std::move(function));
}

}  // namespace lumina::runtime

// The coroutine type of every asynchronous function, and a value that may be there already.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <utility>
#include <variant>

namespace lumina {

// Runs on the io_context of the request that awaits it; resumed there after every hop to another executor.
using IoExecutor = boost::asio::io_context::executor_type;
template <class T>
using Task = boost::asio::awaitable<T, IoExecutor>;

// A result that is either at hand (a cache hit: no coroutine frame, no hop) or still to be awaited.
template <class T>
class Eventual {
 public:
  Eventual(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Eventual(Task<T> task) : state_(std::move(task)) {}  // NOLINT(google-explicit-constructor)
  bool ready() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  Task<T>& task() { return std::get<1>(state_); }

 private:
  std::variant<T, Task<T>> state_;
};

}  // namespace lumina

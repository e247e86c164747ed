// Awaits a Task from a thread that may block: a job, the command line. Never on an io thread.
//
//   Result<std::int64_t> marked = runtime::block_on(borrows.mark_overdue());
//
// The task runs on an io_context of its own in the calling thread. What it throws is thrown here.
#pragma once
#include "core/base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace lumina::runtime {

template <class T>
T block_on(Task<T> task) {
  boost::asio::io_context io{1};
  auto guard = boost::asio::make_work_guard(io);
  std::exception_ptr thrown;
  std::optional<T> outcome;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
    thrown = std::move(e);
    outcome.emplace(std::move(value));
    guard.reset();
  });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*outcome);
}

}  // namespace lumina::runtime

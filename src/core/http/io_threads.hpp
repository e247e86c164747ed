// One io_context for each core, each run by one thread of its own: what runs on a connection's io_context
// needs no lock and no strand.
//
// Make it first and destroy it last: databases, pools and the server resume coroutines on these contexts.
// at() is usable before start(); work posted then runs once the threads do. Thread-safe but for start() and
// stop().
#pragma once
#include "core/base/task.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace lumina::http {

class IoThreads {
 public:
  // Told about exceptions that escape a handler, on its thread, which then goes on. Without it they end the
  // process.
  using OnException = std::function<void(std::exception_ptr)>;

  // 0 threads: one for each core.
  explicit IoThreads(std::size_t threads, OnException on_exception = {});
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  std::size_t size() const { return contexts_.size(); }
  boost::asio::io_context& at(std::size_t i) { return *contexts_[i]; }
  bool running() const { return !threads_.empty(); }

  void start();
  // Ends the loops whether or not work is left, and joins. Not from one of its own threads.
  void stop();

 private:
  void run(boost::asio::io_context& context);

  OnException on_exception_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<boost::asio::executor_work_guard<IoExecutor>> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace lumina::http

#include "core/http/io_threads.hpp"

#include <algorithm>
#include <pthread.h>
#include <string>

namespace lumina::http {

IoThreads::IoThreads(std::size_t threads, OnException on_exception) : on_exception_(std::move(on_exception)) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < threads; ++i) {
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.push_back(boost::asio::make_work_guard(*contexts_.back()));
  }
}

IoThreads::~IoThreads() { stop(); }

void IoThreads::start() {
  if (running()) return;
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    threads_.emplace_back([this, i] { run(*contexts_[i]); });
    const std::string name = "io " + std::to_string(i);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

void IoThreads::run(boost::asio::io_context& context) {
  for (;;) {
    try {
      context.run();
      return;
    } catch (...) {
      if (!on_exception_) throw;
      on_exception_(std::current_exception());
    }
  }
}

void IoThreads::stop() {
  guards_.clear();
  for (auto& context : contexts_) context->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace lumina::http

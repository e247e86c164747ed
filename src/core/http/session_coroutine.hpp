// The coroutines a connection is made of. They know one thread and resume straight from an Asio handler, so
// that a request costs no frame and no hop; application code uses Task (core/base/task.hpp) instead.
//
// Session is the root: it starts at once, owns itself and ends with its body. Step<T> is a part of it that
// waits for input or output; awaiting it runs it to its end. Await waits for one Asio operation.
#pragma once
#include <boost/system/error_code.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace lumina::http {

struct Session {
  struct promise_type {
    Session get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

template <class T>
class [[nodiscard]] Step {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;
  struct Return {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle done) const noexcept { return done.promise().waiter; }
    void await_resume() const noexcept {}
  };
  struct promise_type {
    T value{};
    std::exception_ptr thrown;
    std::coroutine_handle<> waiter;

    Step get_return_object() noexcept { return Step(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Return final_suspend() noexcept { return {}; }
    void return_value(T result) { value = std::move(result); }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
  };

  Step(Step&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Step& operator=(Step&&) = delete;
  ~Step() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
    return std::move(handle_.promise().value);
  }

 private:
  explicit Step(Handle handle) noexcept : handle_(handle) {}
  Handle handle_;
};

// Tells a coroutine its own handle.
struct OwnHandle {
  std::coroutine_handle<> handle;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) noexcept {
    handle = self;
    return false;
  }
  std::coroutine_handle<> await_resume() const noexcept { return handle; }
};

// Resumes `waiter` once. Destroyed without that (the io_context has ended), it destroys the whole session.
class Resume {
 public:
  Resume(std::coroutine_handle<> waiter, std::coroutine_handle<> root) noexcept
      : waiter_(waiter), root_(root) {}
  Resume(Resume&& other) noexcept : waiter_(other.waiter_), root_(std::exchange(other.root_, {})) {}
  Resume& operator=(Resume&&) = delete;
  ~Resume() {
    if (root_) root_.destroy();
  }
  void operator()() {
    root_ = {};
    waiter_.resume();
  }

 private:
  std::coroutine_handle<> waiter_;
  std::coroutine_handle<> root_;
};

struct IoResult {
  boost::system::error_code error;
  std::size_t bytes = 0;
};

// `start(handler)` begins an Asio operation whose handler takes an error code and perhaps a number of octets.
template <class Start>
class [[nodiscard]] Await {
 public:
  Await(std::coroutine_handle<> root, Start start) : root_(root), start_(std::move(start)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    start_([this, resume = Resume(waiter, root_)](boost::system::error_code error,
                                                  std::size_t bytes = 0) mutable {
      result_ = {error, bytes};
      resume();
    });
  }
  IoResult await_resume() const noexcept { return result_; }

 private:
  std::coroutine_handle<> root_;
  Start start_;
  IoResult result_;
};

}  // namespace lumina::http

// How a thread of another kind gives an awaiting coroutine what it waits for.
//
//   auto initiate = [&](auto handler) { enqueue(work, runtime::resuming<Answer>(std::move(handler))); };
//   co_await boost::asio::async_initiate<..., void(std::exception_ptr, Answer)>(std::move(initiate), token);
//
// The function may be called once, from any thread; the coroutine goes on in its own io_context. It tracks
// work: the io_context runs on, and is there, until the resumption was posted whole. Without that a context
// that lives on somebody's stack (block_on) could end inside the post that wakes it.
#pragma once
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <exception>
#include <utility>

namespace lumina::runtime {

template <class Answer, class Handler>
auto resuming(Handler handler) {
  auto executor = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                      boost::asio::execution::outstanding_work.tracked);
  return [handler = std::move(handler), executor](std::exception_ptr thrown, Answer answer) mutable {
    boost::asio::post(
        executor, [handler = std::move(handler), thrown = std::move(thrown),
                   answer = std::move(answer)]() mutable { handler(std::move(thrown), std::move(answer)); });
  };
}

}  // namespace lumina::runtime

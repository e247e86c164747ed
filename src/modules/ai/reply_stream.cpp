#include "modules/ai/reply_stream.hpp"

#include "core/http/body_source.hpp"
#include "core/json/codec.hpp"
#include "core/telemetry/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

namespace lumina::ai {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

Task<void> run(StreamedWork work, std::shared_ptr<http::PushedBody> body) {
  auto on_token = [body](std::string_view piece) {
    return body->push(fmt::format("event: token\ndata: {{\"text\":{}}}\n\n", json_text(piece)));
  };
  auto outcome = co_await work(std::move(on_token));
  if (outcome)
    body->push(fmt::format("event: done\ndata: {}\n\n", *outcome));
  else
    body->push(fmt::format("event: error\ndata: {{\"code\":{},\"detail\":{}}}\n\n",
                           json_text(outcome.error().code), json_text(outcome.error().detail)));
}

}  // namespace

bool wants_stream(const http::RawRequest& request) {
  return request.header("Accept").find("text/event-stream") != std::string_view::npos;
}

Task<Result<http::Response>> streamed(StreamedWork work) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto body = std::make_shared<http::PushedBody>();
  auto ended = [body](std::exception_ptr thrown) {
    if (thrown) {
      log::error("a stream of the language model failed");
      body->push("event: error\ndata: {\"code\":\"internal\",\"detail\":\"Something went wrong\"}\n\n");
    }
    body->finish();
  };
  boost::asio::co_spawn(executor, run(std::move(work), body), std::move(ended));
  http::Response response;
  response.content_type = "text/event-stream";
  response.set("Cache-Control", "no-cache");
  response.set("X-Accel-Buffering", "no");
  response.stream = std::move(body);
  co_return response;
}

http::Response waited_for(std::string body, std::chrono::seconds wait) {
  http::Response response;
  response.body = std::move(body);
  response.set("Preference-Applied", fmt::format("wait={}", wait.count()));
  return response;
}

}  // namespace lumina::ai

#include "core/http/body_source.hpp"
#include "core/http/handler.hpp"
#include "modules/ai/document_routes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

namespace lumina::ai {
namespace {

using namespace http;
using enum ErrorKind;

std::string event(std::string_view name, const std::string& json) {
  return "event: " + std::string(name) + "\ndata: " + json + "\n\n";
}

Task<void> stream(QaService& questions, Question question, Caller by, std::shared_ptr<PushedBody> body) {
  auto answer = co_await questions.ask(std::move(question), std::move(by));
  if (answer) {
    body->push(event("sources", json::encode(answer->sources)));
    std::string token = "{\"text\":";
    json::append_string(token, answer->answer);
    body->push(event("token", token + "}"));
    body->push(event("done", json::encode(*answer)));
  } else {
    std::string error = "{\"code\":";
    json::append_string(error, answer.error().code);
    error += ",\"detail\":";
    json::append_string(error, answer.error().detail);
    body->push(event("error", error + "}"));
  }
  body->finish();
}

Task<Result<Response>> answered(QaService& questions, Question question, bool streams, Caller by) {
  Response response;
  if (streams) {
    auto body = std::make_shared<PushedBody>(std::size_t{1} << 20);
    response.content_type = "text/event-stream";
    response.set("Cache-Control", "no-store");
    response.stream = body;
    auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::co_spawn(executor, stream(questions, std::move(question), std::move(by), body),
                          [body](std::exception_ptr thrown) {
                            if (thrown) body->finish();
                          });
    co_return response;
  }
  auto answer = co_await questions.ask(std::move(question), std::move(by));
  if (!answer) co_return Failure(std::move(answer.error()));
  response.body = json::encode(*answer);
  response.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

std::vector<Route> qa_routes(QaService& questions) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Documents")); };
  const auto person = Access::signed_in();
  add(get("/api/v1/documents/search", "Find passages in the documents one may read", person, {unavailable},
          [&](Query<PassageQuery> query, Caller by) { return questions.search(*query, by); })
          .limited(RateClass::search)
          .by_itself());
  add(post("/api/v1/qa", "Ask the documents and the catalogue", person, {ErrorKind::not_found, unavailable},
           [&](Body<Question> question, RawRequest request, Caller by) {
             const bool streams =
                 request.header("Accept").find("text/event-stream") != std::string_view::npos;
             return answered(questions, *question, streams, by);
           })
          .documented_as<QaAnswer>()
          .limited(RateClass::search)
          .repeats(Repeat::served)
          .by_itself()
          .explained("Every sentence of an answer stands on a quote that is checked against the stored text. "
                     "Where the sources hold no answer it says so (`grounded` false) and shows what comes "
                     "nearest. With `Accept: text/event-stream`: the events sources (as in the answer), "
                     "token and done."));
  add(get("/api/v1/qa/sessions", "List one's conversations", person, {},
          [&](Caller by) { return questions.sessions(by); }));
  add(get("/api/v1/qa/sessions/{id}", "Read a conversation", person, {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return questions.session(*id, by); }));
  add(del("/api/v1/qa/sessions/{id}", "Forget a conversation", person, {ErrorKind::not_found},
          [&](Path<std::string> id, Caller by) { return questions.forget(*id, by); }));
  for (auto& alias : also_at(routes, Method::get, "/api/v1/documents/search", {"/api/v1/search/inside"}))
    routes.push_back(std::move(alias));
  for (auto& alias : also_at(routes, Method::post, "/api/v1/qa", {"/api/v1/qa/ask"}))
    routes.push_back(std::move(alias));
  return routes;
}

}  // namespace lumina::ai

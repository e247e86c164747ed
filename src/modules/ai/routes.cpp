#include "modules/ai/routes.hpp"

#include "core/http/handler.hpp"
#include "core/jobs/routes.hpp"
#include "core/text/sentences.hpp"
#include "modules/ai/reply_stream.hpp"

namespace lumina::ai {
namespace {

using namespace http;
using enum ErrorKind;

Wish wish_of(const SummaryWish& given, const Caller& by) {
  Wish wish;
  wish.language = given.lang.value_or("");
  wish.refresh = given.refresh.value_or(false);
  wish.user = by.user ? by.user->value : 0;
  return wish;
}

Task<Result<Response>> made_now(SummaryService& summaries, BookId book, Wish wish, Caller by,
                                std::chrono::seconds wait) {
  wish.budget = wait;
  auto made = co_await summaries.make(book, std::move(wish), std::move(by));
  if (!made) co_return Failure(std::move(made.error()));
  co_return waited_for(json::encode(*made), wait);
}

// What was written without a model is heard as well, a sentence at a time.
class Hearing {
 public:
  explicit Hearing(llm::OnToken on_token) : on_token_(std::move(on_token)) {}
  llm::OnToken listener() {
    return [this](std::string_view piece) {
      heard_ = true;
      return on_token_(piece);
    };
  }
  void finish(std::string_view text) {
    if (heard_) return;
    std::size_t begin = 0;
    for (const auto& sentence : text::sentences(text)) {
      const std::size_t end = sentence.begin + sentence.text.size();
      if (!on_token_(text.substr(begin, end - begin))) return;
      begin = end;
    }
    if (begin < text.size()) on_token_(text.substr(begin));
  }

 private:
  llm::OnToken on_token_;
  bool heard_ = false;
};

Task<Result<std::string>> heard_summary(SummaryService& summaries, BookId book, Wish wish, Caller by,
                                        llm::OnToken on_token) {
  Hearing hearing(std::move(on_token));
  wish.on_token = hearing.listener();
  auto made = co_await summaries.make(book, std::move(wish), std::move(by));
  if (!made) co_return Failure(std::move(made.error()));
  hearing.finish(made->summary);
  co_return json::encode(*made);
}

Task<Result<std::string>> heard_summary(SummaryService& summaries, SummaryRequest request, Wish wish,
                                        llm::OnToken on_token) {
  Hearing hearing(std::move(on_token));
  wish.on_token = hearing.listener();
  auto made = co_await summaries.summarize(std::move(request), std::move(wish));
  if (!made) co_return Failure(std::move(made.error()));
  hearing.finish(made->summary);
  co_return json::encode(*made);
}

Task<Result<Response>> made_as_stream(SummaryService& summaries, BookId book, Wish wish, Caller by) {
  // What is no book is answered as ever, not as a stream.
  SummaryChoice choice;
  if (!wish.language.empty()) choice.lang = wish.language;
  const auto there = co_await summaries.find(book, std::move(choice));
  if (!there && there.error().code != "no_summary") co_return Failure(there.error());
  auto work = [&summaries, book, wish = std::move(wish),
               by = std::move(by)](llm::OnToken on_token) -> Task<Result<std::string>> {
    return heard_summary(summaries, book, wish, by, std::move(on_token));
  };
  co_return co_await streamed(std::move(work));
}

Task<Result<Response>> summarized_as_stream(SummaryService& summaries, SummaryRequest request, Wish wish) {
  // A text that is too long is answered as ever, not as a stream.
  if (auto fits = SummaryService::check(request); !fits) co_return Failure(std::move(fits.error()));
  auto work = [&summaries, request = std::move(request),
               wish = std::move(wish)](llm::OnToken on_token) -> Task<Result<std::string>> {
    return heard_summary(summaries, request, wish, std::move(on_token));
  };
  co_return co_await streamed(std::move(work));
}

Task<Result<Response>> answered(Task<Result<TextSummary>> task) {
  auto made = co_await std::move(task);
  if (!made) co_return Failure(std::move(made.error()));
  Response response;
  response.body = json::encode(*made);
  co_return response;
}

Task<Result<AiStatus>> status_of(RouteParts parts) {
  const auto now = parts.model.status();
  AiStatus out;
  auto embedding = co_await parts.embedding.status();
  if (!embedding) co_return Failure(std::move(embedding.error()));
  out.embedding = std::move(*embedding);
  out.tier = parts.model.configured() ? "llm" : "extractive";
  out.model = parts.model.model();
  for (const auto& provider : now.providers) out.providers.push_back(line_of(provider));
  out.queue = {now.waiting_interactive, now.waiting_bulk, now.running, now.queue_limit};
  out.embedding_model = parts.embedder.model();
  for (const auto& [name, version] : parts.prompts.versions()) out.prompts.push_back({name, version});
  out.cache_hits = parts.summaries.cache_hits();
  out.cache_misses = parts.summaries.cache_misses();
  if (out.cache_hits + out.cache_misses > 0)
    out.cache_hit_rate =
        static_cast<double>(out.cache_hits) / static_cast<double>(out.cache_hits + out.cache_misses);
  out.calls_today = parts.usage.calls_today();
  out.daily_calls = parts.usage.daily_calls();
  co_return out;
}

}  // namespace

std::vector<Route> ai_routes(RouteParts parts) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("AI").by_itself()); };
  auto& summaries = parts.summaries;
  const auto librarian = Access::needs(Permission::books_write);

  add(post("/api/v1/books/{id}/generate-summary", "Write a book's summary", librarian, {ErrorKind::not_found},
           [&](Path<BookId> id, Query<SummaryWish> wish, RawRequest request,
               Caller by) -> Task<Result<Response>> {
             if (wants_stream(request)) return made_as_stream(summaries, *id, wish_of(*wish, by), by);
             if (const auto wait = preferred_wait(request))
               return made_now(summaries, *id, wish_of(*wish, by), by, *wait);
             return jobs::accepted(summaries.request(*id, *wish, by));
           })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>()
          .explained(
              "Answers a task; while one is at it, the same. With `Prefer: wait=30` the summary itself "
              "(200). "
              "With `Accept: text/event-stream` tokens as they are written: events `token` {text}, then "
              "`done` with the summary. Nothing is written anew while book, prompt and model are the same, "
              "unless refresh=true. Without a model, or when it fails, the built-in method writes."));
  add(get("/api/v1/books/{id}/summary", "Read a book's summary", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BookId> id, Query<SummaryChoice> choice) { return summaries.find(*id, *choice); }));
  add(put("/api/v1/books/{id}/summary", "Write a book's summary oneself", librarian, {ErrorKind::not_found},
          [&](Path<BookId> id, Query<SummaryChoice> choice, Body<SummaryEdit> edit, Caller by) {
            return summaries.edit(*id, *choice, *edit, by);
          })
          .explained("It is locked from then on: nothing overwrites it until it is unlocked."));
  add(post("/api/v1/books/{id}/summary/unlock", "Leave a book's summary to the machine again", librarian,
           {ErrorKind::not_found},
           [&](Path<BookId> id, Query<SummaryChoice> choice, Caller by) {
             return jobs::accepted(summaries.unlock(*id, *choice, by));
           })
          .with_status(202)
          .documented_as<jobs::TaskAccepted>());
  add(post("/api/v1/generate-summary", "Summarise a text", Access::signed_in(), {too_large},
           [&](Body<SummaryRequest> request, RawRequest raw, Caller by) -> Task<Result<Response>> {
             Wish wish;
             wish.user = by.id().value;
             if (wants_stream(raw)) return summarized_as_stream(summaries, *request, std::move(wish));
             if (const auto wait = preferred_wait(raw)) wish.budget = *wait;
             return answered(summaries.summarize(*request, std::move(wish)));
           })
          .with_status(200)
          .documented_as<TextSummary>()
          .accepts_up_to(2 << 20)
          .explained("Long texts are read in parts. The text is not kept. With `Accept: text/event-stream` "
                     "tokens as "
                     "they are written."));
  add(get("/api/v1/ai/status", "Which models are at work", librarian, {},
          [parts] { return status_of(parts); }));
  add(get("/api/v1/admin/ai/usage", "What language models cost", Access::needs(Permission::system_inspect),
          {}, [&usage = parts.usage](Query<UsageFilter> filter) { return usage.read(*filter); }));
  return routes;
}

}  // namespace lumina::ai

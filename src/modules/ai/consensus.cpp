#include "modules/ai/consensus.hpp"

#include "core/base/text.hpp"
#include "core/json/parse.hpp"
#include "core/llm/fence.hpp"
#include "core/runtime/block_on.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"
#include "core/text/sentences.hpp"
#include "modules/ai/extractive.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace lumina::ai {
namespace {

// Bytes of reviews in a prompt: some 2,000 tokens of English, which fits the smallest contexts in use.
constexpr std::size_t all_reviews_bytes = 8000, one_review_bytes = 800, title_bytes = 500;
constexpr int most_reviews = 60;
constexpr std::size_t most_sentences = 3, most_words = 100, least_bytes = 20;
constexpr auto debounce = std::chrono::seconds(5);  // several reviews at once are one call

}  // namespace

std::vector<QuotedReview> within_budget(std::vector<QuotedReview> reviews) {
  std::size_t taken = 0, bytes = 0;
  for (auto& review : reviews) {
    if (review.text.size() > one_review_bytes) {
      std::size_t end = one_review_bytes;
      while (end > 0 && (static_cast<unsigned char>(review.text[end]) & 0xC0U) == 0x80U) --end;
      review.text.resize(end);
    }
    if (bytes + review.text.size() > all_reviews_bytes) break;
    bytes += review.text.size();
    ++taken;
  }
  reviews.erase(reviews.begin() + static_cast<std::ptrdiff_t>(taken), reviews.end());
  return reviews;
}

std::string read_consensus(std::string_view reply) {
  const auto clean = llm::without_markers(reply);
  std::string out;
  std::size_t count = 0;
  for (const auto& sentence : text::sentences(clean)) {
    if (count++ == most_sentences) break;
    if (!out.empty()) out += ' ';
    out += sentence.text;
  }
  out = trimmed_to_words(out, most_words);
  return out.size() < least_bytes ? std::string{} : out;
}

std::optional<ConsensusService::Material> ConsensusService::material(db::Transaction& tx, BookId book) const {
  ConsensusRepository repository(tx);
  auto title = repository.title(book);
  if (!title) return {};
  Material out;
  out.title = std::move(*title);
  out.reviews = within_budget(repository.reviews(book, most_reviews));
  // By number, so that a vote that only moves a review does not make another key.
  auto sorted = out.reviews;
  std::ranges::sort(sorted, {}, &QuotedReview::id);
  std::string all = prompts_.version("consensus") + '\0' + model_.model() + '\0' + out.title;
  for (const auto& review : sorted) all += fmt::format("\n{} {}\n", review.id.value, review.text);
  out.key = security::sha256_hex(all);
  out.kept = repository.find(book, out.key);
  return out;
}

Task<std::optional<std::string>> ConsensusService::find_or_start(BookId book) {
  if (!model_.configured()) co_return std::nullopt;
  auto read = [this, book](db::Transaction& tx) -> Result<std::optional<Material>> {
    return material(tx, book);
  };
  auto found = co_await database_.read(std::move(read));
  if (!found) {
    log::info("a consensus is not looked up", {{"why", found.error().code}});
    co_return std::nullopt;
  }
  if (!*found || (*found)->reviews.empty()) co_return std::nullopt;
  if ((*found)->kept) co_return std::move((*found)->kept);
  jobs::NewJob job;
  job.kind = consensus_job;
  job.payload = fmt::format(R"({{"book_id":{}}})", book.value);
  job.unique_key = std::to_string(book.value);
  job.run_at = clock_.now() + debounce;
  const auto started = co_await queue_.submit(std::move(job));
  if (!started) log::info("a consensus is not started", {{"why", started.error().code}});
  co_return std::nullopt;
}

Task<Result<bool>> ConsensusService::write(BookId book, std::function<bool()> cancelled, Caller by,
                                           AndThen and_then) {
  auto read = [this, book](db::Transaction& tx) -> Result<std::optional<Material>> {
    return material(tx, book);
  };
  auto found = co_await database_.read(std::move(read));
  if (!found) co_return Failure(std::move(found.error()));
  Consensus fresh;
  const bool kept = *found && (*found)->kept;
  if (*found && !kept && !(*found)->reviews.empty() && model_.configured()) {
    std::string quoted;
    int number = 0;
    for (const auto& review : (*found)->reviews)
      quoted += llm::fence(fmt::format("review {}", ++number), review.text, one_review_bytes) + "\n";
    auto prompt = prompts_.make("consensus", {{"count", std::to_string(number)},
                                              {"language", "the language that most of them are written in"},
                                              {"title", llm::fence("title", (*found)->title, title_bytes)},
                                              {"reviews", std::move(quoted)}});
    prompt.lane = llm::Lane::bulk;
    fresh.prompt_version = prompt.version;
    llm::OnToken on_token = [cancelled](std::string_view) { return !cancelled(); };
    auto written = co_await model_.generate(std::move(prompt), std::move(on_token));
    if (!written) co_return Failure(std::move(written.error()));
    fresh.book_id = book;
    fresh.summary = read_consensus(written->text);
    fresh.provider = written->provider;
    fresh.model = written->model;
    fresh.prompt_tokens = written->prompt_tokens;
    fresh.completion_tokens = written->completion_tokens;
    fresh.took_ms = written->took.count();
    fresh.key = (*found)->key;
  }
  auto keep = [this, book, kept, fresh = std::move(fresh), by = std::move(by),
               and_then](db::Transaction& tx) mutable -> Result<bool> {
    ConsensusRepository repository(tx);
    const bool shows = !fresh.summary.empty() && repository.title(book);
    if (shows) {
      fresh.generated_at = clock_.now();
      repository.put(fresh);
      journal_.record(
          tx, by, {.type = "book.consensus", .resource = "book", .resource_id = book.value, .book = book});
    }
    if (and_then)
      if (auto done = and_then(tx); !done) return Failure(std::move(done.error()));
    return kept || shows;
  };
  co_return co_await database_.write(std::move(keep));
}

void handle_consensus_jobs(jobs::Runner& runner, ConsensusService& consensus) {
  runner.handle(std::string(consensus_job), {}, [&consensus](jobs::JobContext& job) -> Result<std::string> {
    const auto payload = json::parse(job.payload());
    if (!payload) return Failure(payload.error());
    const BookId book{payload->value.as_object().at("book_id").as_int64()};
    const auto complete = [&](db::Transaction& tx) -> lumina::Status { return job.complete(tx, "null"); };
    auto done =
        runtime::block_on(consensus.write(book, [&job] { return job.cancelled(); }, job.caller(), complete));
    if (done) return "null";
    if (done.error().code == "cancelled") return jobs::JobContext::interrupted();
    return Failure(std::move(done.error()));
  });
}

}  // namespace lumina::ai

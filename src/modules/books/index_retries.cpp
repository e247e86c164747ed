#include "modules/books/index_retries.hpp"

#include "core/jobs/dead_letters.hpp"
#include "core/json/codec.hpp"
#include "core/telemetry/log.hpp"

#include <string>

namespace lumina::books {
namespace {

struct Payload {
  BookId book_id;
  static constexpr std::string_view type_name = "IndexPayload";
  static std::vector<schema::Field> fields() { return {{"book_id", &Payload::book_id, "Book"}}; }
};

}  // namespace

bool IndexRetries::keep(const std::vector<Unindexed>& failed) {
  auto work = [&](db::Transaction& tx) -> Status {
    for (const auto& one : failed) {
      jobs::NewJob job;
      job.kind = search_index_kind;
      job.payload = json::encode(Payload{{one.book}});
      job.unique_key = std::to_string(one.book);
      if (!jobs::DeadLetters::holds(tx, job.kind, *job.unique_key)) queue_.enqueue(tx, job);
    }
    return {};
  };
  const auto kept = database_.write_now(std::move(work));
  if (!kept) log::warn("jobs of the index cannot be kept", {{"why", kept.error().detail}});
  return kept.has_value();
}

Result<std::string> IndexRetries::try_again(jobs::JobContext& job) {
  const auto payload = json::decode<Payload>(job.payload());
  if (!payload) return Failure(payload.error());
  const auto book = payload->book_id;
  auto look = [book](db::Transaction& tx) { return SearchRepository(tx).books(std::array{book.value}); };
  const auto rows = database_.read_now(std::move(look));
  if (!rows) return Failure(rows.error());
  try {
    search::Index alone(search_schema());
    std::vector<search::Document> documents;
    for (const auto& row : *rows) documents.push_back(document_(row));
    alone.put(std::move(documents));
  } catch (const std::exception& e) {
    // Told to librarians, whose record it is.
    return fail(ErrorKind::unavailable, "not_indexable", e.what());
  }
  const std::string result = rows->empty() ? R"({"status":"gone"})" : R"({"status":"indexed"})";
  auto end = [&](db::Transaction& tx) -> Status {
    const events::Change change{
        .type = search_retry_event, .resource = "book", .resource_id = book.value, .book = book};
    journal_.record(tx, job.caller(), change);
    return job.complete(tx, result);
  };
  if (auto ended = database_.write_now(std::move(end)); !ended) return Failure(std::move(ended.error()));
  return result;
}

void IndexRetries::handle_jobs(jobs::Runner& runner) {
  runner.handle(search_index_kind, {.concurrency = 2},
                [this](jobs::JobContext& job) { return try_again(job); });
}

}  // namespace lumina::books

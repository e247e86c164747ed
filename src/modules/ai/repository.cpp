#include "modules/ai/repository.hpp"

namespace lumina::ai {
namespace {

struct Row : BookSummary {
  std::string provider, prompt_version;
  int prompt_tokens = 0, completion_tokens = 0;
  std::int64_t took_ms = 0;
  std::optional<int> reviews;
};

const db::Columns<Row> columns{{"s.book_id", &Row::book_id},
                               {"s.language", &Row::requested_language},
                               {"s.written_in", &Row::language},
                               {"s.summary", &Row::summary},
                               {"s.source", &Row::source},
                               {"s.model", &Row::model},
                               {"s.locked", &Row::locked},
                               {"s.generated_at", &Row::generated_at},
                               {"s.made_from", &Row::key},
                               {"s.provider", &Row::provider},
                               {"s.prompt_version", &Row::prompt_version},
                               {"s.prompt_tokens", &Row::prompt_tokens},
                               {"s.completion_tokens", &Row::completion_tokens},
                               {"s.took_ms", &Row::took_ms},
                               {"st.average_rating", &Row::average_rating},
                               {"st.review_count", &Row::reviews}};

const db::Columns<UsageLine> usage_columns{{"day", &UsageLine::day},
                                           {"user_id", &UsageLine::user_id},
                                           {"task", &UsageLine::task},
                                           {"provider", &UsageLine::provider},
                                           {"model", &UsageLine::model},
                                           {"calls", &UsageLine::calls},
                                           {"failures", &UsageLine::failures},
                                           {"prompt_tokens", &UsageLine::prompt_tokens},
                                           {"completion_tokens", &UsageLine::completion_tokens},
                                           {"took_ms", &UsageLine::took_ms}};

}  // namespace

std::optional<Material> SummaryRepository::material(BookId book) {
  const auto row = tx_.one<std::string, std::string, std::optional<std::string>, std::optional<std::string>,
                           std::optional<std::string>, std::int64_t>(
      "SELECT title, author, genre, description, language, version FROM books WHERE id = $1 AND deleted_at "
      "IS NULL",
      book);
  if (!row) return {};
  Material out;
  std::optional<std::string> genre, description, language;
  std::tie(out.title, out.author, genre, description, language, out.version) = *row;
  out.genre = genre.value_or("");
  out.description = description.value_or("");
  out.language = language.value_or("");
  tx_.each<std::string>(
      [&](std::string text) { out.reviews.push_back(std::move(text)); },
      "SELECT review_text FROM reviews WHERE book_id = $1 AND standing IN ('shown', 'cleared') AND "
      "spoiler = 0 ORDER BY helpful_count DESC, created_at DESC, id DESC LIMIT 20",
      book);
  return out;
}

std::optional<BookSummary> SummaryRepository::find(BookId book, const std::string& language) {
  static const std::string sql =
      "SELECT " + columns.list() +
      " FROM book_summaries s JOIN books b ON b.id = s.book_id LEFT JOIN book_stats st ON "
      "st.book_id = s.book_id WHERE s.book_id = $1 AND s.language = $2 AND b.deleted_at IS "
      "NULL";
  auto row = tx_.find(columns, sql, book, language);
  if (!row) return {};
  row->review_count = row->reviews.value_or(0);
  row->ai = {row->provider,          row->model,  row->prompt_version, row->prompt_tokens,
             row->completion_tokens, row->took_ms};
  return static_cast<BookSummary&&>(*row);
}

std::optional<BookSummary> SummaryRepository::find_locked(BookId book, const std::string& language) {
  if (tx_.postgresql())
    tx_.one<BookId>("SELECT book_id FROM book_summaries WHERE book_id = $1 AND language = $2 FOR UPDATE",
                    book, language);
  return find(book, language);
}

void SummaryRepository::put(const BookSummary& s) {
  tx_.execute(
      "INSERT INTO book_summaries (book_id, language, summary, source, provider, model, prompt_version, "
      "prompt_tokens, completion_tokens, took_ms, made_from, locked, generated_at, written_in) VALUES ($1, "
      "$2, "
      "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (book_id, language) DO UPDATE SET "
      "written_in = $14, summary = $3, source = $4, "
      "provider = $5, model = $6, prompt_version = $7, prompt_tokens = $8, completion_tokens = $9, took_ms = "
      "$10, "
      "made_from = $11, locked = $12, generated_at = $13",
      s.book_id, s.requested_language, s.summary, s.source, s.ai.provider, s.model, s.ai.prompt_version,
      s.ai.prompt_tokens, s.ai.completion_tokens, s.ai.took_ms, s.key, s.locked, s.generated_at, s.language);
}

bool SummaryRepository::unlock(BookId book, const std::string& language) {
  // What a person wrote stays until something new is there; its hash fits nothing.
  return tx_.execute(
             "UPDATE book_summaries SET locked = 0, source = 'extractive', made_from = '' WHERE book_id = $1 "
             "AND "
             "language = $2 AND locked = 1",
             book, language) > 0;
}

std::vector<BookId> SummaryRepository::due(Timestamp quiet_since, int most) {
  std::vector<BookId> out;
  tx_.each<BookId>(
      [&](BookId id) { out.push_back(id); },
      "SELECT b.id FROM books b LEFT JOIN summary_marks m ON m.book_id = b.id WHERE b.deleted_at IS NULL "
      "AND b.description IS NOT NULL AND b.updated_at <= $1 AND (m.version IS NULL OR m.version < "
      "b.version) ORDER BY b.id LIMIT CAST($2 AS BIGINT)",
      quiet_since, most);
  return out;
}

void SummaryRepository::mark(BookId book, std::int64_t version) {
  tx_.execute(
      "INSERT INTO summary_marks (book_id, version) VALUES ($1, $2) ON CONFLICT (book_id) DO UPDATE SET "
      "version = $2",
      book, version);
}

void UsageRepository::add(const UsageLine& l) {
  tx_.execute(
      "INSERT INTO ai_usage (day, user_id, task, provider, model, calls, failures, prompt_tokens, "
      "completion_tokens, "
      "took_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (day, user_id, task, provider, "
      "model) DO "
      "UPDATE SET calls = ai_usage.calls + $6, failures = ai_usage.failures + $7, prompt_tokens = "
      "ai_usage.prompt_tokens + $8, completion_tokens = ai_usage.completion_tokens + $9, took_ms = "
      "ai_usage.took_ms + "
      "$10",
      l.day, l.user_id, l.task, l.provider, l.model, l.calls, l.failures, l.prompt_tokens,
      l.completion_tokens, l.took_ms);
}

std::map<std::int64_t, std::int64_t> UsageRepository::calls_of(const std::string& day) {
  std::map<std::int64_t, std::int64_t> out;
  tx_.each<std::int64_t, std::int64_t>([&](std::int64_t user, std::int64_t calls) { out[user] += calls; },
                                       "SELECT user_id, calls FROM ai_usage WHERE day = $1", day);
  return out;
}

std::vector<UsageLine> UsageRepository::list(const std::string& from, const std::string& to) {
  static const std::string sql =
      "SELECT " + usage_columns.list() +
      " FROM ai_usage WHERE day BETWEEN $1 AND $2 ORDER BY day DESC, calls DESC, task, "
      "user_id LIMIT 1000";
  return tx_.list(usage_columns, sql, from, to);
}

Usage UsageRepository::sums(const std::string& from, const std::string& to) {
  Usage out;
  tx_.each<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>(
      [&](std::int64_t calls, std::int64_t failures, std::int64_t prompt, std::int64_t completion,
          std::int64_t took) {
        out.calls += calls;
        out.failures += failures;
        out.prompt_tokens += prompt;
        out.completion_tokens += completion;
        out.took_ms += took;
      },
      "SELECT calls, failures, prompt_tokens, completion_tokens, took_ms FROM ai_usage WHERE day BETWEEN $1 "
      "AND $2",
      from, to);
  return out;
}

std::int64_t UsageRepository::prune(const std::string& before) {
  return tx_.execute("DELETE FROM ai_usage WHERE day < $1", before);
}

}  // namespace lumina::ai

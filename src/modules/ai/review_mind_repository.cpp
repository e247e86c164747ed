#include "modules/ai/review_mind_repository.hpp"

namespace lumina::ai {

std::optional<JudgedReview> ReviewScoreRepository::review(ReviewId id) {
  const auto row = tx_.one<std::string, double, double, std::string, std::int64_t, Timestamp>(
      "SELECT review_text, rating, sentiment_score, sentiment_source, version, updated_at FROM reviews WHERE "
      "id = $1",
      id);
  if (!row) return {};
  JudgedReview out;
  std::tie(out.text, out.rating, out.score, out.source, out.version, out.updated_at) = *row;
  return out;
}

std::optional<JudgedReview> ReviewScoreRepository::review_locked(ReviewId id) {
  if (tx_.postgresql()) tx_.one<ReviewId>("SELECT id FROM reviews WHERE id = $1 FOR UPDATE", id);
  return review(id);
}

bool ReviewScoreRepository::has_history(ReviewId id) {
  return tx_.one<std::int64_t>("SELECT id FROM review_scores WHERE review_id = $1 LIMIT 1", id).has_value();
}

void ReviewScoreRepository::add(ReviewId id, const ReviewScore& s) {
  tx_.execute(
      "INSERT INTO review_scores (review_id, score, source, model, prompt_version, created_at) VALUES ($1, "
      "$2, $3, $4, $5, $6)",
      id, s.score, s.source, s.model, s.prompt_version, s.created_at);
}

void ReviewScoreRepository::mark(ReviewId id, std::int64_t version, const std::string& made_with) {
  tx_.execute(
      "INSERT INTO review_score_marks (review_id, version, made_with) VALUES ($1, $2, $3) ON CONFLICT "
      "(review_id) DO UPDATE SET version = $2, made_with = $3",
      id, version, made_with);
}

std::vector<VersionedReview> ReviewScoreRepository::due(const std::string& made_with, Timestamp quiet_since,
                                                        int most) {
  std::vector<VersionedReview> out;
  tx_.each<ReviewId, std::int64_t>(
      [&](ReviewId id, std::int64_t version) { out.push_back({id, version}); },
      "SELECT r.id, r.version FROM reviews r LEFT JOIN review_score_marks m ON m.review_id = r.id WHERE "
      "r.updated_at <= $2 AND (m.review_id IS NULL OR m.version <> r.version OR m.made_with <> $1) ORDER BY "
      "r.id DESC LIMIT CAST($3 AS BIGINT)",
      made_with, quiet_since, most);
  return out;
}

std::optional<std::string> ConsensusRepository::title(BookId book) {
  auto row = tx_.one<std::string>("SELECT title FROM books WHERE id = $1 AND deleted_at IS NULL", book);
  return row ? std::optional(std::move(std::get<0>(*row))) : std::nullopt;
}

std::vector<QuotedReview> ConsensusRepository::reviews(BookId book, int most) {
  std::vector<QuotedReview> out;
  tx_.each<ReviewId, std::string>(
      [&](ReviewId id, std::string text) { out.push_back({id, std::move(text)}); },
      "SELECT id, review_text FROM reviews WHERE book_id = $1 AND standing IN ('shown', 'cleared') AND "
      "spoiler = 0 ORDER BY helpful_count DESC, created_at DESC, id DESC LIMIT CAST($2 AS BIGINT)",
      book, most);
  return out;
}

std::optional<std::string> ConsensusRepository::find(BookId book, const std::string& key) {
  auto row = tx_.one<std::string>("SELECT summary FROM book_consensus WHERE book_id = $1 AND made_from = $2",
                                  book, key);
  return row ? std::optional(std::move(std::get<0>(*row))) : std::nullopt;
}

void ConsensusRepository::put(const Consensus& c) {
  tx_.execute(
      "INSERT INTO book_consensus (book_id, summary, provider, model, prompt_version, prompt_tokens, "
      "completion_tokens, took_ms, made_from, generated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
      "ON CONFLICT (book_id) DO UPDATE SET summary = $2, provider = $3, model = $4, prompt_version = $5, "
      "prompt_tokens = $6, completion_tokens = $7, took_ms = $8, made_from = $9, generated_at = $10",
      c.book_id, c.summary, c.provider, c.model, c.prompt_version, c.prompt_tokens, c.completion_tokens,
      c.took_ms, c.key, c.generated_at);
}

}  // namespace lumina::ai

// SQL of what language models make of reviews. Also reads reviews and titles; their own module writes them.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/db/transaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lumina::ai {

struct JudgedReview {
  std::string text;
  double rating = 0, score = 0;
  std::string source;
  std::int64_t version = 0;
  Timestamp updated_at;
};

struct ReviewScore {
  double score = 0;
  std::string source, model, prompt_version;
  Timestamp created_at;
};

struct VersionedReview {
  ReviewId id;
  std::int64_t version = 0;
};

class ReviewScoreRepository {
 public:
  explicit ReviewScoreRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<JudgedReview> review(ReviewId id);
  // The same, and nobody else changes or deletes it before this unit of work ends.
  std::optional<JudgedReview> review_locked(ReviewId id);
  bool has_history(ReviewId id);
  void add(ReviewId id, const ReviewScore& score);
  void mark(ReviewId id, std::int64_t version, const std::string& made_with);
  // Reviews that these model and prompt have not judged as they stand, unchanged since; the newest first.
  std::vector<VersionedReview> due(const std::string& made_with, Timestamp quiet_since, int most);

 private:
  db::Transaction& tx_;
};

struct QuotedReview {
  ReviewId id;
  std::string text;
};

struct Consensus {
  BookId book_id;
  std::string summary, provider, model, prompt_version, key;
  int prompt_tokens = 0, completion_tokens = 0;
  std::int64_t took_ms = 0;
  Timestamp generated_at;
};

class ConsensusRepository {
 public:
  explicit ConsensusRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<std::string> title(BookId book);
  // The most helpful, then the newest, that are seen and give nothing away.
  std::vector<QuotedReview> reviews(BookId book, int most);
  // What stands there now, when it was made from this.
  std::optional<std::string> find(BookId book, const std::string& key);
  void put(const Consensus& consensus);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::ai

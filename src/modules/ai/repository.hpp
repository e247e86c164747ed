// SQL of what language models wrote and cost. Also reads books and their counters.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/ai/model.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lumina::ai {

// What a summary is made from.
struct Material {
  std::string title, author, genre, description, language;
  std::int64_t version = 0;
  std::vector<std::string> reviews;  // the most helpful and newest that give nothing away
};

class SummaryRepository {
 public:
  explicit SummaryRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Material> material(BookId book);
  std::optional<BookSummary> find(BookId book, const std::string& language);
  // The same, and nobody else changes it before this unit of work ends.
  std::optional<BookSummary> find_locked(BookId book, const std::string& language);
  void put(const BookSummary& summary);
  bool unlock(BookId book, const std::string& language);
  // Books that are new or have changed since they were looked at, and have something to sum up.
  std::vector<BookId> due(Timestamp quiet_since, int most);
  void mark(BookId book, std::int64_t version);

 private:
  db::Transaction& tx_;
};

class UsageRepository {
 public:
  explicit UsageRepository(db::Transaction& tx) : tx_(tx) {}

  void add(const UsageLine& line);
  std::map<std::int64_t, std::int64_t> calls_of(const std::string& day);
  std::vector<UsageLine> list(const std::string& from, const std::string& to);
  Usage sums(const std::string& from, const std::string& to);
  std::int64_t prune(const std::string& before);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::ai

// The passages of all documents in memory, kept true to the tables and searched under the rights of whoever
// asks.
//
// Each instance loads everything when it starts and reads again what events of documents name, also those of
// other instances. Readers are decided before ranking: a passage carries who may read it as a facet, and the
// search looks at no other. search() first brings in what was committed before it; it blocks (on the database
// for what changed, on the index for some milliseconds) and belongs on a pool. Any thread.
//
// Ranking: BM25F over text and title (core/search/matcher.hpp), any word of the question counts, words are
// met by their stem in the language of each document, Han and Kana by pairs of signs.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/search/matcher.hpp"
#include "modules/ai/document_repository.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace lumina::ai {

// Who asks, and where to look.
struct PassageScope {
  bool everything = false;  // staff
  std::int64_t user = 0;
  std::set<std::int64_t> on_loan;                   // books
  std::optional<std::set<std::int64_t>> documents;  // only these
  std::optional<std::set<std::int64_t>> books;      // only of these books
};

struct FoundChunk {
  std::int64_t id = 0;
  double score = 0;
};
// A word of a question, and how telling it is among the passages that may be read.
struct AskedWord {
  std::string word;  // folded
  double idf = 0;
  bool known = false;  // some passage has it
  // Asks for a measure ("how long"): an answer need not say it.
  bool measure = false;
  std::vector<std::string> alike{};  // words that mean the same in a library
};
struct FoundChunks {
  std::vector<FoundChunk> chunks;  // best first
  std::vector<AskedWord> words;    // without those that only make sentences
  std::int64_t total = 0;
};

class PassageIndex {
 public:
  PassageIndex(db::Database& database, events::Bus& bus);
  ~PassageIndex();
  PassageIndex(const PassageIndex&) = delete;
  PassageIndex& operator=(const PassageIndex&) = delete;

  // Begins to load in a thread of its own; the first search does it too.
  void start();
  void stop();

  // unavailable when the database is. Phrases in quotation marks must stand there as they are.
  Result<FoundChunks> search(std::string_view query, const PassageScope& scope, std::size_t most);
  // The same, and which passages the person may read, of the same moment.
  struct Both {
    FoundChunks found;
    std::function<bool(std::int64_t)> readable;  // any thread; by the number of a passage
    std::int64_t passages = 0;
  };
  Result<Both> search_and_scope(std::string_view query, const PassageScope& scope, std::size_t most);
  // Passages there are, loaded or not: for figures.
  std::int64_t size() const;

 private:
  Status catch_up();
  Status load();
  Status refresh(std::span<const std::int64_t> documents);
  void put(std::vector<IndexedChunk> rows);

  db::Database& database_;
  search::Index index_;
  mutable std::mutex marks_mutex_;
  std::set<std::int64_t> marked_;  // documents
  std::mutex working_;
  bool loaded_ = false;                                                  // with working_
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> chunks_;   // of a document
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> viewers_;  // of a document
  std::thread loader_;
  std::mutex starting_;
  bool stopped_ = false;
};

// Which passages of a snapshot may be read and are asked for.
std::function<bool(std::int64_t)> readable_passages(search::SnapshotPtr snapshot, const PassageScope& scope);

// For measurements and tests of ranking without a database.
search::Schema passage_schema();
search::Document passage_document(const IndexedChunk& chunk, const std::vector<std::int64_t>& viewers);
FoundChunks search_passages(const search::SnapshotPtr& snapshot, std::string_view query,
                            const PassageScope& scope, std::size_t most);
// Words that only make sentences, in the larger languages.
bool is_filler(std::string_view folded_word);

}  // namespace lumina::ai

// Records that could not be indexed: each is a durable job that tries again with pauses, and in the end a
// dead letter that librarians see and try again.
//
// The job reads the record and makes an index of it alone. When that works, an event has every instance
// index the book. A book that lies among the dead letters already is not asked for again until somebody
// revives it.
#pragma once
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "modules/books/search_index.hpp"

#include <functional>
#include <vector>

namespace lumina::books {

constexpr const char* search_index_kind = "search.index";

class IndexRetries {
 public:
  using MakeDocument = std::function<search::Document(const IndexedBook&)>;
  IndexRetries(db::Database& database, events::Journal& journal, jobs::Queue& queue,
               MakeDocument document = &document_of)
      : database_(database), journal_(journal), queue_(queue), document_(std::move(document)) {}

  // For SearchIndex::when_unindexable: blocking. False when the database did not take them.
  bool keep(const std::vector<Unindexed>& failed);
  void handle_jobs(jobs::Runner& runner);

 private:
  Result<std::string> try_again(jobs::JobContext& job);

  db::Database& database_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  MakeDocument document_;
};

}  // namespace lumina::books

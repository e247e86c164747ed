// What Open Library knows of an ISBN, as a draft of a book for a librarian to check.
//
// Up to 25 ISBNs go in one request. Answers are kept in the database for thirty days, "not known there" for
// one. When the other side fails three times in a row it is left alone for a minute; a request of ours ends
// within five seconds. Failing is no error here: what could not be asked is absent and the answer says so
// (`partial`). Thread-safe. Source: openlibrary.org/dev/docs/api/books.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/http/client.hpp"
#include "core/runtime/pool.hpp"
#include "modules/books/model.hpp"
#include "modules/books/open_library.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

constexpr std::size_t most_looked_up = 100;

struct LookupRequest {
  std::optional<std::string> isbn;
  std::optional<std::vector<std::string>> isbns;
  static constexpr std::string_view type_name = "LookupRequest";
  static std::vector<schema::Field> fields();
};
struct LookedUp {
  std::string isbn;  // ISBN-13
  std::string source;
  bool found = false, cached = false;
  std::optional<NewBook> draft;
  static constexpr std::string_view type_name = "LookedUp";
  static std::vector<schema::Field> fields();
};
struct LookupAnswer {
  bool partial = false;  // the source could not be asked for all
  std::string source;
  std::optional<NewBook> draft;  // of the first ISBN
  std::vector<LookedUp> results;
  static constexpr std::string_view type_name = "LookupAnswer";
  static std::vector<schema::Field> fields();
};

class LookupService {
 public:
  // `url`: of Open Library, without a path; empty: nobody is asked. Answers are read on the pool.
  LookupService(db::Database& database, const Clock& clock, http::Client client, std::string url,
                runtime::Pool& pool)
      : database_(database), clock_(clock), client_(std::move(client)), url_(std::move(url)), pool_(pool) {}

  // invalid: not an ISBN, none, or too many.
  Task<Result<LookupAnswer>> look_up(LookupRequest request);
  // For imports: ISBN-13s of any number, on a thread that may block.
  std::vector<std::optional<NewBook>> look_up_now(const std::vector<std::string>& isbns);

 private:
  Task<Result<std::vector<LookedUp>>> find(std::vector<std::string> isbns, bool& partial);
  using Known = std::map<std::string, BookDraft>;  // by ISBN as it was asked for
  Task<std::optional<Known>> ask(const std::vector<std::string>& isbns);
  bool may_ask();
  void asked(bool well);

  db::Database& database_;
  const Clock& clock_;
  http::Client client_;
  std::string url_;
  runtime::Pool& pool_;
  std::mutex mutex_;
  int failures_ = 0;
  std::chrono::steady_clock::time_point closed_until_{};
};

}  // namespace lumina::books

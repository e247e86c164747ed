#include "modules/books/lookup.hpp"

#include "core/json/codec.hpp"
#include "core/runtime/block_on.hpp"
#include "core/runtime/run_on.hpp"
#include "modules/books/imported_record.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/open_library.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::books {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view source_name = "openlibrary";
constexpr std::size_t isbns_a_request = 25;
constexpr auto known_kept = std::chrono::hours(24 * 30), unknown_kept = std::chrono::hours(24);
constexpr int failures_allowed = 3;
constexpr auto pause = 60s;

}  // namespace

std::vector<schema::Field> LookupRequest::fields() {
  return {{"isbn", &LookupRequest::isbn, "ISBN-10 or ISBN-13", {schema::length(1, 40)}},
          {"isbns",
           &LookupRequest::isbns,
           "Several of them",
           {schema::items(1, static_cast<double>(most_looked_up)), schema::length(1, 40)}}};
}
std::vector<schema::Field> LookedUp::fields() {
  return {{"isbn", &LookedUp::isbn, "ISBN-13"},
          {"source", &LookedUp::source, "Who was asked"},
          {"found", &LookedUp::found, "Whether it is known there"},
          {"cached", &LookedUp::cached, "Answered from what was asked before"},
          {"draft", &LookedUp::draft, "A book to check and add"}};
}
std::vector<schema::Field> LookupAnswer::fields() {
  return {{"partial", &LookupAnswer::partial, "The source could not be asked for all of them"},
          {"source", &LookupAnswer::source, "Who was asked"},
          {"draft", &LookupAnswer::draft, "Of the first ISBN: a book to check and add"},
          {"results", &LookupAnswer::results, "One for each ISBN, in the order asked for"}};
}

bool LookupService::may_ask() {
  if (url_.empty()) return false;
  std::lock_guard lock(mutex_);
  return std::chrono::steady_clock::now() >= closed_until_;
}
void LookupService::asked(bool well) {
  std::lock_guard lock(mutex_);
  failures_ = well ? 0 : failures_ + 1;
  if (failures_ < failures_allowed) return;
  failures_ = 0;
  closed_until_ = std::chrono::steady_clock::now() + pause;
}

// What is known there; nothing when there is no answer to be had.
Task<std::optional<LookupService::Known>> LookupService::ask(const std::vector<std::string>& isbns) {
  if (!may_ask()) co_return std::nullopt;
  http::Outgoing request;
  request.method = http::Method::get;
  request.url = url_ + "/api/books?format=json&jscmd=data&bibkeys=";
  for (std::size_t i = 0; i < isbns.size(); ++i) request.url += (i == 0 ? "ISBN:" : ",ISBN:") + isbns[i];
  request.headers = {{"Accept", "application/json"}};
  auto answer = co_await client_.send(std::move(request));
  std::optional<Known> known;
  if (answer && answer->status == 200) {
    auto read = [&body = answer->body]() -> Result<std::optional<Known>> {
      return open_library_lookup(body);
    };
    auto reading = runtime::run_on(pool_, std::move(read));
    auto found = co_await std::move(reading);
    // A pool that is full says nothing of the other side.
    if (!found) co_return std::nullopt;
    known = std::move(*found);
  }
  asked(known.has_value());
  co_return known;
}

Task<Result<std::vector<LookedUp>>> LookupService::find(std::vector<std::string> isbns, bool& partial) {
  const auto now = clock_.now();
  auto recall = [isbns, now](db::Transaction& tx) {
    std::vector<LookedUp> out;
    for (const auto& isbn : isbns) {
      LookedUp one{isbn, std::string(source_name), false, false, {}};
      const auto row = tx.one<std::optional<std::string>, Timestamp>(
          "SELECT draft, fetched_at FROM lookup_answers WHERE source = $1 AND isbn = $2", source_name, isbn);
      if (row) {
        const auto& [draft, fetched] = *row;
        one.cached = fetched > now - (draft ? std::chrono::milliseconds(known_kept) : unknown_kept);
        if (one.cached && draft)
          if (auto book = json::decode<NewBook>(*draft)) one.draft = std::move(*book);
        one.found = one.draft.has_value();
      }
      out.push_back(std::move(one));
    }
    return out;
  };
  auto results = co_await database_.read(std::move(recall));
  if (!results) co_return Failure(std::move(results.error()));
  std::vector<LookedUp*> missing;
  for (auto& one : *results)
    if (!one.cached) missing.push_back(&one);
  for (std::size_t from = 0; from < missing.size(); from += isbns_a_request) {
    const std::size_t to = std::min(missing.size(), from + isbns_a_request);
    std::vector<std::string> group;
    for (std::size_t i = from; i < to; ++i) group.push_back(missing[i]->isbn);
    auto asking = ask(group);
    const auto found = co_await std::move(asking);
    if (!found) {
      partial = true;
      continue;
    }
    std::vector<std::pair<std::string, std::optional<std::string>>> answers;
    for (std::size_t i = from; i < to; ++i) {
      LookedUp& one = *missing[i];
      if (const auto draft = found->find(one.isbn); draft != found->end()) {
        auto record = to_record(draft->second, 1, year_of(now) + 1);
        if (record.book) {
          record.book->isbn = one.isbn;
          one.draft = std::move(*record.book);
          one.found = true;
        }
      }
      answers.emplace_back(one.isbn, one.draft ? std::optional(json::encode(*one.draft)) : std::nullopt);
    }
    auto keep = [answers = std::move(answers), now](db::Transaction& tx) -> Status {
      for (const auto& [isbn, draft] : answers)
        tx.execute(
            "INSERT INTO lookup_answers (isbn, source, draft, fetched_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (source, isbn) DO UPDATE SET draft = $3, fetched_at = $4",
            isbn, source_name, draft, now);
      return {};
    };
    // What cannot be kept is asked for again; the answer is there all the same.
    auto kept = co_await database_.write(std::move(keep));
    if (!kept && kept.error().kind != ErrorKind::unavailable) co_return Failure(std::move(kept.error()));
  }
  co_return results;
}

Task<Result<LookupAnswer>> LookupService::look_up(LookupRequest request) {
  std::vector<std::string> isbns;
  std::vector<FieldError> faults;
  const auto add = [&](const std::string& text, std::vector<std::string> loc) {
    auto isbn = parse_isbn(text);
    if (!isbn)
      faults.push_back({std::move(loc), std::string(describe(isbn.error())), "isbn"});
    else if (std::ranges::find(isbns, *isbn) == isbns.end())
      isbns.push_back(std::move(*isbn));
  };
  if (request.isbn) add(*request.isbn, {"body", "isbn"});
  if (request.isbns)
    for (std::size_t i = 0; i < request.isbns->size(); ++i)
      add((*request.isbns)[i], {"body", "isbns", std::to_string(i)});
  if (!request.isbn && !request.isbns) faults.push_back({{"body", "isbn"}, "is required", "missing"});
  if (!faults.empty()) co_return invalid(std::move(faults));
  LookupAnswer answer;
  answer.source = source_name;
  auto results = co_await find(std::move(isbns), answer.partial);
  if (!results) co_return Failure(std::move(results.error()));
  answer.results = std::move(*results);
  if (!answer.results.empty()) answer.draft = answer.results.front().draft;
  co_return answer;
}

std::vector<std::optional<NewBook>> LookupService::look_up_now(const std::vector<std::string>& isbns) {
  bool partial = false;
  auto results = runtime::block_on(find(isbns, partial));
  std::vector<std::optional<NewBook>> drafts(isbns.size());
  if (!results) return drafts;
  for (std::size_t i = 0; i < drafts.size() && i < results->size(); ++i)
    drafts[i] = std::move((*results)[i].draft);
  return drafts;
}

}  // namespace lumina::books

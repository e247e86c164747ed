#include "modules/books/record_service.hpp"

#include "modules/books/book_row.hpp"
#include "modules/books/duplicates.hpp"
#include "modules/books/history.hpp"
#include "modules/books/record_repository.hpp"
#include "modules/books/repository.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace lumina::books {
namespace {

constexpr auto no_such_book = "Book not found";
constexpr std::string_view fill_part = "fill", cover_part = "cover";

Failure duplicate_isbn() {
  return fail(ErrorKind::refused, "duplicate_isbn", "A book with this ISBN exists already");
}
Failure stale() {
  return fail(ErrorKind::stale, "stale", "The book has been changed since you read it; read it again");
}
Failure changed_since() {
  return fail(ErrorKind::refused, "changed_since",
              "The books were deleted or merged again since; undo that first");
}

events::Change about(std::string_view type, BookId id, std::string payload = "{}") {
  return {
      .type = type, .resource = "book", .resource_id = id.value, .book = id, .payload = std::move(payload)};
}

// What `target` lacks and `source` has.
void fill_from(NewBook& target, const Book& source) {
  const auto take = [](auto& to, const auto& from) {
    if (!to) to = from;
  };
  take(target.isbn, source.isbn);
  take(target.genre, source.genre);
  take(target.year_published, source.year_published);
  take(target.description, source.description);
  take(target.language, source.language);
  take(target.publisher, source.publisher);
  take(target.page_count, source.page_count);
  take(target.cover_url, source.cover_url);
  if (!target.series) target.series = source.series, target.series_index = source.series_index;
  take(target.ddc, source.ddc);
  take(target.lcc, source.lcc);
  constexpr std::size_t most_tags = 50, most_subjects = 100;
  const auto join = [](std::vector<std::string>& to, const std::vector<std::string>& from, std::size_t most) {
    for (const auto& text : from)
      if (to.size() < most && std::ranges::find(to, text) == to.end()) to.push_back(text);
  };
  join(target.tags, source.tags, most_tags);
  join(target.subjects, source.subjects, most_subjects);
}

// The picture goes along when the other book has none.
std::string move_cover(db::Transaction& tx, BookId from, BookId into) {
  const auto moved = tx.execute(
      "UPDATE book_covers SET book_id = $2 WHERE book_id = $1 AND NOT EXISTS (SELECT 1 FROM book_covers o "
      "WHERE o.book_id = $2)",
      from, into);
  return moved > 0 ? "true" : "false";
}

}  // namespace

RecordService::RecordService(db::Database& database, const Clock& clock, events::Journal& journal)
    : database_(database), clock_(clock), journal_(journal) {
  also_move({.name = std::string(cover_part),
             .move = [](db::Transaction& tx, BookId from, BookId into, const Caller&) -> Result<std::string> {
               return move_cover(tx, from, into);
             },
             .back =
                 [](db::Transaction& tx, BookId from, BookId into, const std::string& note, const Caller&) {
                   if (note == "true") move_cover(tx, into, from);
                 }});
}

Task<Result<Page<HistoryEntry>>> RecordService::history(BookId id, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [id, page](db::Transaction& tx) -> Result<Page<HistoryEntry>> {
    auto found = RecordRepository(tx).history(id, page);
    if (found.total == 0) return not_found(no_such_book);
    return found;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Book>> RecordService::revert(BookId id, std::int64_t version, Precondition seen, Caller by) {
  auto work = [this, id, version, seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    const auto changes = RecordRepository(tx).changes_since(id, version);
    if (!changes) return invalid({{{"body", "version"}, "is no version of this book", "unknown_version"}});
    auto before = taken_back(*now, *changes);
    if (!before)
      return fail(ErrorKind::refused, "not_revertible", "The record as it was then is not valid any more");
    switch (books.update(id, now->version, stored(std::move(*before)), clock_.now())) {
      case BookRepository::Change::absent:
        return not_found(no_such_book);
      case BookRepository::Change::stale:
        return stale();
      case BookRepository::Change::duplicate_isbn:
        return duplicate_isbn();
      case BookRepository::Change::done:
        break;
    }
    auto after = *books.find(id);
    remember(tx, id, after.version, HistoryAction::reverted, by, clock_.now(), changed_fields(*now, after));
    journal_.record(tx, by, about("book.updated", id, fmt::format(R"({{"reverted_to":{}}})", version)));
    return after;
  };
  return database_.write(std::move(work));
}

Task<Result<Page<DeletedBook>>> RecordService::deleted(PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [page](db::Transaction& tx) {
    auto found = RecordRepository(tx).deleted(page);
    for (auto& book : found.items) book.restorable_until = book.deleted_at + restorable_for;
    return found;
  };
  co_return co_await database_.read(std::move(work));
}

Status RecordService::restore_in(db::Transaction& tx, BookId id, const ChangeSet* set, const Caller& by) {
  RecordRepository records(tx);
  const auto gone = records.find_gone(id);
  if (!gone) return not_found("There is no deleted book of this number");
  if (gone->merged_into)
    return fail(
        ErrorKind::refused, "merged",
        fmt::format("The book became part of book {}; undo that merge instead", gone->merged_into->value));
  if (set && gone->removed_by != set->id) return changed_since();
  const auto now = clock_.now();
  if (now > gone->deleted_at + restorable_for)
    return fail(ErrorKind::refused, "too_late", "Deleted books can be restored for thirty days");
  if (!BookRepository(tx).put_back(id, now)) return duplicate_isbn();
  if (gone->removed_by) {
    if (const auto note = records.note_of(*gone->removed_by, id, copies_part); !note.empty())
      put_back_copies(tx, id, note, now);
    records.close(*gone->removed_by, by, now);
  }
  if (restored_) restored_(tx, id, by);
  remember(tx, id, BookRepository(tx).find(id)->version, HistoryAction::restored, by, now);
  journal_.record(tx, by, about("book.restored", id));
  return {};
}

Task<Result<Book>> RecordService::restore(BookId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    if (auto done = restore_in(tx, id, nullptr, by); !done) return Failure(std::move(done.error()));
    return *BookRepository(tx).find(id);
  };
  return database_.write(std::move(work));
}

Result<ChangeSet> RecordService::merge_in(db::Transaction& tx, const MergeRequest& request,
                                          const Caller& by) {
  std::vector<BookId> all = request.from;
  all.push_back(request.into);
  std::ranges::sort(all);
  for (const auto& part : parts_)
    if (part.lock) part.lock(tx, all);
  RecordRepository records(tx);
  records.lock_books(all);
  BookRepository books(tx);
  const auto target = books.find(request.into);
  if (!target) return not_found(no_such_book);
  const auto now = clock_.now();
  const auto set = records.open(ChangeKind::merge, request.into, by, now);
  NewBook filled = editable(*target);
  std::string gone;
  for (const auto from : request.from) {
    const auto source = books.find(from);
    if (!source) return not_found(fmt::format("There is no book {}", from.value));
    if (request.fill.value_or(true)) fill_from(filled, *source);
    for (const auto& part : parts_) {
      auto note = part.move(tx, from, request.into, by);
      if (!note) return Failure(std::move(note.error()));
      records.note(set, from, part.name, *note);
    }
    std::vector<ErasedCopy> copies;
    switch (books.erase(from, now, &copies)) {
      case BookRepository::Removal::absent:
        return not_found(no_such_book);
      case BookRepository::Removal::on_loan:
      case BookRepository::Removal::on_hold:
        throw std::logic_error("a merge left loans or holds with a book that goes");
      case BookRepository::Removal::done:
        break;
    }
    records.removed(from, set, request.into);
    remember(tx, from, source->version + 1, HistoryAction::deleted, by, now);
    journal_.record(tx, by,
                    about("book.deleted", from, fmt::format(R"({{"merged_into":{}}})", request.into.value)));
    gone += fmt::format("{}{}", gone.empty() ? "" : ",", from.value);
  }
  if (books.update(request.into, target->version, stored(std::move(filled)), now) !=
      BookRepository::Change::done)
    return duplicate_isbn();
  const auto after = *books.find(request.into);
  const auto changes = changed_fields(*target, after);
  records.note(set, request.from.front(), fill_part, changes);
  remember(tx, request.into, after.version, HistoryAction::merged, by, now, changes);
  journal_.record(
      tx, by,
      about("book.merged", request.into, fmt::format(R"({{"change_set":{},"from":[{}]}})", set.value, gone)));
  return *records.find(set);
}

Task<Result<ChangeSet>> RecordService::merge(MergeRequest request, Caller by) {
  std::ranges::sort(request.from);
  if (std::ranges::adjacent_find(request.from) != request.from.end())
    co_return invalid({{{"body", "from"}, "names a book twice", "duplicate"}});
  if (std::ranges::find(request.from, request.into) != request.from.end())
    co_return invalid({{{"body", "from"}, "names the book that stays", "duplicate"}});
  auto work = [this, request = std::move(request), by = std::move(by)](db::Transaction& tx) {
    return merge_in(tx, request, by);
  };
  co_return co_await database_.write(std::move(work));
}

Status RecordService::undo_merge(db::Transaction& tx, const ChangeSet& set, const Caller& by) {
  std::vector<BookId> all = set.books;
  all.push_back(set.book_id);
  std::ranges::sort(all);
  for (const auto& part : parts_)
    if (part.lock) part.lock(tx, all);
  RecordRepository records(tx);
  records.lock_books(all);
  BookRepository books(tx);
  const auto target = books.find(set.book_id);
  if (!target) return changed_since();
  for (const auto id : set.books) {
    const auto gone = records.find_gone(id);
    if (!gone || gone->removed_by != set.id) return changed_since();
  }
  const auto now = clock_.now();
  // What the merge filled in goes, unless somebody changed it since.
  boost::json::object kept;
  const auto note = records.note_of(set.id, set.books.front(), fill_part);
  for (const auto& [name, pair] : boost::json::parse(note.empty() ? "{}" : note).as_object())
    kept[name] = pair;
  const auto is = boost::json::parse(current_fields(*target)).as_object();
  for (auto it = kept.begin(); it != kept.end();)
    it = is.at(it->key()) == it->value().as_array().at(1) ? it + 1 : kept.erase(it);
  auto before = taken_back(*target, {boost::json::serialize(kept)});
  if (!before)
    return fail(ErrorKind::refused, "not_revertible", "The record as it was then is not valid any more");
  if (books.update(set.book_id, target->version, stored(std::move(*before)), now) !=
      BookRepository::Change::done)
    return duplicate_isbn();
  for (const auto id : set.books | std::views::reverse) {
    if (!books.put_back(id, now)) return duplicate_isbn();
    for (const auto& part : parts_ | std::views::reverse)
      part.back(tx, id, set.book_id, records.note_of(set.id, id, part.name), by);
    remember(tx, id, books.find(id)->version, HistoryAction::restored, by, now);
    journal_.record(tx, by, about("book.restored", id));
  }
  const auto after = *books.find(set.book_id);
  remember(tx, set.book_id, after.version, HistoryAction::unmerged, by, now, changed_fields(*target, after));
  journal_.record(tx, by,
                  about("book.unmerged", set.book_id, fmt::format(R"({{"change_set":{}}})", set.id.value)));
  records.close(set.id, by, now);
  return {};
}

Task<Result<ChangeSet>> RecordService::undo(ChangeSetId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Result<ChangeSet> {
    RecordRepository records(tx);
    const auto set = records.find_locked(id);
    if (!set) return not_found("Change set not found");
    if (set->undone_at) return fail(ErrorKind::refused, "already_undone", "This was undone already");
    auto done =
        set->kind == ChangeKind::merge ? undo_merge(tx, *set, by) : restore_in(tx, set->book_id, &*set, by);
    if (!done) return Failure(std::move(done.error()));
    return *records.find(id);
  };
  return database_.write(std::move(work));
}

Task<Result<Page<ChangeSet>>> RecordService::change_sets(PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [page](db::Transaction& tx) { return RecordRepository(tx).list(page); };
  co_return co_await database_.read(std::move(work));
}

Task<Result<ChangeSet>> RecordService::change_set(ChangeSetId id) {
  auto work = [id](db::Transaction& tx) -> Result<ChangeSet> {
    auto set = RecordRepository(tx).find(id);
    if (!set) return not_found("Change set not found");
    return std::move(*set);
  };
  return database_.read(std::move(work));
}

Task<Result<std::optional<BookId>>> RecordService::successor(BookId id) {
  auto work = [id](db::Transaction& tx) { return RecordRepository(tx).successor(id); };
  return database_.read(std::move(work));
}

Task<Result<Page<DuplicateGroup>>> RecordService::duplicates(DuplicateFilter filter, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [filter, page](db::Transaction& tx) {
    auto all = find_duplicates(tx, filter.min_score.value_or(0.7));
    Page<DuplicateGroup> out;
    out.total = static_cast<std::int64_t>(all.size());
    const auto shown = all | std::views::drop(page.skip) | std::views::take(page.limit);
    for (auto& group : shown) out.items.push_back(std::move(group));
    fill_duplicates(tx, out.items);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Status> RecordService::differ(DifferentBooks different, Caller by) {
  auto work = [this, ids = std::move(different.books), by = std::move(by)](db::Transaction& tx) -> Status {
    for (const auto id : ids)
      if (!BookRepository(tx).find(id)) return not_found(no_such_book);
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t k = i + 1; k < ids.size(); ++k)
        if (ids[i] != ids[k]) RecordRepository(tx).differ(ids[i], ids[k], by, clock_.now());
    journal_.record(tx, by, about("book.told_apart", ids.front()));
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::books

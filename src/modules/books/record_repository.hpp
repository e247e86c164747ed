// SQL of records over time: history, deleted books, change sets with their notes, and pairs that are two
// books.
//
// Also reads users, for names.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/books/record_model.hpp"
#include "modules/books/repository.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

class RecordRepository {
 public:
  explicit RecordRepository(db::Transaction& tx) : tx_(tx) {}

  // The newest first.
  Page<HistoryEntry> history(BookId book, const PageRequest& page);
  // The changes behind that version, the newest first; nothing when the version never was.
  std::optional<std::vector<std::string>> changes_since(BookId book, std::int64_t version);

  struct Gone {
    BookId id;
    Timestamp deleted_at;
    std::optional<BookId> merged_into;
    std::optional<ChangeSetId> removed_by;
  };
  // A deleted book, and nobody else restores it before this unit of work ends.
  std::optional<Gone> find_gone(BookId id);
  Page<DeletedBook> deleted(const PageRequest& page);
  // Where a merged book is by now, however often it was merged.
  std::optional<BookId> successor(BookId id);

  ChangeSetId open(ChangeKind kind, BookId book, const Caller& by, Timestamp at);
  // What made a deleted book go.
  void removed(BookId id, ChangeSetId by, std::optional<BookId> into);
  void note(ChangeSetId set, BookId gone, std::string_view part, std::string_view note);
  std::string note_of(ChangeSetId set, BookId gone, std::string_view part);
  std::optional<ChangeSet> find(ChangeSetId id);
  // The same, and nobody else undoes it.
  std::optional<ChangeSet> find_locked(ChangeSetId id);
  Page<ChangeSet> list(const PageRequest& page);
  void close(ChangeSetId id, const Caller& by, Timestamp at);

  // Nobody deletes, changes or refers anew to any of them before this unit of work ends. In any order.
  void lock_books(std::vector<BookId> ids);

  void differ(BookId one, BookId other, const Caller& by, Timestamp at);
  std::vector<std::pair<BookId, BookId>> all_different();

 private:
  void fill_books(ChangeSet& set);
  db::Transaction& tx_;
};

// The part that notes what the copies of a deleted book were.
constexpr std::string_view copies_part = "copies";
std::string copies_note(const std::vector<ErasedCopy>& copies);
// A copy whose barcode is another's by now gets one of its own.
void put_back_copies(db::Transaction& tx, BookId book, std::string_view note, Timestamp now);

}  // namespace lumina::books

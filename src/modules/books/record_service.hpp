// Records over time: reading and reverting the history of a book, restoring what was deleted, merging records
// of one book, and undoing all of that.
//
// A merge is one unit of work: every part of the library moves what is its own from the books that go to the
// one that stays and leaves a note by which it can be put back. The books that went are deleted and point to
// their successor, to which GET /books/{id} redirects. Undoing puts everything back that is still where the
// merge brought it, and what came with it since (loans of a copy go where the copy goes). Public functions
// are awaited on an io thread.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/record_model.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

// Deleted books can be restored for so long.
constexpr auto restorable_for = std::chrono::days(30);

// What a part of the library does in merges, inside their unit of work.
struct MergePart {
  std::string name;
  // Before anything is read, in the order of ids.
  std::function<void(db::Transaction&, const std::vector<BookId>&)> lock{};
  // Moves what is its own; a note in JSON, or why it cannot be done, which ends the merge.
  std::function<Result<std::string>(db::Transaction&, BookId from, BookId into, const Caller&)> move{};
  std::function<void(db::Transaction&, BookId from, BookId into, const std::string& note, const Caller&)>
      back{};
};

class RecordService {
 public:
  RecordService(db::Database& database, const Clock& clock, events::Journal& journal);

  // At start-up only. Parts move in the order in which they were added.
  void also_move(MergePart part) { parts_.push_back(std::move(part)); }
  // Called in the unit of work that brought a deleted book back.
  void when_restored(std::function<void(db::Transaction&, BookId, const Caller&)> then) {
    restored_ = std::move(then);
  }

  Task<Result<Page<HistoryEntry>>> history(BookId id, PageRequest page);
  // The fields as they were at that version, as a new version. Refused: duplicate_isbn.
  Task<Result<Book>> revert(BookId id, std::int64_t version, Precondition seen, Caller by);

  Task<Result<Page<DeletedBook>>> deleted(PageRequest page);
  // Refused: too_late, merged, duplicate_isbn.
  Task<Result<Book>> restore(BookId id, Caller by);

  // Refused: on_loan_twice and whatever a part says.
  Task<Result<ChangeSet>> merge(MergeRequest request, Caller by);
  Task<Result<Page<ChangeSet>>> change_sets(PageRequest page);
  Task<Result<ChangeSet>> change_set(ChangeSetId id);
  // Refused: already_undone, changed_since, duplicate_isbn, too_late.
  Task<Result<ChangeSet>> undo(ChangeSetId id, Caller by);
  // Where a merged book is by now.
  Task<Result<std::optional<BookId>>> successor(BookId id);

  // Books that look as if they were one, the surest first.
  Task<Result<Page<DuplicateGroup>>> duplicates(DuplicateFilter filter, PageRequest page);
  Task<Status> differ(DifferentBooks books, Caller by);

 private:
  Status restore_in(db::Transaction& tx, BookId id, const ChangeSet* set, const Caller& by);
  Status undo_merge(db::Transaction& tx, const ChangeSet& set, const Caller& by);
  Result<ChangeSet> merge_in(db::Transaction& tx, const MergeRequest& request, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  std::vector<MergePart> parts_;
  std::function<void(db::Transaction&, BookId, const Caller&)> restored_;
};

// For other units of work: the books that became part of this one, and those that became part of them.
std::vector<BookId> merged_into(db::Transaction& tx, BookId book);

}  // namespace lumina::books

#include "modules/borrows/copy_service.hpp"

#include "modules/books/model.hpp"
#include "modules/borrows/branch_repository.hpp"
#include "modules/borrows/circulation_events.hpp"
#include "modules/borrows/copy_repository.hpp"
#include "modules/borrows/hold_queue.hpp"

#include <fmt/format.h>

namespace lumina::borrows {
namespace {

constexpr auto no_such_book = "Book not found";
constexpr auto no_such_copy = "Copy not found";

Failure duplicate_barcode() {
  return fail(ErrorKind::refused, "duplicate_barcode", "Another copy has this barcode");
}
Failure on_loan() {
  return fail(ErrorKind::refused, "on_loan", "The copy is on loan; it must come back first");
}
Failure on_hold() {
  return fail(ErrorKind::refused, "on_hold", "The copy is kept for somebody; that hold must end first");
}
Failure no_such_branch() {
  return invalid({{{"body", "branch_id"}, "is no branch of this library", "unknown_branch"}});
}

events::Change about(std::string_view type, CopyId id, BookId book) {
  return {.type = type, .resource = "copy", .resource_id = id.value, .book = book};
}

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

}  // namespace

Task<Result<std::vector<Copy>>> CopyService::of_book(BookId book) {
  auto work = [book](db::Transaction& tx) -> Result<std::vector<Copy>> {
    if (!tx.one<BookId>("SELECT id FROM books WHERE id = $1 AND deleted_at IS NULL", book))
      return not_found(no_such_book);
    return CopyRepository(tx).of_book(book);
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Copy>>> CopyService::list(CopyFilter filter, PageRequest page) {
  auto work = [filter = std::move(filter),
               page = std::move(page)](db::Transaction& tx) -> Result<Page<Copy>> {
    CopyRepository copies(tx);
    auto listing = copies.list(filter, page);
    if (listing.bad_cursor) return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
    Page<Copy> out;
    out.total = copies.count(filter);
    out.items = std::move(listing.copies);
    out.next_cursor = std::move(listing.next_cursor);
    return out;
  };
  return database_.read(std::move(work));
}

Task<Result<Copy>> CopyService::find(CopyId id) {
  auto work = [id](db::Transaction& tx) -> Result<Copy> {
    if (auto copy = CopyRepository(tx).find(id)) return std::move(*copy);
    return not_found(no_such_copy);
  };
  return database_.read(std::move(work));
}

Task<Result<Copy>> CopyService::add(BookId book, NewCopy copy, Caller by) {
  auto work = [this, book, copy = std::move(copy), by = std::move(by)](db::Transaction& tx) -> Result<Copy> {
    const Timestamp now = clock_.now();
    HoldQueue queue(tx, journal_, rules_, now, by);
    if (!queue.lock(book)) return not_found(no_such_book);
    BranchRepository branches(tx);
    const auto branch = copy.branch_id ? branches.keep(*copy.branch_id) : branches.default_branch();
    if (!branch) return no_such_branch();
    CopyRepository copies(tx);
    std::optional<CopyId> id;
    if (copy.barcode) {
      id = copies.insert(book, *copy.barcode, *branch, copy, now);
      if (!id) return duplicate_barcode();
    }
    for (int n = copies.number_of(book) + 1; !id; ++n)
      id = copies.insert(book, books::generated_barcode(book, n), *branch, copy, now);
    journal_.record(tx, by, about("copy.created", *id, book));
    queue.settle(book);
    return *copies.find(*id);
  };
  return database_.write(std::move(work));
}

Task<Result<Copy>> CopyService::change(CopyId id, CopyChanges changes, Caller by) {
  std::vector<FieldError> faults;
  const auto must_stay = [&](const auto& field, std::string_view name) {
    if (field.mentioned() && field.state != std::remove_cvref_t<decltype(field)>::State::value)
      faults.push_back({{"body", std::string(name)}, "must not be null", "type"});
  };
  must_stay(changes.barcode, "barcode");
  must_stay(changes.branch_id, "branch_id");
  must_stay(changes.item_type, "item_type");
  must_stay(changes.status, "status");
  if (!faults.empty()) return ready<Copy>(invalid(std::move(faults)));
  auto work = [this, id, changes = std::move(changes),
               by = std::move(by)](db::Transaction& tx) -> Result<Copy> {
    CopyRepository copies(tx);
    const Timestamp now = clock_.now();
    auto copy = copies.find(id);
    if (!copy) return not_found(no_such_copy);
    HoldQueue queue(tx, journal_, rules_, now, by);
    if (!queue.lock(copy->book_id)) return not_found(no_such_copy);
    copy = copies.find(id);
    if (!copy) return not_found(no_such_copy);
    changes.barcode.apply(copy->barcode);
    changes.branch_id.apply(copy->branch_id);
    changes.location.apply(copy->location);
    changes.condition.apply(copy->condition);
    changes.item_type.apply(copy->item_type);
    if (changes.branch_id.mentioned() && !BranchRepository(tx).keep(copy->branch_id)) return no_such_branch();
    if (!copies.update(*copy, now)) return duplicate_barcode();
    bool told = false;
    if (changes.status.mentioned()) {
      const auto moved = move(tx, *copy, changes.status.value, {}, by);
      if (!moved) return Failure(moved.error());
      told = *moved && changes.only_status();
    }
    if (!told) journal_.record(tx, by, about("copy.updated", id, copy->book_id));
    queue.settle(copy->book_id);
    return *copies.find(id);
  };
  return database_.write(std::move(work));
}

Task<Result<Copy>> CopyService::set_status(CopyId id, CopyStatusChange change, Caller by) {
  auto work = [this, id, change = std::move(change),
               by = std::move(by)](db::Transaction& tx) -> Result<Copy> {
    CopyRepository copies(tx);
    auto copy = copies.find(id);
    if (!copy) return not_found(no_such_copy);
    HoldQueue queue(tx, journal_, rules_, clock_.now(), by);
    if (!queue.lock(copy->book_id)) return not_found(no_such_copy);
    copy = copies.find(id);
    if (!copy) return not_found(no_such_copy);
    if (auto moved = move(tx, *copy, change.status, change.note, by); !moved)
      return Failure(std::move(moved.error()));
    queue.settle(copy->book_id);
    return *copies.find(id);
  };
  return database_.write(std::move(work));
}

// The line is locked; settle afterwards. Whether anything changed.
Result<bool> CopyService::move(db::Transaction& tx, const Copy& copy, std::string_view wanted,
                               const std::optional<std::string>& note, const Caller& by) {
  CopyRepository copies(tx);
  const auto state = *copies.state(copy.id);
  const CopyStatus next = *copy_status_named(wanted);
  switch (copy_move(state.stored, state.loan.has_value(), next)) {
    case CopyMove::unchanged:
      return false;
    case CopyMove::while_on_loan:
      return on_loan();
    case CopyMove::while_on_hold:
      return on_hold();
    case CopyMove::impossible:
      return fail(ErrorKind::refused, "bad_transition",
                  fmt::format("A copy that is {} cannot become {}",
                              copy_status_names[static_cast<std::size_t>(copy.status)], wanted));
    case CopyMove::allowed:
      break;
  }
  const Timestamp now = clock_.now();
  copies.set_status(copy.id, next, now);
  if (state.stored == CopyStatus::on_hold)
    if (const auto waiting = HoldRepository(tx).unready(copy.id))
      HoldQueue(tx, journal_, rules_, now, by).tell("hold.waiting", waiting->id, waiting->user, copy.book_id);
  const std::string type = copy_event(next);
  auto change = about(type, copy.id, copy.book_id);
  change.subject = state.borrower;
  change.payload = copy_payload(copy.status, next, note, state.loan, state.borrower);
  journal_.record(tx, by, change);
  return true;
}

Task<Status> CopyService::remove(CopyId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    CopyRepository copies(tx);
    auto copy = copies.find(id);
    if (!copy) return not_found(no_such_copy);
    HoldQueue queue(tx, journal_, rules_, clock_.now(), by);
    if (!queue.lock(copy->book_id)) return not_found(no_such_copy);
    const auto state = copies.state(id);
    if (!state) return not_found(no_such_copy);
    if (state->loan) return on_loan();
    if (state->stored == CopyStatus::on_hold) return on_hold();
    if (!copies.erase(id))
      return fail(ErrorKind::refused, "has_history",
                  "The copy has been lent before; set its status to withdrawn instead");
    journal_.record(tx, by, about("copy.deleted", id, copy->book_id));
    queue.settle(copy->book_id);
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::borrows

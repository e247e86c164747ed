#include "modules/borrows/hold_queue.hpp"

#include "modules/borrows/circulation_events.hpp"
#include "modules/borrows/policy.hpp"
#include "modules/borrows/rule_book.hpp"
#include "modules/borrows/rule_repository.hpp"

namespace lumina::borrows {

bool HoldQueue::lock(BookId book) {
  if (tx_.postgresql()) {
    tx_.each<CopyId>([](CopyId) {}, "SELECT id FROM copies WHERE book_id = $1 ORDER BY id FOR NO KEY UPDATE",
                     book);
    tx_.one<BookId>("SELECT book_id FROM book_stats WHERE book_id = $1 FOR NO KEY UPDATE", book);
  }
  return tx_.one<BookId>("SELECT id FROM books WHERE id = $1 AND deleted_at IS NULL", book).has_value();
}

void HoldQueue::settle(BookId book) {
  for (const auto& [id, user, loan] : holds_.fulfil(book, now_)) {
    tell("hold.fulfilled", id, user, book, fulfilled_payload(loan));
    supersede(id);
  }
  for (const auto& [id, user] : holds_.end_of_the_gone(book, now_)) tell("hold.cancelled", id, user, book);
  for (const auto& [id, user] : holds_.resume_due(book, now_)) tell("hold.resumed", id, user, book);
  while (const auto next = holds_.next(book)) {
    const auto copy = holds_.free_copy(book, next->pickup);
    if (!copy) break;
    if (!holds_.claim(next->id)) continue;
    const Timestamp until = pickup_until(*next, *copy);
    holds_.make_ready(next->id, *copy, now_, until);
    tell("hold.ready", next->id, next->user, book, ready_payload(*copy, until));
    supersede(next->id);
  }
  holds_.release_copies(book, now_);
  holds_.recount(book);
}

Timestamp HoldQueue::pickup_until(const HoldRepository::Next& next, CopyId copy) {
  if (rules_.rule_book == nullptr) return due_after(now_, rules_.pickup_days);
  const auto rules = rules_.rule_book->current(tx_);
  int days = rules_.pickup_days;
  if (rules->in_force->version() > 0) {
    RuleRepository repository(tx_);
    const auto patron = repository.find_patron(next.user);
    const auto category = patron ? patron->category : std::nullopt;
    days = rules->in_force->choose(category, repository.kind_of(copy)).values.pickup_days;
  }
  return rules->calendar(next.pickup.value).due(due_after(now_, days));
}

void HoldQueue::supersede(HoldId id) {
  for (const auto& [other, user, book] : holds_.end_others(id, now_)) {
    tell("hold.superseded", other, user, book);
    holds_.recount(book);
  }
}

void HoldQueue::end(const Hold& hold, HoldStatus how) {
  holds_.end(hold.id, how, now_);
  supersede(hold.id);
  tell(how == HoldStatus::expired ? "hold.expired" : "hold.cancelled", hold.id, hold.user_id, hold.book_id);
}

void HoldQueue::release(BookId book, CopyId kept) {
  tx_.execute("UPDATE copies SET status = 'available', updated_at = $2 WHERE id = $1", kept, now_);
  tx_.execute("UPDATE book_stats SET copies_available = copies_available + 1 WHERE book_id = $1", book);
}

void HoldQueue::came_back(BookId book, CopyId copy) {
  const auto was = tx_.one<CopyStatus>("SELECT status FROM copies WHERE id = $1", copy);
  if (was && std::get<0>(*was) != CopyStatus::available && std::get<0>(*was) != CopyStatus::on_hold) {
    tx_.execute("UPDATE copies SET status = 'available', updated_at = $2 WHERE id = $1", copy, now_);
    journal_.record(tx_, by_,
                    {.type = "copy.found",
                     .resource = "copy",
                     .resource_id = copy.value,
                     .book = book,
                     .payload = copy_payload(std::get<0>(*was), CopyStatus::available, {})});
  }
  settle(book);
}

void HoldQueue::expire(BookId book) {
  for (const auto& [id, user] : holds_.expire(book, now_)) tell("hold.expired", id, user, book);
  settle(book);
}

void HoldQueue::tell(std::string_view type, HoldId id, UserId user, BookId book, std::string payload) {
  journal_.record(tx_, by_,
                  {.type = type,
                   .resource = "hold",
                   .resource_id = id.value,
                   .subject = user,
                   .book = book,
                   .payload = std::move(payload)});
}

}  // namespace lumina::borrows

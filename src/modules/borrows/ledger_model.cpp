#include "modules/borrows/ledger_model.hpp"

namespace lumina::borrows {

using schema::Field;

namespace {

schema::Rule money() { return schema::range(1, 1'000'000'000); }

}  // namespace

std::vector<Field> Fine::fields() {
  return {{"id", &Fine::id, "Identifier"},
          {"user_id", &Fine::user_id, "Who owes it"},
          {"kind", &Fine::kind, "What for"},
          {"borrow_id", &Fine::borrow_id, "The loan; null when of none, or when the loan's history was cut"},
          {"book_id", &Fine::book_id, "The book"},
          {"book_title", &Fine::book_title, "Its title"},
          {"note", &Fine::note, "More"},
          {"amount_minor", &Fine::amount_minor, "Charged so far, in minor units"},
          {"settled_minor", &Fine::settled_minor, "Paid, waived and credited"},
          {"outstanding_minor", &Fine::outstanding_minor, "Still owed"},
          {"currency", &Fine::currency, "ISO 4217"},
          {"status", &Fine::status, "open while something is owed"},
          {"created_at", &Fine::created_at, "First charged"},
          {"updated_at", &Fine::updated_at, "Last changed"}};
}
std::vector<Field> FineFilter::fields() {
  return {{"user_id", &FineFilter::user_id, "Somebody else's (staff)"},
          {"status", &FineFilter::status, "Only these"}};
}
std::vector<Field> NewFine::fields() {
  return {{"user_id", &NewFine::user_id, "Who owes it"},
          {"kind", &NewFine::kind, "What for"},
          {"amount_minor", &NewFine::amount_minor, "In minor units", {money()}},
          {"borrow_id", &NewFine::borrow_id, "The loan it comes from"},
          {"note", &NewFine::note, "Why", {schema::length(1, 500)}}};
}
std::vector<Field> Payment::fields() {
  return {{"amount_minor", &Payment::amount_minor, "In minor units (default: all that is owed)", {money()}},
          {"note", &Payment::note, "More", {schema::length(1, 500)}}};
}
std::vector<Field> Waiver::fields() {
  return {{"reason", &Waiver::reason, "Why", {schema::length(1, 500)}},
          {"amount_minor", &Waiver::amount_minor, "In minor units (default: all that is owed)", {money()}}};
}
std::vector<Field> LedgerLine::fields() {
  return {{"id", &LedgerLine::id, "Identifier"},
          {"fine_id", &LedgerLine::fine_id, "The fine"},
          {"kind", &LedgerLine::kind, "What it is"},
          {"amount_minor", &LedgerLine::amount_minor, "Charges are positive, all else negative"},
          {"note", &LedgerLine::note, "More"},
          {"created_at", &LedgerLine::created_at, "When"},
          {"created_by", &LedgerLine::created_by, "Who; null: the server"}};
}
std::vector<Field> Block::fields() {
  return {{"id", &Block::id, "Identifier of a block by staff; null for computed ones"},
          {"kind", &Block::kind, "manual, fines or overdue"},
          {"detail", &Block::detail, "For people"},
          {"created_at", &Block::created_at, "When staff set it"},
          {"created_by", &Block::created_by, "Who"}};
}
std::vector<Field> NewBlock::fields() {
  return {{"reason", &NewBlock::reason, "Why; the person sees it", {schema::length(1, 500)}}};
}
std::vector<Field> Account::fields() {
  return {{"user_id", &Account::user_id, "Whose"},
          {"currency", &Account::currency, "ISO 4217"},
          {"balance_minor", &Account::balance_minor, "The sum of all lines: what is owed, in minor units"},
          {"lines", &Account::lines, "Newest first, at most 1000"},
          {"blocks", &Account::blocks, "What keeps the person from borrowing"}};
}

}  // namespace lumina::borrows

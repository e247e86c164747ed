#include "modules/borrows/desk_model.hpp"

#include "core/base/text.hpp"

namespace lumina::borrows {
namespace {

using schema::Field;
using schema::Rule;

bool has_text(std::string_view text) { return !trim(text).empty(); }
std::vector<Rule> words(double most) {
  return {schema::length(1, most), schema::format("not-blank", &has_text, "must not be blank")};
}

}  // namespace

std::vector<Field> Checkout::fields() {
  return {{"patron", &Checkout::patron, "Who takes it: id, e-mail address or card number", words(255)},
          {"barcode", &Checkout::barcode, "Barcode of the copy", words(64)},
          {"override_reason", &Checkout::override_reason,
           "Lend it although a rule or somebody's hold stands against it; kept in the audit log", words(500)},
          {"due_date", &Checkout::due_date, "When it must be back (default: as the rules say)"}};
}
std::vector<Field> Checkin::fields() {
  return {{"barcode", &Checkin::barcode, "Barcode of the copy", words(64)},
          {"branch_id", &Checkin::branch_id, "The desk where it was handed in"}};
}
std::vector<Field> CheckedIn::fields() {
  return {{"borrow", &CheckedIn::borrow, "The loan that ended; null when a copy that was missed was found"},
          {"hold", &CheckedIn::hold, "For whom to put it aside"},
          {"copy", &CheckedIn::copy, "The copy as it is now"}};
}
std::vector<Field> PatronBlock::fields() {
  return {{"code", &PatronBlock::code, "Which rule"}, {"detail", &PatronBlock::detail, "In words"}};
}
std::vector<Field> PatronSummary::fields() {
  return {{"user", &PatronSummary::user, "Who it is"},
          {"is_active", &PatronSummary::is_active, "Whether the account is active"},
          {"loans", &PatronSummary::loans, "Open loans, the first due first"},
          {"overdue_loans", &PatronSummary::overdue_loans, "How many of them are overdue"},
          {"holds", &PatronSummary::holds, "Open holds"},
          {"blocks", &PatronSummary::blocks, "What keeps this person from borrowing at present"}};
}
std::vector<Field> OfflineTransaction::fields() {
  return {{"client_id", &OfflineTransaction::client_id, "Unique for ever; told again it changes nothing",
           words(100)},
          {"kind", &OfflineTransaction::kind, "checkout or checkin"},
          {"barcode", &OfflineTransaction::barcode, "Barcode of the copy", words(64)},
          {"patron", &OfflineTransaction::patron, "Who took it; of a checkout", words(255)},
          {"at", &OfflineTransaction::at, "When, by the client's clock"},
          {"due_date", &OfflineTransaction::due_date, "What the borrower was told"}};
}
std::vector<Field> OfflineBatch::fields() {
  return {{"transactions",
           &OfflineBatch::transactions,
           "In any order; done in the order of their times",
           {schema::items(1, 1000)}}};
}
std::vector<Field> OfflineResult::fields() {
  return {{"client_id", &OfflineResult::client_id, "Which"},
          {"outcome", &OfflineResult::outcome,
           "done; duplicate: told before, nothing changed; conflict: cannot be"},
          {"code", &OfflineResult::code, "Why not"},
          {"detail", &OfflineResult::detail, "Why not, in words"},
          {"borrow_id", &OfflineResult::borrow_id, "The loan"}};
}
std::vector<Field> OfflineReport::fields() {
  return {{"done", &OfflineReport::done, "How many were done"},
          {"duplicates", &OfflineReport::duplicates, "How many were told before"},
          {"conflicts", &OfflineReport::conflicts, "How many cannot be"},
          {"results", &OfflineReport::results, "Each, in the order of their times"}};
}

}  // namespace lumina::borrows

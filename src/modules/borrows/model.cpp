#include "modules/borrows/model.hpp"

namespace lumina::borrows {

using schema::Field;

std::vector<Field> LoanBook::fields() {
  return {{"id", &LoanBook::id, "Identifier"},
          {"title", &LoanBook::title, "Title proper"},
          {"author", &LoanBook::author, "Author"}};
}
std::vector<Field> Borrower::fields() {
  return {{"id", &Borrower::id, "Identifier"},
          {"full_name", &Borrower::full_name, "Name"},
          {"email", &Borrower::email, "E-mail address"}};
}

std::vector<Field> Borrow::fields() {
  return {{"id", &Borrow::id, "Identifier"},
          {"user_id", &Borrow::user_id, "Who has it; null when the history of a closed loan was cut"},
          {"book_id", &Borrow::book_id, "The book"},
          {"copy_id", &Borrow::copy_id, "The copy that was handed out"},
          {"borrow_date", &Borrow::borrow_date, "When it was lent"},
          {"due_date", &Borrow::due_date, "When it must be back"},
          {"return_date", &Borrow::return_date, "When it came back; null while it is out"},
          {"status", &Borrow::status, "As of now: overdue from the moment it is due"},
          {"is_overdue", &Borrow::is_overdue, "Out and past its due date"},
          {"renewals", &Borrow::renewals, "How often it was renewed"},
          {"book", &Borrow::book, "The book in short"},
          Field("user", &Borrow::user, "Who has it; in the lists of staff").hide_when_absent()};
}

std::vector<Field> LoanTerms::fields() {
  return {{"loan_period_days",
           &LoanTerms::loan_period_days,
           "Days until it is due (default: the library's loan period)",
           {schema::range(shortest_loan_days, longest_loan_days)}},
          {"user_id", &LoanTerms::user_id, "Lend it to this person instead (staff)"}};
}
std::vector<Field> ReturnTerms::fields() {
  return {{"user_id", &ReturnTerms::user_id, "Take it back from this person instead (staff)"}};
}

std::vector<Field> OwnLoans::fields() { return {{"status", &OwnLoans::status, "Only loans of this status"}}; }
std::vector<Field> LoanFilter::fields() {
  return {{"user_id", &LoanFilter::user_id, "Only loans of this person"},
          {"book_id", &LoanFilter::book_id, "Only loans of this book"},
          {"status", &LoanFilter::status, "Only loans of this status"},
          {"branch_id", &LoanFilter::branch_id, "Only loans of copies that stand in this branch"}};
}

std::vector<Field> HistoryPart::fields() {
  return {{"skip", &HistoryPart::skip, "Loans to pass over", {schema::range(0, 1'000'000'000)}},
          {"limit", &HistoryPart::limit, "Loans to show (default 100)", {schema::range(1, 100)}}};
}
std::vector<Field> BorrowHistory::fields() {
  return {{"total_borrows", &BorrowHistory::total_borrows, "All loans"},
          {"active_borrows", &BorrowHistory::active_borrows, "Out and not yet due"},
          {"returned_borrows", &BorrowHistory::returned_borrows, "Brought back"},
          {"overdue_borrows", &BorrowHistory::overdue_borrows, "Out and past their due date"},
          {"borrows", &BorrowHistory::borrows, "Newest first"}};
}

std::vector<Field> Availability::fields() {
  return {
      {"book_id", &Availability::book_id, "The book"},
      {"is_available", &Availability::is_available, "Whether a copy can be borrowed now"},
      {"active_borrows", &Availability::active_borrows, "Copies that are out, overdue ones too"},
      {"total_borrows", &Availability::total_borrows, "How often it was ever lent"},
      {"copies_total", &Availability::copies_total, "Copies the library owns"},
      {"copies_available", &Availability::copies_available, "Copies free to borrow now"},
      {"holds", &Availability::holds, "People waiting for it"},
      {"next_due_date", &Availability::next_due_date, "When the next copy is due; null when none is out"}};
}

}  // namespace lumina::borrows

// SQL of rules, patron categories, patrons and cards, blocks and calendars.
//
// Absent is std::nullopt; a lost race is an absent row. Also reads users, borrows and copies.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/borrows/calendar.hpp"
#include "modules/borrows/rule_model.hpp"
#include "modules/borrows/rule_set.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lumina::borrows {

// What is known of a person who wants to borrow, at one moment.
struct BorrowerState {
  struct Open {
    CopyKind kind;
    Timestamp due_date;
  };
  std::optional<std::string> category;
  std::vector<Open> loans;          // open ones
  std::int64_t balance_minor = 0;   // owed
  std::vector<std::string> blocks;  // reasons that staff gave
};

// A loan of the past, for lending it again under other rules.
struct PastLoan {
  std::optional<UserId> user;  // nothing: its history was cut
  std::optional<std::string> category;
  CopyKind kind;
  Timestamp borrowed;
  std::optional<Timestamp> returned;
  int renewals = 0;
  BorrowId id{};
  Timestamp due{};  // as it was, renewals included
};
// Somebody who waited until the copy of this loan came back.
struct PastWait {
  BorrowId loan;
  Timestamp placed, ready;
};

class RuleRepository {
 public:
  explicit RuleRepository(db::Transaction& tx) : tx_(tx) {}

  // 0 when there is none.
  std::int64_t newest_version();
  std::vector<RuleSetVersion> versions(std::int64_t skip, std::int64_t limit);
  std::int64_t count_versions();
  std::optional<RuleSetAnswer> find_set(std::int64_t version);
  std::vector<Rule> rules(std::int64_t version);
  // Nothing when somebody else made the next version at this moment.
  std::optional<std::int64_t> insert_set(const NewRuleSet& set, std::optional<UserId> by, Timestamp now);

  std::vector<PatronCategory> categories();
  std::optional<PatronCategory> find_category(const std::string& code);
  // False when the code is taken.
  bool insert_category(const NewPatronCategory& category, Timestamp now);
  bool update_category(const PatronCategory& category);
  void erase_category(const std::string& code);
  bool names_category(std::int64_t version, const std::string& code);

  std::optional<Patron> find_patron(UserId user);
  // PostgreSQL: until the end of the transaction nobody else changes or lends to this person under rules.
  void hold_person(UserId user);
  // False when there is no such category.
  bool set_category(UserId user, const std::optional<std::string>& category, Timestamp now);
  // False when the number is somebody else's.
  bool set_card(UserId user, const std::optional<std::string>& card_number);

  BorrowerState borrower_state(UserId user);
  CopyKind kind_of(CopyId copy);
  struct FoundCopy {
    CopyId id;
    BookId book;
  };
  std::optional<FoundCopy> find_copy(const std::string& barcode);
  // Whether this copy can be lent now.
  bool is_free(CopyId copy);
  // Records what a loan was made under, and its due date when the rules moved it.
  void stamp_loan(BorrowId loan, std::int64_t version, std::optional<std::int64_t> rule, Timestamp due_date);

  bool any_blocks();
  std::int64_t open_holds(UserId user);
  // Of the book's first copy: a hold is for any of them.
  CopyKind kind_of_book(BookId book);
  // Holds that became ready since then by a loan that came back.
  std::vector<PastWait> past_waits(Timestamp since);
  // Loans made since then, and those still open then, in the order of lending, one after the other.
  void past_loans(Timestamp since, const std::function<void(const PastLoan&)>& seen);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::borrows

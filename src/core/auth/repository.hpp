// SQL of accounts: people, what they like, and the tokens that reset a password.
//
// Also reads the tables of circulation, reviews, lists, notices and the audit log: whether loans are open,
// and for a person's own record. Absent is std::nullopt; people who erased their account are absent
// everywhere here.
#pragma once
#include "core/auth/model.hpp"
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::auth {

// A person as stored.
struct Account : User {
  std::string password_hash;
  std::int64_t epoch = 0;
};

struct NewAccount {
  std::string email, email_key, password_hash, full_name, name_key;
  Role role = Role::patron;
};

class UserRepository {
 public:
  explicit UserRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<Account> find(UserId id);
  std::optional<Account> find_by_email(std::string_view email_key);
  // The same, and nobody else changes the row before this unit of work ends.
  std::optional<Account> find_locked(UserId id);
  // Newest first.
  std::vector<User> list(const UserFilter& filter, const PageRequest& page);
  std::int64_t count(const UserFilter& filter);

  // Nothing when the address is taken.
  std::optional<UserId> insert(const NewAccount& account, Timestamp now);
  void set_name(UserId id, std::string_view full_name, std::string_view name_key, Timestamp now);
  // The three below end every access token that was issued before. Deactivating also ends what was asked for
  // the e-mail address.
  void set_role(UserId id, Role role, Timestamp now);
  void set_active(UserId id, bool active, Timestamp now);
  void raise_epoch(UserId id);
  // Ends what was asked for the e-mail address: whoever asked may be why the password changes.
  void set_password(UserId id, std::string_view hash, Timestamp now);
  // A stronger hash of the same password, unless it was changed meanwhile.
  void strengthen_password(UserId id, std::string_view old_hash, std::string_view new_hash);
  // Takes the name and the address away and with them the account; loans and reviews keep its number.
  void anonymise(UserId id, Timestamp now);
  bool has_open_loans(UserId id);

  // Until this unit of work ends nobody else stops being an administrator. Call it before the other two and
  // before find_locked().
  void lock_admins();
  std::int64_t active_admins();
  std::vector<User> admins();

  std::optional<Preferences> preferences(UserId id);
  void set_preferences(UserId id, const Preferences& wishes, Timestamp now);

  void insert_reset(std::string_view token_hash, UserId user, Timestamp now, Timestamp expires_at);
  bool reset_requested_since(UserId user, Timestamp since);
  // Whose unused token this is.
  std::optional<UserId> find_reset(std::string_view token_hash, Timestamp now);
  // The same; the token, and every other of that person, is used up with it. Only one caller gets it.
  std::optional<UserId> use_reset(std::string_view token_hash, Timestamp now);

  // A token for another address; those before it are ended.
  void insert_email_change(std::string_view token_hash, UserId user, std::string_view email,
                           std::string_view email_key, Timestamp now, Timestamp expires_at);
  struct WantedEmail {
    UserId user;
    std::string email, email_key;
  };
  // Whose unused token this was; only one caller gets it.
  std::optional<WantedEmail> use_email_change(std::string_view token_hash, Timestamp now);
  // False when somebody else has the address. Tokens that were mailed to the old one end.
  bool set_email(UserId id, std::string_view email, std::string_view email_key, Timestamp now);

  std::vector<ExportedLoan> loans(UserId id);
  std::vector<ExportedReview> reviews(UserId id);
  std::vector<ExportedVote> helpful_votes(UserId id);
  std::vector<ExportedHold> holds(UserId id);
  std::vector<ExportedReply> replies(UserId id);
  std::vector<ExportedReport> reports(UserId id);
  std::vector<ExportedList> lists(UserId id);
  std::vector<ExportedGrant> grants(UserId id);
  ExportedPatron patron(UserId id);
  std::vector<ExportedFine> fines(UserId id);
  std::vector<ExportedLedgerLine> ledger(UserId id);
  std::vector<ExportedNotification> notifications(UserId id);
  schema::RawJson notification_settings(UserId id);
  std::vector<ExportedFeedback> recommendation_feedback(UserId id);
  std::vector<ExportedSearch> saved_searches(UserId id);
  ExportedRecommendations recommendation_settings(UserId id);
  std::vector<ExportedDocument> documents(UserId id);
  std::vector<ExportedDocumentGrant> document_grants(UserId id);
  std::vector<ExportedQuestion> questions(UserId id);
  // What the person did and what was done to the account; the newest 10,000 rows of the audit log.
  std::vector<ExportedAction> actions(UserId id);

 private:
  void end_email_changes(UserId user);

  db::Transaction& tx_;
};

}  // namespace lumina::auth

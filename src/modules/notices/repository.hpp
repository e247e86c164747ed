// SQL of notices, and of what they tell: also reads users, borrows, books, copies, branches, holds and fines.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "core/events/outbox.hpp"
#include "modules/notices/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::notices {

struct Recipient {
  UserId id;
  std::string email, full_name;
};
struct LoanFacts {
  std::int64_t id = 0;
  std::optional<UserId> user;
  BookId book;
  std::string title;
  std::optional<std::int64_t> branch;
  Timestamp borrowed_at, due_date;
  std::optional<Timestamp> returned_at;
  std::int64_t renewals = 0;
};
struct HoldFacts {
  std::int64_t id = 0;
  UserId user;
  BookId book;
  std::string title, branch, status;
  std::int64_t branch_id = 0;
  std::optional<Timestamp> pickup_until;
};
struct FineFacts {
  std::int64_t id = 0;
  UserId user;
  std::optional<BookId> book;
  std::optional<std::string> title, note;
  std::string kind;
  std::int64_t owed_minor = 0;
};
// What makes a notice the one it is.
struct NoticeKey {
  NoticeKind kind = NoticeKind::borrowed;
  std::int64_t subject = 0, round = 0, step = 0;
};
struct NewNotice {
  NoticeKey key;
  UserId user;
  std::optional<BookId> book;
  std::string title, body;
  bool in_app = true, mailed = false;
};

class NoticeRepository {
 public:
  explicit NoticeRepository(db::Transaction& tx) : tx_(tx) {}

  // Unread ones first, then the newest.
  Page<Notification> list(UserId user, const NotificationFilter& filter, const PageRequest& page);
  std::int64_t unread(UserId user);
  std::optional<Notification> find(NoticeId id, UserId user);
  // How many had not been read.
  std::int64_t mark_read(NoticeId id, UserId user, Timestamp now);
  std::int64_t mark_all_read(UserId user, Timestamp now);
  // Nothing when it was made before.
  std::optional<NoticeId> insert(const NewNotice& notice, Timestamp now);
  bool exists(const NoticeKey& key);
  // What of this kind went, or will go, by mail about a loan or hold.
  std::vector<NoticeKey> mailed_of(std::int64_t subject, NoticeKind kind);
  void forget(UserId user);
  std::int64_t prune(Timestamp read_before);

  // Somebody who can be told: the account is there and active.
  std::optional<Recipient> recipient(UserId user);
  std::optional<LoanFacts> loan(std::int64_t id);
  std::optional<HoldFacts> hold(std::int64_t id);
  std::optional<FineFacts> fine(std::int64_t id);
  std::optional<FineFacts> fine_of_loan(std::int64_t loan, std::string_view kind);
  // Open loans due in [from, before) behind this id, in order of id. Copies that are lost or said to have
  // been returned are left out: their borrowers were told otherwise.
  std::vector<LoanFacts> open_loans(Timestamp from, Timestamp before, std::int64_t after, std::int64_t most);

  events::Cursor position();  // held until the end of the transaction
  events::Cursor position_now();
  void move_to(const events::Cursor& position);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::notices

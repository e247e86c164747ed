// Makes notices: of what happened, from the outbox, and of what time brings, from the loans that are open.
//
// A thread follows the outbox from a position in the database. Notices, their mails and the moved position
// are one transaction, so each event is told once, whatever number of instances there is and whenever one
// dies; a unique index on (kind, loan or hold or fine, round, step) holds the same for reminders. Somebody
// who wants neither channel of a kind gets no notice of it.
//
// A reminder comes `due_soon_days` local days before the due date. Days late are open days, as for fines, so
// nobody is told on a closed day. After a downtime only the latest step is told, and nothing of loans that
// are later than `latest_reminder`.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/time_zone.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/events/outbox.hpp"
#include "core/mail/mailer.hpp"
#include "modules/notices/model.hpp"
#include "modules/notices/repository.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lumina::notices {

constexpr auto latest_reminder = std::chrono::days(400);

// What the library has decided, and its calendar. The functions are called in units of work.
struct NoticeRules {
  int due_soon_days = 3;                    // 0: nobody is reminded
  std::vector<int> overdue_days{1, 7, 14};  // rising
  std::string currency = "EUR", public_url;
  std::function<TimeZone(db::Transaction&, std::optional<std::int64_t> branch)> zone;
  // Open days between a due date and now.
  std::function<int(db::Transaction&, std::optional<std::int64_t> branch, Timestamp due, Timestamp now)>
      days_late;
};

// Books that a saved search finds among those added since then, the oldest first.
struct NewBook {
  BookId id;
  std::string title, author;
};
using NewBooks = std::function<std::vector<NewBook>(db::Transaction&, const std::string& query,
                                                    Timestamp since, int most)>;

class Notifier {
 public:
  Notifier(db::Database& database, const Clock& clock, events::Journal& journal, mail::Mailer& mailer,
           NoticeRules rules);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void start();
  void stop();
  // Tells what has happened; gives the number of events looked at. Blocking; what the thread does.
  std::size_t follow();
  // Tells of due dates that are near or past; gives the number of notices. Blocking; for a scheduled job.
  // `go_on` false ends it early.
  Result<std::int64_t> remind(const std::function<bool()>& go_on);
  // Tells of new books that saved searches find, each once; gives the number of notices. Blocking; for a
  // scheduled job.
  Result<std::int64_t> announce(const NewBooks& new_books, const std::function<bool()>& go_on);

 private:
  struct Draft {
    NewNotice notice;
    Recipient to;
    std::optional<std::int64_t> branch;
    std::optional<Timestamp> not_after;
  };
  struct Plan {
    std::vector<Draft> drafts;
    std::vector<NoticeKey> settled;  // reminders whose mails need not go any more
    bool empty() const { return drafts.empty() && settled.empty(); }
  };

  void run();
  Plan plan(db::Transaction& tx, const std::vector<events::Recorded>& rows);
  void add(db::Transaction& tx, Plan& plan, NoticeKey key, UserId user, std::optional<BookId> book,
           std::optional<std::int64_t> branch, std::string title, std::string body,
           std::optional<Timestamp> not_after = {});
  void settle(Plan& plan, std::vector<NoticeKey> over) const;
  void add_event(db::Transaction& tx, Plan& plan, const events::Recorded& row);
  void add_reminder(db::Transaction& tx, Plan& plan, const LoanFacts& loan, Timestamp now);
  std::int64_t make(db::Transaction& tx, const Plan& plan);
  std::string day(db::Transaction& tx, std::optional<std::int64_t> branch, Timestamp at) const;

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  mail::Mailer& mailer_;
  const NoticeRules rules_;
  events::Cursor judged_;  // up to here this process found nothing to tell; the following thread's
  std::mutex following_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = true, stopping_ = false;
  std::thread thread_;
};

}  // namespace lumina::notices

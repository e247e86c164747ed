// Mails as durable work: written with the change they tell of, sent by jobs, each once.
//
//   auto work = [&](db::Transaction& tx) -> Status {
//     ...;
//     mailer.enqueue(tx, {.key = "hold_ready 12", .kind = "notice", .user = id, .to = to, .letter = letter});
//
// A mail is a row with a unique key and a job that sends it. Its text and its address are sealed (they may
// hold tokens, and they are nobody's business), and dropped when it ended.
//
// Once: right before the last bytes of a message go out, the row says so (`handed`). A process that dies
// before that has not sent the mail, and it is sent again; one that dies after it has given all to the
// system, which delivers it, and it is not sent again. When the process lives but the server's answer never
// comes, the mail is repeated with the same Message-ID, as RFC 5321 asks for.
//
// 4xx answers and broken connections are tried again after 5 s, 30 s, 5 min, 30 min, 2 h, 6 h, 12 h and 24 h;
// a 5xx answer fails the task, which an administrator may retry. Mails go one after the other over one
// connection, which is closed when none is due.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/config/config.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/mail/message.hpp"
#include "core/mail/model.hpp"
#include "core/mail/repository.hpp"
#include "core/mail/smtp.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace lumina::mail {

struct MailSettings {
  SmtpServer server;
  Address from;
  std::optional<Address> reply_to{};
};

// Nothing when no mail is to be sent. Throws std::runtime_error for addresses that are none.
std::optional<MailSettings> settings_from(const config::Config& config);

struct NewMail {
  std::string key;   // a mail with the key of one that was there is not made
  std::string kind;  // for figures and logs: "notice", "password_reset"
  std::optional<UserId> user{};
  Address to;
  Letter letter;
  std::optional<Timestamp> not_before{}, not_after{};
  jobs::Priority priority = jobs::Priority::bulk;
};

class Mailer {
 public:
  // Without settings the server sends no mail. `seal_key` is 32 bytes.
  Mailer(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
         std::optional<MailSettings> settings, std::string seal_key);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  bool on() const { return settings_.has_value(); }
  // Before the runner starts.
  void handle_jobs(jobs::Runner& runner);
  // In a write transaction. False when mail is off or the key is known. Any database thread.
  bool enqueue(db::Transaction& tx, const NewMail& mail);
  // Not sent any more, unless it is on its way.
  void withdraw(db::Transaction& tx, std::string_view key);

  // Sends one at once, by a thread and a connection of its own, and gives what the server said. Refused:
  // mail_off, bad_address, busy (another test is running). Awaited on an io thread.
  Task<Result<MailTest>> test(MailTestRequest request, Caller by);

  // For what waits in the database and is not to be read there.
  std::string seal(std::string_view text) const;
  std::optional<std::string> unseal(std::string_view sealed) const;

 private:
  Result<std::string> deliver(jobs::JobContext& job);
  bool is_unanswered(MailId mail);
  void answered(MailId mail);
  Result<Receipt> hand_over(jobs::JobContext& job, const StoredMail& mail);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  const std::optional<MailSettings> settings_;
  const std::string seal_key_;
  std::mutex mutex_;  // of the connection
  // Handed over by this process, and what became of it is not written down: known not to be sent, or not
  // known here either, it goes out again under the same Message-ID.
  std::set<MailId> unanswered_;
  std::mutex unanswered_mutex_;
  std::unique_ptr<Smtp> smtp_;
  std::unique_ptr<runtime::Pool> testing_;
};

// Inside somebody's leaving: their mails go, sent or not.
void forget_mails_of(db::Transaction& tx, UserId user);

}  // namespace lumina::mail

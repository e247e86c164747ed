// SQL of the mails that wait to be sent, and of what became of them.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/db/transaction.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::mail {

using MailId = Id<struct MailTag>;

// handed: the server may have it, and nobody has written down that it does. Ended are sent, expired (too late
// to matter) and withdrawn; a failed one may be tried again by an administrator.
enum class MailStatus : std::uint8_t { waiting, handed, sent, failed, expired, withdrawn };
constexpr std::array<std::string_view, 6> mail_status_names{"waiting", "handed",  "sent",
                                                            "failed",  "expired", "withdrawn"};
constexpr auto& enum_names(MailStatus) { return mail_status_names; }

struct StoredMail {
  MailId id;
  std::optional<UserId> user;
  std::optional<std::string> sealed;  // address and message; gone once it ended
  MailStatus status = MailStatus::waiting;
  std::optional<Timestamp> not_after;
};

class MailRepository {
 public:
  explicit MailRepository(db::Transaction& tx) : tx_(tx) {}

  // Nothing when there is a mail with this key already.
  std::optional<MailId> insert(std::string_view key, std::string_view kind, std::optional<UserId> user,
                               std::string_view sealed, std::optional<Timestamp> not_after, Timestamp now);
  std::optional<StoredMail> find(MailId id);
  // Not ended: waiting, handed or failed.
  void set_open(MailId id, MailStatus status, std::string_view answer);
  // Ends it, and drops what it said and to whom.
  void end(MailId id, MailStatus status, std::string_view answer, Timestamp now);
  void withdraw(std::string_view key, Timestamp now);
  void forget(UserId user);
  bool any_due(Timestamp now);
  std::int64_t prune(Timestamp before);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::mail

// What every change leaves behind, in the transaction that makes it: a row of the audit log, and an event in
// the outbox that is published once the change is durable.
//
//   journal.record(tx, by, {.type = "book.created", .resource = "book", .resource_id = id.value});
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/db/transaction.hpp"
#include "core/events/bus.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::events {

struct Change {
  std::string_view type;      // audit action and event type: "book.created"
  std::string_view resource;  // "book"
  std::int64_t resource_id = 0;
  std::optional<UserId> subject{};  // whom it concerns; the actor when empty
  std::optional<BookId> book{};     // the book whose answers it changes
  std::string payload = "{}";       // JSON for subscribers and the event list; never secrets
};

class Journal {
 public:
  // `origin` names this process among several on one database.
  Journal(const Clock& clock, Bus& bus, std::string origin);

  void record(db::Transaction& tx, const Caller& by, const Change& change);
  // Something was tried and refused: an audit row, no event. For what matters to security (failed logins).
  void refused(db::Transaction& tx, const Caller& by, std::string_view action, std::string_view resource,
               std::optional<std::int64_t> resource_id, std::string_view detail);

  // The same as record() for a statement that changes rows on PostgreSQL: common table expressions to append
  // to a WITH whose expression `changed` has, for each row it changed, journal_id, journal_user and
  // journal_book, and of who did it journal_actor, journal_address and journal_request. So changes, audit
  // rows and events are one round trip. Parameters: $first type, then resource, time and origin.
  static std::string attached(std::string_view changed, int first);
  const std::string& origin() const { return origin_; }
  // After a statement with attached(): publishes the event once the transaction is durable.
  void publish_later(db::Transaction& tx, const Change& change, Timestamp at);

  Bus& bus() { return bus_; }

 private:
  const Clock& clock_;
  Bus& bus_;
  std::string origin_;
};

}  // namespace lumina::events

#include "core/events/journal.hpp"

#include <fmt/format.h>

namespace lumina::events {
namespace {

constexpr auto insert_audit =
    "INSERT INTO audit_log (at, user_id, action, resource, resource_id, outcome, address, request_id, "
    "detail) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
constexpr auto insert_event =
    "INSERT INTO outbox (at, type, resource_id, user_id, book_id, payload, origin) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)";
// PostgreSQL: both rows in one round trip.
constexpr auto insert_both =
    "WITH audited AS (INSERT INTO audit_log (at, user_id, action, resource, resource_id, address, "
    "request_id, detail) "
    "VALUES ($1::bigint, $2::bigint, $3::text, $4::text, $5::bigint, $6::text, $7::text, $8::text)) "
    "INSERT INTO outbox (at, type, resource_id, user_id, book_id, payload, origin) "
    "VALUES ($1::bigint, $3::text, $5::bigint, $9::bigint, $11::bigint, $8::text, $10::text)";

}  // namespace

Journal::Journal(const Clock& clock, Bus& bus, std::string origin)
    : clock_(clock), bus_(bus), origin_(std::move(origin)) {}

void Journal::record(db::Transaction& tx, const Caller& by, const Change& change) {
  const Timestamp now = clock_.now();
  const auto subject = change.subject ? change.subject : by.user;
  if (tx.postgresql()) {
    tx.execute(insert_both, now, by.user, change.type, change.resource, change.resource_id, by.address,
               by.request_id, change.payload, subject, origin_, change.book);
  } else {
    tx.execute(insert_audit, now, by.user, change.type, change.resource, change.resource_id, "success",
               by.address, by.request_id, change.payload);
    tx.execute(insert_event, now, change.type, change.resource_id, subject, change.book, change.payload,
               origin_);
  }
  tx.after_commit([this, event = Event{std::string(change.type), change.resource_id, subject, change.book,
                                       change.payload, now}] { bus_.publish(event); });
}

void Journal::publish_later(db::Transaction& tx, const Change& change, Timestamp at) {
  tx.after_commit([this, event = Event{std::string(change.type), change.resource_id, change.subject,
                                       change.book, change.payload, at}] { bus_.publish(event); });
}

void Journal::refused(db::Transaction& tx, const Caller& by, std::string_view action,
                      std::string_view resource, std::optional<std::int64_t> resource_id,
                      std::string_view detail) {
  tx.execute(insert_audit, clock_.now(), by.user, action, resource, resource_id, "refused", by.address,
             by.request_id, detail);
}

std::string Journal::attached(std::string_view changed, int first) {
  const auto p = [first](int n) { return "$" + std::to_string(first + n); };
  return fmt::format(
      ", audited AS (INSERT INTO audit_log (at, user_id, action, resource, resource_id, address, request_id, "
      "detail) SELECT {3}::bigint, journal_actor, {1}::text, {2}::text, journal_id, journal_address, "
      "journal_request, '{{}}' FROM {0}), "
      "told AS (INSERT INTO outbox (at, type, resource_id, user_id, book_id, payload, origin) "
      "SELECT {3}::bigint, {1}::text, journal_id, journal_user, journal_book, '{{}}', {4}::text FROM {0}) ",
      changed, p(0), p(1), p(2), p(3));
}

}  // namespace lumina::events

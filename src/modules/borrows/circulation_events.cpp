#include "modules/borrows/circulation_events.hpp"

#include "core/json/codec.hpp"

#include <fmt/format.h>

namespace lumina::borrows {

std::string copy_payload(CopyStatus from, CopyStatus to, const std::optional<std::string>& note,
                         std::optional<BorrowId> borrow, std::optional<UserId> borrower) {
  const auto name = [](CopyStatus status) { return copy_status_names[static_cast<std::size_t>(status)]; };
  std::string out = fmt::format(R"({{"from":"{}","to":"{}")", name(from), name(to));
  if (note) {
    out += ",\"note\":";
    json::append_string(out, *note);
  }
  if (borrow) out += fmt::format(",\"borrow_id\":{}", borrow->value);
  if (borrower) out += fmt::format(",\"user_id\":{}", borrower->value);
  return out + "}";
}

std::string ready_payload(CopyId copy, Timestamp pickup_until) {
  return fmt::format(R"({{"copy_id":{},"pickup_until":"{}"}})", copy.value, to_rfc3339(pickup_until));
}

std::string fulfilled_payload(BorrowId borrow) { return fmt::format(R"({{"borrow_id":{}}})", borrow.value); }

std::string override_payload(std::string_view code, std::string_view reason) {
  std::string out = "{\"code\":";
  json::append_string(out, code);
  out += ",\"reason\":";
  json::append_string(out, reason);
  return out + "}";
}

std::string copy_event(CopyStatus status) {
  return "copy." + std::string(copy_status_names[static_cast<std::size_t>(status)]);
}

}  // namespace lumina::borrows

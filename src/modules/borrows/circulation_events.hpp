// What the events of copies and holds carry beside whom and what they concern: small JSON objects, without
// secrets.
//
// - copy.lost, copy.damaged, ...: from, to, note?, borrow_id?, user_id? (whose loan it was, while one is
// open)
// - copy.found: from, to (it came back although it was lost or claimed returned)
// - hold.ready: copy_id, pickup_until
// - hold.fulfilled: borrow_id
// - circulation.overridden: code, reason (which refusal, and why it was set aside)
//
// All pure; any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "modules/borrows/copy_model.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lumina::borrows {

std::string copy_payload(CopyStatus from, CopyStatus to, const std::optional<std::string>& note,
                         std::optional<BorrowId> borrow = {}, std::optional<UserId> borrower = {});
std::string ready_payload(CopyId copy, Timestamp pickup_until);
std::string fulfilled_payload(BorrowId borrow);
std::string override_payload(std::string_view code, std::string_view reason);
// "copy.lost" for lost, and so on.
std::string copy_event(CopyStatus status);

}  // namespace lumina::borrows

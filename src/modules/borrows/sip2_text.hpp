// Times, amounts and flags as self-check machines write them. Pure and thread-safe. Source: 3M Standard
// Interchange Protocol, version 2.00; ISO 4217 for the digits of a currency.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/time_zone.hpp"
#include "modules/borrows/copy_model.hpp"
#include "modules/borrows/desk_model.hpp"
#include "modules/borrows/ledger_model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

// "20261122    110000": the clocks of the library.
std::string sip2_time(Timestamp at, const TimeZone& zone);
// The same back; with "   Z" in the middle it is UTC. Nothing for what is no time, blanks for example.
std::optional<Timestamp> parse_sip2_time(std::string_view text, const TimeZone& zone);

// "12.50" for 1250 cents; as many digits as the currency has.
std::string sip2_amount(std::int64_t minor, std::string_view currency);
// "12.50", "12.5" and "12" to 1250; nothing for what is no amount, has more digits than the currency, or is
// above a milliard.
std::optional<std::int64_t> parse_sip2_amount(std::string_view text, std::string_view currency);

// 14 characters, Y where something is denied.
std::string sip2_patron_status(const PatronSummary& patron, const std::vector<Block>& blocks);
// Two digits: 03 available, 04 charged, ...
std::string_view sip2_circulation_status(CopyStatus stored, bool lent);
// Four digits; what is more shows as 9999.
std::string sip2_count(std::int64_t count);

}  // namespace lumina::borrows

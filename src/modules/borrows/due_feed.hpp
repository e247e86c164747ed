// One's due dates as a calendar that other programs subscribe to.
//
// The text is iCalendar (RFC 5545): an all-day event for each open loan, on the library's local day. Its
// address holds a token, of which only the digest is stored; making a new one ends the old.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/base/time_zone.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/schema/type.hpp"
#include "modules/borrows/rule_book.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::borrows {

struct DueEntry {
  BorrowId loan;
  std::string title, author;
  Timestamp due_date;
  int renewals = 0;
};
// Pure. Lines end in CRLF and are folded at 75 bytes, never inside a character.
std::string icalendar(const std::vector<DueEntry>& loans, const TimeZone& zone, Timestamp now);

struct FeedAddress {
  std::string token;  // shown once
  std::string path;
  static constexpr std::string_view type_name = "CalendarFeed";
  static std::vector<schema::Field> fields();
};
struct FeedRequest {
  std::string token;
  static constexpr std::string_view type_name = "CalendarFeedRequest";
  static std::vector<schema::Field> fields();
};

class DueFeedService {
 public:
  DueFeedService(db::Database& database, const Clock& clock, events::Journal& journal, RuleBook& rules)
      : database_(database), clock_(clock), journal_(journal), rules_(rules) {}

  // Makes the caller's feed, or a new address for it.
  Task<Result<FeedAddress>> make_address(Caller by);
  Task<Status> remove_address(Caller by);
  // Not found for a token that is none, was replaced, or is of somebody whose account has ended.
  Task<Result<std::string>> feed(FeedRequest request);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  RuleBook& rules_;
};

}  // namespace lumina::borrows

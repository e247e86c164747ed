#include "modules/borrows/due_feed.hpp"

#include "core/security/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::borrows {

using schema::Field;

namespace {

constexpr std::size_t longest_line = 75;  // bytes, without the line break
constexpr std::string_view feed_path = "/api/v1/users/me/loans.ics?token=";

// RFC 5545, 3.3.11.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c < 0 || c >= ' ')
      out += c;
  }
  return out;
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

void append_line(std::string& out, std::string_view line) {
  std::size_t room = longest_line;
  while (line.size() > room) {
    std::size_t cut = room;
    while (cut > 1 && continues_character(line[cut])) --cut;
    out.append(line.substr(0, cut)).append("\r\n ");
    line.remove_prefix(cut);
    room = longest_line - 1;  // the space at the front counts
  }
  out.append(line).append("\r\n");
}

std::string compact_day(std::int64_t day) {
  auto text = format_day(day);
  std::erase(text, '-');
  return text;
}
std::string compact_moment(Timestamp t) {
  auto text = to_rfc3339(t);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

}  // namespace

std::string icalendar(const std::vector<DueEntry>& loans, const TimeZone& zone, Timestamp now) {
  std::string out;
  const auto line = [&](std::string_view text) { append_line(out, text); };
  line("BEGIN:VCALENDAR");
  line("VERSION:2.0");
  line("PRODID:-//LuminaLib//Due dates//EN");
  line("CALSCALE:GREGORIAN");
  line("METHOD:PUBLISH");
  line("X-WR-CALNAME:Library loans");
  line("REFRESH-INTERVAL;VALUE=DURATION:PT6H");
  for (const DueEntry& loan : loans) {
    const auto local = zone.local(loan.due_date);
    line("BEGIN:VEVENT");
    line(fmt::format("UID:loan-{}@luminalib", loan.loan.value));
    line("DTSTAMP:" + compact_moment(now));
    line(fmt::format("SEQUENCE:{}", loan.renewals));
    line("DTSTART;VALUE=DATE:" + compact_day(local.day));
    line("DTEND;VALUE=DATE:" + compact_day(local.day + 1));
    line("SUMMARY:" + escaped("Due: " + loan.title));
    line("DESCRIPTION:" +
         escaped(fmt::format("{} by {} must be back by {:02}:{:02} ({}).", loan.title, loan.author,
                             local.minute / 60, local.minute % 60, zone.name())));
    line("TRANSP:TRANSPARENT");
    line("END:VEVENT");
  }
  line("END:VCALENDAR");
  return out;
}

std::vector<Field> FeedAddress::fields() {
  return {{"token", &FeedAddress::token, "Secret of the feed; shown once"},
          {"path", &FeedAddress::path, "Where calendar programs find it"}};
}
std::vector<Field> FeedRequest::fields() {
  return {{"token", &FeedRequest::token, "Secret of the feed", {schema::length(1, 200)}}};
}

Task<Result<FeedAddress>> DueFeedService::make_address(Caller by) {
  auto work = [this, token = security::opaque_token(),
               by = std::move(by)](db::Transaction& tx) -> Result<FeedAddress> {
    tx.execute(
        "INSERT INTO calendar_tokens (user_id, token_hash, created_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = "
        "excluded.created_at",
        by.id(), security::sha256_hex(token), clock_.now());
    journal_.record(tx, by, {.type = "feed.address_made", .resource = "user", .resource_id = by.id().value});
    return FeedAddress{token, std::string(feed_path) + token};
  };
  return database_.write(std::move(work));
}

Task<Status> DueFeedService::remove_address(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Status {
    if (tx.execute("DELETE FROM calendar_tokens WHERE user_id = $1", by.id()) == 0)
      return not_found("There is no calendar feed");
    journal_.record(tx, by,
                    {.type = "feed.address_removed", .resource = "user", .resource_id = by.id().value});
    return {};
  };
  return database_.write(std::move(work));
}

Task<Result<std::string>> DueFeedService::feed(FeedRequest request) {
  auto work = [this,
               digest = security::sha256_hex(request.token)](db::Transaction& tx) -> Result<std::string> {
    const auto user = tx.one<UserId>(
        "SELECT t.user_id FROM calendar_tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = $1 AND u.is_active = 1 AND u.deleted_at IS NULL",
        digest);
    if (!user) return not_found("There is no such calendar feed");
    std::vector<DueEntry> loans;
    tx.each<BorrowId, std::string, std::string, Timestamp, int>(
        [&](BorrowId id, std::string title, std::string author, Timestamp due, int renewals) {
          loans.push_back({id, std::move(title), std::move(author), due, renewals});
        },
        "SELECT o.id, b.title, b.author, o.due_date, o.renewals FROM borrows o JOIN books b ON b.id = "
        "o.book_id "
        "WHERE o.user_id = $1 AND o.status <> 'returned' ORDER BY o.due_date, o.id",
        std::get<0>(*user));
    return icalendar(loans, rules_.current(tx)->calendar({}).zone(), clock_.now());
  };
  return database_.read(std::move(work));
}

}  // namespace lumina::borrows

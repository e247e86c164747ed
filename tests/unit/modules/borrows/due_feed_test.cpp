#include "modules/borrows/due_feed.hpp"

#include <catch2/catch.hpp>

namespace lumina::borrows {
namespace {

Timestamp at(std::string_view text) { return parse_rfc3339(text).value(); }

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    REQUIRE(end != std::string_view::npos);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 2);
  }
  return lines;
}
std::string unfolded(std::string text) {
  for (auto at = text.find("\r\n "); at != std::string::npos; at = text.find("\r\n ")) text.erase(at, 3);
  return text;
}

TEST_CASE("each loan is an all-day event on the library's own day", "[D31]") {
  const auto zone = TimeZone::find("Europe/Berlin").value();
  const auto text = icalendar({{BorrowId{12}, "Emma", "Jane Austen", at("2026-12-31T23:30:00Z"), 2}}, zone,
                              at("2026-11-22T10:00:00Z"));
  const std::vector<std::string> expected{"BEGIN:VCALENDAR",
                                          "VERSION:2.0",
                                          "PRODID:-//LuminaLib//Due dates//EN",
                                          "CALSCALE:GREGORIAN",
                                          "METHOD:PUBLISH",
                                          "X-WR-CALNAME:Library loans",
                                          "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
                                          "BEGIN:VEVENT",
                                          "UID:loan-12@luminalib",
                                          "DTSTAMP:20261122T100000Z",
                                          "SEQUENCE:2",
                                          "DTSTART;VALUE=DATE:20270101",
                                          "DTEND;VALUE=DATE:20270102",
                                          "SUMMARY:Due: Emma"};
  auto lines = lines_of(text);
  REQUIRE(lines.size() > expected.size());
  lines.resize(expected.size());
  CHECK(lines == expected);
  CHECK(text.find("END:VEVENT\r\nEND:VCALENDAR\r\n") != std::string::npos);
}

TEST_CASE("long and odd titles are folded at 75 bytes between characters, and escaped", "[D31]") {
  std::string title;
  for (int i = 0; i < 60; ++i) title += "\u00fc\u65e5";
  title += ";a,b\\c\nd\te";
  const auto text = icalendar({{BorrowId{1}, title, "x", at("2026-12-31T23:30:00Z"), 0}}, TimeZone::utc(),
                              at("2026-11-22"));
  for (const auto& line : lines_of(text)) {
    CHECK(line.size() <= 75);
    if (!line.empty()) CHECK((static_cast<unsigned char>(line[0]) & 0xC0U) != 0x80U);
    if (line.starts_with(' ')) CHECK((static_cast<unsigned char>(line[1]) & 0xC0U) != 0x80U);
  }
  CHECK(unfolded(text).find("\\;a\\,b\\\\c\\nde\r\n") != std::string::npos);
}

}  // namespace
}  // namespace lumina::borrows

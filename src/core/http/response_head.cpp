#include "core/http/response_head.hpp"

#include "core/http/head_guard.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>

#include <charconv>
#include <chrono>
#include <ctime>
#include <string_view>

namespace lumina::http {
namespace {

void append_number(std::uint64_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_status_line(int status, std::string& out) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(static_cast<std::uint64_t>(status), out);
  out += ' ';
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  out.append(reason.data(), reason.size());
  out += "\r\n";
}

// "Server: luminalib\r\nDate: ...\r\n" of this second.
std::string_view server_and_date() {
  thread_local std::time_t second = -1;
  thread_local std::string lines;
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second) {
    second = now.tv_sec;
    lines = "Server: luminalib\r\nDate: " + http_date(second) + "\r\n";
  }
  return lines;
}

bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 4:
      return boost::beast::iequals(name, "date");
    case 6:
      return boost::beast::iequals(name, "server");
    case 10:
      return boost::beast::iequals(name, "connection") || boost::beast::iequals(name, "keep-alive");
    case 14:
      return boost::beast::iequals(name, "content-length");
    case 17:
      return boost::beast::iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string http_date(std::int64_t seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(moment - day);
  static constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::string out;
  const auto two = [&out](auto number) {
    out += static_cast<char>('0' + static_cast<int>(number) / 10);
    out += static_cast<char>('0' + static_cast<int>(number) % 10);
  };
  out += weekdays.substr(std::size_t{std::chrono::weekday(day).c_encoding()} * 3, 3);
  out += ", ";
  two(static_cast<unsigned>(date.day()));
  out += ' ';
  out += months.substr((std::size_t{static_cast<unsigned>(date.month())} - 1) * 3, 3);
  out += ' ';
  two(static_cast<int>(date.year()) / 100);
  two(static_cast<int>(date.year()) % 100);
  out += ' ';
  two(time.hours().count());
  out += ':';
  two(time.minutes().count());
  out += ':';
  two(time.seconds().count());
  out += " GMT";
  return out;
}

namespace {

// Lines that our own code formatted: each ends with CRLF, none is empty, and no other control character is in
// them.
bool is_block_of_lines(std::string_view block) {
  if (block.empty()) return true;
  if (!block.ends_with("\r\n") || block.starts_with("\r\n")) return false;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const auto c = static_cast<unsigned char>(block[i]);
    if (c == '\r') {
      if (i + 1 == block.size() || block[i + 1] != '\n') return false;
      if (i + 3 < block.size() && block[i + 2] == '\r') return false;
      ++i;
    } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::size_t append_response_head(const Response& response, ResponseFraming framing, std::string& out) {
  std::size_t dropped = 0;
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_field_value(value)) {
      ++dropped;
      return;
    }
    out.append(name).append(": ").append(value).append("\r\n");
  };
  append_status_line(response.status, out);
  out += server_and_date();
  if (!response.content_type.empty()) field("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    if (is_framing(name))
      ++dropped;
    else
      field(name, value);
  }
  if (is_block_of_lines(response.header_block))
    out += response.header_block;
  else
    ++dropped;
  if (framing.close) out += "Connection: close\r\n";
  if (framing.say_keep_alive) out += "Connection: keep-alive\r\n";
  if (response.stream && has_body(response.status)) {
    if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  } else if (has_body(response.status)) {
    out += "Content-Length: ";
    append_number(response.bytes().size(), out);
    out += "\r\n";
  }
  out += "\r\n";
  return dropped;
}

}  // namespace lumina::http

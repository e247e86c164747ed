#include "core/mail/message.hpp"

#include "core/auth/email.hpp"
#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/xml/writer.hpp"

#include <fmt/format.h>
#include <unicode/uidna.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace lumina::mail {
namespace {

constexpr std::size_t longest_header_text = 500;  // bytes
constexpr std::size_t longest_plain_line = 60;    // of header text that is left as it is
constexpr std::size_t bytes_a_word = 39;          // with its frame 64 characters, and a line has 76
constexpr std::size_t base64_line = 76;

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

// C1 controls and the separators of lines and paragraphs: line ends for some programs.
bool has_odd_line_end(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto a = static_cast<unsigned char>(text[i]), b = static_cast<unsigned char>(text[i + 1]);
    if (a == 0xC2 && b < 0xA0) return true;
    if (a == 0xE2 && b == 0x80 && i + 2 < text.size()) {
      const auto c = static_cast<unsigned char>(text[i + 2]);
      if (c == 0xA8 || c == 0xA9) return true;
    }
  }
  return false;
}

bool fits_a_header(std::string_view text) {
  return text.size() <= longest_header_text && is_valid_utf8(text) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return is_control(static_cast<unsigned char>(c)); }) &&
         !has_odd_line_end(text);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// UTS 46, as mail programs do. Nothing when the name is none.
std::optional<std::string> ascii_domain(std::string_view domain) {
  if (is_ascii(domain)) return ascii_lower(domain);
  UErrorCode status = U_ZERO_ERROR;
  UIDNA* rules = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_USE_STD3_RULES, &status);
  if (U_FAILURE(status)) return std::nullopt;
  std::array<char, 256> out{};
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  const auto length =
      uidna_nameToASCII_UTF8(rules, domain.data(), static_cast<std::int32_t>(domain.size()), out.data(),
                             static_cast<std::int32_t>(out.size()), &info, &status);
  uidna_close(rules);
  if (U_FAILURE(status) || info.errors != 0 || length <= 0) return std::nullopt;
  return std::string(out.data(), static_cast<std::size_t>(length));
}

// "Sun, 22 Nov 2026 10:00:00 +0000"
std::string written_date(Timestamp at) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(at.ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time) - day);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
                     days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string base64_lines(std::string_view text) {
  const std::string all = base64_encode(text);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += base64_line) {
    out.append(all, at, base64_line);
    out += "\r\n";
  }
  return out;
}

std::string part(std::string_view boundary, std::string_view type, std::string_view text) {
  return fmt::format(
      "--{}\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", boundary,
      type, base64_lines(text));
}

}  // namespace

Result<HeaderText> HeaderText::make(std::string_view text) {
  if (!fits_a_header(text))
    return fail(ErrorKind::refused, "bad_header_text",
                "The text of a header is one line without control characters");
  HeaderText out;
  out.text_ = text;
  return out;
}

HeaderText HeaderText::of(std::string_view text) {
  HeaderText out;
  bool blank = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto next = utf8_prefix(rest, 1);
    rest.remove_prefix(next.size());
    const bool dropped = !is_valid_utf8(next) || trim(next).empty() || !fits_a_header(next);
    if (dropped) {
      blank = !out.text_.empty();
      continue;
    }
    if (out.text_.size() + next.size() + 1 > longest_header_text) break;
    if (blank) out.text_ += ' ';
    blank = false;
    out.text_ += next;
  }
  return out;
}

Result<Address> Address::make(std::string_view email, std::string_view name) {
  const auto refused = fail(ErrorKind::refused, "bad_address", "This is not an e-mail address");
  if (!auth::is_email(email) || !fits_a_header(email)) return refused;
  const auto at = email.rfind('@');
  const auto domain = ascii_domain(email.substr(at + 1));
  if (!domain) return refused;
  Address out;
  out.email_ = std::string(email.substr(0, at + 1)) + *domain;
  out.name_ = HeaderText::of(name);
  return out;
}

std::string_view Address::domain() const { return std::string_view(email_).substr(email_.rfind('@') + 1); }

std::string Address::written() const {
  if (name().empty()) return "<" + email_ + ">";
  std::string shown = encoded_words(name());
  if (shown == name()) {
    std::string quoted = "\"";
    for (const char c : name()) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    shown = quoted + "\"";
  }
  return shown + "\r\n <" + email_ + ">";
}

std::string encoded_words(std::string_view text) {
  if (is_ascii(text) && text.size() <= longest_plain_line && text.find("=?") == std::string_view::npos)
    return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t taken = 0;
    while (taken < text.size()) {
      const auto next = utf8_prefix(text.substr(taken), 1).size();
      if (taken + next > bytes_a_word) break;
      taken += next;
    }
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64_encode(text.substr(0, taken)) + "?=";
    text.remove_prefix(taken);
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  xml::escape(text, out);
  return out;
}

std::string plain_text(const Letter& letter) {
  std::string out = letter.greeting + "\r\n";
  for (const auto& paragraph : letter.paragraphs) out += "\r\n" + paragraph + "\r\n";
  if (letter.link) out += fmt::format("\r\n{}:\r\n{}\r\n", letter.link->label, letter.link->url);
  for (const auto& paragraph : letter.afterwards) out += "\r\n" + paragraph + "\r\n";
  return out;
}

std::string html(const Letter& letter) {
  std::string out = fmt::format(
      "<!doctype html>\r\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\r\n"
      "<body style=\"font-family:sans-serif;line-height:1.5;max-width:40em\">\r\n<p>{}</p>\r\n",
      html_escaped(letter.subject.text()), html_escaped(letter.greeting));
  const auto add = [&](const std::string& paragraph) { out += "<p>" + html_escaped(paragraph) + "</p>\r\n"; };
  for (const auto& paragraph : letter.paragraphs) add(paragraph);
  if (letter.link)
    out += fmt::format("<p><a href=\"{}\">{}</a></p>\r\n", html_escaped(letter.link->url),
                       html_escaped(letter.link->label));
  for (const auto& paragraph : letter.afterwards) add(paragraph);
  return out + "</body></html>\r\n";
}

std::string render(const Message& message) {
  const std::string digest = security::sha256_hex(message.key).substr(0, 40);
  const std::string boundary = "=_" + digest;  // no line of base64 begins like it
  std::string out = fmt::format("Date: {}\r\nFrom: {}\r\n", written_date(message.at), message.from.written());
  if (message.reply_to) out += "Reply-To: " + message.reply_to->written() + "\r\n";
  out += fmt::format("To: {}\r\nSubject: {}\r\nMessage-ID:\r\n <{}@{}>\r\n", message.to.written(),
                     encoded_words(message.letter.subject.text()), digest, message.from.domain());
  out += fmt::format(
      "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
      "Content-Type: multipart/alternative;\r\n boundary=\"{}\"\r\n\r\n",
      boundary);
  out += part(boundary, "plain", plain_text(message.letter)) + part(boundary, "html", html(message.letter));
  return out + "--" + boundary + "--\r\n";
}

}  // namespace lumina::mail

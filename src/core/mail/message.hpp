// Mails as bytes: addresses, header lines and letters that cannot be anything else, and how they are written.
//
//   auto to = Address::make("ada@example.org", "Ada Lovelace");
//   Letter letter{*HeaderText::make("Your book is here"), "Hello Ada,", {"It waits at the desk."}};
//   const std::string bytes = render({.from = from, .to = *to, .letter = letter, .key = "hold 12", .at =
//   now});
//
// What goes into a header is an Address or a HeaderText, and neither can hold CR, LF, NUL or any other
// control character: their factories refuse it, so a header or a recipient cannot be smuggled in. Bodies are
// base64 and need no such care; every piece of text in the HTML part is escaped.
//
// Sources: RFC 5322 (message), 2045 and 2046 (MIME), 2047 (words beyond ASCII), 6532 (addresses beyond
// ASCII), 3834 (Auto-Submitted), 5890 (host names as ASCII). Values; any thread.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::mail {

// One line of text for a header: at most 500 bytes of UTF-8 without control characters.
class HeaderText {
 public:
  // Refused: bad_header_text.
  static Result<HeaderText> make(std::string_view text);
  // Whatever text makes, on one line: runs of white space and control characters become a blank, what is too
  // long is cut. For words that come from people: titles, names.
  static HeaderText of(std::string_view text);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Somebody's address with the name to show, which may be empty. The domain is kept as ASCII.
class Address {
 public:
  // Refused, bad_address: what auth::is_email refuses, or a domain that has no ASCII form.
  static Result<Address> make(std::string_view email, std::string_view name = {});
  const std::string& email() const { return email_; }
  const std::string& name() const { return name_.text(); }
  std::string_view domain() const;
  // As a header shows it: "Ada Lovelace" <ada@example.org>
  std::string written() const;

 private:
  Address() = default;
  std::string email_;
  HeaderText name_;
};

struct Link {
  std::string label, url;
};

// What a mail says; written once as plain text and once as HTML.
struct Letter {
  HeaderText subject;
  std::string greeting;
  std::vector<std::string> paragraphs;
  std::optional<Link> link{};
  std::vector<std::string> afterwards{};  // paragraphs below the link
};

struct Message {
  Address from, to;
  std::optional<Address> reply_to;
  Letter letter;
  std::string key;  // makes Message-ID: the same for every try to send it
  Timestamp at;
};

std::string render(const Message& message);
std::string plain_text(const Letter& letter);
std::string html(const Letter& letter);

// With the five characters that mean something in HTML written as references.
std::string html_escaped(std::string_view text);
// RFC 2047: as it is when that is safe, else words of base64 of at most 75 characters, folded.
std::string encoded_words(std::string_view text);

}  // namespace lumina::mail

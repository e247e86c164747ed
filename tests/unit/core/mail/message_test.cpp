#include "core/mail/message.hpp"

#include "core/base/text.hpp"
#include "support/smtp_peer.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using namespace lumina;
using namespace lumina::mail;
using namespace std::string_literals;

namespace {

Message message_with(std::string_view subject, std::string_view name = "Ada Lovelace") {
  return {*Address::make("library@example.org", "City Library"),
          *Address::make("ada@example.org", name),
          std::nullopt,
          {HeaderText::of(subject), "Hello,", {"a <b>bold</b> & \"quoted\" claim"}},
          "a key",
          *parse_rfc3339("2026-11-22T10:00:00Z")};
}

// Encoded words undone.
std::string decoded(std::string text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.compare(at, 10, "=?UTF-8?B?") == 0) {
      const auto end = text.find("?=", at + 10);
      out += base64_decode(text.substr(at + 10, end - at - 10)).value_or("(no base64)");
      at = end + 2;
      if (text.compare(at, 11, " =?UTF-8?B?") == 0) ++at;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a header takes no line end, however it is spelled", "[I9]") {
  for (const auto& text :
       {"a\r\nBcc: x@example.org"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x0b"s, "a\x7f"s, "a\xc2\x85z"s,
        "a\xe2\x80\xa8z"s, "a\xe2\x80\xa9z"s, "a\xffz"s, std::string(501, 'a')}) {
    INFO(text);
    CHECK_FALSE(HeaderText::make(text));
    const auto folded = HeaderText::of(text);
    CHECK(HeaderText::make(folded.text()));
  }
  CHECK(HeaderText::of(" a \r\n Bcc: x@example.org ").text() == "a Bcc: x@example.org");
  CHECK(HeaderText::make("Grüße, 世界")->text() == "Grüße, 世界");
}

TEST_CASE("an address is one address and nothing more", "[I9]") {
  for (const auto& text :
       {"ada@example.org\r\nRCPT TO:<eve@example.org>"s, "ada@example.org\0"s, "ada@exa mple.org"s,
        "<ada@example.org>"s, "ada@example.org, eve@example.org"s, "ada@example.org> SIZE=1"s, "ada"s, ""s}) {
    INFO(text);
    CHECK_FALSE(Address::make(text));
  }
  const auto far = Address::make("ada@Bücher.example", "Ada");
  REQUIRE(far);
  CHECK(far->email() == "ada@xn--bcher-kva.example");
  CHECK(far->domain() == "xn--bcher-kva.example");
  CHECK(Address::make("ada@example.org", "Ada \"the\" \\ first\r\nX: y")->written() ==
        "\"Ada \\\"the\\\" \\\\ first X: y\"\r\n <ada@example.org>");
}

TEST_CASE("a message is RFC 5322 with two readable parts", "[I9]") {
  test::ReceivedMail mail;
  mail.data = render(message_with("Your book is here"));
  CHECK(mail.header("Date") == "Sun, 22 Nov 2026 10:00:00 +0000");
  CHECK(mail.header("From") == "\"City Library\" <library@example.org>");
  CHECK(mail.header("To") == "\"Ada Lovelace\" <ada@example.org>");
  CHECK(mail.header("Subject") == "Your book is here");
  CHECK(mail.header("MIME-Version") == "1.0");
  CHECK(mail.header("Auto-Submitted") == "auto-generated");
  CHECK(mail.header("Message-ID").ends_with("@example.org>"));
  CHECK(mail.text() == "Hello,\r\n\r\na <b>bold</b> & \"quoted\" claim\r\n");
  CHECK(mail.part("html").find("<p>a &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot; claim</p>") !=
        std::string::npos);

  const auto same = render(message_with("Your book is here"));
  CHECK(same == mail.data);  // tries to send it are one message
  auto other = message_with("Your book is here");
  other.key = "another key";
  test::ReceivedMail second;
  second.data = render(other);
  CHECK(second.header("Message-ID") != mail.header("Message-ID"));
}

TEST_CASE("lines are short, and text beyond ASCII arrives as it was", "[I9]") {
  const std::string subject =
      "Grüße aus der Bücherei: „Die unendliche Geschichte“ von Michael Ende wartet 世界";
  test::ReceivedMail mail;
  mail.data = render(message_with(subject, "Zoë Ångström-Müller van der Überlingen und zu Weißenburg"));
  CHECK(decoded(mail.header("Subject")) == subject);
  CHECK(decoded(mail.header("To")) ==
        "Zoë Ångström-Müller van der Überlingen und zu Weißenburg <ada@example.org>");
  std::size_t at = 0;
  while (at < mail.data.size()) {
    const auto end = mail.data.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 78);
    at = end + 2;
  }
  CHECK(mail.data.find_first_of("\x80\xc3\xe2") == std::string::npos);
  // What looks like an encoded word is not decoded by whoever reads it.
  CHECK(encoded_words("=?UTF-8?B?WA==?=") != "=?UTF-8?B?WA==?=");
  CHECK(decoded(encoded_words("=?UTF-8?B?WA==?=")) == "=?UTF-8?B?WA==?=");
}

TEST_CASE("no subject, name or address adds a header or ends the head", "[I9]") {
  std::mt19937 random(20261122);
  const std::vector<std::string> pieces{"\r\n",     "\n",   "\r", "\0"s, "Bcc: eve@example.org",
                                        "\r\n\r\n", ".",    "ä",  "世",  "=?",
                                        "?=",       "\xff", " ",  "\"",  "\\",
                                        "<",        ">",    ",",  "a",   "\xe2\x80\xa8"};
  const auto any = [&] {
    std::string text;
    for (int n = static_cast<int>(random() % 30); n > 0; --n) text += pieces[random() % pieces.size()];
    return text;
  };
  const auto names_of = [](const std::string& head) {
    std::vector<std::string> names;
    std::size_t at = 0;
    while (at < head.size()) {
      const auto end = head.find("\r\n", at);
      const auto line = head.substr(at, end - at);
      if (line[0] != ' ') names.push_back(line.substr(0, line.find(':')));
      at = end + 2;
    }
    return names;
  };
  const std::vector<std::string> expected{
      "Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type"};
  for (int round = 0; round < 2'000; ++round) {
    const auto subject = any(), name = any();
    test::ReceivedMail mail;
    mail.data = render(message_with(subject, name));
    INFO(mail.head());
    REQUIRE(names_of(mail.head()) == expected);
    REQUIRE(mail.data.find("\n.\r") == std::string::npos);
    REQUIRE(mail.header("To").ends_with("<ada@example.org>"));
    for (std::size_t i = 0; i < mail.data.size(); ++i) {
      if (mail.data[i] == '\n') REQUIRE((i > 0 && mail.data[i - 1] == '\r'));
      if (mail.data[i] == '\r') REQUIRE((i + 1 < mail.data.size() && mail.data[i + 1] == '\n'));
    }
  }
}

#include "core/sip2/message.hpp"

#include "core/sip2/conversation.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>
#include <string>

using namespace lumina;
using namespace lumina::sip2;

namespace {

std::string with_tail(std::string line, char number) {
  line += fmt::format("AY{}AZ", number);
  return line + checksum(line);
}

}  // namespace

TEST_CASE("the checksum makes the sum of all bytes zero", "[D24][L8]") {
  CHECK(checksum("990 402.00AY1AZ") == "FCB4");
  CHECK(checksum("9300CNLoginUserID|COLoginPassword|CPLocationCode|AY5AZ") == "EC7B");
  CHECK(ask_again() == "96AZFEF6\r");
  for (const std::string text : {"", "97AZ", "63", "\xC3\xA9t\xC3\xA9"}) {
    unsigned sum = 0;
    for (const char c : text) sum += static_cast<unsigned char>(c);
    sum += static_cast<unsigned>(std::stoul(checksum(text), nullptr, 16));
    CHECK((sum & 0xFFFFU) == 0);
  }
}

TEST_CASE("a message is its code, its fixed part and its fields", "[D24][L8]") {
  const auto login = parse("9300CNLoginUserID|COLoginPassword|CPLocationCode|AY5AZEC7B");
  REQUIRE(login);
  CHECK(login->code == "93");
  CHECK(login->fixed == "00");
  CHECK(login->field("CN") == "LoginUserID");
  CHECK(login->field("CP") == "LocationCode");
  CHECK(login->field("XX").empty());
  CHECK_FALSE(login->has("XX"));
  CHECK(login->sequence == '5');
  CHECK(write(*login) == "9300CNLoginUserID|COLoginPassword|CPLocationCode|AY5AZEC7B\r");

  const auto plain = parse("17" + std::string("20261122    110000") + "AOlib|AB|AC");
  REQUIRE(plain);
  CHECK_FALSE(plain->sequence);
  CHECK(plain->has("AB"));
  CHECK(plain->has("AC"));
  CHECK(plain->part(0, 8) == "20261122");
  CHECK(plain->part(12, 99) == "110000");
  CHECK(plain->part(40, 2).empty());
}

TEST_CASE("what is no message is told apart from what was changed on its way", "[D24][L8]") {
  CHECK(parse("9300CNa|COb|AY5AZ0000").error() == Fault::checksum);
  CHECK(parse("GET / HTTP/1.1").error() == Fault::unknown);
  CHECK(parse("9").error() == Fault::unknown);
  CHECK(parse("").error() == Fault::unknown);
  CHECK(parse("63000").error() == Fault::unreadable);         // its fixed part is cut
  CHECK(parse("9300C").error() == Fault::unreadable);         // half a name
  CHECK(parse("9300|CNa|").error() == Fault::unreadable);     // no name
  CHECK(parse("9300CNa\tb|").error() == Fault::unreadable);   // a control character
  CHECK(parse("9300CNa\xFF|").error() == Fault::unreadable);  // no UTF-8
  CHECK(parse("9300CN" + std::string(5000, 'a')).error() == Fault::unreadable);
  std::string many = "9300";
  for (int i = 0; i < 600; ++i) many += "AB|";
  CHECK(parse(many).error() == Fault::unreadable);
}

TEST_CASE("answers cannot be broken by what they tell", "[D24][L8]") {
  Message out;
  out.code = "94";
  out.fixed = "1";
  out.sequence = '0';
  out.add("AF", "a|b\rc\n").add("AG", std::string(300, 'x')).add_if("AJ", "");
  const auto line = write(out);
  CHECK(line.find('\r') == line.size() - 1);
  const auto back = parse(line.substr(0, line.size() - 1));
  REQUIRE(back);
  CHECK(back->fields.size() == 2);
  CHECK(back->field("AF") == "a b c ");
  CHECK(back->field("AG").size() == 255);
}

TEST_CASE("whatever is read is written back as it was; noise is never an accident", "[D24][L8]") {
  std::mt19937 random(20261122);
  const std::string alphabet = "0123456789ABCXYZ|| \xC3\xA9\r\n\x01\xFF";
  const auto any = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  const std::string codes[] = {"93", "99", "63", "17", "11", "09", "29",
                               "65", "37", "35", "23", "01", "97", "15"};
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string line = round % 2 == 0 ? codes[any(std::size(codes))] : "";
    if (round % 4 == 0) line += std::string(*fixed_length(line), '0');
    for (auto rest = any(60); rest > 0; --rest) line += alphabet[any(alphabet.size())];
    if (round % 8 == 0) line = with_tail(line, static_cast<char>('0' + any(10)));
    const auto message = parse(line);
    if (!message) continue;
    ++read;
    auto again = write(*message);
    again.pop_back();
    const auto twice = parse(again);
    REQUIRE(twice);
    CHECK(*twice == *message);
  }
  CHECK(read > 100);
}

TEST_CASE("a message that was changed on its way is asked for again, and what was said is said again",
          "[D24][L8]") {
  using Next = Conversation::Next;
  Conversation talk;
  CHECK(talk.heard("").next == Next::nothing);
  const auto broken = talk.heard("9300CNa|COb|AY0AZ0000");
  CHECK(broken.next == Next::say);
  CHECK(broken.line == ask_again());
  const auto login = with_tail("9300CNa|COb|", '0');
  const auto step = talk.heard(login);
  REQUIRE(step.next == Next::answer);
  Message reply;
  reply.code = "94";
  reply.fixed = "1";
  const auto said = talk.answered(reply);
  CHECK(said == with_tail("941", '0') + "\r");

  const auto asked = talk.heard("97");
  CHECK(asked.next == Next::say);
  CHECK(asked.line == said);
  // The same message with the same number is a repetition: it is not done twice.
  const auto repeated = talk.heard(login);
  CHECK(repeated.next == Next::say);
  CHECK(repeated.line == said);
  CHECK(talk.heard(with_tail("9300CNa|COb|", '1')).next == Next::answer);
  // Without numbers every message is a new one.
  CHECK(talk.heard("9300CNa|COb|").next == Next::answer);
  CHECK(talk.answered(reply) == "941\r");
  CHECK(talk.heard("9300CNa|COb|").next == Next::answer);
}

TEST_CASE("garbage ends a conversation: at once before anything made sense, later the third time",
          "[D24][L8]") {
  using Next = Conversation::Next;
  Conversation scanner;
  CHECK(scanner.heard("GET / HTTP/1.1").next == Next::close);
  Conversation talk;
  REQUIRE(talk.heard("9300CNa|COb|").next == Next::answer);
  CHECK(talk.heard("zz").next == Next::say);
  CHECK(talk.heard("zz").next == Next::say);
  REQUIRE(talk.heard("9300CNa|COb|").next == Next::answer);
  CHECK(talk.heard("zz").next == Next::say);
  CHECK(talk.heard("97").next == Next::say);  // nothing was answered yet: it has to say something else
  CHECK(talk.heard("zz").next == Next::close);
}

#include "core/http/body_reader.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

namespace lumina::http {
namespace {

using namespace std::string_literals;

struct Outcome {
  int status = -1;  // 0 complete, -1 wants more, else the refusal's
  std::string body;
  std::string rest;
  bool operator==(const Outcome&) const = default;
};

// Feeds in pieces of at most `step` octets, all at once with 0.
Outcome read(BodyReader reader, std::string_view input, std::size_t step = 0) {
  Outcome out;
  std::string pending;
  while (!input.empty()) {
    const auto piece = input.substr(0, step == 0 ? input.size() : step);
    pending += piece;
    input.remove_prefix(piece.size());
    std::size_t used = 0;
    const auto state = reader.feed(pending, used, out.body);
    REQUIRE(used <= pending.size());
    pending.erase(0, used);
    if (state == BodyReader::State::need_more) continue;
    out.status = state == BodyReader::State::complete ? 0 : reader.refusal().status;
    break;
  }
  out.rest = pending + std::string(input);
  return out;
}

Outcome chunked(std::string_view input, std::uint64_t limit = 1 << 20, std::size_t step = 0) {
  return read(BodyReader::chunked(limit, {}), input, step);
}

}  // namespace

TEST_CASE("a body of known length ends where it says, and the rest stays") {
  CHECK(read(BodyReader::with_length(5, 10), "helloGET /") == Outcome{0, "hello", "GET /"});
  CHECK(read(BodyReader::with_length(5, 10), "hel") == Outcome{-1, "hel", ""});
  CHECK(read(BodyReader::with_length(5, 5), "hello", 1) == Outcome{0, "hello", ""});
  CHECK(read(BodyReader::with_length(6, 5), "hello!").status == 413);
}

TEST_CASE("memory follows what arrived, not what was announced") {
  auto reader = BodyReader::with_length(std::uint64_t{1} << 40, std::uint64_t{1} << 41);
  std::string body;
  std::size_t used = 0;
  const std::string piece(10'000, 'x');
  for (int i = 0; i < 100; ++i) REQUIRE(reader.feed(piece, used, body) == BodyReader::State::need_more);
  CHECK(body.size() == 1'000'000);
  CHECK(body.capacity() <= 2 * body.size() + 64);
}

TEST_CASE("chunks by the letter are joined") {
  CHECK(chunked("5\r\nhello\r\n0\r\n\r\nGET") == Outcome{0, "hello", "GET"});
  CHECK(chunked("1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n") == Outcome{0, "a0123456789", ""});
  CHECK(chunked("a\r\n0123456789\r\n000\r\n\r\n") == Outcome{0, "0123456789", ""});
  CHECK(chunked("0000000000000001\r\na\r\n0\r\n\r\n") == Outcome{0, "a", ""});
  CHECK(chunked("0\r\n\r\n") == Outcome{0, "", ""});
  CHECK(chunked("2\r\n\r\n\r\n0\r\n\r\n") == Outcome{0, "\r\n", ""});
  CHECK(chunked("1;a\r\nx\r\n0\r\n\r\n") == Outcome{0, "x", ""});
  CHECK(chunked("1;a=b;c=\"d e;\\\"f\"\r\nx\r\n0;last\r\n\r\n") == Outcome{0, "x", ""});
  CHECK(chunked("1 ; a = b\r\nx\r\n0\r\n\r\n") == Outcome{0, "x", ""});
  CHECK(chunked("1\r\nx\r\n0\r\nX-Sum: 1\r\nY: \xc3\xa9\r\n\r\nZ") == Outcome{0, "x", "Z"});
}

TEST_CASE("chunks that two servers might read differently are refused") {
  const std::vector<std::string> rows = {
      "\r\nx\r\n0\r\n\r\n",                       // no size
      "5\nhello\r\n0\r\n\r\n",                    // bare LF after the size
      "5\r\nhello\n0\r\n\r\n",                    // bare LF after the data
      "5\r\nhello0\r\n\r\n",                      // no line end after the data
      "5\r\nhello!\r\n0\r\n\r\n",                 // longer than said
      "5\r\nhell\r\n0\r\n\r\n",                   // shorter than said
      "5\rhello\r\n0\r\n\r\n",                    // bare CR
      "5\r\r\nhello\r\n0\r\n\r\n",                // doubled CR
      " 5\r\nhello\r\n0\r\n\r\n",                 // blank before
      "5 \r\nhello\r\n0\r\n\r\n",                 // blank after
      "5\t\r\nhello\r\n0\r\n\r\n",                //
      "+5\r\nhello\r\n0\r\n\r\n",                 //
      "-5\r\nhello\r\n0\r\n\r\n",                 //
      "0x5\r\nhello\r\n0\r\n\r\n",                //
      "5h\r\nhello\r\n0\r\n\r\n",                 //
      "5_0\r\nhello\r\n0\r\n\r\n",                //
      "g\r\nhello\r\n0\r\n\r\n",                  //
      "5,5\r\nhello\r\n0\r\n\r\n",                //
      "00000000000000005\r\nhello\r\n0\r\n\r\n",  // 17 digits
      "5;\r\nhello\r\n0\r\n\r\n",                 // extension without a name
      "5;a=\r\nhello\r\n0\r\n\r\n",               // without a value
      "5;a b\r\nhello\r\n0\r\n\r\n",              //
      "5;a=\"b\r\nhello\r\n0\r\n\r\n",            // open quote
      "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n",         // text after the quote
      "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n",       // LF inside quotes
      "5;a=\"b\rc\"\r\nhello\r\n0\r\n\r\n",       // CR inside quotes
      "5;a\x01\r\nhello\r\n0\r\n\r\n",
      "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s,
      "5;\"a\"\r\nhello\r\n0\r\n\r\n",
      "0\r\nX\r\n\r\n",      // trailer without a colon
      "0\r\n X: y\r\n\r\n",  // folded
      "0\r\nX : y\r\n\r\n",  //
      "0\r\nX: y\n\r\n",     //
      "0\r\nX: \x01\r\n\r\n",
      "0\r\n\n",
  };
  for (const auto& row : rows) {
    INFO(row);
    CHECK(chunked(row).status == 400);
    CHECK(chunked(row, 1 << 20, 1).status == 400);
  }
}

TEST_CASE("the limit holds for chunks in the middle of the body", "[A32]") {
  CHECK(chunked("5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n", 10).status == 0);
  CHECK(chunked("5\r\nhello\r\n6\r\n", 10).status == 413);
  CHECK(chunked("ffffffffffffffff\r\n", 10).status == 413);
  CHECK(chunked("5\r\nhello\r\nfffffffffffffffb\r\n", ~std::uint64_t{0} - 1).status == 413);
}

TEST_CASE("extensions and trailers have budgets") {
  const auto extension = [](std::size_t size) { return ";" + std::string(size - 1, 'a'); };
  CHECK(chunked("1" + extension(256) + "\r\nx\r\n0\r\n\r\n").status == 0);
  CHECK(chunked("1" + extension(257) + "\r\nx\r\n0\r\n\r\n").status == 400);
  CHECK(chunked("1;a=\"" + std::string(65536, 'a')).status == 400);
  std::string many;
  for (int i = 0; i < 33; ++i) many += "1" + extension(250) + "\r\nx\r\n";
  CHECK(chunked(many).status == 400);
  CHECK(chunked("0\r\nX: " + std::string(3000, 'y') + "\r\n\r\n").status == 0);
  CHECK(chunked("0\r\nX: " + std::string(5000, 'y') + "\r\n\r\n").status == 431);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 1000; ++i) trailers += "A: b\r\n";
  CHECK(chunked(trailers + "\r\n").status == 431);
}

TEST_CASE("a chunked body reads the same however it is cut into pieces") {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string body;
    std::string wire;
    for (auto chunks = random() % 6; chunks > 0; --chunks) {
      const std::string data(1 + random() % 40, static_cast<char>(random() % 256));
      char size[32];
      std::snprintf(size, sizeof size, "%zx", data.size());
      wire += size + (random() % 2 ? ";a=\"b\""s : ""s) + "\r\n" + data + "\r\n";
      body += data;
    }
    wire += random() % 2 ? "0\r\n\r\n" : "0\r\nX: y\r\n\r\n";
    CHECK(chunked(wire + "NEXT") == Outcome{0, body, "NEXT"});
    CHECK(chunked(wire, 1 << 20, 1) == Outcome{0, body, ""});
    CHECK(chunked(wire, 1 << 20, 1 + random() % 9) == Outcome{0, body, ""});
  }
}

}  // namespace lumina::http

#include "core/http/body_source.hpp"

#include <catch2/catch.hpp>

using namespace lumina::http;

TEST_CASE("a pushed body gives what was pushed, in order, and ends") {
  PushedBody body;
  int woken = 0;
  body.attach([&] { ++woken; });
  CHECK(body.push("one "));
  CHECK(body.push("two"));
  CHECK(woken == 2);
  std::string out;
  CHECK(body.take(out, 4) == BodySource::State::open);
  CHECK(out == "one ");
  body.finish();
  CHECK(body.take(out, 100) == BodySource::State::ended);
  CHECK(out == "one two");
  CHECK(!body.push("late"));
}

TEST_CASE("a reader that is too slow, or gone, is not waited for") {
  PushedBody slow(10);
  CHECK(slow.push("12345"));
  CHECK(!slow.push("678901"));
  CHECK(!slow.wanted());
  std::string out;
  CHECK(slow.take(out, 100) == BodySource::State::ended);
  PushedBody gone;
  gone.detach();
  CHECK(!gone.push("x"));
}

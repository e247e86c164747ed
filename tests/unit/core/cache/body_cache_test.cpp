#include "core/cache/body_cache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <stdexcept>
#include <thread>

using namespace lumina;
using cache::Body;
using cache::BodyCache;
using cache::BodyPtr;
using cache::Tag;

namespace {

BodyPtr body(std::string bytes) {
  auto made = std::make_shared<Body>();
  made->bytes = std::move(bytes);
  return made;
}

Task<Result<BodyPtr>> asked(BodyCache& cache, std::string key, Tag tag, BodyCache::Loader load) {
  auto answer = cache.get(std::move(key), {tag}, std::move(load));
  if (answer.ready()) co_return std::move(answer.value());
  co_return co_await std::move(answer.task());
}

Result<BodyPtr> ask(BodyCache& cache, std::string key, Tag tag, BodyCache::Loader load) {
  boost::asio::io_context io(1);
  auto answer =
      boost::asio::co_spawn(io, asked(cache, std::move(key), tag, std::move(load)), boost::asio::use_future);
  io.run();
  return answer.get();
}

BodyCache::Loader loads(std::string bytes, int& times) {
  return [bytes, &times]() -> Task<Result<BodyPtr>> {
    ++times;
    co_return body(bytes);
  };
}

}  // namespace

TEST_CASE("an answer is made once and served until what it shows changes") {
  BodyCache cache(1 << 20);
  const Tag book("book", 42);
  int times = 0;
  CHECK((*ask(cache, "/books/42", book, loads("first", times)))->bytes == "first");
  CHECK((*ask(cache, "/books/42", book, loads("second", times)))->bytes == "first");
  CHECK(times == 1);
  cache.drop(Tag("book", 43));
  CHECK(cache.find("/books/42"));
  cache.drop(book);
  CHECK_FALSE(cache.find("/books/42"));
  CHECK((*ask(cache, "/books/42", book, loads("second", times)))->bytes == "second");
}

TEST_CASE("an answer read before a change and kept after it is never served") {
  BodyCache cache(1 << 20);
  const Tag book("book", 42);
  auto before = cache.versions({book});
  cache.drop(book);
  cache.put("/books/42", std::move(before), body("old"));
  CHECK_FALSE(cache.find("/books/42"));
  cache.put("/books/42", cache.versions({book}), body("new"));
  REQUIRE(cache.find("/books/42"));
  CHECK(cache.find("/books/42")->bytes == "new");
}

TEST_CASE("an answer read before everything was cleared is never served") {
  BodyCache cache(1 << 20);
  const Tag book("book", 42);
  auto before = cache.versions({book});
  cache.clear();
  cache.put("/books/42", std::move(before), body("old"));
  CHECK_FALSE(cache.find("/books/42"));
}

TEST_CASE("the least recently used answers make room") {
  BodyCache cache(32 * 4096);
  CHECK(cache.roomy());
  const std::string kilobyte(1024, 'x');
  for (int i = 0; i < 1000; ++i)
    cache.put("/" + std::to_string(i), cache.versions({Tag("n", i)}), body(kilobyte));
  const auto now = cache.statistics();
  CHECK(now.bytes <= 32 * 4096);
  CHECK(now.evictions > 0);
  CHECK(now.entries + now.evictions == 1000);
  CHECK_FALSE(cache.roomy());
  CHECK(cache.find("/999"));
  CHECK_FALSE(cache.find("/0"));
  cache.clear();
  CHECK(cache.statistics().bytes == 0);
}

TEST_CASE("errors and exceptions of a loader are told and not kept") {
  BodyCache cache(1 << 20);
  const Tag book("book", 1);
  const auto refuses = []() -> Task<Result<BodyPtr>> { co_return not_found("Book not found"); };
  const auto throws = []() -> Task<Result<BodyPtr>> {
    throw std::runtime_error("broken");
    co_return BodyPtr{};
  };
  CHECK(ask(cache, "/books/1", book, refuses).error().kind == ErrorKind::not_found);
  CHECK_THROWS_AS(ask(cache, "/books/1", book, throws), std::runtime_error);
  int times = 0;
  CHECK((*ask(cache, "/books/1", book, loads("there", times)))->bytes == "there");
}

TEST_CASE("fifty who ask at once for an absent answer cause one load") {
  BodyCache cache(1 << 20);
  boost::asio::io_context io(1);
  int times = 0;
  const BodyCache::Loader slow = [&]() -> Task<Result<BodyPtr>> {
    ++times;
    for (int i = 0; i < 100; ++i) co_await boost::asio::post(io, boost::asio::use_awaitable_t<IoExecutor>{});
    co_return body("once");
  };
  std::vector<std::future<Result<BodyPtr>>> answers;
  for (int i = 0; i < 50; ++i)
    answers.push_back(
        boost::asio::co_spawn(io, asked(cache, "/books/7", Tag("book", 7), slow), boost::asio::use_future));
  io.run();
  for (auto& answer : answers) CHECK((*answer.get())->bytes == "once");
  CHECK(times == 1);
}

TEST_CASE("forgetting an answer leaves the one that took its place") {
  BodyCache cache(1 << 20);
  const Tag book("book", 42);
  int times = 0;
  const auto first = *ask(cache, "/books/42", book, loads("first", times));
  cache.forget("/books/42", first);
  CHECK_FALSE(cache.find("/books/42"));
  const auto second = *ask(cache, "/books/42", book, loads("second", times));
  cache.forget("/books/42", first);
  CHECK(cache.find("/books/42") == second);
  cache.forget("/none", second);
  CHECK(cache.statistics().entries == 1);
}

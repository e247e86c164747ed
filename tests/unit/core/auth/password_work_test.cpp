#include "core/auth/password_work.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <vector>

namespace lumina::auth {
namespace {

struct Fixture {
  runtime::Pool pool{"hash", 1, 2};
  security::PasswordHasher hasher{5};
  PasswordWork work{pool, hasher};
  boost::asio::io_context io{1};

  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    auto body = [&]() -> Task<void> { value.emplace(co_await std::move(task)); };
    boost::asio::co_spawn(io, body, boost::asio::detached);
    io.restart();
    io.run();
    return std::move(*value);
  }
};

TEST_CASE("passwords are hashed and checked on the pool", "[A9]") {
  Fixture f;
  const auto hash = f.run(f.work.hash("a quiet reading room"));
  REQUIRE(hash);
  CHECK(hash->starts_with("$2b$05$"));
  CHECK(f.run(f.work.check("a quiet reading room", *hash))->right);
  CHECK_FALSE(f.run(f.work.check("another", *hash))->right);
  CHECK_FALSE(f.run(f.work.check("another", std::nullopt))->right);
  CHECK_FALSE(f.run(f.work.check("", ""))->right);
}

TEST_CASE("a right password with a weaker hash gets a stronger one, a wrong one never", "[A9]") {
  Fixture f;
  const auto old_hash = security::PasswordHasher(4).hash("a quiet reading room");
  const auto found = f.run(f.work.check("a quiet reading room", old_hash));
  REQUIRE(found->right);
  CHECK(found->stronger_hash.starts_with("$2b$05$"));
  CHECK(f.hasher.verify("a quiet reading room", found->stronger_hash));
  CHECK(f.run(f.work.check("wrong", old_hash))->stronger_hash.empty());
  const auto current = f.hasher.hash("a quiet reading room");
  CHECK(f.run(f.work.check("a quiet reading room", current))->stronger_hash.empty());
}

TEST_CASE("a full queue turns the next away at once, to try again", "[A9]") {
  Fixture f;
  std::promise<void> started, hold;
  REQUIRE(f.pool.try_submit([&, held = hold.get_future().share()] {
    started.set_value();
    held.wait();
  }));
  started.get_future().wait();
  REQUIRE(f.pool.try_submit([] {}));
  REQUIRE(f.pool.try_submit([] {}));
  const auto refused = f.run(f.work.check("a quiet reading room", std::nullopt));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::unavailable);
  CHECK(refused.error().retry_after_seconds >= 1);
  hold.set_value();
}

}  // namespace
}  // namespace lumina::auth

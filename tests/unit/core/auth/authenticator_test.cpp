#include "core/auth/authenticator.hpp"

#include "core/db/migrator.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <optional>

namespace lumina::auth {
namespace {

using test::from_databases;
using test::TestDatabase;

struct Fixture {
  explicit Fixture(test::Database kind) : files(kind) {
    db::migrate(files.url());
    database.emplace(db::Options{.url = files.url(), .readers = 1, .pool = 2});
    gate.emplace(*database, journal, work, nullptr);
    authenticator.emplace(*database, clock, verifier, states, *gate, settings);
    auto seed = [](db::Transaction& tx) {
      tx.execute(
          "INSERT INTO users (email, email_key, password_hash, full_name, name_key, role, created_at, "
          "updated_at) "
          "VALUES ('rosa@example.org', 'rosa@example.org', 'x', 'Rosa', 'rosa', 'librarian', 0, 0)");
      tx.execute(
          "INSERT INTO sessions (user_id, created_at, last_seen_at, expires_at) VALUES (1, $1, $1, $2)",
          Timestamp{1'000'000'000}, Timestamp{2'000'000'000});
    };
    REQUIRE(database->write_now(std::move(seed)));
  }

  security::Claims claims() const {
    security::Claims c;
    c.subject = "rosa@example.org";
    c.user = UserId{1};
    c.role = Role::patron;
    c.session = SessionId{1};
    c.id = "1";
    c.issued_at = clock.now();
    c.expires_at = clock.now() + std::chrono::minutes(30);
    return c;
  }
  http::Request request(const std::string& token) const {
    http::Request r;
    r.head.headers = {{"Host", "library.example"}, {"Authorization", "Bearer " + token}};
    return r;
  }
  // The answer, and whether it was there without waiting.
  struct Outcome {
    Result<Caller> caller;
    bool at_once = false;
  };
  Outcome ask(const http::Request& r) {
    Caller known;
    known.address = "192.0.2.1";
    known.request_id = "r1";
    auto eventual = authenticator->authenticate(r, known);
    if (eventual.ready()) return {std::move(eventual.value()), true};
    std::optional<Result<Caller>> caller;
    auto body = [&]() -> Task<void> { caller.emplace(co_await std::move(eventual.task())); };
    boost::asio::co_spawn(io, body, boost::asio::detached);
    io.restart();
    io.run();
    return {std::move(*caller), false};
  }

  TestDatabase files;
  FixedClock clock{Timestamp{1'000'000'000}};
  events::Bus bus;
  events::Journal journal{clock, bus, "test"};
  boost::asio::io_context io{1};
  runtime::Pool pool{"hash", 1, 8};
  security::PasswordHasher hasher{4};
  PasswordWork work{pool, hasher};
  LiveAuthSettings settings{AuthSettings{}};
  security::TokenKey key{"test-only-8f1d4c2ab7e94d06a3f5c8e2917b60d4-key"};
  security::TokenIssuer issuer{key, {}};
  security::TokenVerifier verifier{{key}, {}};
  AccountStates states{bus, {.max_age = std::chrono::hours(1)}};
  std::optional<db::Database> database;
  std::optional<PasswordGate> gate;
  std::optional<RequestAuthenticator> authenticator;
};

TEST_CASE("a token seen before needs neither a hop nor the database", "[A4]") {
  Fixture f(GENERATE(from_databases()));
  const auto request = f.request(f.issuer.issue(f.claims()));
  const auto first = f.ask(request);
  REQUIRE(first.caller);
  CHECK_FALSE(first.at_once);
  const auto reads = f.database->statistics().reads;
  for (int i = 0; i < 100; ++i) {
    const auto again = f.ask(request);
    REQUIRE(again.caller);
    CHECK(again.at_once);
  }
  CHECK(f.database->statistics().reads == reads);

  const Caller& caller = *first.caller;
  CHECK(caller.id() == UserId{1});
  CHECK(caller.role == Role::librarian);  // what is stored, not what the token says
  CHECK(caller.email == "rosa@example.org");
  CHECK(caller.session == SessionId{1});
  CHECK(caller.address == "192.0.2.1");
  CHECK(caller.request_id == "r1");
}

TEST_CASE("no credentials are no fault, and whoever has none is nobody", "[A4]") {
  Fixture f(test::Database::sqlite);
  const auto outcome = f.ask({});
  REQUIRE(outcome.caller);
  CHECK(outcome.at_once);
  CHECK_FALSE(outcome.caller->signed_in());
}

TEST_CASE("an ended session is refused with the next request, and so it stays", "[A7]") {
  Fixture f(GENERATE(from_databases()));
  const auto request = f.request(f.issuer.issue(f.claims()));
  REQUIRE(f.ask(request).caller);
  REQUIRE(f.ask(request).at_once);
  auto end = [&](db::Transaction& tx) {
    tx.execute("UPDATE sessions SET revoked_at = 1 WHERE id = 1");
    f.journal.record(
        tx, Caller::system("test"),
        {.type = "session.ended", .resource = "session", .resource_id = 1, .subject = UserId{1}});
  };
  REQUIRE(f.database->write_now(std::move(end)));
  for (int i = 0; i < 3; ++i) {
    const auto refused = f.ask(request);
    REQUIRE_FALSE(refused.caller);
    CHECK(refused.caller.error().kind == ErrorKind::unauthenticated);
    CHECK(refused.caller.error().code == "invalid_token");
  }
}

TEST_CASE("being seen is written down every five minutes, not at every request", "[A8]") {
  Fixture f(GENERATE(from_databases()));
  const auto seen = [&] {
    auto look = [](db::Transaction& tx) {
      return std::get<0>(*tx.one<Timestamp>("SELECT last_seen_at FROM sessions"));
    };
    return f.database->read_now(std::move(look)).value();
  };
  const auto request = f.request(f.issuer.issue(f.claims()));
  const Timestamp begin = f.clock.now();
  f.clock.advance(std::chrono::minutes(4));
  REQUIRE(f.ask(request).caller);
  CHECK(seen() == begin);
  f.clock.advance(std::chrono::minutes(2));
  f.states.drop(UserId{1});
  REQUIRE(f.ask(request).caller);
  CHECK(seen() == begin + std::chrono::minutes(6));
}

}  // namespace
}  // namespace lumina::auth

// Passwords, API keys, HTTP Basic, the throttle and the first administrator, through the whole pipeline.
#include "api/accounts.hpp"
#include "core/base/text.hpp"
#include "core/security/random.hpp"

namespace lumina::test {
namespace {

TEST_CASE("hashes are bcrypt's, and long passwords are not cut", "[A9][A10]") {
  auto app = TestApp::on(Database::sqlite);
  const std::string common(72, 'x');
  const std::string mine = common + std::string(28, 'a'), yours = common + std::string(28, 'b');
  REQUIRE(app->anybody().post("/api/v1/auth/register", registration("me@example.org", mine)).status == 201);
  REQUIRE(app->anybody().post("/api/v1/auth/register", registration("you@example.org", yours)).status == 201);
  const auto status = [&](std::string_view email, std::string_view password) {
    return app->anybody().post("/api/v1/auth/login", credentials(email, password)).status;
  };
  CHECK(status("me@example.org", mine) == 200);
  CHECK(status("me@example.org", yours) == 401);
  CHECK(status("you@example.org", mine) == 401);
  CHECK(status("me@example.org", common) == 401);
  CHECK(app->number("SELECT count(*) FROM users WHERE password_hash LIKE '_2b_04_%'") == 2);
}

TEST_CASE("a hash of a lower cost is replaced when its owner signs in", "[A9]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.bcrypt_cost = 5; });
  sign_up(*app, "rosa@example.org");
  auto weaken = [hash = security::PasswordHasher(4).hash(good_password)](db::Transaction& tx) {
    tx.execute("UPDATE users SET password_hash = $1", hash);
  };
  REQUIRE(app->app().database().write_now(std::move(weaken)));
  sign_in(*app, "rosa@example.org");
  CHECK(app->number("SELECT count(*) FROM users WHERE password_hash LIKE '_2b_05_%'") == 1);
  sign_in(*app, "rosa@example.org");
}

TEST_CASE("changing the password takes the old one and ends the other sessions", "[A13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto here = sign_up(*app, "rosa@example.org");
  const auto there = sign_in(*app, "rosa@example.org");
  Client rosa(*app, here.access);
  const auto change = [&](std::string_view current, std::string_view next) {
    return rosa.put("/api/v1/users/me/password",
                    fmt::format(R"({{"current_password":"{}","new_password":"{}"}})", current, next));
  };
  const auto wrong = change("not the password", "another quiet room");
  CHECK(wrong.status == 400);
  CHECK(wrong.code() == "wrong_password");
  CHECK(change(good_password, "password1").code() == "weak_password");
  CHECK(status_of_me(*app, there.access) == 200);

  CHECK(change(good_password, "another quiet room").status == 204);
  CHECK(rosa.get("/api/v1/users/me").status == 200);
  CHECK(status_of_me(*app, there.access) == 401);
  CHECK(refresh(*app, there.refresh).status == 401);
  CHECK(refresh(*app, here.refresh).status == 200);
  CHECK(app->anybody().post("/api/v1/auth/login", credentials("rosa@example.org", good_password)).status ==
        401);
  sign_in(*app, "rosa@example.org", "another quiet room");
}

TEST_CASE("asking for a password reset tells nobody which addresses are known", "[A12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  sign_up(*app, "rosa@example.org");
  const auto ask = [&](std::string_view email) {
    return app->anybody().post("/api/v1/auth/password-reset", fmt::format(R"({{"email":"{}"}})", email));
  };
  const auto known = ask("rosa@example.org"), unknown = ask("nobody@example.org");
  CHECK(known.status == 202);
  CHECK(unknown.status == 202);
  CHECK(known.body == unknown.body);
  CHECK(ask("rosa@example.org").status == 202);  // at most one message a minute
  CHECK(app->number("SELECT count(*) FROM password_resets") == 1);
  CHECK(ask("no address").status == 422);
}

TEST_CASE("a reset token sets a new password once, within 30 minutes, and ends every session", "[A12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto before = sign_up(*app, "rosa@example.org");
  const auto grant = [&](std::string token) {
    auto work = [hash = security::sha256_hex(token), now = app->clock().now()](db::Transaction& tx) {
      tx.execute(
          "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) "
          "SELECT $1, id, $2, $3 FROM users WHERE email_key = 'rosa@example.org'",
          hash, now, now + std::chrono::minutes(30));
    };
    REQUIRE(app->app().database().write_now(std::move(work)));
  };
  const auto confirm = [&](std::string_view token, std::string_view password) {
    return app->anybody().post("/api/v1/auth/password-reset/confirm",
                               fmt::format(R"({{"token":"{}","new_password":"{}"}})", token, password));
  };
  grant("first");
  grant("second");
  CHECK(confirm("unknown", "another quiet room").code() == "invalid_reset_token");
  CHECK(confirm("first", "password1").code() == "weak_password");
  CHECK(confirm("first", "another quiet room").status == 204);
  CHECK(confirm("first", "a third quiet room").status == 400);
  CHECK(confirm("second", "a third quiet room").status == 400);  // used up with the first
  CHECK(status_of_me(*app, before.access) == 401);
  CHECK(refresh(*app, before.refresh).status == 401);
  sign_in(*app, "rosa@example.org", "another quiet room");

  grant("late");
  app->clock().advance(std::chrono::minutes(30));
  CHECK(confirm("late", "a third quiet room").status == 400);
}

TEST_CASE("the sixth try in a minute is refused, of an address and of an account, before anything is hashed",
          "[A27]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.login_rate = 5; });
  REQUIRE(app->anybody()
              .from("203.0.113.9")
              .post("/api/v1/auth/register", registration("rosa@example.org"))
              .status == 201);
  const auto login = [&](const std::string& address, std::string_view email, std::string_view password) {
    return app->anybody().from(address).post("/api/v1/auth/login", credentials(email, password));
  };
  REQUIRE(login("203.0.113.9", "rosa@example.org", good_password).status ==
          200);  // a known address from now on

  for (int i = 0; i < 5; ++i)
    CHECK(login("192.0.2.50", fmt::format("nobody{}@example.org", i), "wrong password").status == 401);
  const auto sixth = login("192.0.2.50", "rosa@example.org", good_password);
  CHECK(sixth.status == 429);
  CHECK(std::stoi(sixth.header("Retry-After")) >= 1);

  for (int i = 0; i < 4; ++i)  // the owner's own was the first
    CHECK(login(fmt::format("198.51.100.{}", i), "rosa@example.org", "wrong password").status == 401);
  const auto guessed = login("198.51.100.99", "rosa@example.org", good_password);
  CHECK(guessed.status == 429);
  CHECK(guessed.header("Retry-After") != "");
  CHECK(login("203.0.113.9", "rosa@example.org", good_password).status == 200);  // the owner still gets in
}

TEST_CASE("a key works as its owner, within its scopes, until it expires or is deleted", "[A22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto make = [&](Client who, std::string_view more) {
    return who.post("/api/v1/auth/api-keys", fmt::format(R"({{"name":"script"{}}})", more));
  };
  const auto with = [&](const Answer& made) { return http::Headers{{"X-API-Key", text(made["key"])}}; };
  auto anybody = app->anybody();
  constexpr auto book = R"({"title":"Emma","author":"Jane Austen"})";

  const auto full = make(librarian, "");
  REQUIRE(full.status == 201);
  CHECK(full.header("Cache-Control") == "no-store");
  CHECK(text(full["key"]).starts_with("lum_" + text(full["prefix"]) + "_"));
  CHECK(anybody.get("/api/v1/users/me", with(full))["email"] == "librarian@example.org");
  CHECK(anybody.post("/api/v1/books", book, with(full)).status == 201);
  CHECK(anybody.get("/api/v1/users", with(full)).status == 403);

  const auto reader = make(librarian, R"(,"scopes":["books:read"])");
  CHECK(anybody.get("/api/v1/books", with(reader)).status == 200);
  const auto refused = anybody.post("/api/v1/books", book, with(reader));
  CHECK(refused.status == 403);
  CHECK(refused.code() == "insufficient_scope");
  CHECK(anybody.get("/api/v1/users/me", with(reader)).status == 403);
  const auto writer = make(librarian, R"(,"scopes":["books:write"])");
  CHECK(anybody.post("/api/v1/books", book, with(writer)).status == 201);
  const auto greedy = make(app->patron(), R"(,"scopes":["books:write","users:manage"])");
  CHECK(anybody.post("/api/v1/books", book, with(greedy)).status == 403);
  CHECK(anybody.get("/api/v1/users", with(greedy)).status == 403);

  CHECK(make(librarian, R"(,"scopes":["everything"])").status == 422);
  CHECK(make(librarian, R"(,"expires_at":"2026-11-22T10:00:00Z")").status == 422);
  CHECK(anybody.post("/api/v1/auth/api-keys", R"({"name":"child"})", with(full)).code() ==
        "sign_in_required");
  CHECK(anybody
            .put("/api/v1/users/me/password",
                 R"({"current_password":"correct horse battery","new_password":"another quiet room"})",
                 with(full))
            .status == 403);
  CHECK(anybody.del("/api/v1/users/me", with(full)).status == 403);

  const auto brief = make(librarian, R"(,"expires_at":"2026-11-22T10:10:00Z")");
  CHECK(anybody.get("/api/v1/users/me", with(brief)).status == 200);
  app->clock().advance(std::chrono::minutes(10));
  CHECK(anybody.get("/api/v1/users/me", with(brief)).status == 401);

  const auto list = librarian.get("/api/v1/auth/api-keys");
  REQUIRE(list.size() == 4);
  CHECK(list.body.find(text(full["key"])) == std::string::npos);
  CHECK(list.body.find("\"key\"") == std::string::npos);
  CHECK(list[3].at("last_used_at") == "2026-11-22T10:00:00Z");
  const auto target = fmt::format("/api/v1/auth/api-keys/{}", full.id());
  CHECK(app->patron().del(target).status == 404);
  CHECK(librarian.del(target).status == 204);
  CHECK(anybody.get("/api/v1/users/me", with(full)).status == 401);

  for (const char* nonsense : {"x", "lum_00000000_0000000000000000000000000000000000000000000", "lum__"})
    CHECK(anybody.get("/api/v1/books", {{"X-API-Key", nonsense}}).status == 401);
  auto forged = text(writer["key"]);
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  CHECK(anybody.get("/api/v1/books", {{"X-API-Key", forged}}).status == 401);
}

TEST_CASE("name and password work on every request when that is turned on, over TLS or from this machine",
          "[A24]") {
  const auto basic = [](std::string_view email, std::string_view password) {
    return http::Headers{{"Authorization", "Basic " + base64_encode(fmt::format("{}:{}", email, password))}};
  };
  auto off = TestApp::on(Database::sqlite);
  sign_up(*off, "rosa@example.org");
  CHECK(off->anybody()
            .from("127.0.0.1")
            .get("/api/v1/users/me", basic("rosa@example.org", good_password))
            .status == 401);

  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.basic_auth = true; });
  const auto tokens = sign_up(*app, "rosa@example.org");
  auto local = app->anybody().from("127.0.0.1");
  const auto right = basic("rosa@example.org", good_password);
  for (int i = 0; i < 3; ++i) CHECK(local.get("/api/v1/users/me", right)["email"] == "rosa@example.org");
  CHECK(local.get("/api/v1/users/me", basic("rosa@example.org", "wrong password")).status == 401);
  CHECK(local.get("/api/v1/users/me", basic("nobody@example.org", "wrong password")).status == 401);
  const auto afar = app->anybody().get("/api/v1/users/me", right);
  CHECK(afar.status == 401);
  CHECK(afar.code() == "basic_auth_needs_tls");
  for (const char* bad : {"Basic", "Basic ====", "Basic cm9zYQ==", "Basic /w=="})
    CHECK(local.get("/api/v1/users/me", {{"Authorization", bad}}).status == 401);

  // A pair that was right is no longer so the moment the password changes.
  CHECK(Client(*app, tokens.access)
            .put("/api/v1/users/me/password",
                 fmt::format(R"({{"current_password":"{}","new_password":"another quiet room"}})",
                             good_password))
            .status == 204);
  CHECK(local.get("/api/v1/users/me", right).status == 401);
  CHECK(local.get("/api/v1/users/me", basic("rosa@example.org", "another quiet room")).status == 200);
}

TEST_CASE("the first administrator comes from a one-time token, or from whoever runs the server", "[A52]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto claim = [&](std::string_view token, std::string_view password = good_password) {
    return app->anybody().post(
        "/api/v1/auth/bootstrap",
        fmt::format(R"({{"token":"{}","email":"ada@example.org","password":"{}"}})", token, password));
  };
  CHECK(claim("anything").status == 401);
  const auto expired = app->app().sign_in().offer_bootstrap();
  app->clock().advance(std::chrono::minutes(30));
  CHECK(claim(expired).status == 401);

  const auto token = app->app().sign_in().offer_bootstrap();
  CHECK(claim(token + "x").status == 401);
  CHECK(claim(token, "password1").status == 422);
  const auto made = claim(token);
  CHECK(made.status == 201);
  CHECK(made["role"] == "admin");
  CHECK(made["is_admin"] == true);
  CHECK(claim(token).status == 401);
  CHECK(claim(app->app().sign_in().offer_bootstrap()).code() == "admin_exists");
  CHECK(Client(*app, sign_in(*app, "ada@example.org").access).get("/api/v1/users").status == 200);
}

TEST_CASE("administrators are made and helped from the command line while the server runs", "[A52]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto& administration = app->app().administration();
  CHECK(administration.has_admin() == false);
  REQUIRE(administration.create_first_admin("ada@example.org", good_password) == true);
  CHECK(administration.create_first_admin("eve@example.org", good_password) == false);
  CHECK(administration.has_admin() == true);
  CHECK(administration.create_admin("ada@example.org", good_password).error().code == "email_taken");
  CHECK(administration.create_admin("bea@example.org", "password1").error().code == "weak_password");
  CHECK(administration.create_admin("no address", good_password).error().kind == ErrorKind::invalid);
  CHECK(administration.create_admin("bea@example.org", good_password).value().is_admin);
  CHECK(administration.admins()->size() == 2);

  const auto tokens = sign_in(*app, "ada@example.org");
  CHECK(administration.reset_password("nobody@example.org", good_password).error().kind ==
        ErrorKind::not_found);
  CHECK(administration.reset_password("ADA@example.org", "another quiet room"));
  CHECK(status_of_me(*app, tokens.access) == 401);
  sign_in(*app, "ada@example.org", "another quiet room");
}

}  // namespace
}  // namespace lumina::test

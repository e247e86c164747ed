// Signing up, in and out through the whole pipeline, on both databases.
#include "api/accounts.hpp"
#include "core/base/text.hpp"
#include "core/security/token.hpp"

#include <boost/json/parse.hpp>

#include <future>
#include <set>

namespace lumina::test {
namespace {

boost::json::value payload_of(const std::string& token) {
  const auto first = token.find('.'), second = token.find('.', first + 1);
  return boost::json::parse(*base64url_decode(std::string_view(token).substr(first + 1, second - first - 1)));
}

TEST_CASE("anybody can make an account, once for an address", "[A1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto anybody = app->anybody();
  const auto made = anybody.post("/api/v1/auth/register", registration("Rosa@Example.org"));
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == fmt::format("/api/v1/users/{}", made.id()));
  CHECK(made["email"] == "Rosa@Example.org");
  CHECK(made["full_name"] == "Rosa Reader");
  CHECK(made["role"] == "patron");
  CHECK(made["is_admin"] == false);
  CHECK(made["is_active"] == true);
  CHECK(made["created_at"] == "2026-11-22T10:00:00Z");
  CHECK(made.body.find("password") == std::string::npos);
  CHECK(made.body.find("$2b$") == std::string::npos);

  for (const char* same : {"Rosa@Example.org", "rosa@example.ORG"}) {
    const auto again = anybody.post("/api/v1/auth/register", registration(same));
    CHECK(again.status == 400);
    CHECK(again.code() == "email_taken");
  }
}

TEST_CASE("an account needs an address, a name and a password of 8 to 100 characters", "[A1][A31]") {
  auto app = TestApp::on(Database::sqlite);
  const auto faults_of = [&](const std::string& body) {
    const auto answer = app->anybody().post("/api/v1/auth/register", body);
    CHECK(answer.status == 422);
    std::set<std::string> places;
    if (answer["errors"].is_array())
      for (const auto& fault : answer["errors"].get_array()) places.insert(text(fault.at("loc").at(1)));
    return places;
  };
  using Places = std::set<std::string>;
  CHECK(faults_of(registration("not an address", "short", "  ")) == Places{"email", "password", "full_name"});
  CHECK(faults_of(registration("a@example.org", "7 chars")) == Places{"password"});
  CHECK(faults_of(registration("a@example.org", std::string(101, 'x'))) == Places{"password"});
  CHECK(faults_of(registration("a@example.org", good_password, "")) == Places{"full_name"});
  CHECK(faults_of(R"({"email":"a@example.org","full_name":"A"})") == Places{"password"});
  for (const char* power : {R"("role":"admin")", R"("is_admin":true)", R"("is_active":true)", R"("id":1)"})
    CHECK(faults_of(fmt::format(R"({{"email":"a@example.org","password":"{}","full_name":"A",{}}})",
                                good_password, power))
              .size() == 1);
  CHECK(app->number("SELECT count(*) FROM users") == 0);
  CHECK(app->anybody().post("/api/v1/auth/register", registration("a@example.org", "8 chars!")).status ==
        201);
  CHECK(app->anybody()
            .post("/api/v1/auth/register", registration("b@example.org", std::string(100, 'x')))
            .status == 201);
}

TEST_CASE("passwords that many people use, and one's own address, are refused", "[A11]") {
  auto app = TestApp::on(Database::sqlite);
  for (const char* weak : {"password1", "PASSWORD123", "rosa@example.org", "Rosa@Example.org"}) {
    const auto answer = app->anybody().post("/api/v1/auth/register", registration("rosa@example.org", weak));
    CAPTURE(weak);
    CHECK(answer.status == 422);
    CHECK(answer.code() == "weak_password");
    REQUIRE(answer["errors"].is_array());
    CHECK(answer["errors"].at(0).at("loc") == boost::json::value({"body", "password"}));
    CHECK(answer["errors"].at(0).at("type") == "weak_password");
  }
  auto strict = TestApp::on(Database::sqlite, [](config::Config& c) { c.password_min_length = 15; });
  CHECK(strict->anybody()
            .post("/api/v1/auth/register", registration("a@example.org", "fourteen chars"))
            .status == 422);
  CHECK(strict->anybody()
            .post("/api/v1/auth/register", registration("a@example.org", "fifteen chars!!"))
            .status == 201);
}

TEST_CASE("signing in gives tokens and says who one is", "[A2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  REQUIRE(app->anybody().post("/api/v1/auth/register", registration("rosa@example.org")).status == 201);
  const auto answer =
      app->anybody().post("/api/v1/auth/login", credentials("ROSA@example.org", good_password));
  REQUIRE(answer.status == 200);
  CHECK(answer["token_type"] == "bearer");
  CHECK(answer["expires_in"] == 1800);
  CHECK(answer["user"].at("email") == "rosa@example.org");
  CHECK(answer["user"].at("is_admin") == false);
  CHECK(answer.header("Cache-Control") == "no-store");
  CHECK(text(answer["refresh_token"]).size() == 43);
  CHECK(status_of_me(*app, tokens_of(answer).access) == 200);
}

TEST_CASE("a wrong password and an address that nobody has are refused in the same words", "[A2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  sign_up(*app, "rosa@example.org");
  const auto wrong =
      app->anybody().post("/api/v1/auth/login", credentials("rosa@example.org", "not the password"));
  const auto nobody =
      app->anybody().post("/api/v1/auth/login", credentials("nobody@example.org", "not the password"));
  for (const auto* answer : {&wrong, &nobody}) {
    CHECK(answer->status == 401);
    CHECK(answer->detail() == "Incorrect email or password");
    CHECK(answer->code() == "invalid_credentials");
    CHECK(answer->header("WWW-Authenticate").starts_with("Bearer"));
  }
  const auto without_id = [](const Answer& a) {
    auto object = a.json.as_object();
    object.erase("request_id");
    return object;
  };
  CHECK(without_id(wrong) == without_id(nobody));
  CHECK(app->number(
            "SELECT count(*) FROM audit_log WHERE action = 'auth.login_failed' AND outcome = 'refused'") ==
        2);
}

TEST_CASE("the form of OAuth 2.0 signs in too", "[A3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  sign_up(*app, "rosa+books@example.org");
  const http::Headers form{{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto login = [&](std::string body) {
    return app->anybody().post("/api/v1/auth/login", std::move(body), form);
  };
  CHECK(login("username=rosa%2Bbooks%40example.org&password=a+quiet+reading+room").status == 200);
  CHECK(
      login(
          "grant_type=password&username=rosa%2Bbooks@example.org&password=a%20quiet%20reading%20room&scope=&"
          "client_id=&client_secret=")
          .status == 200);
  CHECK(login("username=rosa%2Bbooks%40example.org&password=wrong+password").status == 401);
  CHECK(login("password=a+quiet+reading+room").status == 422);
  CHECK(login("username=a&password=%").status == 400);
}

TEST_CASE("an access token carries the claims of the contract", "[A4][A5]") {
  auto app = TestApp::on(Database::sqlite);
  const auto tokens = sign_up(*app, "rosa@example.org");
  const auto claims = payload_of(tokens.access);
  CHECK(claims.at("sub") == "rosa@example.org");
  CHECK(claims.at("role") == "patron");
  CHECK(claims.at("is_admin") == false);
  CHECK(claims.at("exp").as_int64() - claims.at("iat").as_int64() == 1800);
  app->clock().advance(std::chrono::minutes(30));
  const auto late = Client(*app, tokens.access).get("/api/v1/users/me");
  CHECK(late.status == 401);
  CHECK(late.code() == "token_expired");

  auto longer = TestApp::on(Database::sqlite, [](config::Config& c) { c.access_token_minutes = 1440; });
  const auto day = payload_of(sign_up(*longer, "rosa@example.org").access);
  CHECK(day.at("exp").as_int64() - day.at("iat").as_int64() == 86400);
}

TEST_CASE("what is not our token is refused", "[A4]") {
  auto app = TestApp::on(Database::sqlite);
  const auto token = sign_up(*app, "rosa@example.org").access;
  const auto first = token.find('.'), second = token.find('.', first + 1);
  const auto header = [](std::string_view json) { return base64url_encode(json); };
  const std::string claims = token.substr(first, second - first);
  std::string other = token;
  other.back() = other.back() == 'A' ? 'B' : 'A';
  for (const std::string& value :
       {"Bearer " + header(R"({"alg":"none","typ":"JWT"})") + claims + ".",
        "Bearer " + header(R"({"alg":"RS256","typ":"JWT"})") + claims + token.substr(second),
        "Bearer " + header(R"({"alg":"HS256","typ":"JWT"})") + claims + "." + std::string(43, 'A'),
        "Bearer " + other, "Bearer " + token.substr(0, second), std::string("Bearer"), std::string("Bearer "),
        "Bearer " + token + " " + token, "Token " + token, token, std::string("Digest username=x"),
        std::string("\xff\xfe"), "Bearer " + std::string(7000, 'a'), std::string("Basic cm9zYTpyb3Nh")}) {
    const auto answer = app->anybody().get("/api/v1/users/me", {{"Authorization", value}});
    CAPTURE(value);
    CHECK(answer.status == 401);
    CHECK(answer.header("WWW-Authenticate").starts_with("Bearer"));
  }
  CHECK(app->anybody().get("/api/v1/users/me", {{"Authorization", "bEaReR " + token}}).status == 200);
  // Public pages refuse wrong credentials too, but signing in again never depends on an old token.
  CHECK(app->anybody().get("/api/v1/books", {{"Authorization", "Bearer nonsense"}}).status == 401);
  CHECK(app->anybody().get("/health", {{"Authorization", "Bearer nonsense"}}).status == 200);
  CHECK(app->anybody()
            .post("/api/v1/auth/login", credentials("rosa@example.org", good_password),
                  {{"Authorization", "Bearer x"}})
            .status == 200);
}

TEST_CASE("a token of our own key says nothing about a person who is not there, or in another epoch",
          "[A4]") {
  auto app = TestApp::on(Database::sqlite);
  const auto token = sign_up(*app, "rosa@example.org").access;
  const security::TokenIssuer issuer(security::TokenKey(app->app().config().secret_key), {});
  security::Claims claims;
  claims.subject = "rosa@example.org";
  claims.user = UserId{payload_of(token).at("uid").as_int64()};
  claims.role = Role::admin;
  claims.id = "forged";
  claims.issued_at = app->clock().now();
  claims.expires_at = claims.issued_at + std::chrono::minutes(5);
  const auto status = [&] { return status_of_me(*app, issuer.issue(claims)); };
  CHECK(status() == 200);
  CHECK(Client(*app, issuer.issue(claims)).get("/api/v1/users").status == 403);  // the role is the stored one
  claims.epoch = 7;
  CHECK(status() == 401);
  claims.epoch = 0;
  claims.session = SessionId{4711};
  CHECK(status() == 401);
  claims.session = {};
  claims.user = UserId{4711};
  CHECK(status() == 401);
}

TEST_CASE("a refresh token works once, and using it again ends the whole session", "[A6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto first = sign_up(*app, "rosa@example.org");
  const auto elsewhere = sign_in(*app, "rosa@example.org");

  const auto answer = refresh(*app, first.refresh);
  REQUIRE(answer.status == 200);
  CHECK(answer.header("Cache-Control") == "no-store");
  CHECK(answer["user"].at("email") == "rosa@example.org");
  const auto second = tokens_of(answer);
  CHECK(second.refresh != first.refresh);
  CHECK(second.access != first.access);
  CHECK(status_of_me(*app, second.access) == 200);

  const auto replay = refresh(*app, first.refresh);
  CHECK(replay.status == 401);
  CHECK(status_of_me(*app, first.access) == 401);
  CHECK(status_of_me(*app, second.access) == 401);
  CHECK(refresh(*app, second.refresh).status == 401);
  CHECK(status_of_me(*app, elsewhere.access) == 200);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'session.revoked'") == 1);

  for (const char* nonsense : {"x", "0000000000000000000000000000000000000000000", "%00", "' OR 1=1 --"})
    CHECK(refresh(*app, nonsense).status == 401);
}

TEST_CASE("of many who refresh with one token at once, one succeeds", "[A6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto tokens = sign_up(*app, "rosa@example.org");
  std::vector<std::future<int>> tries;
  for (int i = 0; i < 8; ++i)
    tries.push_back(std::async(std::launch::async, [&] { return refresh(*app, tokens.refresh).status; }));
  std::multiset<int> statuses;
  for (auto& each : tries) statuses.insert(each.get());
  CHECK(statuses.count(200) == 1);
  CHECK(statuses.count(401) == 7);
}

TEST_CASE("a refresh token lives seven days, and a session that nobody uses one day", "[A6][A8]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.session_idle_hours = 8760; });
  const auto tokens = sign_up(*app, "rosa@example.org");
  app->clock().advance(std::chrono::hours(7 * 24) - std::chrono::seconds(1));
  const auto answer = refresh(*app, tokens.refresh);
  CHECK(answer.status == 200);
  app->clock().advance(std::chrono::hours(7 * 24));
  CHECK(refresh(*app, tokens_of(answer).refresh).status == 401);

  auto idle = TestApp::on(Database::sqlite);
  auto used = sign_up(*idle, "rosa@example.org");
  for (int day = 0; day < 5; ++day) {
    idle->clock().advance(std::chrono::hours(23));
    const auto again = refresh(*idle, used.refresh);
    REQUIRE(again.status == 200);
    used = tokens_of(again);
  }
  idle->clock().advance(std::chrono::hours(24));
  CHECK(refresh(*idle, used.refresh).status == 401);
  CHECK(Client(*idle, sign_in(*idle, "rosa@example.org").access).get("/api/v1/auth/sessions").size() == 1);
}

TEST_CASE("after signing out the token is refused, also after a restart", "[A7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto tokens = sign_up(*app, "rosa@example.org");
  const auto elsewhere = sign_in(*app, "rosa@example.org");
  CHECK(status_of_me(*app, tokens.access) == 200);
  CHECK(Client(*app, tokens.access).post("/api/v1/auth/logout").status == 204);
  const auto refused = Client(*app, tokens.access).get("/api/v1/users/me");
  CHECK(refused.status == 401);
  CHECK(refused.code() == "invalid_token");
  CHECK(refresh(*app, tokens.refresh).status == 401);
  CHECK(status_of_me(*app, elsewhere.access) == 200);
  CHECK(app->anybody().post("/api/v1/auth/logout").status == 401);

  app->restart();
  CHECK(status_of_me(*app, tokens.access) == 401);
  CHECK(status_of_me(*app, elsewhere.access) == 200);
}

TEST_CASE("signing out with a refresh token ends its session, unless it is somebody else's", "[A7]") {
  auto app = TestApp::on(Database::sqlite);
  const auto rosa = sign_up(*app, "rosa@example.org");
  const auto rosa_elsewhere = sign_in(*app, "rosa@example.org");
  const auto otto = sign_up(*app, "otto@example.org");
  const auto logout = [&](const Tokens& who, const std::string& token) {
    return Client(*app, who.access)
        .post("/api/v1/auth/logout", fmt::format(R"({{"refresh_token":"{}"}})", token))
        .status;
  };
  CHECK(logout(rosa, otto.refresh) == 204);
  CHECK(status_of_me(*app, otto.access) == 200);
  CHECK(logout(otto, otto.refresh) == 204);
  CHECK(logout(rosa_elsewhere, rosa.refresh) == 204);
  CHECK(status_of_me(*app, rosa.access) == 401);
}

TEST_CASE("sessions are listed and can be ended one by one or all", "[A8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto here = sign_up(*app, "rosa@example.org");
  app->clock().advance(std::chrono::minutes(1));
  const auto login = app->anybody()
                         .from("198.51.100.7")
                         .post("/api/v1/auth/login", credentials("rosa@example.org", good_password),
                               {{"User-Agent", "Reader\t7\xff"}});
  REQUIRE(login.status == 200);
  const auto there = tokens_of(login);

  Client rosa(*app, here.access);
  const auto list = rosa.get("/api/v1/auth/sessions");
  REQUIRE(list.size() == 2);
  CHECK(list[0].at("ip") == "198.51.100.7");
  CHECK(list[0].at("agent") == "Reader?7?");
  CHECK(list[0].at("last_seen") == "2026-11-22T10:01:00Z");
  CHECK(list[0].at("current") == false);
  CHECK(list[1].at("current") == true);
  CHECK(list.body.find("token") == std::string::npos);

  const auto otto = sign_up(*app, "otto@example.org");
  const auto target = fmt::format("/api/v1/auth/sessions/{}", list[0].at("id").as_int64());
  CHECK(Client(*app, otto.access).del(target).status == 404);
  CHECK(status_of_me(*app, there.access) == 200);
  CHECK(rosa.del(target).status == 204);
  CHECK(rosa.del(target).status == 404);
  CHECK(status_of_me(*app, there.access) == 401);
  CHECK(refresh(*app, there.refresh).status == 401);
  CHECK(rosa.get("/api/v1/auth/sessions").size() == 1);

  CHECK(rosa.del("/api/v1/auth/sessions").status == 204);
  CHECK(status_of_me(*app, here.access) == 401);
  CHECK(status_of_me(*app, otto.access) == 200);
}

TEST_CASE("being used is noted, and the number of sessions has a limit", "[A8]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.access_token_minutes = 60; });
  const auto first = sign_up(*app, "rosa@example.org");
  app->clock().advance(std::chrono::minutes(20));
  const auto later = sign_in(*app, "rosa@example.org");  // drops what is in memory
  CHECK(status_of_me(*app, first.access) == 200);
  const auto list = Client(*app, later.access).get("/api/v1/auth/sessions");
  REQUIRE(list.size() == 2);
  CHECK(list[1].at("last_seen") == "2026-11-22T10:20:00Z");

  app->clock().advance(std::chrono::minutes(1));
  for (int i = 0; i < 60; ++i) sign_in(*app, "rosa@example.org");
  CHECK(status_of_me(*app, first.access) == 401);
  CHECK(app->number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 50);
}

TEST_CASE("passwords, tokens and keys leave no trace in the database, the audit log or the events", "[A7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto tokens = sign_up(*app, "rosa@example.org");
  const auto renewed = tokens_of(refresh(*app, tokens.refresh));
  const auto key = text(Client(*app, renewed.access).post("/api/v1/auth/api-keys", R"({"name":"k"})")["key"]);
  app->anybody().post("/api/v1/auth/login", credentials("rosa@example.org", "planted wrong password"));
  std::string everything;
  auto dump = [&](db::Transaction& tx) {
    const auto add = [&](std::string a, std::string b) { everything += a + "\n" + b + "\n"; };
    tx.each<std::string, std::string>(add, "SELECT action, detail FROM audit_log");
    tx.each<std::string, std::string>(add, "SELECT type, payload FROM outbox");
    tx.each<std::string, std::string>(add, "SELECT token_hash, '' FROM refresh_tokens");
    tx.each<std::string, std::string>(add, "SELECT prefix, key_hash FROM api_keys");
    tx.each<std::string, std::string>(add, "SELECT address, user_agent FROM sessions");
  };
  REQUIRE(app->app().database().read_now(std::move(dump)));
  for (const auto& secret : {std::string(good_password), std::string("planted wrong password"), tokens.access,
                             tokens.refresh, renewed.access, renewed.refresh, key})
    CHECK(everything.find(secret) == std::string::npos);
  CHECK(everything.find("session.created") != std::string::npos);
}

TEST_CASE("the other spellings of the sources answer too", "[A51]") {
  auto app = TestApp::on(Database::sqlite);
  auto anybody = app->anybody();
  CHECK(anybody.post("/api/v1/auth/signup", registration("a@example.org")).status == 201);
  CHECK(anybody.post("/api/v1/users/register", registration("b@example.org")).status == 201);
  const auto login = anybody.post("/api/v1/users/login", credentials("a@example.org", good_password));
  REQUIRE(login.status == 200);
  Client a(*app, tokens_of(login).access);
  for (const char* path :
       {"/api/v1/auth/me", "/api/v1/auth/profile", "/api/v1/users/me", "/api/v1/preferences"})
    CHECK(a.get(path).status == 200);
  CHECK(a.post("/api/v1/auth/signout").status == 204);
  CHECK(a.get("/api/v1/auth/me").status == 401);
}

}  // namespace
}  // namespace lumina::test

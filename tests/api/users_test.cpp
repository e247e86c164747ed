// One's own account and those of others, through the whole pipeline, on both databases.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <future>
#include <set>

namespace lumina::test {
namespace {

// /api/v1/users/{id}, /api/v1/users/{id}/role, /api/v1/users/{id}/deactivate, /api/v1/users/{id}/activate
std::string user_path(const Client& who, std::string_view more = "") {
  return fmt::format("/api/v1/users/{}{}", who.user_id(), more);
}
int login_status(TestApp& app, std::string_view email) {
  return app.anybody()
      .post("/api/v1/auth/login",
            fmt::format(R"({{"email":"{}","password":"{}"}})", email, TestApp::password))
      .status;
}

TEST_CASE("everybody reads and renames their own account and cannot raise themselves", "[A14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron();
  const auto me = patron.get("/api/v1/users/me");
  REQUIRE(me.status == 200);
  CHECK(me["email"] == "patron1@example.org");
  CHECK(me.id() == patron.user_id());
  CHECK(me.header("ETag").starts_with("\"1-"));
  CHECK(patron.get("/api/v1/users/me", {{"If-None-Match", me.header("ETag")}}).status == 304);

  app->clock().advance(std::chrono::seconds(5));
  const auto renamed = patron.patch("/api/v1/users/me", R"({"full_name":"  Zoë Ångström "})");
  CHECK(renamed.status == 200);
  CHECK(renamed["full_name"] == "Zoë Ångström");
  CHECK(renamed["updated_at"] == "2026-11-22T10:00:05Z");
  CHECK(patron.put("/api/v1/users/me", R"({"full_name":"Zoe"})")["full_name"] == "Zoe");
  CHECK(patron.patch("/api/v1/users/me", "{}").status == 200);

  CHECK(
      patron.patch("/api/v1/users/me", R"({"full_name":"Late"})", {{"If-Match", me.header("ETag")}}).status ==
      412);
  for (const char* body :
       {R"({"full_name":"X","role":"admin"})", R"({"full_name":"X","is_admin":true})",
        R"({"full_name":"X","is_active":false})", R"({"full_name":"X","email":"x@example.org"})",
        R"({"full_name":null})", R"({"full_name":" "})", R"({"full_name":"a\nb"})"}) {
    CHECK(patron.patch("/api/v1/users/me", body).status == 422);
    CHECK(patron.put("/api/v1/users/me", body).status == 422);
  }
  const auto after = patron.get("/api/v1/users/me");
  CHECK(after["full_name"] == "Zoe");
  CHECK(after["role"] == "patron");
  CHECK(app->anybody().get("/api/v1/users/me").status == 401);
}

TEST_CASE("what one likes is kept", "[A15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron();
  const auto none = patron.get("/api/v1/users/me/preferences");
  REQUIRE(none.status == 200);
  CHECK(none["favorite_genres"].as_array().empty());
  const auto set = patron.put(
      "/api/v1/users/me/preferences",
      R"({"favorite_genres":["Poetry"," Poetry ","Crime"],"favorite_authors":["Emma \"M\""],"languages":["pt-BR"]})",
      {{"If-Match", none.header("ETag")}});
  REQUIRE(set.status == 200);
  CHECK(set["favorite_genres"] == boost::json::value({"Poetry", "Crime"}));
  CHECK(set["disliked_genres"].as_array().empty());
  const auto kept = patron.get("/api/v1/users/me/preferences");
  CHECK(kept.body == set.body);
  CHECK(kept["favorite_authors"].at(0) == "Emma \"M\"");
  CHECK(patron.put("/api/v1/users/me/preferences", "{}", {{"If-Match", none.header("ETag")}}).status == 412);
  CHECK(patron.put("/api/v1/users/me/preferences", R"({"languages":["not a tag"]})").status == 422);
  CHECK(patron.put("/api/v1/users/me/preferences", R"({"favorite_genres":[""]})").status == 422);
  CHECK(app->patron(2).get("/api/v1/users/me/preferences")["favorite_genres"].as_array().empty());
}

TEST_CASE("each role may do what the table says", "[A16][A17][A18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron(), librarian = app->librarian(), admin = app->admin();
  constexpr auto book = R"({"title":"Emma","author":"Jane Austen"})";
  const auto refused = patron.post("/api/v1/books", book);
  CHECK(refused.status == 403);
  CHECK(refused.detail() == "Admin access required");
  CHECK(librarian.post("/api/v1/books", book).status == 201);
  CHECK(admin.post("/api/v1/books", book).status == 201);
  for (const auto& path : {std::string("/api/v1/users"), user_path(patron)}) {
    CHECK(app->anybody().get(path).status == 401);
    CHECK(patron.get(path).status == 403);
    CHECK(librarian.get(path).status == 403);
    CHECK(admin.get(path).status == 200);
  }
  CHECK(patron.get("/api/v1/users/me")["is_admin"] == false);
  CHECK(librarian.get("/api/v1/users/me")["is_admin"] == false);
  CHECK(admin.get("/api/v1/users/me")["is_admin"] == true);
}

TEST_CASE("administrators find people", "[A20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  for (int i = 1; i <= 3; ++i) app->patron(i);
  app->librarian();
  const auto all = admin.get("/api/v1/users?limit=2");
  CHECK(all.size() == 2);
  CHECK(all.header("X-Total-Count") == "5");
  CHECK(all.body.find("password") == std::string::npos);
  CHECK(admin.get("/api/v1/users?role=patron").size() == 3);
  CHECK(admin.get("/api/v1/users?q=RARIAN").size() == 1);
  CHECK(admin.get("/api/v1/users?q=patron2@").size() == 1);
  CHECK(admin.get("/api/v1/users?q=%25").size() == 0);
  CHECK(admin.get("/api/v1/users?q=patron&role=admin").size() == 0);
  CHECK(admin.get("/api/v1/users?is_active=false").size() == 0);
  CHECK(admin.get("/api/v1/users?page=2&size=2")["items"].as_array().size() == 2);
  for (const char* bad : {"role=king", "limit=0", "limit=101", "skip=-1", "cursor=x", "unknown=1", "q="})
    CHECK(admin.get(fmt::format("/api/v1/users?{}", bad)).status == 422);
  CHECK(admin.get("/api/v1/users/4711").status == 404);
  CHECK(admin.get("/api/v1/users/99999999999999999999").status == 404);
}

TEST_CASE("a role counts from the next request on, whatever a token says", "[A20][A17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  auto patron = app->patron();
  const auto promoted = admin.put(user_path(patron, "/role"), R"({"role":"librarian"})");
  REQUIRE(promoted.status == 200);
  CHECK(promoted["role"] == "librarian");
  CHECK(patron.get("/api/v1/users/me").status == 401);  // the token of before
  auto again = app->patron();
  CHECK(again.post("/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})").status == 201);
  CHECK(admin.patch(user_path(patron), R"({"role":"patron"})").status == 200);
  CHECK(again.post("/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})").status == 401);
  CHECK(admin.put(user_path(patron, "/role"), R"({"role":"king"})").status == 422);
  CHECK(admin.put(user_path(patron, "/role"), "{}").status == 422);
  CHECK(admin.patch(user_path(patron), R"({"role":null})").status == 422);
  CHECK(app->patron().put(user_path(patron, "/role"), R"({"role":"admin"})").status == 403);
}

TEST_CASE("somebody who is deactivated is out at once and learns why only with the right password", "[A20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  auto patron = app->patron();
  CHECK(patron.get("/api/v1/users/me").status == 200);
  const auto off = admin.post(user_path(patron, "/deactivate"));
  REQUIRE(off.status == 200);
  CHECK(off["is_active"] == false);
  CHECK(patron.get("/api/v1/users/me").status == 401);
  const auto login = app->anybody().post(
      "/api/v1/auth/login",
      fmt::format(R"({{"email":"patron1@example.org","password":"{}"}})", TestApp::password));
  CHECK(login.status == 403);
  CHECK(login.code() == "account_disabled");
  CHECK(app->anybody()
            .post("/api/v1/auth/login", R"({"email":"patron1@example.org","password":"wrong password"})")
            .status == 401);
  CHECK(admin.get("/api/v1/users?is_active=false").size() == 1);

  CHECK(admin.post(user_path(patron, "/activate")).status == 200);
  CHECK(patron.get("/api/v1/users/me").status == 401);  // old sessions stay ended
  CHECK(login_status(*app, "patron1@example.org") == 200);
}

TEST_CASE("the last administrator can be neither demoted, deactivated nor removed", "[A20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  const auto refused = [&](const Answer& answer) {
    return answer.status == 400 && answer.code() == "last_admin";
  };
  CHECK(refused(admin.put(user_path(admin, "/role"), R"({"role":"librarian"})")));
  CHECK(refused(admin.patch(user_path(admin), R"({"is_active":false})")));
  CHECK(refused(admin.post(user_path(admin, "/deactivate"))));
  CHECK(refused(admin.del(user_path(admin))));
  CHECK(refused(admin.del("/api/v1/users/me")));
  CHECK(admin.patch(user_path(admin), R"({"role":"admin","is_active":true,"full_name":"Ada"})").status ==
        200);

  auto second = app->patron();
  CHECK(admin.put(user_path(second, "/role"), R"({"role":"admin"})").status == 200);
  CHECK(admin.post(user_path(second, "/deactivate")).status == 200);
  CHECK(refused(admin.post(user_path(admin, "/deactivate"))));  // the other one cannot sign in
}

TEST_CASE("two administrators who remove each other at once leave one", "[A20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (int round = 0; round < 5; ++round) {
    auto work = [](db::Transaction& tx) {
      tx.execute(
          "UPDATE users SET role = 'admin', is_active = 1 WHERE email_key IN ('admin@example.org', "
          "'patron1@example.org')");
    };
    auto one = app->admin();
    app->patron();
    REQUIRE(app->app().database().write_now(work));
    auto two = app->patron();
    auto first = std::async(std::launch::async,
                            [&] { return one.put(user_path(two, "/role"), R"({"role":"patron"})").status; });
    auto second = std::async(std::launch::async,
                             [&] { return two.put(user_path(one, "/role"), R"({"role":"patron"})").status; });
    const std::multiset<int> statuses{first.get(), second.get()};
    CAPTURE(round);
    CHECK(statuses.count(200) == 1);
    CHECK(app->number("SELECT count(*) FROM users WHERE role = 'admin'") == 1);
    auto restore = [](db::Transaction& tx) {
      tx.execute("UPDATE users SET role = 'admin' WHERE email_key = 'admin@example.org'");
    };
    REQUIRE(app->app().database().write_now(std::move(restore)));
  }
}

TEST_CASE("whoever goes leaves loans and numbers behind, and nothing that names them", "[A21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron();
  const auto id = patron.user_id();
  const auto book = app->book();
  patron.put("/api/v1/users/me/preferences", R"({"favorite_genres":["Poetry"]})");
  const auto key = patron.post("/api/v1/auth/api-keys", R"({"name":"script"})");
  auto lend = [=, now = app->clock().now()](db::Transaction& tx) {
    tx.execute(
        "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date) "
        "SELECT $1, book_id, id, $2, $3 FROM copies WHERE book_id = $4",
        id, now, now + std::chrono::hours(24), book);
  };
  REQUIRE(app->app().database().write_now(std::move(lend)));
  const auto refused = patron.del("/api/v1/users/me");
  CHECK(refused.status == 400);
  CHECK(refused.code() == "open_loans");
  CHECK(patron.get("/api/v1/users/me").status == 200);

  auto give_back = [now = app->clock().now()](db::Transaction& tx) {
    tx.execute("UPDATE borrows SET return_date = $1, status = 'returned'", now);
  };
  REQUIRE(app->app().database().write_now(std::move(give_back)));
  CHECK(patron.del("/api/v1/users/me").status == 204);
  CHECK(patron.get("/api/v1/users/me").status == 401);
  CHECK(app->anybody().get("/api/v1/users/me", {{"X-API-Key", std::string(key["key"].as_string())}}).status ==
        401);
  CHECK(login_status(*app, "patron1@example.org") == 401);
  CHECK(app->number("SELECT count(*) FROM borrows") == 1);
  CHECK(app->number("SELECT count(*) FROM users WHERE deleted_at IS NOT NULL AND is_active = 0") == 1);
  CHECK(app->number("SELECT count(*) FROM users WHERE email LIKE '%patron1%' OR full_name LIKE '%Patron%'") ==
        0);
  CHECK(app->number("SELECT count(*) FROM user_preferences") == 0);
  CHECK(app->number("SELECT count(*) FROM api_keys") == 0);
  auto admin = app->admin();
  CHECK(admin.get(fmt::format("/api/v1/users/{}", id)).status == 404);
  CHECK(admin.del(fmt::format("/api/v1/users/{}", id)).status == 404);

  auto same_address = app->patron();  // the address is free again, for another account
  CHECK(same_address.user_id() != id);
  CHECK(admin.del(user_path(same_address)).status == 204);
}

TEST_CASE("everybody gets everything that is kept about them, without secrets", "[A21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto patron = app->patron();
  const auto book = app->book("Persuasion");
  patron.post("/api/v1/auth/api-keys", R"({"name":"script"})");
  patron.put("/api/v1/users/me/preferences", R"({"favorite_genres":["Poetry"]})");
  auto past = [=, id = patron.user_id(), now = app->clock().now()](db::Transaction& tx) {
    tx.execute(
        "INSERT INTO borrows (user_id, book_id, copy_id, borrow_date, due_date, return_date, status) "
        "SELECT $1, book_id, id, $2, $3, $3, 'returned' FROM copies WHERE book_id = $4",
        id, now, now + std::chrono::hours(24), book);
    tx.execute(
        "INSERT INTO reviews (user_id, book_id, review_text, rating, sentiment_score, sentiment_source, "
        "created_at, "
        "updated_at) VALUES ($1, $2, 'A pleasure to read.', 4.5, 0.7, 'lexicon', $3, $3)",
        id, book, now);
    tx.execute("INSERT INTO review_votes (review_id, user_id, created_at) SELECT id, $1, $2 FROM reviews", id,
               now);
  };
  REQUIRE(app->app().database().write_now(std::move(past)));
  const auto record = patron.get("/api/v1/users/me/export");
  REQUIRE(record.status == 200);
  CHECK(record.header("Cache-Control") == "no-store");
  CHECK(record["user"].at("email") == "patron1@example.org");
  CHECK(record["preferences"].at("favorite_genres").at(0) == "Poetry");
  CHECK(record["sessions"].at(0).at("current") == true);
  CHECK(record["api_keys"].at(0).at("name") == "script");
  CHECK(record["loans"].at(0).at("title") == "Persuasion");
  CHECK(record["reviews"].at(0).at("review_text") == "A pleasure to read.");
  CHECK(record["reviews"].at(0).at("rating") == 4.5);
  CHECK(record["helpful_votes"].as_array().size() == 1);
  for (const char* secret : {"$2b$", "hash", "password", "refresh", "lum_"})
    CHECK(record.body.find(secret) == std::string::npos);
  CHECK(app->patron(2).get("/api/v1/users/me/export")["loans"].as_array().empty());
}

TEST_CASE("every change of an account leaves one row in the audit log", "[A20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto admin = app->admin();
  auto patron = app->patron();
  const auto rows = [&](std::string_view action) {
    return app->number(fmt::format("SELECT count(*) FROM audit_log WHERE action = '{}' AND resource_id = {}",
                                   action, patron.user_id()));
  };
  admin.patch(user_path(patron), R"({"full_name":"New Name","role":"librarian","is_active":false})");
  for (const char* action : {"user.registered", "user.updated", "user.role_changed", "user.deactivated"})
    CHECK(rows(action) == 1);
  admin.patch(user_path(patron), R"({"full_name":"New Name","role":"librarian","is_active":false})");
  CHECK(rows("user.role_changed") == 1);
  CHECK(rows("user.updated") == 1);
}

}  // namespace
}  // namespace lumina::test

// What every row honours without a word of its own: If-Match, bodies that nobody asked for, the standing of a
// client, problems that say where they happened.
#include "api/accounts.hpp"
#include "api/documents.hpp"
#include "core/db/database.hpp"
#include "core/http/pipeline.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace lumina;
using namespace lumina::test;

namespace {

http::Headers if_match(std::string tag) { return {{"If-Match", std::move(tag)}}; }

// Reads `path`, has somebody change it, and sees that what was read first is refused and what stands is
// taken.
void guarded(TestApp& app, Client who, const std::string& path, const std::string& change,
             const std::string& other_change, http::Method method = http::Method::patch) {
  CAPTURE(path);
  const auto read = who.get(path);
  REQUIRE(read.status == 200);
  const auto old = read.header("ETag");
  REQUIRE(!old.empty());
  REQUIRE(who.send(method, path, change, if_match(old)).status == 200);
  const auto stale = who.send(method, path, other_change, if_match(old));
  CHECK(stale.status == 412);
  CHECK(stale.code() == "stale");
  const auto now = who.get(path).header("ETag");
  CHECK(now != old);
  CHECK(who.send(method, path, other_change, if_match("W/" + now)).status == 412);
  CHECK(who.get(path).header("ETag") == now);
  CHECK(who.send(method, path, other_change, if_match("\"nothing\", " + now)).status == 200);
  CHECK(who.send(method, path, change, if_match("*")).status == 200);
  // One tag a representation: the compressed one names the same state.
  auto packed = who.get(path).header("ETag");
  packed.insert(packed.size() - 1, "-gzip");
  CHECK(who.send(method, path, other_change, if_match(packed)).status == 200);
  (void)app;
}

void removed_only_as_read(Client who, const std::string& path, const std::string& old) {
  CAPTURE(path);
  const auto stale = who.del(path, if_match(old));
  CHECK(stale.status == 412);
  CHECK(stale.code() == "stale");
  const auto now = who.get(path);
  REQUIRE(now.status == 200);
  CHECK(who.del(path, if_match(now.header("ETag"))).status < 300);
  const auto gone = who.del(path, if_match("*"));
  CHECK(gone.status == 404);
  CHECK(gone.code() == who.get(path).code());
}

}  // namespace

TEST_CASE("what was changed meanwhile is not changed or removed unseen, wherever it can be read", "[A46]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto desk = app->librarian();
  auto admin = app->admin();
  auto reader = app->patron();
  const auto book = app->book("Emma", "Jane Austen");

  const auto copy = desk.post(fmt::format("/api/v1/books/{}/copies", book), R"({"barcode":"E-2"})");
  REQUIRE(copy.status == 201);
  const auto copy_path = fmt::format("/api/v1/copies/{}", copy.id());
  const auto first_copy = desk.get(copy_path).header("ETag");
  guarded(*app, desk, copy_path, R"({"location":"A"})", R"({"location":"B"})");
  removed_only_as_read(desk, copy_path, first_copy);

  const auto branch = desk.post("/api/v1/branches", R"({"code":"east","name":"East"})");
  REQUIRE(branch.status == 201);
  const auto branch_path = fmt::format("/api/v1/branches/{}", branch.id());
  const auto first_branch = desk.get(branch_path).header("ETag");
  guarded(*app, desk, branch_path, R"({"name":"East end"})", R"({"name":"Far east"})");
  removed_only_as_read(desk, branch_path, first_branch);

  const auto hook =
      admin.post("/api/v1/webhooks", R"({"url":"https://hooks.example.org/a","types":["book.*"]})");
  REQUIRE(hook.status == 201);
  const auto hook_path = fmt::format("/api/v1/webhooks/{}", hook.id());
  const auto first_hook = admin.get(hook_path).header("ETag");
  guarded(*app, admin, hook_path, R"({"types":["borrow.*"]})", R"({"types":["review.*"]})");
  removed_only_as_read(admin, hook_path, first_hook);

  const auto saved =
      reader.post("/api/v1/saved-searches", R"({"name":"Austen","query":{"author":"austen"}})");
  REQUIRE(saved.status == 201);
  const auto saved_path = fmt::format("/api/v1/saved-searches/{}", saved.id());
  const auto first_saved = reader.get(saved_path).header("ETag");
  guarded(*app, reader, saved_path, R"({"name":"Jane"})", R"({"name":"J. A."})");
  removed_only_as_read(reader, saved_path, first_saved);

  const auto summary_path = fmt::format("/api/v1/books/{}/summary", book);
  CHECK(desk.put(summary_path, R"({"summary":"Too early."})", if_match("\"x\"")).status == 404);
  REQUIRE(desk.put(summary_path, R"({"summary":"A matchmaker errs."})").status == 200);
  guarded(*app, desk, summary_path, R"({"summary":"She errs and learns."})", R"({"summary":"She learns."})",
          http::Method::put);
}

TEST_CASE("holds and documents are removed only as they were read", "[A46]") {
  auto app = TestApp::on(GENERATE(from_databases()), every_kind);
  auto reader = app->patron();
  const auto book = app->book("Emma", "Jane Austen");
  REQUIRE(app->patron(2).post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  const auto hold = reader.post(fmt::format("/api/v1/books/{}/holds", book), "");
  REQUIRE(hold.status == 201);
  const auto hold_path = fmt::format("/api/v1/holds/{}", hold.id());
  const auto shown = reader.get(hold_path).header("ETag");
  CHECK(reader.del(hold_path, if_match("\"elsewhere\"")).status == 412);
  CHECK(reader.get(hold_path).header("ETag") == shown);
  CHECK(reader.get(hold_path)["status"] == "waiting");
  // Nobody learns of it what a GET would not say.
  CHECK(app->patron(3).del(hold_path, if_match("\"elsewhere\"")).status ==
        app->patron(3).get(hold_path).status);
  CHECK(reader.del(hold_path, if_match(shown)).status < 300);

  const auto id = document(reader, "notes.txt", "A page of notes about Emma Woodhouse and her schemes.");
  const auto path = fmt::format("/api/v1/documents/{}", id);
  const auto read = reader.get(path).header("ETag");
  REQUIRE(reader.patch(path, R"({"visibility":"public"})").status == 200);
  removed_only_as_read(reader, path, read);
}

TEST_CASE("the calls of a batch honour If-Match as single ones do", "[A46][A48]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto desk = app->librarian();
  const auto branch = desk.post("/api/v1/branches", R"({"code":"east","name":"East"})");
  REQUIRE(branch.status == 201);
  const auto path = fmt::format("/api/v1/branches/{}", branch.id());
  const auto call = [&](std::string name, std::string tag) {
    boost::json::value headers(boost::json::object{{"If-Match", tag}});
    return boost::json::serialize(boost::json::object{{"method", "PATCH"},
                                                      {"path", path},
                                                      {"body", boost::json::object{{"name", name}}},
                                                      {"headers", headers}});
  };
  const auto tag = desk.get(path).header("ETag");
  const auto both =
      desk.post("/api/v1/batch", R"({"calls":[)" + call("One", tag) + "," + call("Two", tag) + "]}");
  CHECK(both.status == 400);
  CHECK(both["problem"].is_object());
  CHECK(desk.get(path)["name"] == "East");
  CHECK(desk.post("/api/v1/batch", R"({"calls":[)" + call("One", tag) + "]}").status == 200);
  CHECK(desk.get(path)["name"] == "One");
}

TEST_CASE("a row that takes no body does nothing past one", "[A40]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  auto desk = app->librarian();
  auto admin = app->admin();
  const auto book = app->book("Emma", "Jane Austen");
  const auto loan = reader.post(fmt::format("/api/v1/borrows/{}/borrow", book));
  REQUIRE(loan.status == 201);
  const auto review = app->patron(1).post(
      "/api/v1/reviews",
      fmt::format(R"({{"book_id":{},"review_text":"A fine and funny book.","rating":4.5}})", book));
  REQUIRE(review.status == 201);
  const auto hook =
      admin.post("/api/v1/webhooks", R"({"url":"https://hooks.example.org/a","types":["book.*"]})");
  REQUIRE(hook.status == 201);
  const http::Headers json{{"Content-Type", "application/json"}};
  const http::Headers plain{{"Content-Type", "text/plain"}};

  struct Row {
    Client who;
    std::string path;
  };
  const std::vector<Row> rows{{reader, fmt::format("/api/v1/borrows/{}/renew", loan.id())},
                              {desk, fmt::format("/api/v1/books/{}/generate-summary", book)},
                              {app->patron(2), fmt::format("/api/v1/reviews/{}/helpful", review.id())},
                              {reader, "/api/v1/notifications/read-all"},
                              {admin, "/api/v1/admin/search/rebuild"},
                              {admin, fmt::format("/api/v1/webhooks/{}/secret", hook.id())}};
  const auto before = app->number("SELECT count(*) FROM audit_log");
  for (auto row : rows) {
    CAPTURE(row.path);
    const auto broken = row.who.post(row.path, "{bad", json);
    CHECK(broken.status == 400);
    CHECK(broken.code() == "malformed_json");
    const auto unknown = row.who.post(row.path, R"({"zz":1,"yy":2})", json);
    CHECK(unknown.status == 422);
    REQUIRE(unknown["errors"].is_array());
    CHECK(unknown["errors"].as_array().size() == 2);
    CHECK(unknown["errors"].as_array()[0].at("loc").as_array()[1] == "zz");
    CHECK(row.who.post(row.path, "[1]", json).status == 422);
    CHECK(row.who.post(row.path, "{}", plain).status == 415);
  }
  CHECK(app->number("SELECT count(*) FROM audit_log") == before);
  for (auto row : rows) {
    CAPTURE(row.path);
    CHECK(row.who.post(row.path, "{}", json).status < 300);
    CHECK(row.who.post(row.path, "").status < 300);
  }
  CHECK(app->number("SELECT renewals FROM borrows") == 2);
  // All faults at once, those of the path and of the query among them.
  const auto both =
      desk.post(fmt::format("/api/v1/books/{}/generate-summary?nope=1", book), R"({"zz":1})", json);
  CHECK(both.status == 422);
  CHECK(both["errors"].as_array().size() == 2);
}

TEST_CASE("downloads have a quota of their own", "[A28]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) {
    c.rate_limit = 1000;
    c.download_rate = 3;
    every_kind(c);
  });
  auto desk = app->librarian();
  const auto made = upload(desk, "notes.txt", "A page of notes about Emma Woodhouse and her schemes.");
  REQUIRE(made.status == 201);
  const auto content = fmt::format("/api/v1/documents/{}/content", made.id());
  for (const auto& path : {content, fmt::format("/api/v1/documents/{}/view", made.id()),
                           std::string("/api/v1/books/export?format=csv")})
    CHECK(desk.get(path).status == 200);
  const auto refused = desk.get(content);
  CHECK(refused.status == 429);
  CHECK(refused.header("RateLimit-Policy") == "\"download\";q=3;w=60");
  CHECK(refused["violated-policies"].as_array()[0] == "download");
  CHECK(desk.get("/api/v1/books").status == 200);
  CHECK(desk.from("192.0.2.99").get(content).status == 200);
}

TEST_CASE("signing in tells the limit that holds, and who is refused by which", "[A28][A10]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.login_rate = 5; });
  const auto guess = [&](std::string address) {
    return app->anybody()
        .from(std::move(address))
        .post("/api/v1/auth/login", credentials("nobody@example.org", "not the word"));
  };
  for (int left = 4; left >= 0; --left) {
    const auto wrong = guess("198.51.100.1");
    CHECK(wrong.status == 401);
    CHECK(wrong.header("RateLimit-Policy") == "\"login\";q=5;w=60");
    CHECK(wrong.header("RateLimit").starts_with(fmt::format("\"login\";r={};t=", left)));
  }
  const auto of_address = guess("198.51.100.1");
  CHECK(of_address.status == 429);
  CHECK(of_address["violated-policies"].as_array()[0] == "login");
  CHECK(!of_address.header("Retry-After").empty());
  // The account's share is used up as well, wherever the next guess comes from.
  const auto of_account = guess("198.51.100.2");
  CHECK(of_account.status == 429);
  CHECK(of_account.code() == "too_many_attempts");
  CHECK(of_account["violated-policies"].as_array()[0] == "login");
  CHECK(of_account.header("RateLimit") == "\"login\";r=0;t=" + of_account.header("Retry-After"));
}

TEST_CASE("every answer tells the standing of the client, and what is not there counts too", "[A28]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) { c.rate_limit = 4; });
  auto stranger = app->anybody();
  const auto missing = stranger.get("/api/v1/nothing-here");
  CHECK(missing.status == 404);
  CHECK(missing.header("RateLimit").starts_with("\"default\";r=3;"));
  const auto options = stranger.send(http::Method::options, "/api/v1/books", "", {});
  CHECK(options.status == 204);
  CHECK(options.header("RateLimit").starts_with("\"default\";r=2;"));
  const auto large = stranger.post("/api/v1/auth/login", std::string(12 << 20, ' '));
  CHECK(large.status == 413);
  CHECK(large["instance"] == "/api/v1/auth/login");
  CHECK(large.header("RateLimit").starts_with("\"default\";r=1;"));
  // A head that could not be read is the address's all the same.
  auto* refusing = dynamic_cast<http::Refusing*>(&app->app().application());
  REQUIRE(refusing != nullptr);
  const auto head =
      refusing->refuse_at(431, "head_too_large", "The head is too large", "/api/v1/books", "192.0.2.1");
  CHECK(head.header_block.find("RateLimit: \"default\";r=0;") != std::string::npos);
  CHECK(head.body.find(R"("instance":"/api/v1/books")") != std::string::npos);
  const auto over = stranger.get("/api/v1/nothing-here");
  CHECK(over.status == 429);
  CHECK(over["violated-policies"].as_array()[0] == "default");
}

TEST_CASE("who sent no credentials is asked for them, who sent wrong ones is told so", "[A20]") {
  auto app = TestApp::on(Database::sqlite);
  CHECK(app->anybody().get("/api/v1/users/me").header("WWW-Authenticate") == "Bearer realm=\"luminalib\"");
  const auto wrong = app->anybody().get("/api/v1/users/me", {{"Authorization", "Bearer nonsense"}});
  CHECK(wrong.header("WWW-Authenticate") == "Bearer realm=\"luminalib\", error=\"invalid_token\"");
  const auto key = app->anybody().get("/api/v1/users/me", {{"X-API-Key", "nonsense"}});
  CHECK(key.header("WWW-Authenticate") == "Bearer realm=\"luminalib\", error=\"invalid_token\"");
}

TEST_CASE("pages of listed origins may continue traces and streams", "[A29]") {
  auto app = TestApp::on(Database::sqlite,
                         [](config::Config& c) { c.allowed_origins = {"https://shelf.example.org"}; });
  const auto asked = app->anybody().send(
      http::Method::options, "/api/v1/events/stream", "",
      {{"Origin", "https://shelf.example.org"}, {"Access-Control-Request-Method", "GET"}});
  const auto allowed = asked.header("Access-Control-Allow-Headers");
  CHECK(allowed.find("traceparent") != std::string::npos);
  CHECK(allowed.find("Last-Event-ID") != std::string::npos);
}

TEST_CASE("a form that is sent again has another boundary and is the same form", "[A47][G1]") {
  auto app = TestApp::on(GENERATE(from_databases()), every_kind);
  auto reader = app->patron();
  const auto sent = [&](std::string_view boundary, std::string_view title, std::string_view text) {
    const auto body = fmt::format(
        "--{0}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n{1}\r\n--{0}\r\nContent-Disposition: "
        "form-data; name=\"file\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\n{2}\r\n--{0}--\r\n",
        boundary, title, text);
    return reader.post("/api/v1/documents", body,
                       {{"Content-Type", fmt::format("multipart/form-data; boundary={}", boundary)},
                        {"Idempotency-Key", "one-upload"}});
  };
  const auto first = sent("first", "Notes", "Emma Woodhouse, handsome, clever, and rich.");
  REQUIRE(first.status == 201);
  const auto again = sent("----another-one", "Notes", "Emma Woodhouse, handsome, clever, and rich.");
  CHECK(again.status == 201);
  CHECK(again.header("Idempotency-Replayed") == "true");
  CHECK(again.body == first.body);
  for (const auto& other : {sent("first", "Other notes", "Emma Woodhouse, handsome, clever, and rich."),
                            sent("first", "Notes", "Emma Woodhouse, handsome, clever, and poor.")}) {
    CHECK(other.status == 422);
    CHECK(other.code() == "idempotency_key_reused");
  }
  CHECK(app->number("SELECT count(*) FROM documents") == 1);

  // A form that is held in memory.
  const auto book = app->book("Emma", "Jane Austen");
  const auto rows = [&](std::string_view boundary, std::string_view text) {
    return app->librarian().post("/api/v1/books/import",
                                 fmt::format("--{0}\r\nContent-Disposition: form-data; name=\"file\"; "
                                             "filename=\"b.csv\"\r\n\r\n{1}\r\n--{0}--\r\n",
                                             boundary, text),
                                 {{"Content-Type", fmt::format("multipart/form-data; boundary={}", boundary)},
                                  {"Idempotency-Key", "rows"}});
  };
  CHECK(book > 0);
  const auto begun = rows("aaa", "title,author\nPersuasion,Jane Austen\n");
  REQUIRE(begun.status == 202);
  CHECK(rows("bbb", "title,author\nPersuasion,Jane Austen\n").header("Idempotency-Replayed") == "true");
  CHECK(rows("bbb", "title,author\nEvelina,Fanny Burney\n").code() == "idempotency_key_reused");
}

TEST_CASE("an account that is made again with its key is the same account", "[A47]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const http::Headers key{{"Idempotency-Key", "sign-up"}};
  const auto first = app->anybody().post("/api/v1/auth/register", registration("new@example.org"), key);
  REQUIRE(first.status == 201);
  const auto again = app->anybody().post("/api/v1/auth/register", registration("new@example.org"), key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.header("Idempotency-Replayed") == "true");
  CHECK(app->number("SELECT count(*) FROM users WHERE email = 'new@example.org'") == 1);
  CHECK(app->number("SELECT count(*) FROM idempotency_keys WHERE body LIKE '%quiet reading%'") == 0);
}

TEST_CASE("ready looks at the schema too, and explains itself to administrators alone", "[J7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto check = [](const Answer& answer, std::string_view name) {
    for (const auto& one : answer["checks"].as_array())
      if (one.at("name").as_string() == name) return one;
    return boost::json::value();
  };
  auto admin = app->admin();
  for (const auto* path : {"/ready", "/ready?verbose", "/readyz?verbose", "/readyz?verbose=1"}) {
    CAPTURE(path);
    const auto seen = app->anybody().get(path);
    REQUIRE(seen.status == 200);
    for (const auto* name : {"draining", "database", "migrations", "executors"}) {
      CAPTURE(name);
      REQUIRE(check(seen, name).is_object());
      CHECK(check(seen, name).at("ok") == true);
      CHECK(check(seen, name).at("detail").is_null());
    }
    CHECK(check(app->librarian().get(path), "database").at("detail").is_null());
    CHECK(check(admin.get(path), "database").at("detail") == "answers");
  }
  REQUIRE(app->app().database().write_now([](db::Transaction& tx) {
    tx.execute("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)");
    return Status();
  }));
  const auto behind = app->anybody().get("/ready");
  CHECK(behind.status == 503);
  CHECK(check(behind, "migrations").at("ok") == false);
  CHECK(check(behind, "database").at("ok") == true);
}

TEST_CASE("other names of the sources answer alike", "[A51]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto desk = app->librarian();
  const auto question = "?interval=day";
  CHECK(desk.get(std::string("/api/v1/admin/analytics/borrows") + question).body ==
        desk.get(std::string("/api/v1/admin/analytics/loans") + question).body);
  CHECK(desk.get(std::string("/api/v1/admin/analytics/borrows") + question).status == 200);
  auto admin = app->admin();
  const auto by_user = admin.get(fmt::format("/api/v1/audit?user={}", desk.user_id()));
  CHECK(by_user.status == 200);
  CHECK(by_user.size() > 0);
  CHECK(by_user.body == admin.get(fmt::format("/api/v1/audit?user_id={}", desk.user_id())).body);
}

TEST_CASE("figures that operators ask for are there and move", "[J4][J6]") {
  auto app = TestApp::on(GENERATE(from_databases()), every_kind);
  auto reader = app->patron();
  const auto book = app->book("Emma", "Jane Austen");
  const auto figure = [&](std::string name) {
    const auto page = app->anybody().get("/metrics").body;
    const auto at = page.find("\n" + name + " ");
    return at == std::string::npos ? -1.0 : std::stod(page.substr(at + name.size() + 2));
  };
  for (const auto* name :
       {"luminalib_http_requests_in_flight", "luminalib_db_pool_available",
        "luminalib_db_query_duration_seconds_count", "luminalib_recommendation_duration_seconds_count",
        "luminalib_recommendation_index_age_seconds", "luminalib_borrows_active", "luminalib_books",
        "luminalib_users", "luminalib_users_active", "luminalib_searches_total", "luminalib_documents",
        "luminalib_document_bytes"}) {
    CAPTURE(name);
    CHECK(figure(name) >= 0);
  }
  CHECK(figure("luminalib_http_requests_in_flight") == 1);
  const auto units = figure("luminalib_db_query_duration_seconds_count");
  const auto searches = figure("luminalib_searches_total");
  const auto lists = figure("luminalib_recommendation_duration_seconds_count");
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  CHECK(figure("luminalib_db_query_duration_seconds_count") > units);
  CHECK(app->anybody().get("/api/v1/books/search?q=emma").status == 200);
  CHECK(figure("luminalib_searches_total") > searches);
  CHECK(reader.get("/api/v1/recommendations/").status == 200);
  CHECK(figure("luminalib_recommendation_duration_seconds_count") > lists);
  REQUIRE(upload(reader, "notes.txt", "A page of notes about Emma Woodhouse and her schemes.").status == 201);
  CHECK(figure(R"(luminalib_events_total{type="document.created"})") == 1);
  CHECK(eventually([&] {
    return figure("luminalib_borrows_active") == 1 && figure("luminalib_books") == 1 &&
           figure("luminalib_users") >= 2 && figure("luminalib_users_active") >= 1 &&
           figure("luminalib_documents") == 1 && figure("luminalib_document_bytes") > 0;
  }));
}

// What every row honours without a word of its own: If-Match, bodies that nobody asked for, the standing of a
// client, problems that say where they happened.
#include "api/accounts.hpp"
#include "api/documents.hpp"
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

#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string titles(const Answer& list) {
  std::string out;
  const auto* array = list.json.if_array();
  if (!array) return "not a list: " + list.body;
  for (const auto& book : *array)
    out += (out.empty() ? "" : ", ") + std::string(book.at("title").as_string());
  return out;
}

std::set<std::string> faults(const Answer& answer) {
  std::set<std::string> out;
  if (const auto* errors = answer["errors"].if_array())
    for (const auto& e : *errors) out.insert(std::string(e.at("loc").as_array().back().as_string()));
  return out;
}

}  // namespace

TEST_CASE("a librarian adds a book and everybody reads it", "[B1][B3][A16][A17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto made = app->librarian().post(
      "/api/v1/books",
      R"({"title":"  Emma ","author":"Jane Austen","isbn":"0-306-40615-2","genre":"Fiction","year_published":1815,
          "language":"EN","tags":["classic","classic","love"],"copies":2})");
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == fmt::format("/api/v1/books/{}", made.id()));
  CHECK(made["title"] == "Emma");
  CHECK(made["isbn"] == "9780306406157");
  CHECK(made["language"] == "en");
  CHECK(boost::json::serialize(made["tags"]) == R"(["classic","love"])");
  CHECK(made["copies_total"] == 2);
  CHECK(made["copies_available"] == 2);
  CHECK(made["created_at"] == "2026-11-22T10:00:00Z");
  CHECK(made["summary"].is_null());

  const auto read = app->anybody().get(fmt::format("/api/v1/books/{}", made.id()));
  CHECK(read.status == 200);
  CHECK(read.body == made.body);

  CHECK(app->anybody().post("/api/v1/books", R"({"title":"A","author":"B"})").status == 401);
  const auto refused = app->patron().post("/api/v1/books", R"({"title":"A","author":"B"})");
  CHECK(refused.status == 403);
  CHECK(refused.detail() == "Admin access required");
  CHECK(app->admin().post("/api/v1/books", R"({"title":"A","author":"B"})").status == 201);
}

TEST_CASE("an unknown book is not found, whatever its number", "[B3][D9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (const auto* id : {"1", "0", "-1", "9223372036854775807", "99999999999999999999999"}) {
    const auto answer = app->anybody().get(std::string("/api/v1/books/") + id);
    CHECK(answer.status == 404);
    CHECK(answer.detail() == "Book not found");
  }
  CHECK(app->anybody().get("/api/v1/books/abc").status == 422);
}

TEST_CASE("every faulty field of a new book is named at once, and nothing is stored", "[A31][B1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto many = librarian.post(
      "/api/v1/books", fmt::format(R"({{"title":"{}","isbn":"9780306406158","year_published":3000,"copies":-1,
        "language":"english","colour":"red"}})",
                                   std::string(501, 'x')));
  CHECK(many.status == 422);
  CHECK(faults(many) ==
        std::set<std::string>{"title", "author", "isbn", "year_published", "copies", "language", "colour"});

  struct Case {
    std::string body;
    int status;
  };
  const std::vector<Case> cases = {
      {"", 422},
      {"{", 400},
      {"[]", 422},
      {"null", 422},
      {R"({"title":"A","author":"B",})", 400},
      {R"({"title":"A","title":"B","author":"C"})", 422},
      {R"({"title":1,"author":"B"})", 422},
      {R"({"title":"A\u0000B","author":"B"})", 422},
      {R"({"title":"\ud800","author":"B"})", 400},
      {"{\"title\":\"\xff\",\"author\":\"B\"}", 400},
      {"{\"title\":\"\xc0\x80\",\"author\":\"B\"}", 400},
      {R"({"title":"   ","author":"B"})", 422},
      {R"({"title":"A","author":"B","year_published":1e400})", 400},
      {R"({"title":"A","author":"B","year_published":99999999999999999999})", 422},
      {R"({"title":"A","author":"B","year_published":1815.5})", 422},
      {R"({"title":"A","author":"B","year_published":"1815"})", 422},
      {R"({"title":"A","author":"B","tags":"x"})", 422},
      {R"({"title":"A","author":"B","tags":[1]})", 422},
      {R"x({"title":"A","author":"B","cover_url":"javascript:alert(1)"})x", 422},
      {std::string(100000, '['), 400},
      {R"({"title":"A","author":"B"} x)", 400},
      {R"({"title":"A","author":NaN})", 400},
      {R"({'title':'A','author':'B'})", 400},
  };
  for (const auto& c : cases) {
    CAPTURE(c.body.substr(0, 80));
    const auto answer = librarian.post("/api/v1/books", c.body);
    CHECK(answer.status == c.status);
    CHECK(answer.header("Content-Type") == "application/problem+json");
    CHECK(!answer.detail().empty());
    CHECK(!answer.code().empty());
  }
  CHECK(librarian.post("/api/v1/books", "title=A", {{"Content-Type", "application/x-www-form-urlencoded"}})
            .status == 415);
  CHECK(app->number("SELECT count(*) FROM books") == 0);
}

TEST_CASE("one ISBN is one book, in whichever form it comes", "[B6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto first = librarian.post("/api/v1/books", R"({"title":"A","author":"B","isbn":"0-306-40615-2"})");
  REQUIRE(first.status == 201);
  const auto second = librarian.post("/api/v1/books", R"({"title":"C","author":"D","isbn":"9780306406157"})");
  CHECK(second.status == 400);
  CHECK(second.code() == "duplicate_isbn");
  const auto other = librarian.post("/api/v1/books", R"({"title":"C","author":"D"})");
  const auto taken = librarian.patch(fmt::format("/api/v1/books/{}", other.id()), R"({"isbn":"0306406152"})");
  CHECK(taken.code() == "duplicate_isbn");
  for (const auto* isbn : {"9780306406157", "0306406152", "0-306-40615-2"})
    CHECK(titles(app->anybody().get(std::string("/api/v1/books?isbn=") + isbn)) == "A");
  CHECK(librarian.del(fmt::format("/api/v1/books/{}", first.id())).status == 204);
  CHECK(librarian.post("/api/v1/books", R"({"title":"A","author":"B","isbn":"0306406152"})").status == 201);
}

TEST_CASE("a book is replaced, changed in part and deleted", "[B3][B7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto id = app->book("Emma", "Jane Austen", R"("genre":"Fiction","description":"A matchmaker errs.")");
  const auto path = fmt::format("/api/v1/books/{}", id);
  auto work = [id](db::Transaction& tx) -> Status {
    tx.execute("UPDATE books SET summary = 'Emma learns.' WHERE id = $1", id);
    return {};
  };
  REQUIRE(app->app().database().write_now(std::move(work)));
  app->clock().advance(std::chrono::minutes(10));

  const auto replaced = librarian.put(path, R"({"title":"Emma, a novel","author":"Jane Austen"})");
  REQUIRE(replaced.status == 200);
  CHECK(replaced["title"] == "Emma, a novel");
  CHECK(replaced["genre"].is_null());
  CHECK(replaced["summary"] == "Emma learns.");
  CHECK(replaced["created_at"] == "2026-11-22T10:00:00Z");
  CHECK(replaced["updated_at"] == "2026-11-22T10:10:00Z");
  CHECK(app->anybody().get(path).body == replaced.body);

  const auto changed = librarian.patch(path, R"({"genre":"Romance","year_published":1815})");
  CHECK(changed["genre"] == "Romance");
  CHECK(changed["title"] == "Emma, a novel");
  CHECK(librarian.patch(path, R"({"genre":null})")["genre"].is_null());
  CHECK(librarian.patch(path, R"({"title":null})").status == 422);

  CHECK(librarian.del(path).status == 204);
  CHECK(librarian.del(path).status == 404);
  CHECK(app->anybody().get(path).status == 404);
  CHECK(librarian.put(path, R"({"title":"A","author":"B"})").status == 404);
  CHECK(librarian.patch(path, R"({"genre":"X"})").status == 404);
}

TEST_CASE("a stale edit is refused and a fresh one goes through", "[A46]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto path = fmt::format("/api/v1/books/{}", app->book());
  const auto first = app->anybody().get(path).header("ETag");
  REQUIRE(first.size() > 4);
  CHECK(app->anybody().get(path, {{"If-None-Match", first}}).status == 304);
  CHECK(app->anybody().get(path, {{"If-None-Match", "W/" + first}}).status == 304);
  CHECK(app->anybody().get(path, {{"If-None-Match", "\"other\""}}).status == 200);

  const auto changed = librarian.patch(path, R"({"genre":"A"})", {{"If-Match", first}});
  REQUIRE(changed.status == 200);
  CHECK(librarian.patch(path, R"({"genre":"B"})", {{"If-Match", first}}).status == 412);
  CHECK(librarian.put(path, R"({"title":"A","author":"B"})", {{"If-Match", first}}).status == 412);
  CHECK(librarian.del(path, {{"If-Match", first}}).status == 412);
  CHECK(app->anybody().get(path, {{"If-None-Match", first}}).status == 200);
  CHECK(librarian.patch(path, R"({"genre":"C"})", {{"If-Match", changed.header("ETag")}}).status == 200);
  CHECK(librarian.del(path, {{"If-Match", "*"}}).status == 204);
}

TEST_CASE("lists are filtered and sorted", "[B2][A44]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto anybody = app->anybody();
  app->book("Émile", "Jean-Jacques Rousseau",
            R"("genre":"Philosophy","year_published":1762,"language":"fr","tags":["school"])");
  app->clock().advance(std::chrono::seconds(1));
  app->book("Emma", "Jane Austen", R"("genre":"Fiction","year_published":1815,"language":"en")");
  app->clock().advance(std::chrono::seconds(1));
  app->book("Persuasion", "Jane Austen",
            R"("genre":"Fiction","year_published":1817,"language":"en-GB","copies":0)");

  CHECK(titles(anybody.get("/api/v1/books")) == "Persuasion, Emma, Émile");
  CHECK(titles(anybody.get("/api/v1/books?sort=created_at")) == "Émile, Emma, Persuasion");
  CHECK(titles(anybody.get("/api/v1/books?sort=title")) == "Émile, Emma, Persuasion");
  CHECK(titles(anybody.get("/api/v1/books?sort=-year_published")) == "Persuasion, Emma, Émile");
  CHECK(titles(anybody.get("/api/v1/books?genre=Fiction&sort=title")) == "Emma, Persuasion");
  CHECK(titles(anybody.get("/api/v1/books?author=austen&sort=title")) == "Emma, Persuasion");
  CHECK(titles(anybody.get("/api/v1/books?q=emile")) == "Émile");
  CHECK(titles(anybody.get("/api/v1/books?q=jane%20emma")) == "Emma");
  CHECK(titles(anybody.get("/api/v1/books?q=%25")) == "");
  CHECK(titles(anybody.get("/api/v1/books?language=en&sort=title")) == "Emma, Persuasion");
  CHECK(titles(anybody.get("/api/v1/books?tag=school")) == "Émile");
  CHECK(titles(anybody.get("/api/v1/books?year_from=1800&year_to=1816")) == "Emma");
  CHECK(titles(anybody.get("/api/v1/books?available=true&sort=title")) == "Émile, Emma");
  CHECK(titles(anybody.get("/api/v1/books?available=false")) == "Persuasion");
  for (const auto* query : {"sort=colour", "sort=;DROP", "year_from=x", "available=maybe", "colour=red",
                            "isbn=1", "genre=a&genre=b", "language=klingonish-x"})
    CHECK(anybody.get(std::string("/api/v1/books?") + query).status == 422);
  CHECK(anybody.get("/api/v1/books?q=%zz").status == 400);
}

TEST_CASE("lists are paged three ways, and a cursor misses and repeats nothing", "[A43]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto anybody = app->anybody();
  for (int i = 0; i < 25; ++i) {
    app->book(fmt::format("Book {:02}", i), "An Author", fmt::format(R"("year_published":{})", 1900 + i % 3));
    if (i % 2 == 0) app->clock().advance(std::chrono::seconds(1));
  }
  for (const auto* bad : {"limit=0", "limit=101", "skip=-1", "page=0&size=5", "size=101&page=1", "limit=x",
                          "page=1&skip=1", "limit=5&limit=6", "cursor=nonsense", "skip=99999999999999999999"})
    CHECK(anybody.get(std::string("/api/v1/books?") + bad).status == 422);

  const auto first = anybody.get("/api/v1/books?limit=10");
  CHECK(first.size() == 10);
  CHECK(first.header("X-Total-Count") == "25");
  CHECK(first.header("Link").find("rel=\"next\"") != std::string::npos);
  CHECK(first.header("Link").find("rel=\"prev\"") == std::string::npos);
  CHECK(anybody.get("/api/v1/books?skip=20&limit=10").size() == 5);
  CHECK(anybody.get("/api/v1/books?skip=100").size() == 0);

  const auto envelope = anybody.get("/api/v1/books?page=3&size=10");
  CHECK(envelope["items"].as_array().size() == 5);
  CHECK(envelope["total"] == 25);
  CHECK(envelope["page"] == 3);
  CHECK(envelope["size"] == 10);

  for (const auto* sort :
       {"-created_at", "title", "-title", "year_published", "-year_published", "rating", "popularity"}) {
    CAPTURE(sort);
    std::vector<std::int64_t> seen;
    std::string next = fmt::format("/api/v1/books?limit=7&sort={}", sort);
    for (int page = 0; page < 6 && !next.empty(); ++page) {
      const auto answer = anybody.get(next);
      REQUIRE(answer.status == 200);
      for (const auto& book : answer.json.as_array()) seen.push_back(book.at("id").as_int64());
      const auto link = answer.header("Link");
      const auto rel = link.find(">; rel=\"next\"");
      next = rel == std::string::npos ? "" : link.substr(1, rel - 1);
      if (page == 0) app->book("Zzz newcomer", "An Author");
    }
    std::set<std::int64_t> once(seen.begin(), seen.end());
    CHECK(once.size() == seen.size());
    CHECK(seen.size() >= 25);
  }
}

TEST_CASE("facets count every book once", "[B8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->book("A", "X", R"("genre":"Fiction","year_published":1900)");
  app->book("B", "X", R"("genre":"Fiction")");
  app->book("C", "Y");
  const auto facets = app->anybody().get("/api/v1/books/facets");
  REQUIRE(facets.status == 200);
  CHECK(facets["total"] == 3);
  for (const auto* name : {"genre", "author", "year_published", "language"}) {
    std::int64_t sum = facets[name].at("other").as_int64();
    for (const auto& value : facets[name].at("values").as_array()) sum += value.at("count").as_int64();
    CHECK(sum == 3);
  }
  CHECK(boost::json::serialize(facets["genre"].at("values").at(0)) == R"({"value":"Fiction","count":2})");
}

TEST_CASE("copies are added, changed and removed, and the counts follow", "[B23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  const auto copies = fmt::format("/api/v1/books/{}/copies", book);
  const auto one = app->anybody().get(copies);
  REQUIRE(one.size() == 1);
  CHECK(one[0].at("status") == "available");
  const auto two = librarian.post(copies, R"({"barcode":"B-2","location":"Main"})");
  REQUIRE(two.status == 201);
  CHECK(librarian.post(copies, R"({"barcode":"B-2"})").code() == "duplicate_barcode");
  const auto read = [&] { return app->anybody().get(fmt::format("/api/v1/books/{}", book)); };
  CHECK(read()["copies_total"] == 2);
  const auto path = fmt::format("/api/v1/copies/{}", two.id());
  CHECK(librarian.patch(path, R"({"status":"lost"})")["status"] == "lost");
  CHECK(read()["copies_available"] == 1);
  CHECK(librarian.patch(path, R"({"status":"on_loan"})").status == 422);
  CHECK(librarian.del(path).status == 204);
  CHECK(librarian.del(path).status == 404);
  CHECK(librarian.patch(path, R"({"status":"lost"})").status == 404);
  CHECK(app->patron().post(copies, "{}").status == 403);
  CHECK(librarian.post("/api/v1/books/999/copies", "{}").status == 404);
  CHECK(app->anybody().get("/api/v1/books/999/copies").status == 404);
}

TEST_CASE("a batch loses only its faulty records", "[B13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const std::string body =
      R"([{"title":"A","author":"X","isbn":"9780306406157"},{"title":""},{"title":"B","author":"Y"}])";
  const auto made = librarian.post("/api/v1/books/batch", body);
  REQUIRE(made.status == 200);
  CHECK(made["created"] == 2);
  REQUIRE(made["failed"].as_array().size() == 1);
  CHECK(made["failed"].at(0).at("index") == 1);
  const auto again = librarian.post("/api/v1/books/batch", body);
  CHECK(again["created"] == 0);
  CHECK(again["unchanged"] == 2);
  const auto lines = librarian.post("/api/v1/books/batch", "{\"title\":\"C\",\"author\":\"Z\"}\n\nnonsense\n",
                                    {{"Content-Type", "application/x-ndjson"}});
  CHECK(lines["created"] == 1);
  CHECK(lines["failed"].as_array().size() == 1);
  CHECK(librarian.post("/api/v1/books/batch", "{}").status == 200);
  CHECK(librarian.post("/api/v1/books/batch", "[1,").status == 400);
  CHECK(app->patron().post("/api/v1/books/batch", body).status == 403);
}

TEST_CASE("an import reports its faults by line and brings nothing twice", "[B13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const std::string csv =
      "title,author,isbn\nEmma,Jane Austen,9780306406157\n,Nobody,\nPersuasion,Jane Austen,\n";
  const auto import = [&] {
    const auto taken = librarian.post("/api/v1/books/import", csv, {{"Content-Type", "text/csv"}});
    REQUIRE(taken.status == 202);
    CHECK(taken["status"] == "processing");
    const auto path = taken.header("Location");
    for (int i = 0; i < 500; ++i) {
      auto task = librarian.get(path);
      REQUIRE(task.status == 200);
      if (task["status"] == "succeeded" || task["status"] == "failed") return task;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("the import did not end");
    return Answer{};
  };
  const auto first = import();
  CHECK(first["status"] == "succeeded");
  CHECK(first["result"].at("created") == 2);
  CHECK(first["result"].at("failed").at(0).at("index") == 3);
  const auto second = import();
  CHECK(second["result"].at("created") == 0);
  CHECK(second["result"].at("unchanged") == 2);
  CHECK(app->number("SELECT count(*) FROM books") == 2);

  const std::string form =
      "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.jsonl\"\r\n\r\n"
      "{\"title\":\"C\",\"author\":\"D\"}\n\r\n--x--\r\n";
  CHECK(
      librarian.post("/api/v1/imports", form, {{"Content-Type", "multipart/form-data; boundary=x"}}).status ==
      202);
  CHECK(librarian.post("/api/v1/books/import", "--x", {{"Content-Type", "multipart/form-data; boundary=x"}})
            .status == 400);
  CHECK(librarian.post("/api/v1/books/import").status == 422);
  CHECK(app->patron().post("/api/v1/books/import", csv, {{"Content-Type", "text/csv"}}).status == 403);
  const auto mine = librarian.get("/api/v1/tasks");
  REQUIRE(mine.size() >= 2);
  const auto id = std::string(mine[0].at("task_id").as_string());
  CHECK(app->patron().get("/api/v1/tasks/" + id).status == 404);
  CHECK(librarian.del("/api/v1/tasks/" + id).status == 204);
  CHECK(librarian.get("/api/v1/tasks/none").status == 404);
}

TEST_CASE("hostile text in every parameter is data, never SQL", "[A33][A34]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  app->book("Emma", "Jane Austen");
  for (const std::string hostile :
       {"' OR 1=1 --", "\"; DROP TABLE books; --", "%' UNION SELECT 1 --", "\\", "$1", "?1", ":x",
        "<script>alert(1)</script>", "${jndi:ldap://x}", "../../etc/passwd"}) {
    CAPTURE(hostile);
    const auto encoded = [&] {
      std::string out;
      for (const char c : hostile) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      return out;
    }();
    for (const auto* name :
         {"q", "author", "genre", "tag", "sort", "isbn", "language", "cursor", "year_from"})
      CHECK(app->anybody().get(fmt::format("/api/v1/books?{}={}", name, encoded)).status < 500);
    CHECK(app->anybody().get("/api/v1/books/" + encoded).status == 422);
    std::string quoted;
    for (char c : hostile) quoted += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
    const auto made =
        librarian.post("/api/v1/books", fmt::format(R"({{"title":"{}","author":"X"}})", quoted));
    REQUIRE(made.status == 201);
    CHECK(made["title"] == boost::json::string_view(hostile));
  }
  CHECK(app->number("SELECT count(*) FROM books") == 11);
}

TEST_CASE("text of every script comes back byte for byte", "[A31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (const std::string title : {"Война и мир", "紅樓夢", "ألف ليلة وليلة", "𝔉𝔯𝔞𝔨𝔱𝔲𝔯 😀", "Ångström"}) {
    const auto made =
        app->librarian().post("/api/v1/books", fmt::format(R"({{"title":"{}","author":"X"}})", title));
    REQUIRE(made.status == 201);
    CHECK(made["title"] == boost::json::string_view(title));
    CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", made.id()))["title"] ==
          boost::json::string_view(title));
  }
}

TEST_CASE("what is cached is dropped exactly when it changes", "[K4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto one = app->book("One", "X"), two = app->book("Two", "Y");
  auto read = [&](std::int64_t id) { return app->anybody().get(fmt::format("/api/v1/books/{}", id)); };
  const auto before = app->number("SELECT 1");
  CHECK(before == 1);
  CHECK(read(one)["title"] == "One");
  CHECK(read(two)["title"] == "Two");
  CHECK(titles(app->anybody().get("/api/v1/books?sort=title")) == "One, Two");
  REQUIRE(app->librarian().patch(fmt::format("/api/v1/books/{}", one), R"({"title":"Uno"})").status == 200);
  CHECK(read(one)["title"] == "Uno");
  CHECK(read(two)["title"] == "Two");
  CHECK(titles(app->anybody().get("/api/v1/books?sort=title")) == "Two, Uno");
}

TEST_CASE("reading a book warms its neighbours and shows none of them too late", "[K4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  std::map<std::int64_t, std::string> titles_now;
  for (int i = 0; i < 40; ++i) titles_now[app->book(fmt::format("Book {}", i))] = fmt::format("Book {}", i);
  const auto first = titles_now.begin()->first;
  std::mt19937 random(7);
  for (int step = 0; step < 400; ++step) {
    const auto id = first + static_cast<std::int64_t>(random() % titles_now.size());
    const auto path = fmt::format("/api/v1/books/{}", id);
    auto& title = titles_now[id];
    if (random() % 5 == 0 && !title.empty()) {
      title = fmt::format("Changed {}", step);
      REQUIRE(librarian.patch(path, fmt::format(R"({{"title":"{}"}})", title)).status == 200);
    } else if (random() % 40 == 0 && !title.empty()) {
      title.clear();
      REQUIRE(librarian.del(path).status == 204);
    }
    const auto seen = app->anybody().get(path);
    if (title.empty())
      CHECK(seen.status == 404);
    else
      CHECK(seen["title"] == boost::json::value(title));
  }
  CHECK(app->anybody().get(fmt::format("/api/v1/books/0{}", first)).status != 500);
}

TEST_CASE("ten thousand additions by many librarians at once are all there", "[B37]") {
  auto app = TestApp::on(Database::sqlite);
  auto librarian = app->librarian();
  const std::string description(1900, 'd');
  std::atomic<int> created{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < 20; ++w)
    writers.emplace_back([&, w, client = librarian]() mutable {
      for (int i = 0; i < 500; ++i)
        if (client
                .post("/api/v1/books",
                      fmt::format(R"({{"title":"Book {} of {}","author":"X","description":"{}"}})", i, w,
                                  description))
                .status == 201)
          ++created;
    });
  for (auto& writer : writers) writer.join();
  CHECK(created == 10'000);
  CHECK(app->number("SELECT count(*) FROM books") == 10'000);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'book.created'") == 10'000);
}

// What keeps searches true: imports on their way, records that could not be indexed, models that change,
// pins in merges; and searches of documents beside those of books.
#include "api/documents.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer search(Client client, std::string_view query) {
  return client.get(fmt::format("/api/v1/books/search?{}", query));
}

std::string titles(const Answer& answer) {
  const auto* items = answer["items"].if_array();
  if (!items) return "no list: " + answer.body;
  std::string out;
  for (const auto& hit : *items)
    out += (out.empty() ? "" : ", ") + std::string(hit.at("book").at("title").as_string());
  return out;
}

Answer ended(Client client, const std::string& task) {
  Answer seen;
  eventually([&] {
    seen = client.get("/api/v1/tasks/" + task);
    return seen["status"] == "succeeded" || seen["status"] == "failed";
  });
  return seen;
}

// Books about four things, in words that go together. One about grief does not say so.
void shelve_four_subjects(TestApp& app) {
  const auto shelve = [&](std::string title, std::string_view description) {
    app.book(std::move(title), "Somebody", fmt::format(R"("description":"{}")", description));
  };
  shelve("After the Winter", "A widow in mourning; bereavement, a funeral, slow consolation.");
  for (const auto* words : {"Grief and mourning after a funeral, and consolation.",
                            "Grief, bereavement and a widow who learns to live.",
                            "Mourning, grief, sorrow and a funeral in the rain.",
                            "The grief of a widow, bereavement and consolation."})
    shelve(fmt::format("Loss {}", std::string_view(words).size()), words);
  const std::vector<std::string> others = {"Recipes for bread, butter, soup and cake from a country kitchen.",
                                           "Baking bread and cake with butter in a small kitchen.",
                                           "Soup, bread and recipes for every kitchen.",
                                           "Cake and butter, recipes of a baker.",
                                           "A ship, a storm and sailors far at sea.",
                                           "Sailors and a captain on a ship in a storm.",
                                           "The sea, the captain and an island of pirates.",
                                           "Pirates attack a ship; sailors find an island.",
                                           "Compilers, parsers and the design of programming languages.",
                                           "Programming languages and the algorithms of compilers.",
                                           "Algorithms, data structures and programming.",
                                           "Parsers and algorithms for compilers."};
  for (std::size_t i = 0; i < others.size(); ++i) shelve(fmt::format("Volume {}", i), others[i]);
}

void train(TestApp& app) {
  const auto trained = app.admin().post("/api/v1/recommendations/train", "", {{"Prefer", "wait=60"}});
  CAPTURE(trained.body);
  REQUIRE(trained.status == 200);
}

}  // namespace

TEST_CASE("an import is found whole as soon as it is said to be done", "[C14][C13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  std::string csv = "title,author\n";
  for (int i = 0; i < 1234; ++i) csv += fmt::format("Saga {},Author {}\n", i, i % 9);
  CHECK(search(librarian, "q=saga")["total"] == 0);
  const auto taken = librarian.post("/api/v1/books/import", csv, {{"Content-Type", "text/csv"}});
  REQUIRE(taken.status == 202);
  // Searches go on meanwhile, and one's own changes are found.
  const auto mine = app->book("Sagacity");
  CHECK(titles(search(librarian, "q=sagacity")) == "Sagacity");
  REQUIRE(ended(librarian, std::string(taken["task_id"].as_string()))["status"] == "succeeded");
  CHECK(search(librarian, "q=title:saga")["total"] == 1234);
  CHECK(mine > 0);
}

TEST_CASE("librarians see what could not be indexed and try it again", "[C14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book("Emma");
  const auto put = [&](std::string_view id, std::string_view kind) {
    auto work = [&](db::Transaction& tx) -> Status {
      tx.execute(
          "INSERT INTO jobs (id, kind, payload, priority, fair_key, turn, unique_key, status, run_at, "
          "attempts, "
          "max_attempts, error, created_at, finished_at) VALUES ($1, $2, $3, 1, 0, 0, $4, 'failed', 0, 6, 6, "
          "'what was wrong', 5, 7)",
          id, kind, fmt::format(R"({{"book_id":{}}})", book), std::to_string(book));
      return {};
    };
    REQUIRE(app->app().database().write_now(std::move(work)));
  };
  put("dead", "search.index");
  put("other", "mail.send");
  constexpr auto path = "/api/v1/admin/search/dead-letters";
  CHECK(app->patron().get(path).status == 403);
  CHECK(app->anybody().get(path).status == 401);
  const auto letters = librarian.get(path);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].at("task_id") == "dead");
  CHECK(letters[0].at("kind") == "search.index");
  CHECK(letters[0].at("about").at("book_id") == book);
  CHECK(letters[0].at("attempts") == 6);
  CHECK(letters[0].at("error") == "what was wrong");
  CHECK(librarian.get(std::string(path) + "?page=2&size=1")["total"] == 1);
  CHECK(app->patron().post("/api/v1/admin/search/dead-letters/dead/retry").status == 403);
  CHECK(librarian.post("/api/v1/admin/search/dead-letters/other/retry").status == 404);
  CHECK(librarian.post("/api/v1/admin/search/dead-letters/none/retry").status == 404);
  REQUIRE(librarian.post("/api/v1/admin/search/dead-letters/dead/retry").status == 202);
  CHECK(ended(app->admin(), "dead")["status"] == "succeeded");
  CHECK(librarian.get(path).size() == 0);
  CHECK(librarian.post("/api/v1/admin/search/dead-letters/dead/retry").status == 404);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'task.retried'") == 1);
  CHECK(titles(search(librarian, "q=emma")) == "Emma");
}

TEST_CASE("a book that does not say the word is found by its meaning", "[C16]") {
  // Of so few books, few directions: with as many as books, words that go together are not drawn together.
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.recs_dimensions = 8; });
  shelve_four_subjects(*app);
  train(*app);
  auto reader = app->anybody();
  CHECK(titles(search(reader, "q=grief&fuzzy=0")).find("After the Winter") == std::string::npos);
  for (const auto* mode : {"semantic", "hybrid"}) {
    const auto near = search(reader, fmt::format("q=grief&mode={}&limit=5", mode));
    CAPTURE(near.body);
    CHECK(near["mode"] == mode);
    CHECK(near["items"].as_array().size() == 5);
    CHECK(titles(near).find("After the Winter") != std::string::npos);
  }
  const auto sentence = search(reader, "q=books%20about%20grief&mode=semantic&limit=5");
  CHECK(titles(sentence).find("After the Winter") != std::string::npos);
}

TEST_CASE("pages found by meaning are new when a book or the model is", "[C16][C12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_four_subjects(*app);
  auto reader = app->anybody();
  // Nothing to compare with yet: words alone, and the page is kept.
  const auto before = search(reader, "q=grief&mode=hybrid");
  CHECK(before["mode"] == "keyword");
  CHECK(search(reader, "q=grief&mode=hybrid").header("X-Cache") == "hit");
  train(*app);
  REQUIRE(eventually([&] { return search(reader, "q=grief&mode=hybrid")["mode"] == "hybrid"; }));
  CHECK(search(reader, "q=grief&mode=semantic").header("X-Cache") == "miss");
  CHECK(search(reader, "q=grief&mode=semantic").header("X-Cache") == "hit");
  app->book("Black Ribbon", "Somebody",
            R"("description":"Grief, mourning, bereavement, a widow at a funeral.")");
  const auto after = search(reader, "q=grief&mode=semantic");
  CHECK(after.header("X-Cache") == "miss");
  CHECK(titles(after).find("Black Ribbon") != std::string::npos);
  // Another model of the same books: what was kept is not shown any more, without any change of a book.
  CHECK(search(reader, "q=grief&mode=semantic").header("X-Cache") == "hit");
  train(*app);
  CHECK(eventually([&] { return search(reader, "q=grief&mode=semantic").header("X-Cache") == "miss"; }));
}

TEST_CASE("a search of books finds the documents that one may read beside them", "[C2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto owner = app->patron(1), stranger = app->patron(2);
  app->book("Whales of the North");
  const auto mine = document(owner, "guide.pdf",
                             make_pdf({"The harbour.", "Of lighthouses.", "We saw blue whales at dawn."}));
  const auto plain = search(owner, "q=whales");
  CHECK(plain["documents"].is_null());
  const auto found = search(owner, "q=whales&documents=5");
  REQUIRE(found.status == 200);
  CHECK(titles(found) == "Whales of the North");
  REQUIRE(found["documents"].at("total") == 1);
  CHECK(found["documents"].at("items").at(0).at("document_id") == mine);
  CHECK(found["documents"].at("items").at(0).at("page") == 3);
  // Nobody sees another's, whatever is in the memory of the server.
  CHECK(search(stranger, "q=whales&documents=5")["documents"].at("total") == 0);
  CHECK(search(app->anybody(), "q=whales&documents=5")["documents"].at("total") == 0);
  CHECK(search(owner, "q=whales&documents=5")["documents"].at("total") == 1);
  CHECK(search(owner, "q=whales&documents=5").header("X-Cache") == "miss");
  CHECK(search(owner, "q=whales&documents=0").status == 422);
  CHECK(search(owner, "q=whales&documents=21").status == 422);
  CHECK(owner.get("/api/v1/search/inside?q=%22blue%20whales%22").size() == 1);
}

TEST_CASE("pinned books follow a merge and come back", "[B32][C17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto into = app->book("Emma", "Jane Austen"), from = app->book("Emma", "Austen, Jane"),
             other = app->book("Persuasion", "Jane Austen");
  constexpr auto path = "/api/v1/admin/search/pins";
  const auto body = fmt::format(R"({{"pins":[{{"query":"matchmaking","books":[{0},{2}]}},)"
                                R"({{"query":"two of it","books":[{0},{1}]}}]}})",
                                from, into, other);
  REQUIRE(librarian.put(path, body).status == 200);
  CHECK(search(librarian, "q=matchmaking")["items"].at(0).at("book").at("id") == from);
  const auto before = librarian.get(path).body;
  const auto merged =
      librarian.post("/api/v1/books/merge", fmt::format(R"({{"into":{},"from":[{}]}})", into, from));
  REQUIRE(merged.status == 200);
  CHECK(search(librarian, "q=matchmaking")["items"].at(0).at("book").at("id") == into);
  const auto pins = librarian.get(path);
  CHECK(boost::json::serialize(pins["pins"].at(0).at("books")) == fmt::format("[{},{}]", into, other));
  CHECK(boost::json::serialize(pins["pins"].at(1).at("books")) == fmt::format("[{}]", into));
  // What is shown can be put back as it is.
  REQUIRE(librarian.post(fmt::format("/api/v1/admin/change-sets/{}/undo", merged.id())).status == 200);
  CHECK(librarian.get(path).body == before);
  CHECK(search(librarian, "q=matchmaking")["items"].at(0).at("book").at("id") == from);
  CHECK(search(librarian, "q=two%20of%20it")["items"].at(0).at("book").at("id") == from);
  CHECK(librarian.put(path, before).status == 200);
}

TEST_CASE("saved searches are in the personal record and go with the account", "[A21][C20]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto ann = app->patron(1), bob = app->patron(2);
  for (auto* who : {&ann, &bob})
    REQUIRE(who->post("/api/v1/saved-searches", R"({"name":"Austen","query":{"author":"austen"}})").status ==
            201);
  const auto record = ann.get("/api/v1/users/me/export");
  REQUIRE(record["saved_searches"].as_array().size() == 1);
  CHECK(record["saved_searches"].at(0).at("name") == "Austen");
  CHECK(record["saved_searches"].at(0).at("query").at("author") == "austen");
  CHECK(record["saved_searches"].at(0).at("alert") == true);
  REQUIRE(ann.del("/api/v1/users/me").status == 204);
  CHECK(app->number("SELECT count(*) FROM saved_searches") == 1);
  CHECK(app->number(fmt::format("SELECT count(*) FROM saved_searches WHERE user_id = {}", bob.user_id())) ==
        1);
}

TEST_CASE("a book that is named twice is refused with its place", "[A43][B31][B32]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto one = app->book("Emma"), two = app->book("Persuasion");
  const auto faulty = [&](std::string_view path, const std::string& body, std::string_view place) {
    const auto answer = librarian.post(std::string(path), body);
    CAPTURE(answer.body);
    CHECK(answer.status == 422);
    CHECK(answer.body.find(fmt::format(R"({{"loc":["body",{}],"msg":"comes twice","type":"duplicate"}})",
                                       place)) != std::string::npos);
  };
  faulty("/api/v1/works", fmt::format(R"({{"books":[{0},{1},{0}]}})", one, two), R"("books","2")");
  faulty("/api/v1/works", fmt::format(R"({{"books":[{0},{0}.0]}})", one), R"("books","1")");
  faulty("/api/v1/books/merge", fmt::format(R"({{"into":{0},"from":[{1},{1}]}})", one, two), R"("from","1")");
  faulty("/api/v1/admin/duplicates/dismiss", fmt::format(R"({{"books":[{0},{0}]}})", one), R"("books","1")");
  CHECK(app->number("SELECT count(*) FROM works") == 0);
}

TEST_CASE("a work without editions is not found, and comes back with one", "[B31]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto one = app->book("Emma"), two = app->book("Emma (annotated)");
  const auto work = librarian.post("/api/v1/works", fmt::format(R"({{"books":[{},{}]}})", one, two));
  REQUIRE(work.status == 201);
  const auto path = fmt::format("/api/v1/works/{}", work.id());
  CHECK(librarian.del(fmt::format("{}/books/{}", path, one)).status == 204);
  CHECK(librarian.get(path)["editions"] == 1);
  REQUIRE(librarian.del(fmt::format("/api/v1/books/{}", two)).status == 204);
  CHECK(librarian.get(path).status == 404);
  CHECK(librarian.put(fmt::format("{}/books/{}", path, one), "").status == 404);
  REQUIRE(librarian.post(fmt::format("/api/v1/books/{}/restore", two)).status == 200);
  CHECK(librarian.get(path)["editions"] == 1);
}

TEST_CASE("lists keep their caps at the edges", "[A43]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->admin();
  app->book("Emma");
  const auto status = [&](const std::string& target) { return librarian.get(target).status; };
  for (const std::string list : {"/api/v1/books", "/api/v1/users", "/api/v1/admin/search/dead-letters"}) {
    CAPTURE(list);
    CHECK(status(list + "?limit=1") == 200);
    CHECK(status(list + "?limit=100") == 200);
    CHECK(status(list + "?limit=0") == 422);
    CHECK(status(list + "?limit=101") == 422);
    CHECK(status(list + "?skip=0") == 200);
    CHECK(status(list + "?skip=-1") == 422);
    CHECK(status(list + "?skip=99999999999999999999") == 422);
    CHECK(status(list + "?page=1&size=100") == 200);
    CHECK(status(list + "?page=0") == 422);
    CHECK(status(list + "?size=101") == 422);
    CHECK(status(list + "?page=1&skip=1") == 422);
  }
  CHECK(search(librarian, "q=emma&skip=10000").status == 200);
  CHECK(search(librarian, "q=emma&skip=10001").status == 422);
  CHECK(search(librarian, "q=emma&limit=100").status == 200);
  CHECK(search(librarian, "q=emma&limit=101").status == 422);
  const auto works = [&](int count) {
    std::string ids;
    for (int i = 1; i <= count; ++i) ids += (i > 1 ? "," : "") + std::to_string(i + 1000);
    return librarian.post("/api/v1/works", "{\"books\":[" + ids + "]}").status;
  };
  CHECK(works(0) == 422);
  CHECK(works(100) == 404);  // as many as may be; none of them exists
  CHECK(works(101) == 422);
}

TEST_CASE("redirects, the devices' 402 and long targets stand in the document", "[A42]") {
  auto app = TestApp::on(Database::sqlite);
  const auto document = app->anybody().get("/openapi.json");
  const auto& paths = document["paths"].as_object();
  const auto answers = [&](std::string_view path, std::string_view verb, std::string_view status) {
    return paths.at(path).at(verb).at("responses").as_object().contains(status);
  };
  CHECK(answers("/api/v1/books/{id}", "get", "301"));
  CHECK(answers("/koreader/users/create", "post", "402"));
  CHECK(answers("/api/v1/books/{id}", "get", "414"));
  CHECK(answers("/api/v1/books", "get", "414"));
  CHECK(!answers("/metrics", "get", "414"));
  const auto& work =
      document["components"].at("schemas").at("NewWork").at("properties").at("books").as_object();
  CHECK(work.at("uniqueItems") == true);
  CHECK(work.at("maxItems") == 100);
}

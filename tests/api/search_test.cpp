// Searching the catalogue through the API: what is found, in what order, counted how, and how soon.
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

constexpr auto search_path = "/api/v1/books/search";

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
      out += c;
    else
      out += fmt::format("%{:02X}", u);
  }
  return out;
}

Answer search(TestApp& app, std::string_view q, std::string_view more = "") {
  return app.anybody().get(
      fmt::format("{}?q={}{}{}", search_path, encoded(q), more.empty() ? "" : "&", more));
}

// Titles in their order, joined.
std::string titles(const Answer& answer) {
  const auto* items = answer["items"].if_array();
  if (!items) return "no list: " + answer.body;
  std::string out;
  for (const auto& hit : *items)
    out += (out.empty() ? "" : ", ") + std::string(hit.at("book").at("title").as_string());
  return out;
}

std::int64_t total(const Answer& answer) {
  const auto* n = answer["total"].if_int64();
  return n ? *n : -1;
}

std::map<std::string, std::int64_t> counts(const Answer& answer, std::string_view facet) {
  std::map<std::string, std::int64_t> out;
  const auto* facets = answer["facets"].if_object();
  if (!facets || !facets->contains(facet)) return out;
  for (const auto& value : facets->at(facet).as_array())
    out[value.at("value").is_null() ? "-" : std::string(value.at("value").as_string())] =
        value.at("count").as_int64();
  return out;
}

void shelve_classics(TestApp& app) {
  app.book("Emma", "Jane Austen",
           R"("genre":"Novel","language":"en","year_published":1815,"tags":["classic","love"])");
  app.book("Persuasion", "Jane Austen",
           R"("genre":"Novel","language":"en","year_published":1817,"tags":["classic"])");
  app.book(
      "The Dispossessed", "Le Guin, Ursula K.",
      R"("genre":"Science Fiction","language":"en","year_published":1974,"description":"An anarchist utopia. Not about Emma at all.")");
  app.book("Finding My Elegy", "Le Guin, Ursula K.",
           R"("genre":"Poetry","language":"en","year_published":2012)");
  app.book("Les écoles de Paris", "Louise Michel",
           R"("genre":"Essays","language":"fr","year_published":1890,"page_count":120)");
  app.book("Le Rouge et le Noir", "Stendhal",
           R"("genre":"Novel","language":"fr","year_published":1830,"page_count":580)");
  app.book(
      "The Hobbit", "J. R. R. Tolkien",
      R"("genre":"Fantasy","language":"en","year_published":1937,"isbn":"9780306406157","publisher":"Allen & Unwin")");
}

}  // namespace

TEST_CASE("words find books, those with all of them first", "[C1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  CHECK(titles(search(*app, "hobbit")) == "The Hobbit");
  CHECK(titles(search(*app, "tolkien hobbit")) == "The Hobbit");
  const auto both = search(*app, "emma persuasion austen");
  CHECK(total(both) >= 2);
  // In one book all of them, in the others some.
  app->book("Emma and Persuasion", "Austen, Jane");
  CHECK(titles(search(*app, "emma persuasion austen")).starts_with("Emma and Persuasion, "));
  CHECK(titles(search(*app, "0-306-40615-2")) == "The Hobbit");
  CHECK(titles(search(*app, "9780306406157")) == "The Hobbit");
  CHECK(total(search(*app, "")) == 8);
  CHECK(total(search(*app, "zzzzqqqq")) == 0);
  CHECK(app->anybody().get("/api/v1/search?q=hobbit").body.find("The Hobbit") != std::string::npos);
}

TEST_CASE("both databases give the same answer", "[C1]") {
  std::vector<std::string> answers;
  for (const auto kind : {Database::sqlite, Database::postgresql}) {
    if (kind == Database::postgresql && !have_postgresql()) return;
    auto app = TestApp::on(kind);
    shelve_classics(*app);
    std::string all;
    for (const auto* q : {"austen", "le guin elegy", "novel", "author:austen OR genre:poetry"}) {
      const auto answer = search(*app, q, "facets=genre,author,language,year,tag,availability&explain=true");
      for (const auto& hit : answer["items"].as_array())
        all +=
            fmt::format("{} {} {}\n", boost::json::serialize(hit.at("book").at("title")),
                        boost::json::serialize(hit.at("score")), boost::json::serialize(hit.at("explain")));
      all += boost::json::serialize(answer["facets"]) + "\n";
    }
    answers.push_back(std::move(all));
  }
  CHECK(answers[0] == answers[1]);
}

TEST_CASE("a title weighs more than a description, and popularity breaks ties", "[C3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  const auto emma = search(*app, "emma", "explain=1");
  CHECK(titles(emma) == "Emma, The Dispossessed");
  const auto& parts = emma["items"].at(0).at("explain");
  REQUIRE(parts.at("words").as_array().size() == 1);
  const auto& word = parts.at("words").at(0);
  CHECK(word.at("word") == "emma");
  CHECK(word.at("fields_matched").at(0) == "title");
  CHECK(word.at("idf").to_number<double>() > 0);
  const double sum = word.at("score").to_number<double>() * parts.at("popularity_factor").to_number<double>();
  CHECK(emma["items"].at(0).at("score").to_number<double>() == Approx(sum).epsilon(0.001));

  const auto first = app->book("Gardens of Kyoto", "A"), second = app->book("Gardens of Kyoto", "B");
  CHECK(search(*app, "kyoto")["items"].at(0).at("book").at("id") == first);
  REQUIRE(app->patron().post(fmt::format("/api/v1/borrows/{}/borrow", second)).status == 201);
  CHECK(search(*app, "kyoto")["items"].at(0).at("book").at("id") == second);
}

TEST_CASE("operators, phrases and fields narrow a search", "[C4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  CHECK(titles(search(*app, R"(author:"le guin" NOT genre:poetry)")) == "The Dispossessed");
  CHECK(titles(search(*app, R"(author:"le guin" -genre:poetry)")) == "The Dispossessed");
  CHECK(total(search(*app, "author:austen OR author:tolkien")) == 3);
  CHECK(titles(search(*app, "(author:austen OR author:tolkien) AND title:hobbit")) == "The Hobbit");
  CHECK(titles(search(*app, "persua*")) == "Persuasion");
  CHECK(titles(search(*app, R"("rouge et le noir")")) == "Le Rouge et le Noir");
  CHECK(total(search(*app, R"("noir et le rouge")")) == 0);
  CHECK(total(search(*app, "language:fr")) == 2);
  CHECK(total(search(*app, "language:french")) == 2);
  CHECK(titles(search(*app, "year:1900..1950")) == "The Hobbit");
  CHECK(total(search(*app, "year:<1831")) == 3);
  CHECK(titles(search(*app, "publisher:unwin")) == "The Hobbit");
  CHECK(titles(search(*app, "isbn:0-306-40615-2")) == "The Hobbit");
  CHECK(total(search(*app, "subject:classic")) == 2);
  CHECK(total(search(*app, "tag:classic available:true")) == 2);
}

TEST_CASE("a query that cannot be read is refused with the place", "[C4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const std::vector<std::pair<std::string, std::string>> faulty = {{R"(emma "jane)", "position 5"},
                                                                   {"(emma", "position 0"},
                                                                   {"emma)", "position 4"},
                                                                   {"emma AND", "position 8"},
                                                                   {"é OR OR b", "position 5"},
                                                                   {"a year:soon", "position 2"},
                                                                   {"language:klingonish-x-", "position 0"}};
  for (const auto& [q, where] : faulty) {
    CAPTURE(q);
    const auto answer = search(*app, q);
    REQUIRE(answer.status == 400);
    CHECK(answer["code"] == "bad_query");
    const auto& fault = answer["errors"].at(0);
    CHECK(boost::json::serialize(fault.at("loc")) == R"(["query","q"])");
    CHECK(std::string(fault.at("msg").as_string()).find(where) != std::string::npos);
  }
  for (const auto* q :
       {"\"", "\"\"\"", "((((", "))))", "NOT", "-", "AND", "*", "::", "author:", "\"\"", "( )",
        "title:( AND )", "\xF0\x9F\x93\x9A", "--emma", "NOT NOT emma", "author:\"\""}) {
    CAPTURE(q);
    const auto answer = search(*app, q);
    CHECK((answer.status == 200 || answer.status == 400));
  }
  CHECK(search(*app, std::string(1001, 'x')).status == 400);
  CHECK(search(*app, std::string(200, '(') + "a" + std::string(200, ')')).status == 400);
}

TEST_CASE("a slip of the finger is forgiven in long words that no book has", "[C5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  app->book("Dune", "Frank Herbert");
  const auto mended = search(*app, "Tolkein");
  CHECK(titles(mended) == "The Hobbit");
  CHECK(mended["corrected_query"] == "tolkien");
  CHECK(titles(search(*app, "Tolkein hobbit")) == "The Hobbit");
  CHECK(search(*app, "the dispossesed")["corrected_query"] == "the dispossessed");
  CHECK(titles(search(*app, "dispozsezsed")) == "The Dispossessed");  // two slips, twelve letters
  CHECK(total(search(*app, "dunr")) == 0);                            // four letters
  CHECK(total(search(*app, "tlokeni")) == 0);                         // two slips, seven letters
  CHECK(total(search(*app, "9780306406158")) == 0);                   // numbers are exact
  CHECK(total(search(*app, "Tolkein", "fuzzy=0")) == 0);
  CHECK(titles(search(*app, "dunr", "fuzzy=1")) == "Dune");
  CHECK(search(*app, "x", "fuzzy=3").status == 422);
}

TEST_CASE("what is being typed is completed by titles, authors and genres", "[C6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  const auto suggest = [&](std::string_view typed) {
    return app->anybody().get("/api/v1/books/suggest?q=" + encoded(typed));
  };
  const auto texts = [](const Answer& answer) {
    std::string out;
    for (std::size_t i = 0; i < answer.size(); ++i)
      out += fmt::format("{}{} ({})", i > 0 ? ", " : "", std::string(answer[i].at("text").as_string()),
                         std::string(answer[i].at("type").as_string()));
    return out;
  };
  CHECK(texts(suggest("to")) == "J. R. R. Tolkien (author)");
  CHECK(texts(suggest("hob")) == "The Hobbit (title)");
  CHECK(texts(suggest("jane au")) == "Jane Austen (author)");
  CHECK(texts(suggest("poe")) == "Poetry (genre)");
  CHECK(texts(suggest("classi")) == "classic (subject)");
  CHECK(texts(suggest("tolkein")) == "J. R. R. Tolkien (author)");
  CHECK(suggest("hob")[0].at("book_id").as_int64() > 0);
  CHECK(suggest("").status == 422);
  CHECK(suggest("e").size() <= 10);
  const auto many = app->anybody().get("/api/v1/books/suggest?q=e&limit=20");
  for (const int limit : {1, 2, 3, 5, 8}) {
    const auto few = app->anybody().get(fmt::format("/api/v1/books/suggest?q=e&limit={}", limit));
    REQUIRE(few.size() <= many.size());
    for (std::size_t i = 0; i < few.size(); ++i) CHECK(few[i] == many[i]);
  }
  CHECK(app->anybody().get("/api/v1/search/suggest?q=hob").body == suggest("hob").body);
}

TEST_CASE("facets count what each value would give, whatever its own filter says", "[C7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  const std::string all = "facets=genre,author,language,year,tag,availability";
  const auto every = search(*app, "", all);
  CHECK(counts(every, "genre") ==
        std::map<std::string, std::int64_t>{
            {"Novel", 3}, {"Science Fiction", 1}, {"Poetry", 1}, {"Essays", 1}, {"Fantasy", 1}});
  CHECK(counts(every, "language") == std::map<std::string, std::int64_t>{{"en", 5}, {"fr", 2}});
  CHECK(counts(every, "tag") == std::map<std::string, std::int64_t>{{"classic", 2}, {"love", 1}, {"-", 5}});
  CHECK(counts(every, "availability") == std::map<std::string, std::int64_t>{{"available", 7}});
  CHECK(counts(every, "year").size() == 7);
  const auto novels = search(*app, "", all + "&genre=Novel");
  CHECK(total(novels) == 3);
  CHECK(counts(novels, "genre") == counts(every, "genre"));
  CHECK(counts(novels, "language") == std::map<std::string, std::int64_t>{{"en", 2}, {"fr", 1}});
  CHECK(counts(novels, "author") == std::map<std::string, std::int64_t>{{"Jane Austen", 2}, {"Stendhal", 1}});
  CHECK(total(search(*app, "", "genre=Novel%7CPoetry")) == 4);
  const auto narrowed = search(*app, "", all + "&genre=Novel&language=en&author=austen");
  CHECK(total(narrowed) == 2);
  CHECK(counts(narrowed, "genre") == std::map<std::string, std::int64_t>{{"Novel", 2}});
  CHECK(counts(narrowed, "language") == std::map<std::string, std::int64_t>{{"en", 2}});
  const auto emma = search(*app, "emma")["items"].at(0).at("book").at("id").as_int64();
  REQUIRE(app->patron().post(fmt::format("/api/v1/borrows/{}/borrow", emma)).status == 201);
  const auto lent = search(*app, "", all + "&available=true");
  CHECK(total(lent) == 6);
  CHECK(counts(lent, "availability") ==
        std::map<std::string, std::int64_t>{{"available", 6}, {"unavailable", 1}});
  CHECK(search(*app, "", "facets=colour").status == 422);
}

TEST_CASE("what was found is marked, escaped and placed", "[C8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->book("Fish & <Chips>: Émile's chip shop", "A. Cook",
            fmt::format(R"("language":"en","description":"{}chips here{}")", std::string(600, '.'),
                        std::string(600, '.')));
  const auto answer = search(*app, "chips", "highlight=true");
  const auto& marks = answer["items"].at(0).at("highlights");
  REQUIRE(marks.as_array().size() == 2);
  CHECK(marks.at(0).at("field") == "title");
  CHECK(marks.at(0).at("text") ==
        "Fish &amp; &lt;<mark>Chips</mark>&gt;: Émile&#39;s <mark>chip</mark> shop");
  CHECK(boost::json::serialize(marks.at(0).at("offsets")) ==
        R"([{"start":8,"end":13},{"start":24,"end":28}])");
  CHECK(marks.at(1).at("field") == "description");
  CHECK(marks.at(1).at("offsets").at(0).at("start") == 600);
  CHECK(marks.at(1).at("text").as_string().size() < 400);
  CHECK_FALSE(search(*app, "chips")["items"].at(0).as_object().contains("highlights"));
  const auto phrase = search(*app, R"("chip shop")", "highlight=true");
  CHECK(phrase["items"].at(0).at("highlights").at(0).at("text") ==
        "Fish &amp; &lt;Chips&gt;: Émile&#39;s <mark>chip</mark> <mark>shop</mark>");
}

TEST_CASE("filters, orders and pages of a search", "[C9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  CHECK(titles(search(*app, "", "sort=title&language=en")) ==
        "Emma, Finding My Elegy, Persuasion, The Dispossessed, The Hobbit");
  CHECK(titles(search(*app, "", "sort=-year_published&limit=2")) == "Finding My Elegy, The Dispossessed");
  CHECK(titles(search(*app, "", "sort=author&limit=3")) == "The Hobbit, Emma, Persuasion");
  CHECK(titles(search(*app, "", "year_from=1900&year_to=1980&sort=year_published")) ==
        "The Hobbit, The Dispossessed");
  CHECK(titles(search(*app, "", "pages_to=200")) == "Les écoles de Paris");
  CHECK(titles(search(*app, "", "publisher=allen")) == "The Hobbit");
  CHECK(titles(search(*app, "", "isbn=0306406152")) == "The Hobbit");
  CHECK(titles(search(*app, "", "author=ursula%20le%20guin&sort=title")) ==
        "Finding My Elegy, The Dispossessed");
  for (const auto* bad : {"limit=101", "limit=0", "sort=colour", "skip=10001", "cursor=abc",
                          "max_per=author:0", "language=notalanguage", "wat=1"})
    CHECK(search(*app, "", bad).status == 422);

  for (const auto* sort : {"relevance", "title", "-created_at", "rating"}) {
    CAPTURE(sort);
    const auto whole = search(*app, "", fmt::format("sort={}&limit=100", sort));
    std::string paged, cursor;
    for (int page = 0; page < 10; ++page) {
      const auto answer =
          search(*app, "", fmt::format("sort={}&limit=3{}", sort, cursor.empty() ? "" : "&cursor=" + cursor));
      REQUIRE(answer.status == 200);
      paged += (paged.empty() ? "" : ", ") + titles(answer);
      CHECK(total(answer) == 7);
      if (answer["next_cursor"].is_null()) break;
      cursor = std::string(answer["next_cursor"].as_string());
    }
    CHECK(paged == titles(whole));
  }
  CHECK(titles(search(*app, "", "sort=title&skip=1&limit=1")) == "Finding My Elegy");
  const auto other = search(*app, "", "sort=title&limit=1");
  CHECK(search(*app, "", "sort=author&cursor=" + std::string(other["next_cursor"].as_string())).status ==
        422);
}

TEST_CASE("more than ten thousand hits are an estimate", "[C9]") {
  auto app = TestApp::on(Database::sqlite);
  for (int part = 0; part < 11; ++part) {
    std::string lines;
    for (int i = 0; i < 1000; ++i)
      lines += fmt::format("{{\"title\":\"Volume {}\",\"author\":\"Writer {}\"}}\n", part * 1000 + i, i % 50);
    REQUIRE(app->librarian()
                .post("/api/v1/books/batch", lines, {{"Content-Type", "application/x-ndjson"}})
                .status == 200);
    const auto now = search(*app, "volume", "limit=1");
    CHECK(total(now) == (part + 1) * 1000);
    CHECK(now["estimated"] == (part >= 10));
  }
  const auto deep = search(*app, "volume", "skip=10000&limit=100");
  REQUIRE(deep.status == 200);
  const auto beyond =
      search(*app, "volume", "limit=100&cursor=" + std::string(deep["next_cursor"].as_string()));
  CHECK(beyond["items"].as_array().size() == 100);
}

TEST_CASE("accents, stems of the record's language, and scripts without spaces", "[C10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  app->book("紅樓夢與中國文學", "曹雪芹", R"("language":"zh")");
  app->book("吾輩は猫である", "夏目漱石", R"("language":"ja")");
  app->book("الف ليلة وليلة", "مجهول", R"("language":"ar")");
  app->book("Walking with Dinosaurs", "Tim Haines", R"("language":"en")");
  app->book("Die Häuser am Fluß", "Anna Berg", R"("language":"de")");
  for (const auto* q : {"ecole", "école", "écoles", "ECOLE",
                        "e\xCC\x81"
                        "cole"}) {
    CAPTURE(q);
    CHECK(titles(search(*app, q)) == "Les écoles de Paris");
  }
  CHECK(titles(search(*app, "walks dinosaur")) == "Walking with Dinosaurs");
  CHECK(titles(search(*app, "hauser fluss")) == "Die Häuser am Fluß");
  CHECK(titles(search(*app, "中國文學")) == "紅樓夢與中國文學");
  CHECK(titles(search(*app, "猫")) == "");
  CHECK(titles(search(*app, "猫で")) == "吾輩は猫である");
  CHECK(titles(search(*app, "ليلة")) == "الف ليلة وليلة");
  CHECK(search(*app, "ليلة", "highlight=1")["items"].at(0).at("highlights").at(0).at("text") ==
        "الف <mark>ليلة</mark> <mark>وليلة</mark>");
}

TEST_CASE("searches are counted without persons", "[C11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  for (int i = 0; i < 3; ++i) search(*app, "Hobbit");
  app->patron().get(std::string(search_path) + "?q=hobbit&limit=5");
  search(*app, "unobtainium");
  search(*app, "somebody@example.org");
  const auto book = search(*app, "persuasion")["items"].at(0).at("book").at("id").as_int64();
  const auto click = [&](std::int64_t id) {
    return app->anybody().post("/api/v1/search/clicks",
                               fmt::format(R"({{"query":"Persuasion","book_id":{}}})", id));
  };
  CHECK(click(book).status == 204);
  CHECK(click(book).status == 204);
  CHECK(click(424242).status == 404);
  const auto report = app->librarian().get("/api/v1/analytics/search?days=7");
  REQUIRE(report.status == 200);
  CHECK(report["searches"] == 6);
  CHECK(report["without_result"] == 1);
  CHECK(report["top"].at(0).at("query") == "hobbit");
  CHECK(report["top"].at(0).at("searches") == 4);
  CHECK(report["no_result"].at(0).at("query") == "unobtainium");
  CHECK(report["top_clicks"].at(0).at("book_id") == book);
  CHECK(report["top_clicks"].at(0).at("clicks") == 2);
  CHECK(report.body.find("example.org") == std::string::npos);
  CHECK(app->number("SELECT count(*) FROM search_queries WHERE query_key LIKE '%somebody%'") == 0);
  CHECK(app->librarian().get("/api/v1/admin/search/analytics?days=7")["searches"] == 6);
  CHECK(app->patron().get("/api/v1/analytics/search").status == 403);
  app->clock().advance(std::chrono::hours(24 * 8));
  CHECK(app->librarian().get("/api/v1/analytics/search?days=7")["searches"] == 0);
}

TEST_CASE("the same search again comes from memory until a book changes", "[C12]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  CHECK(search(*app, "hobbit").header("X-Cache") == "miss");
  const auto again = search(*app, "hobbit");
  CHECK(again.header("X-Cache") == "hit");
  const auto id = again["items"].at(0).at("book").at("id").as_int64();
  REQUIRE(
      app->librarian()
          .patch(fmt::format("/api/v1/books/{}", id), R"({"title":"The Hobbit, or There and Back Again"})")
          .status == 200);
  const auto fresh = search(*app, "hobbit");
  CHECK(fresh.header("X-Cache") == "miss");
  CHECK(titles(fresh) == "The Hobbit, or There and Back Again");
}

TEST_CASE("a committed change is in the next search", "[C13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  for (int i = 0; i < 30; ++i) {
    const auto name = fmt::format("Quokka{:c}{:c}", 'a' + i % 26, 'a' + i / 26);
    const auto id = app->book(name, "Some Body");
    REQUIRE(titles(search(*app, name)) == name);
    REQUIRE(librarian.patch(fmt::format("/api/v1/books/{}", id), fmt::format(R"({{"title":"Re{}"}})", name))
                .status == 200);
    REQUIRE(titles(search(*app, "title:re" + name)) == "Re" + name);
    REQUIRE(total(search(*app, name, "fuzzy=0")) == 0);
    if (i % 2 == 0) {
      REQUIRE(librarian.del(fmt::format("/api/v1/books/{}", id)).status == 204);
      REQUIRE(total(search(*app, "re" + name, "fuzzy=0")) == 0);
    }
  }
  CHECK(total(search(*app, "")) == 15);
  app->restart();
  CHECK(total(search(*app, "")) == 15);
  CHECK(total(search(*app, "author:body")) == 15);
}

TEST_CASE("many writers and many searchers at once: nobody misses what he wrote", "[C13][C14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->librarian();
  std::atomic<int> missed{0}, failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      auto librarian = app->librarian();
      for (int i = 0; i < 25; ++i) {
        const auto word = fmt::format("wombat{}x{}", t, i);  // digits: no stem, no slip
        if (librarian.post("/api/v1/books", fmt::format(R"({{"title":"{}","author":"X"}})", word)).status !=
            201)
          ++failed;
        if (titles(search(*app, word)) != word) ++missed;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(missed == 0);
  CHECK(total(search(*app, "author:x")) == 100);
}

TEST_CASE("the index is built anew while the old one answers", "[C15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  REQUIRE(total(search(*app, "")) == 7);
  CHECK(app->patron().post("/api/v1/admin/search/rebuild").status == 403);
  const auto started = app->librarian().post("/api/v1/admin/search/rebuild");
  REQUIRE(started.status == 202);
  std::string state;
  for (int i = 0; i < 2000 && state != "succeeded"; ++i) {
    // Different targets, so that none is from memory.
    REQUIRE(total(search(*app, "", fmt::format("facet_limit={}", i % 100 + 1))) == 7);
    state = std::string(app->librarian()
                            .get("/api/v1/tasks/" + std::string(started["task_id"].as_string()))["status"]
                            .as_string());
  }
  CHECK(state == "succeeded");
  const auto figures = app->librarian().get("/api/v1/admin/search/index");
  CHECK(figures["books"] == 7);
  CHECK(figures["ready"] == true);
  CHECK(figures["bytes"].as_int64() > 0);
  // What was answered from the old one is not told any more.
  CHECK(search(*app, "").header("X-Cache") == "miss");
  CHECK(search(*app, "").header("X-Cache") == "hit");
  CHECK(titles(search(*app, "hobbit")) == "The Hobbit");
}

TEST_CASE("without vectors a search by meaning says so, and hybrid is keyword", "[C16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  const auto refused = search(*app, "hobbit", "mode=semantic");
  CHECK(refused.status == 400);
  CHECK(refused.code() == "semantic_unavailable");
  const auto hybrid = search(*app, "hobbit", "mode=hybrid");
  CHECK(titles(hybrid) == "The Hobbit");
  CHECK(hybrid["mode"] == "keyword");
}

TEST_CASE("synonyms, stop words and pinned books count from the next search on", "[C17]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  auto librarian = app->librarian();
  CHECK(total(search(*app, "scifi", "fuzzy=0")) == 0);
  const auto set = librarian.put(
      "/api/v1/admin/search/synonyms",
      R"({"sets":[{"terms":["scifi","science fiction"]},{"terms":["ring","hobbit"],"one_way":true}]})");
  REQUIRE(set.status == 200);
  CHECK(titles(search(*app, "scifi", "fuzzy=0")) == "The Dispossessed");
  CHECK(titles(search(*app, "ring")) == "The Hobbit");
  app->book("Ring", "Koji Suzuki");
  CHECK(titles(search(*app, "hobbit")) == "The Hobbit");
  CHECK(titles(search(*app, "ring")) == "Ring, The Hobbit");
  CHECK(librarian.get("/api/v1/admin/search/synonyms").body == set.body);
  CHECK(librarian.put("/api/v1/admin/search/synonyms", R"({"sets":[{"terms":["one"]}]})").status == 422);
  CHECK(librarian.put("/api/v1/admin/search/synonyms", R"({"sets":[{"terms":["one","!!"]}]})").status == 422);
  CHECK(app->patron().put("/api/v1/admin/search/synonyms", R"({"sets":[]})").status == 403);

  CHECK(total(search(*app, "finding persuasion")) == 2);
  REQUIRE(librarian.put("/api/v1/admin/search/stop-words", R"({"words":["Finding"]})").status == 200);
  CHECK(titles(search(*app, "finding persuasion")) == "Persuasion");
  CHECK(librarian.get("/api/v1/admin/search/stop-words")["words"].at(0) == "finding");
  CHECK(librarian.put("/api/v1/admin/search/stop-words", R"({"words":["two words"]})").status == 422);

  const auto emma = search(*app, "emma")["items"].at(0).at("book").at("id").as_int64();
  const auto pins = fmt::format(R"({{"pins":[{{"query":"Summer Reading","books":[{}]}}]}})", emma);
  REQUIRE(librarian.put("/api/v1/admin/search/pins", pins).status == 200);
  const auto pinned = search(*app, "summer  READING");
  REQUIRE(titles(pinned) == "Emma");
  CHECK(pinned["items"].at(0).at("pinned") == true);
  CHECK(librarian.get("/api/v1/admin/search/pins").body == pins);
  const auto absent =
      librarian.put("/api/v1/admin/search/pins", R"({"pins":[{"query":"x","books":[424242]}]})");
  CHECK(absent.code() == "no_such_book");
  CHECK(librarian.get("/api/v1/admin/search/pins").body == pins);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'search.settings_changed'") == 3);
  app->restart();
  CHECK(titles(search(*app, "summer reading")) == "Emma");
}

TEST_CASE("filters are read out of a sentence and said", "[C18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  app->book("Un roman court", "Marie Nouvelle",
            R"("language":"fr","year_published":1995,"page_count":90,"genre":"Novel")");
  const auto answer = search(*app, "short french novels after 1990");
  CHECK(titles(answer) == "Un roman court");
  std::map<std::string, std::string> used;
  for (const auto& f : answer["filters_used"].as_array())
    used[std::string(f.at("name").as_string())] = std::string(f.at("value").as_string());
  CHECK(used ==
        std::map<std::string, std::string>{{"pages_to", "200"}, {"language", "fr"}, {"year_from", "1991"}});
  CHECK(titles(search(*app, "books by jane austen before 1816")) == "Emma");
  CHECK(search(*app, "short french novels after 1990", "natural=false")["filters_used"].as_array().empty());
  app->book("The French Lieutenant's Woman", "John Fowles", R"("language":"en")");
  const auto title = search(*app, "the french lieutenant's woman");
  CHECK(title["filters_used"].as_array().empty());
  CHECK(titles(title).starts_with("The French Lieutenant's Woman"));
}

TEST_CASE("a search that finds nothing proposes one that does", "[C19]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  app->book("Dune", "Frank Herbert");
  const auto none = search(*app, "dnue");
  CHECK(total(none) == 0);
  REQUIRE(none["did_you_mean"] == "dune");
  CHECK(total(search(*app, none["did_you_mean"].as_string())) == 1);
  const auto strict = search(*app, "hobbit AND xqzt");
  CHECK(total(strict) == 0);
  CHECK(strict["did_you_mean"] == "hobbit");
  CHECK(search(*app, "xqzt")["did_you_mean"].is_null());
}

TEST_CASE("books, authors and lists in one call", "[C21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  REQUIRE(
      app->librarian()
          .post("/api/v1/collections", R"({"name":"Austen for beginners","kind":"curated","is_public":true})")
          .status == 201);
  const auto answer = app->anybody().post(
      "/api/v1/search/multi",
      R"({"queries":[{"entity":"books","q":"austen","limit":1},{"entity":"authors","q":"aus"},{"entity":"lists","q":"austen"}]})");
  REQUIRE(answer.status == 200);
  const auto& groups = answer["groups"].as_array();
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].at("total") == 2);
  CHECK(groups[0].at("items").as_array().size() == 1);
  CHECK(groups[1].at("items").at(0).at("name") == "Jane Austen");
  CHECK(groups[1].at("items").at(0).at("books") == 2);
  CHECK(groups[2].at("items").at(0).at("name") == "Austen for beginners");
  CHECK(app->anybody().post("/api/v1/search/multi", R"({"queries":[{"entity":"cars","q":"x"}]})").status ==
        422);
  CHECK(app->anybody().post("/api/v1/search/multi", R"({"queries":[{"entity":"books","q":"\""}]})").status ==
        400);
  CHECK(app->anybody().post("/api/v1/search/multi", R"({"queries":[]})").status == 422);
}

TEST_CASE("at most so many books of one author, over all pages", "[C22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  for (int i = 0; i < 12; ++i)
    app->book(fmt::format("Island {}", i), fmt::format("Author {:c}", 'A' + i % 3));
  const auto all = search(*app, "island", "max_per=author:2&limit=100");
  CHECK(total(all) == 6);
  std::map<std::string, int> seen;
  std::string cursor;
  for (int page = 0; page < 10; ++page) {
    const auto answer =
        search(*app, "island", "max_per=author:2&limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(answer.status == 200);
    for (const auto& hit : answer["items"].as_array())
      ++seen[std::string(hit.at("book").at("author").as_string())];
    if (answer["next_cursor"].is_null()) break;
    cursor = std::string(answer["next_cursor"].as_string());
  }
  CHECK(seen == std::map<std::string, int>{{"Author A", 2}, {"Author B", 2}, {"Author C", 2}});
}

TEST_CASE("members of an answer can be chosen", "[A45]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  shelve_classics(*app);
  const auto answer = search(*app, "hobbit", "fields=total,mode");
  CHECK(answer.body == R"({"total":1,"mode":"keyword"})");
}

TEST_CASE("with vectors a search by meaning answers, without what was deleted", "[C16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto shelve = [&](std::string title, std::string_view description) {
    return app->book(std::move(title), "Somebody", fmt::format(R"("description":"{}")", description));
  };
  shelve("After the Winter", "A widow in mourning; bereavement, a funeral, slow consolation.");
  const auto gone = shelve("Letters Home", "Grief and mourning after a funeral, and consolation.");
  shelve("The Empty Chair", "Grief, bereavement and a widow who learns to live.");
  shelve("Black Ribbon", "Mourning, grief, sorrow and a funeral in the rain.");
  shelve("A House Alone", "The grief of a widow, bereavement and consolation.");
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
  const auto trained = app->admin().post("/api/v1/recommendations/train", "", {{"Prefer", "wait=60"}});
  REQUIRE(trained.status == 200);
  CHECK(titles(search(*app, "grief", "fuzzy=0")).find("After the Winter") == std::string::npos);
  const auto near = search(*app, "grief", "mode=semantic&limit=5");
  REQUIRE(near.status == 200);
  CHECK(near["mode"] == "semantic");
  for (const auto* title : {"Letters Home", "The Empty Chair", "Black Ribbon", "A House Alone"})
    CHECK(titles(near).find(title) != std::string::npos);
  const auto both = search(*app, "grief", "mode=hybrid&limit=5");
  CHECK(both["mode"] == "hybrid");
  CHECK(titles(both).find("Letters Home") != std::string::npos);
  REQUIRE(app->librarian().del(fmt::format("/api/v1/books/{}", gone)).status == 204);
  CHECK(titles(search(*app, "grief", "mode=semantic")).find("Letters Home") == std::string::npos);
}

// Training, the registry of models, and what happens to bad ones.
#include "api/recommending.hpp"
#include "core/http/pipeline.hpp"
#include "core/runtime/block_on.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

using namespace lumina;
using namespace lumina::test;

namespace {

constexpr auto train_path = "/api/v1/recommendations/train";
constexpr auto models_path = "/api/v1/recommendations/models";
constexpr auto status_path = "/api/v1/recommendations/status";

// Two kinds of readers, each with books of their own: `people` of each kind, who borrowed all of them but
// one that differs from person to person.
struct Clusters {
  std::vector<std::int64_t> crime, poetry;
};
Clusters clusters(TestApp& app, int people) {
  Clusters c;
  for (int i = 0; i < 6; ++i) {
    c.crime.push_back(app.book(fmt::format("Case {}", i), fmt::format("Crime Writer {}", i),
                               R"("genre":"Crime","copies":40)"));
    c.poetry.push_back(
        app.book(fmt::format("Poems {}", i), fmt::format("Poet {}", i), R"("genre":"Poetry","copies":40)"));
  }
  for (int p = 1; p <= 2 * people; ++p)
    for (std::size_t i = 0; i < 6; ++i)
      if (static_cast<std::size_t>(p / 2) % 6 != i) borrow(app, p, (p % 2 ? c.crime : c.poetry)[i]);
  return c;
}
std::filesystem::path file_of_model(TestApp& app) {
  const auto folder = std::filesystem::path(app.app().config().data_dir) / "models";
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (newest.empty() || entry.last_write_time() >= std::filesystem::last_write_time(newest))
      newest = entry.path();
  return newest;
}
std::string activate_path(std::int64_t version) {
  return fmt::format("/api/v1/recommendations/models/{}/activate", version);
}
std::int64_t version_of(const Answer& report) { return report["model"].at("version").as_int64(); }

}  // namespace

TEST_CASE("administrators train; the report tells versions, figures and times", "[H3][H21][H18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto c = clusters(*app, 6);
  CHECK(app->patron(1).post(train_path).status == 403);
  CHECK(app->librarian().post(train_path).status == 403);
  auto admin = app->admin();
  CHECK(admin.get(status_path)["state"] == "untrained");
  const auto report = train(*app);
  CHECK(report["status"] == "Model trained successfully");
  CHECK(report.header("Preference-Applied") == "wait=60");
  CHECK(!report["steps"].as_object().empty());
  const auto& model = report["model"];
  CHECK(model.at("active") == true);
  CHECK(model.at("books") == 12);
  CHECK(model.at("people") == 12);
  CHECK(model.at("interactions") == 60);
  CHECK(model.at("cause") == "asked");
  CHECK(model.at("metrics").as_object().contains("ndcg@10"));

  const auto status = admin.get(status_path);
  CHECK(status["state"] == "ready");
  CHECK(status["version"] == version_of(report));
  CHECK(status["books"] == 12);
  CHECK(status["users"] == 12);
  CHECK(status["sparsity"].to_number<double>() == Approx(1 - 60.0 / 144));
  CHECK(!status["weights"].as_object().empty());
  CHECK(status["trained_at"] == "2026-11-22T10:00:00Z");
  CHECK(status["index_ready"] == true);
  CHECK(app->librarian().get(status_path).status == 403);
  CHECK(admin.get(models_path).size() == 1);

  // The book that a reader of crimes has not had yet comes before every poem, and says whom it follows.
  for (const int p : {1, 3, 5}) {
    const auto list = app->patron(p).get("/api/v1/recommendations/");
    REQUIRE(list.size() == 7);
    CHECK(std::ranges::count(c.crime, list[0].at("id").as_int64()) == 1);
    CHECK(list[0].as_object().contains("similar_to"));
    CHECK(text(list[0].at("reason")).starts_with("Because you borrowed Case"));
  }
  // A loan of another kind counts without training.
  const auto before = ids_of(app->patron(1).get("/api/v1/recommendations/"));
  borrow(*app, 1, c.poetry[0]);
  borrow(*app, 1, c.poetry[1]);
  const auto after = ids_of(app->patron(1).get("/api/v1/recommendations/"));
  CHECK(before != after);
  // And somebody new, by two loans alone.
  borrow(*app, 31, c.poetry[2]);
  const auto fresh = ids_of(app->patron(31).get("/api/v1/recommendations/?limit=5"));
  CHECK(std::ranges::all_of(fresh, [&](auto id) { return std::ranges::count(c.poetry, id) == 1; }));
}

TEST_CASE("a training that is asked for while one is on its way joins it", "[H3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  clusters(*app, 3);
  auto admin = app->admin();
  std::vector<std::string> tasks(4);
  std::vector<std::thread> threads;
  for (auto& task : tasks)
    threads.emplace_back([&] {
      auto client = admin;
      task = text(client.post(train_path)["task_id"]);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& task : tasks) {
    REQUIRE(!task.empty());
    CHECK(eventually([&] { return admin.get("/api/v1/tasks/" + task)["status"] == "succeeded"; }));
  }
  CHECK(admin.get(models_path).size() == std::set(tasks.begin(), tasks.end()).size());
  CHECK(app->number("SELECT count(*) FROM recommendation_models WHERE active = 1") == 1);
}

TEST_CASE("libraries that are hardly any train all the same", "[H3][H4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(1);
  SECTION("empty") {
    CHECK(train(*app)["model"].at("books") == 0);
    CHECK(reader.get("/api/v1/recommendations/").body == "[]");
  }
  SECTION("one person, one book") {
    const auto book = app->book("Emma");
    borrow(*app, 1, book);
    train(*app);
    CHECK(reader.get("/api/v1/recommendations/").body == "[]");
    CHECK(ids_of(app->patron(2).get("/api/v1/recommendations/")) == std::vector{book});
  }
  SECTION("everybody rates everything the same") {
    std::vector<std::int64_t> books;
    for (int i = 0; i < 8; ++i) books.push_back(app->book(fmt::format("Book {}", i), "Ann", R"("copies":9)"));
    for (int p = 2; p <= 5; ++p)
      for (const auto book : books) {
        borrow(*app, p, book);
        REQUIRE(app->patron(p)
                    .post("/api/v1/reviews",
                          fmt::format(R"({{"book_id":{},"rating":3,"review_text":"Neither good nor bad"}})",
                                      book))
                    .status == 201);
      }
    train(*app);
    CHECK(reader.get("/api/v1/recommendations/").size() == 8);
  }
}

TEST_CASE("older versions come back, damaged ones are refused", "[H18]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto c = clusters(*app, 6);
  auto admin = app->admin();
  const auto first = version_of(train(*app));
  const auto first_file = file_of_model(*app);
  app->book("A new one", "Somebody");
  const auto second = version_of(train(*app));
  CHECK(second > first);
  CHECK(admin.get(status_path)["version"] == second);

  const auto back = admin.post(activate_path(first));
  CHECK(back.status == 200);
  CHECK(back["active"] == true);
  CHECK(admin.get(status_path)["version"] == first);
  const auto models = admin.get(models_path);
  REQUIRE(models.size() == 2);
  CHECK(models[0].at("version") == second);
  CHECK(models[0].at("active") == false);
  CHECK(app->patron(1).get("/api/v1/recommendations/").size() >= 7);
  CHECK(admin.post(activate_path(99)).status == 404);
  CHECK(app->librarian().post(activate_path(first)).status == 403);

  REQUIRE(admin.post(activate_path(second)).status == 200);
  std::filesystem::resize_file(first_file, std::filesystem::file_size(first_file) / 2);
  const auto refused = admin.post(activate_path(first));
  if (app->app().database().dialect() == db::Dialect::sqlite) {
    CHECK(refused.status == 400);
    CHECK(refused.code() == "model_damaged");
    CHECK(admin.get(status_path)["version"] == second);
  } else {
    // The database has its bytes, and the file is whole again.
    CHECK(refused.status == 200);
    CHECK(admin.get(status_path)["version"] == first);
  }
  CHECK(app->patron(1).get("/api/v1/recommendations/").status == 200);
}

TEST_CASE("a file that was altered is refused", "[H18]") {
  auto app = TestApp::on(Database::sqlite);
  clusters(*app, 3);
  const auto version = version_of(train(*app));
  const auto path = file_of_model(*app);
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  bytes[8] = static_cast<char>(bytes[8] + 1);
  {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
  }
  const auto answer = app->admin().post(activate_path(version));
  CHECK(answer.status == 400);
  CHECK(answer.code() == "model_damaged");
}

TEST_CASE("a server that finds its model damaged serves all the same and trains anew", "[H18][H24]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  clusters(*app, 3);
  const auto version = version_of(train(*app));
  const auto path = file_of_model(*app);
  {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << "nothing of use";
  }
  auto reader = app->patron(1);
  auto admin = app->admin();
  app->restart();
  const auto list = reader.get("/api/v1/recommendations/");
  CHECK(list.status == 200);
  CHECK(list.size() == 7);
  if (app->app().database().dialect() == db::Dialect::sqlite)
    CHECK(eventually([&] { return admin.get(status_path)["version"].as_int64() > version; }));
  CHECK(eventually([&] { return admin.get(status_path)["state"] == "ready"; }));
}

TEST_CASE("a restart keeps the model, and lists are the same", "[H22][H24]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  clusters(*app, 6);
  train(*app);
  auto reader = app->patron(1);
  const auto before = ids_of(reader.get("/api/v1/recommendations/"));
  app->restart();
  CHECK(app->anybody().get("/ready").status == 200);
  CHECK(ids_of(reader.get("/api/v1/recommendations/")) == before);
}

TEST_CASE("the hundredth new book starts one training; the old model serves until then", "[H17]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.recs_retrain_books = 100; });
  auto admin = app->admin();
  const auto add = [&](int from, int to) {
    std::string batch;
    for (int i = from; i < to; ++i)
      batch +=
          fmt::format("{}{{\"title\":\"Book {}\",\"author\":\"Author {}\"}}", i > from ? "," : "", i, i % 7);
    REQUIRE(app->librarian().post("/api/v1/books/batch", "[" + batch + "]").status == 200);
  };
  add(0, 99);
  CHECK(app->patron(1).get("/api/v1/recommendations/").size() == 10);
  CHECK(app->number("SELECT count(*) FROM jobs WHERE kind = 'recommendations.train'") == 0);
  add(99, 100);
  CHECK(eventually([&] { return admin.get(models_path).size() == 1; }));
  CHECK(app->number("SELECT count(*) FROM jobs WHERE kind = 'recommendations.train'") == 1);
  CHECK(admin.get(models_path)[0].at("cause") == "new_books");
  app->clock().advance(std::chrono::minutes(5));
  add(100, 150);
  CHECK(app->patron(1).get("/api/v1/recommendations/").size() == 10);
  CHECK(admin.get(status_path)["books_since_training"] == 50);
  CHECK(app->number("SELECT count(*) FROM jobs WHERE kind = 'recommendations.train'") == 1);
}

TEST_CASE("a schedule trains", "[H17][I5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  clusters(*app, 2);
  auto admin = app->admin();
  REQUIRE(admin.post("/api/v1/admin/schedules/recommendations.retrain/run").status == 202);
  CHECK(eventually([&] { return admin.get(models_path).size() == 1; }));
  CHECK(admin.get(models_path)[0].at("cause") == "schedule");
}

TEST_CASE("a model below the threshold is kept, told of, and not used", "[H20]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.recs_threshold = 1000; });
  clusters(*app, 18);
  const auto report = train(*app);
  CHECK(report["model"].at("active") == false);
  CHECK(text(report["model"].at("held_back")).find("threshold") != std::string::npos);
  auto admin = app->admin();
  const auto status = admin.get(status_path);
  CHECK(status["state"] == "untrained");
  REQUIRE(status["alerts"].as_array().size() == 1);
  CHECK(status["threshold"].to_number<double>() == 1);
  CHECK(app->patron(1).get("/api/v1/recommendations/").status == 200);
  // An administrator may want it all the same.
  CHECK(admin.post(activate_path(version_of(report))).status == 200);
  CHECK(admin.get(status_path)["state"] == "ready");
}

TEST_CASE("parameters are compared when asked, and the report shows the table", "[H19]") {
  auto app = TestApp::on(Database::sqlite);
  clusters(*app, 6);
  const auto report = train(*app, R"({"search":true})");
  CHECK(report["model"].at("cause") == "search");
  REQUIRE(report["model"].at("report").as_object().contains("search"));
  CHECK(report["model"].at("report").at("search").as_array().size() > 1);
  auto config = app->app().config();
  config.recs_algorithms = {"neighbours"};
  app->app().reload(config);
  CHECK(train(*app)["model"].at("algorithm") == "neighbours");
  CHECK(app->patron(1).get("/api/v1/recommendations/").status == 200);
}

TEST_CASE("an experiment splits people and counts clicks for each side", "[H20]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) {
    c.recs_experiment_percent = 50;
    c.recs_experiment_method = config::RecsMethod::popular;
  });
  std::vector<std::int64_t> books;
  for (int i = 0; i < 3; ++i) books.push_back(app->book(fmt::format("Book {}", i), "Ann"));
  for (int p = 1; p <= 12; ++p) {
    auto reader = app->patron(p);
    reader.get("/api/v1/recommendations/?limit=2");
    if (p <= 6)
      reader.post("/api/v1/recommendations/feedback",
                  fmt::format(R"({{"book_id":{},"action":"click"}})", books[0]));
  }
  const auto seen = [&] {
    std::int64_t lists = 0, served = 0, clicks = 0;
    const auto status = app->admin().get(status_path);
    std::set<std::string> names;
    for (const auto& variant : status["variants"].as_array()) {
      names.insert(text(variant.at("variant")));
      lists += variant.at("lists").as_int64();
      served += variant.at("served").as_int64();
      clicks += variant.at("clicks").as_int64();
    }
    CHECK(names == std::set<std::string>{"control", "experiment popular"});
    CHECK(lists == 12);
    CHECK(served == 24);
    CHECK(clicks == 6);
  };
  seen();
  REQUIRE(app->admin().post("/api/v1/admin/schedules/recommendations.figures/run").status == 202);
  CHECK(eventually([&] { return app->number("SELECT count(*) FROM recommendation_figures") == 2; }));
  seen();
}

TEST_CASE("administrators weigh the parts", "[H8]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto c = clusters(*app, 6);
  const auto loved = app->book("Loved by all", "Nobody", R"("copies":90)");
  for (int p = 20; p < 40; ++p) borrow(*app, p, loved);
  train(*app);
  auto admin = app->admin();
  REQUIRE(admin.post(fmt::format("/api/v1/borrows/{}/borrow", c.crime[0])).status == 201);
  REQUIRE(admin.post(fmt::format("/api/v1/borrows/{}/borrow", c.crime[1])).status == 201);
  CHECK(ids_of(admin.get("/api/v1/recommendations/?weights=0,0,1")).front() == loved);
  const auto alike = ids_of(admin.get("/api/v1/recommendations/?weights=1,0,0&limit=3"));
  for (const auto id : alike) CHECK(std::ranges::count(c.crime, id) == 1);
  CHECK(admin.get("/api/v1/recommendations/?weights=1,2").status == 422);
  CHECK(admin.get("/api/v1/recommendations/?weights=1,2,-1").status == 422);
  CHECK(app->patron(1).get("/api/v1/recommendations/?weights=1,0,0").status == 403);
  for (const auto* method : {"hybrid", "collaborative", "content", "popular"})
    CHECK(admin.get(fmt::format("/api/v1/recommendations/?strategy={}&limit=5", method)).size() == 5);
}

TEST_CASE("models change under load without a failed list", "[H18][H22]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  clusters(*app, 4);
  auto admin = app->admin();
  const auto first = version_of(train(*app));
  const auto second = version_of(train(*app));
  std::atomic<bool> done{false};
  std::atomic<int> served{0}, failed{0};
  std::vector<std::thread> readers;
  for (int p = 1; p <= 3; ++p)
    readers.emplace_back([&, reader = app->patron(p)]() mutable {
      while (!done) {
        const auto list = reader.get("/api/v1/recommendations/");
        ++(list.status == 200 && list.size() >= 7 ? served : failed);
      }
    });
  for (int i = 0; i < 6; ++i) {
    CHECK(admin.post(activate_path(i % 2 ? second : first)).status == 200);
    app->book(fmt::format("Between {}", i), "Somebody", R"("genre":"Crime")");
    REQUIRE(app->librarian()
                .del(fmt::format("/api/v1/books/{}", app->number("SELECT max(id) FROM books")))
                .status == 204);
  }
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(served > 0);
  CHECK(failed == 0);
}

TEST_CASE("another instance serves the model that this one trained, and what was done here", "[H13][H18]") {
  if (!have_postgresql()) return;
  auto app = TestApp::on(Database::postgresql);
  const auto c = clusters(*app, 6);
  auto config = app->app().config();
  config.data_dir += "/other";
  std::filesystem::create_directories(config.data_dir);
  App other(config, std::make_shared<FixedClock>(app->clock().now()));
  other.start_workers();
  const auto there = [&](const Client& client, std::string target) {
    http::Request request;
    request.head.target = std::move(target);
    request.head.headers = {{"Host", "library.example"}, {"Authorization", "Bearer " + client.token()}};
    request.peer_address = "192.0.2.9";
    auto response = runtime::block_on(http::serve(other.application(), std::move(request)));
    Answer answer;
    answer.status = response.status;
    answer.json = boost::json::parse(response.bytes());
    return answer;
  };
  auto reader = app->patron(1);
  const auto admin = app->admin();
  CHECK(there(reader, "/api/v1/recommendations/").size() == 7);
  const auto version = version_of(train(*app));
  CHECK(eventually([&] { return there(admin, status_path)["version"] == version; }));
  CHECK(eventually([&] { return std::filesystem::exists(std::filesystem::path(config.data_dir) / "models"); }));
  const auto loan = ids_of(reader.get("/api/v1/recommendations/")).front();
  borrow(*app, 1, loan);
  CHECK(eventually([&] { return !has(there(reader, "/api/v1/recommendations/"), loan); }));
  CHECK(eventually([&] {
    return ids_of(there(reader, "/api/v1/recommendations/")) ==
           ids_of(reader.get("/api/v1/recommendations/"));
  }));
  other.stop_background();
  other.database().stop();
}

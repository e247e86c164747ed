// Idempotency keys around routes of a test: what is kept, what is taken back, what is told while it runs.
#include "core/calls/idempotency.hpp"

#include "core/db/database.hpp"
#include "core/db/migrator.hpp"
#include "core/http/handler.hpp"
#include "core/http/pipeline.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

namespace lumina::calls {
namespace {

using test::Database;
using test::from_databases;

struct Note {
  std::int64_t value = 0;
  static constexpr std::string_view type_name = "Note";
  static std::vector<schema::Field> fields() { return {{"value", &Note::value, "Anything"}}; }
};

// Everybody is user 7.
class Everybody final : public http::Authenticator {
 public:
  Eventual<Result<Caller>> authenticate(const http::Request& request, Caller known) override {
    if (request.head.header("X-Stranger").empty()) known.user = UserId{7};
    return Result<Caller>(std::move(known));
  }
};

class House {
 public:
  explicit House(Database kind) : fresh_(kind) {
    db::migrate(fresh_.url());
    fresh_.script("CREATE TABLE notes (value BIGINT)");
    open();
    thread_ = std::thread([this] {
      auto guard = boost::asio::make_work_guard(io_);
      io_.run();
    });
  }
  ~House() {
    database_->stop();
    io_.stop();
    thread_.join();
  }
  void open() {
    pipeline_.reset();
    router_.reset();
    once_.reset();
    database_.reset();
    database_ = std::make_unique<db::Database>(db::Options{fresh_.url(), 2, 4, 64});
    once_ = std::make_unique<Idempotency>(*database_, clock_, "a secret",
                                          "process " + std::to_string(++processes_));
    router_ = std::make_unique<http::Router>(routes());
    http::PipelineOptions options;
    options.once = once_.get();
    pipeline_ = std::make_unique<http::Pipeline>(*router_, everybody_, options);
  }

  http::Response post(std::string path, std::string body, std::string key, http::Headers more = {}) {
    http::Request request;
    request.head.method = http::Method::post;
    request.head.target = std::move(path);
    request.head.headers = std::move(more);
    request.head.headers.emplace_back("Content-Type", "application/json");
    if (!key.empty()) request.head.headers.emplace_back("Idempotency-Key", std::move(key));
    request.body = std::move(body);
    request.peer_address = "192.0.2.1";
    return boost::asio::co_spawn(io_, http::serve(*pipeline_, std::move(request)), boost::asio::use_future)
        .get();
  }
  std::int64_t count(std::string sql) {
    auto work = [sql](db::Transaction& tx) { return std::get<0>(*tx.one<std::int64_t>(sql)); };
    return *database_->read_now(std::move(work));
  }
  std::int64_t notes() { return count("SELECT count(*) FROM notes"); }
  FixedClock& clock() { return clock_; }
  Idempotency& once() { return *once_; }
  boost::asio::io_context& io() { return io_; }
  test::TestDatabase& fresh() { return fresh_; }

  std::atomic<int> served{0};
  std::promise<void> reached, gate;
  std::shared_future<void> opened = gate.get_future().share();

 private:
  Task<Result<Note>> write(Note note, std::optional<Error> then) {
    ++served;
    auto work = [note](db::Transaction& tx) {
      tx.execute("INSERT INTO notes (value) VALUES ($1)", note.value);
    };
    (void)co_await database_->write(std::move(work));
    if (then) co_return Failure(std::move(*then));
    co_return note;
  }
  Task<Result<Note>> wait(Note note) {
    auto work = [this](db::Transaction&) {
      reached.set_value();
      opened.wait();
    };
    (void)co_await database_->read(std::move(work));
    co_return co_await write(note, {});
  }
  std::vector<http::Route> routes() {
    using namespace http;
    std::vector<Route> all;
    const auto anyone = Access::anyone();
    all.push_back(post_("/write", anyone, [this](Body<Note> n) { return write(*n, {}); }));
    all.push_back(post_("/alone", anyone, [this](Body<Note> n) { return write(*n, {}); }).by_itself());
    all.push_back(
        post_("/secret", anyone, [this](Body<Note> n) { return write(*n, {}); }).repeats(Repeat::withheld));
    all.push_back(
        post_("/login", anyone, [this](Body<Note> n) { return write(*n, {}); }).repeats(Repeat::served));
    all.push_back(post_("/wait", anyone, [this](Body<Note> n) { return wait(*n); }).by_itself());
    all.push_back(post_("/refuse", anyone, [this](Body<Note> n) {
      return write(*n, Error{ErrorKind::refused, "no", "No", {}, 0});
    }));
    all.push_back(post_("/busy", anyone, [this](Body<Note> n) {
      return write(*n, Error{ErrorKind::unavailable, "busy", "Busy", {}, 1});
    }));
    for (const auto& [path, code] : {std::pair{"/full", "storage_full"}, std::pair{"/lost", "busy"}})
      all.push_back(post_(path, anyone, [this, code](Body<Note> n) {
                      const bool first = ++answered_ % 2 == 1;
                      const Error why{ErrorKind::unavailable, code, "No", {}, 1};
                      return write(*n, first ? std::optional(why) : std::nullopt);
                    }).by_itself());
    for (const bool alone : {false, true}) {
      auto route = post_(alone ? "/limited/alone" : "/limited", anyone, [this](Body<Note> n) {
        const bool first = ++answered_ % 2 == 1;
        const Error why{ErrorKind::rate_limited, "rate_limited", "No", {}, 1};
        return write(*n, first ? std::optional(why) : std::nullopt);
      });
      route.joins = !alone;
      all.push_back(std::move(route));
    }
    all.push_back(post_("/throw/alone", anyone, [](Body<Note>) -> Result<Note> {
                    throw std::runtime_error("a bug");
                  }).by_itself());
    all.push_back(
        post_("/throw", anyone, [](Body<Note>) -> Result<Note> { throw std::runtime_error("a bug"); }));
    return all;
  }
  template <class F>
  http::Route post_(std::string path, http::Access access, F f) {
    return http::post(std::move(path), "Test", access, {ErrorKind::refused}, std::move(f));
  }

  test::TestDatabase fresh_;
  FixedClock clock_{*parse_rfc3339("2026-11-22T10:00:00Z")};
  Everybody everybody_;
  int processes_ = 0;
  std::atomic<int> answered_{0};
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Idempotency> once_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Pipeline> pipeline_;
  boost::asio::io_context io_{1};
  std::thread thread_;
};

bool replayed(const http::Response& r) {
  for (const auto& [name, value] : r.headers)
    if (name == "Idempotency-Replayed") return value == "true";
  return false;
}

constexpr auto one = R"({"value":1})", two = R"({"value":2})";

TEST_CASE("a repeated POST has its effect once and its first answer again", "[A47]") {
  House house(GENERATE(from_databases()));
  for (const std::string path : {"/write", "/alone"}) {
    CAPTURE(path);
    const auto before = house.notes();
    const auto first = house.post(path, one, "key-" + path);
    REQUIRE(first.status == 200);
    CHECK(!replayed(first));
    const auto again = house.post(path, one, "key-" + path);
    CHECK(again.status == 200);
    CHECK(again.body == first.body);
    CHECK(again.etag == first.etag);
    CHECK(replayed(again));
    CHECK(house.notes() == before + 1);
  }
}

TEST_CASE("without the header every POST counts and nothing is kept", "[A47]") {
  House house(GENERATE(from_databases()));
  house.post("/write", one, "");
  house.post("/write", one, "");
  CHECK(house.notes() == 2);
  CHECK(house.count("SELECT count(*) FROM idempotency_keys") == 0);
}

TEST_CASE("another body, path or person is another request", "[A47]") {
  House house(GENERATE(from_databases()));
  REQUIRE(house.post("/write", one, "k").status == 200);
  for (const auto& other :
       {house.post("/write", two, "k"), house.post("/alone", one, "k"), house.post("/write?x=1", one, "k")}) {
    CHECK(other.status == 422);
    CHECK(other.problem_code == "idempotency_key_reused");
  }
  CHECK(house.notes() == 1);
  const auto stranger = house.post("/write", two, "k", {{"X-Stranger", "yes"}});
  CHECK(stranger.status == 200);
  CHECK(house.notes() == 2);
}

TEST_CASE("refusals are kept with what they left, and 5xx are taken back", "[A47]") {
  House house(GENERATE(from_databases()));
  const auto refused = house.post("/refuse", one, "r");
  CHECK(refused.status == 400);
  CHECK(house.notes() == 1);
  const auto again = house.post("/refuse", one, "r");
  CHECK(again.status == 400);
  CHECK(again.body == refused.body);
  CHECK(replayed(again));
  CHECK(house.notes() == 1);

  CHECK(house.post("/busy", one, "b").status == 503);
  CHECK(house.notes() == 1);
  CHECK(house.post("/busy", one, "b").status == 503);
  CHECK(house.post("/throw", one, "t").status == 500);
  CHECK(house.post("/throw", one, "t").status == 500);
  CHECK(house.count("SELECT count(*) FROM idempotency_keys") == 1);
  const auto invalid = house.post("/write", R"({"value":"x"})", "i");
  CHECK(invalid.status == 422);
  CHECK(replayed(house.post("/write", R"({"value":"x"})", "i")));
}

TEST_CASE("a refusal for the moment is not kept", "[A47]") {
  House house(GENERATE(from_databases()));
  for (const std::string path : {"/limited", "/limited/alone"}) {
    CAPTURE(path);
    CHECK(house.post(path, one, path).status == 429);
    const auto again = house.post(path, one, path);
    CHECK(again.status == 200);
    CHECK(!replayed(again));
    CHECK(replayed(house.post(path, one, path)));
  }
}

TEST_CASE("work of two steps that failed half-way is not done twice", "[A47]") {
  House house(GENERATE(from_databases()));
  CHECK(house.post("/lost", one, "l").status == 503);
  CHECK(house.notes() == 1);
  CHECK(house.post("/lost", one, "l").problem_code == "idempotency_interrupted");
  CHECK(house.notes() == 1);
  CHECK(house.post("/throw/alone", one, "t").status == 500);
  CHECK(house.post("/throw/alone", one, "t").problem_code == "idempotency_interrupted");
}

TEST_CASE("work that was refused before it began may be asked for again with its key", "[A47]") {
  House house(GENERATE(from_databases()));
  CHECK(house.post("/full", one, "f").status == 503);
  CHECK(house.post("/full", one, "f").status == 200);
}

TEST_CASE("a key lives for a day and a restart", "[A47]") {
  House house(GENERATE(from_databases()));
  const auto first = house.post("/write", one, "k");
  house.open();
  CHECK(house.post("/write", one, "k").body == first.body);
  CHECK(house.notes() == 1);
  house.clock().advance(std::chrono::hours(24) - std::chrono::seconds(1));
  CHECK(replayed(house.post("/write", one, "k")));
  house.clock().advance(std::chrono::seconds(2));
  CHECK(!replayed(house.post("/write", two, "k")));
  CHECK(house.notes() == 2);
  house.clock().advance(std::chrono::hours(25));
  auto purged = boost::asio::co_spawn(house.io(), house.once().purge(), boost::asio::use_future).get();
  REQUIRE(purged);
  CHECK(*purged == 1);
}

TEST_CASE("while the first request runs, its repetition is told to wait", "[A47]") {
  House house(GENERATE(from_databases()));
  std::thread first([&] { CHECK(house.post("/wait", one, "k").status == 200); });
  house.reached.get_future().wait();
  const auto second = house.post("/wait", one, "k");
  CHECK(second.status == 409);
  CHECK(second.problem_code == "idempotency_in_progress");
  house.gate.set_value();
  first.join();
  CHECK(replayed(house.post("/wait", one, "k")));
  CHECK(house.notes() == 1);
}

TEST_CASE("a key that another instance is serving is told to wait", "[A47]") {
  if (!test::have_postgresql()) return;
  House house(Database::postgresql);
  db::Database other(db::Options{house.fresh().url(), 1, 1, 8});
  std::promise<void> held, done;
  std::thread instance([&] {
    auto work = [&](db::Transaction& tx) {
      CHECK(IdempotencyRepository(tx).hold("user:7", "k"));
      held.set_value();
      done.get_future().wait();
    };
    CHECK(other.write_now(std::move(work)));
  });
  held.get_future().wait();
  CHECK(house.post("/write", one, "k").problem_code == "idempotency_in_progress");
  CHECK(house.post("/alone", one, "k").problem_code == "idempotency_in_progress");
  CHECK(house.post("/write", one, "another").status == 200);
  done.set_value();
  instance.join();
  CHECK(house.post("/write", one, "k").status == 200);
  CHECK(house.notes() == 2);
}

TEST_CASE("eight at once are one effect", "[A47]") {
  House house(GENERATE(from_databases()));
  std::atomic<int> done{0}, waited{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      const auto answer = house.post("/write", one, "k");
      if (answer.status == 200) ++done;
      if (answer.status == 409) ++waited;
    });
  for (auto& t : threads) t.join();
  CHECK(done >= 1);
  CHECK(done + waited == 8);
  CHECK(house.notes() == 1);
}

TEST_CASE("what was interrupted is said to be unknown", "[A47]") {
  House house(GENERATE(from_databases()));
  REQUIRE(house.post("/alone", one, "k").status == 200);
  // As a process leaves it that died after the claim.
  house.fresh().script(
      "UPDATE idempotency_keys SET status = NULL, body = NULL, content_type = NULL, etag = NULL, headers = "
      "NULL");
  const auto same_process = house.post("/alone", one, "k");
  CHECK(same_process.status == 409);
  CHECK(same_process.problem_code == "idempotency_interrupted");
  house.open();
  house.clock().advance(std::chrono::minutes(11));
  CHECK(house.post("/alone", one, "k").problem_code == "idempotency_interrupted");
  CHECK(house.notes() == 1);
}

TEST_CASE("answers with secrets are not kept", "[A47]") {
  House house(GENERATE(from_databases()));
  REQUIRE(house.post("/secret", one, "k").status == 200);
  const auto again = house.post("/secret", one, "k");
  CHECK(again.status == 409);
  CHECK(again.problem_code == "idempotency_answer_not_kept");
  CHECK(house.notes() == 1);
  CHECK(house.count("SELECT count(*) FROM idempotency_keys WHERE body IS NOT NULL") == 0);
  house.post("/login", one, "l");
  house.post("/login", one, "l");
  CHECK(house.notes() == 3);
  CHECK(house.count("SELECT count(*) FROM idempotency_keys") == 1);
}

TEST_CASE("a key is 1 to 255 visible characters", "[A47]") {
  House house(Database::sqlite);
  for (const auto& bad : {std::string(256, 'k'), std::string("a b"), std::string("k\xC3\xA9")})
    CHECK(house.post("/write", one, bad).status == 422);
  CHECK(house.post("/write", one, std::string(255, 'k')).status == 200);
  CHECK(house.notes() == 1);
}

}  // namespace
}  // namespace lumina::calls

// A module from elsewhere, composed as src/app.cpp composes its own: routes, a table, a job, a schedule, a
// metric, an observer, and no edit of any other module.
#include "core/calls/idempotency.hpp"
#include "core/calls/routes.hpp"
#include "core/db/migrator.hpp"
#include "core/events/journal.hpp"
#include "core/http/handler.hpp"
#include "core/http/openapi.hpp"
#include "core/http/pipeline.hpp"
#include "core/http/resource.hpp"
#include "core/jobs/queue.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/scheduler.hpp"
#include "core/runtime/block_on.hpp"
#include "core/telemetry/metrics.hpp"
#include "support/databases.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace lumina::test {
namespace {

using namespace std::chrono_literals;

// ---- model
using VisitId = Id<struct VisitTag>;
struct NewVisit {
  std::string room;
  static constexpr std::string_view type_name = "NewVisit";
  static std::vector<schema::Field> fields() {
    return {{"room", &NewVisit::room, "Where", {schema::length(1, 40)}}};
  }
};
struct Visit {
  VisitId id;
  std::string room;
  bool counted = false;
  static constexpr std::string_view type_name = "Visit";
  static std::vector<schema::Field> fields() {
    return {{"id", &Visit::id, "Identifier"},
            {"room", &Visit::room, "Where"},
            {"counted", &Visit::counted, "Whether the nightly count has seen it"}};
  }
};

// ---- repository
constexpr auto visits_table =
    "CREATE TABLE visits (id BIGINT PRIMARY KEY, room TEXT NOT NULL, counted SMALLINT NOT NULL DEFAULT 0)";
const db::Columns<Visit> columns{
    {"v.id", &Visit::id}, {"v.room", &Visit::room}, {"v.counted", &Visit::counted}};

class VisitRepository {
 public:
  explicit VisitRepository(db::Transaction& tx) : tx_(tx) {}
  std::optional<Visit> find(VisitId id) {
    static const std::string sql = "SELECT " + columns.list() + " FROM visits v WHERE v.id = $1";
    return tx_.find(columns, sql, id);
  }
  VisitId insert(const std::string& room) {
    return std::get<0>(*tx_.one<VisitId>(
        "INSERT INTO visits (id, room) SELECT coalesce(max(id), 0) + 1, CAST($1 AS TEXT) FROM visits "
        "RETURNING id",
        room));
  }
  std::int64_t count_new() { return tx_.execute("UPDATE visits SET counted = 1 WHERE counted = 0"); }

 private:
  db::Transaction& tx_;
};

// ---- service
class VisitService {
 public:
  VisitService(db::Database& database, events::Journal& journal) : database_(database), journal_(journal) {}
  Task<Result<Visit>> find(VisitId id) {
    auto work = [id](db::Transaction& tx) -> Result<Visit> {
      if (auto visit = VisitRepository(tx).find(id)) return std::move(*visit);
      return not_found("Visit not found");
    };
    return database_.read(std::move(work));
  }
  Task<Result<Visit>> add(NewVisit visit, Caller by) {
    auto work = [this, visit = std::move(visit), by = std::move(by)](db::Transaction& tx) -> Result<Visit> {
      VisitRepository visits(tx);
      const auto id = visits.insert(visit.room);
      journal_.record(tx, by, {.type = "visit.made", .resource = "visit", .resource_id = id.value});
      return *visits.find(id);
    };
    return database_.write(std::move(work));
  }
  Result<std::int64_t> count() {
    auto work = [](db::Transaction& tx) { return VisitRepository(tx).count_new(); };
    return database_.write_now(std::move(work));
  }

 private:
  db::Database& database_;
  events::Journal& journal_;
};

// ---- routes
std::vector<http::Route> visit_routes(VisitService& visits) {
  using namespace http;
  std::vector<Route> routes;
  routes.push_back(
      post("/api/v1/visits", "Note a visit", Access::signed_in(), {}, [&](Body<NewVisit> visit, Caller by) {
        return created(visits.add(*visit, by), "/api/v1/visits/");
      }).tagged("Visits"));
  routes.push_back(get("/api/v1/visits/{id}", "Read a visit", Access::signed_in(), {ErrorKind::not_found},
                       [&](Path<VisitId> id) { return versioned(visits.find(*id)); })
                       .tagged("Visits"));
  return routes;
}

// ---- the house, with this module and no other
class Everybody final : public http::Authenticator {
 public:
  Eventual<Result<Caller>> authenticate(const http::Request&, Caller known) override {
    known.user = UserId{1};
    return Result<Caller>(std::move(known));
  }
};

std::string with_own_migration(const TestDatabase& fresh) {
  std::vector<db::Migration> all(db::migrations().begin(), db::migrations().end());
  all.push_back({static_cast<int>(all.size()) + 1, "visits", visits_table, visits_table});
  const auto applied = db::migrate(fresh.url(), INT32_MAX, all);
  REQUIRE(applied.back() == all.back().version);
  REQUIRE(db::migrate(fresh.url(), INT32_MAX, all).empty());
  fresh.script(
      "INSERT INTO users (email, email_key, password_hash, full_name, name_key, created_at, updated_at) "
      "VALUES ('a@example.org', 'a@example.org', 'x', 'A', 'a', 0, 0)");
  return fresh.url();
}

struct House {
  explicit House(Database kind) : fresh(kind) {
    bus.subscribe("visit.", [this](const events::Event&) { ++heard; });
    runner.handle("visits.remind", {}, [this](jobs::JobContext& job) -> Result<std::string> {
      ++reminded;
      return job.payload();
    });
    scheduler.add("visits.count", "Counts visits", jobs::Cadence::every(1h),
                  [this](jobs::JobContext&) -> Result<std::string> {
                    auto counted = visits.count();
                    if (!counted) return Failure(std::move(counted.error()));
                    return std::to_string(*counted);
                  });
    registry.counter("visits_total", "Visits.", {}, [this] { return static_cast<double>(heard); });
    scheduler.prepare();
    runner.start();
  }
  ~House() {
    runner.stop();
    pool.stop();
    database.stop();
  }
  std::vector<http::Route> routes() {
    auto all = visit_routes(visits);
    for (auto& route : calls::batch_routes(database, [this]() -> const http::Router& { return router; }))
      all.push_back(std::move(route));
    return all;
  }
  http::PipelineOptions options() {
    http::PipelineOptions o;
    o.once = &once;
    return o;
  }
  http::Response send(http::Method method, std::string target, std::string body = "", std::string key = "") {
    http::Request request;
    request.head.method = method;
    request.head.target = std::move(target);
    if (!body.empty()) request.head.headers.emplace_back("Content-Type", "application/json");
    if (!key.empty()) request.head.headers.emplace_back("Idempotency-Key", std::move(key));
    request.body = std::move(body);
    request.peer_address = "192.0.2.1";
    return runtime::block_on(http::serve(pipeline, std::move(request)));
  }
  template <class F>
  static bool eventually(F true_at_last) {
    for (int i = 0; i < 30'000 && !true_at_last(); ++i) std::this_thread::sleep_for(2ms);
    return true_at_last();
  }

  TestDatabase fresh;
  FixedClock clock{*parse_rfc3339("2026-11-22T10:00:00Z")};
  db::Database database{{with_own_migration(fresh), 2, 8, 64}};
  std::atomic<int> heard{0}, reminded{0};
  metrics::Registry registry;
  events::Bus bus;
  events::Journal journal{clock, bus, "test"};
  jobs::Queue queue{database, clock};
  runtime::Pool pool{"jobs", 2, 8};
  jobs::Runner runner{database, clock, journal, queue, pool, "test", {30s, 10ms}};
  jobs::Scheduler scheduler{database, clock, journal, queue, runner};
  VisitService visits{database, journal};
  calls::Idempotency once{database, clock, "a secret", "test"};
  Everybody everybody;
  http::Router router{routes()};
  http::Pipeline pipeline{router, everybody, options()};
};

TEST_CASE("a module from elsewhere brings a table, routes, jobs, a schedule, metrics and an observer",
          "[K37]") {
  House house(GENERATE(from_databases()));
  const auto made = house.send(http::Method::post, "/api/v1/visits", R"({"room":"reading"})", "visit-1");
  REQUIRE(made.status == 201);
  CHECK(house.send(http::Method::post, "/api/v1/visits", R"({"room":"reading"})", "visit-1").body ==
        made.body);
  CHECK(house.heard == 1);
  CHECK(house.send(http::Method::post, "/api/v1/visits", R"({"room":""})").status == 422);
  CHECK(house.send(http::Method::get, "/api/v1/visits/9").status == 404);
  const auto batch = house.send(http::Method::post, "/api/v1/batch",
                                R"({"calls":[{"method":"GET","path":"/api/v1/visits/1"}]})");
  CHECK(batch.status == 200);
  CHECK(house.registry.render().find("visits_total 1") != std::string::npos);

  boost::system::error_code error;
  const auto document = boost::json::parse(http::openapi_document(house.router.routes()), error);
  REQUIRE(!error);
  CHECK(document.at("paths").as_object().contains("/api/v1/visits/{id}"));
  CHECK(document.at("components").at("schemas").as_object().contains("Visit"));

  auto remind = [&](db::Transaction& tx) { return house.queue.enqueue(tx, {.kind = "visits.remind"}); };
  REQUIRE(house.database.write_now(std::move(remind)));
  CHECK(house.eventually([&] { return house.reminded == 1; }));
  house.clock.advance(2h);
  house.scheduler.tick();
  CHECK(house.eventually([&] {
    return std::string(house.send(http::Method::get, "/api/v1/visits/1").bytes()).find(R"("counted":true)") !=
           std::string::npos;
  }));
}

}  // namespace
}  // namespace lumina::test

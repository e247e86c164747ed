// How many batches are let in at once.
#include "core/calls/batch.hpp"

#include "core/calls/routes.hpp"
#include "core/db/migrator.hpp"
#include "core/http/handler.hpp"
#include "core/http/pipeline.hpp"
#include "support/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <optional>
#include <thread>
#include <vector>

namespace lumina::calls {
namespace {

class Everybody final : public http::Authenticator {
 public:
  Eventual<Result<Caller>> authenticate(const http::Request&, Caller known) override {
    known.user = UserId{7};
    return Result<Caller>(std::move(known));
  }
};

// A library with batches and one call, which waits.
class House {
 public:
  explicit House(test::Database kind) : fresh_(kind), database_({fresh_.url(), 2, 16, 64}) {
    std::vector<http::Route> routes =
        batch_routes(database_, [this]() -> const http::Router& { return *router_; });
    routes.push_back(http::get("/api/v1/wait", "Test", http::Access::anyone(), {}, [this] {
      opened_.wait();
      return Result<void>();
    }));
    router_.emplace(std::move(routes));
    pipeline_.emplace(*router_, everybody_, http::PipelineOptions{});
    thread_ = std::thread([this] {
      auto guard = boost::asio::make_work_guard(io_);
      io_.run();
    });
  }
  ~House() {
    database_.stop();
    io_.stop();
    thread_.join();
  }
  std::future<http::Response> batch() {
    http::Request request;
    request.head.method = http::Method::post;
    request.head.target = "/api/v1/batch";
    request.head.headers.emplace_back("Content-Type", "application/json");
    request.body = R"({"calls":[{"method":"GET","path":"/api/v1/wait"}]})";
    request.peer_address = "192.0.2.1";
    return boost::asio::co_spawn(io_, http::serve(*pipeline_, std::move(request)), boost::asio::use_future);
  }
  void open() { gate_.set_value(); }

 private:
  test::TestDatabase fresh_;
  db::Database database_;
  Everybody everybody_;
  std::promise<void> gate_;
  std::shared_future<void> opened_ = gate_.get_future().share();
  std::optional<http::Router> router_;
  std::optional<http::Pipeline> pipeline_;
  boost::asio::io_context io_{1};
  std::thread thread_;
};

TEST_CASE("eight batches are under way at once, and the ninth is told to come again", "[A48]") {
  House house(GENERATE(test::from_databases()));
  std::vector<std::future<http::Response>> running;
  for (int i = 0; i < 8; ++i) running.push_back(house.batch());
  const auto ninth = house.batch().get();
  CHECK(ninth.status == 503);
  CHECK(ninth.problem_code == "overloaded");
  house.open();
  for (auto& answer : running) CHECK(answer.get().status == 200);
  CHECK(house.batch().get().status == 200);
}

}  // namespace
}  // namespace lumina::calls

// A whole server without sockets: requests go through the real pipeline, services and a real database.
//
//   auto app = TestApp::on(GENERATE(from_databases()));
//   auto book = app->librarian().post("/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})");
//   REQUIRE(book.status == 201);
//   CHECK(book["title"] == "Emma");
//
// The clock stands at 2026-11-22T10:00:00Z until a test moves it. Hashing costs little (bcrypt cost 4). Rate
// limits are off unless a test configures them.
#pragma once
#include "app.hpp"
#include "support/databases.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace lumina::test {

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  boost::json::value json;  // null when the body is none

  std::string header(std::string_view name) const;
  // A member of the answer; null when absent, so that a CHECK fails instead of the test crashing.
  const boost::json::value& operator[](std::string_view name) const;
  const boost::json::value& operator[](std::size_t index) const;
  std::string code() const;  // of a problem document
  std::string detail() const;
  std::int64_t id() const;   // member "id"
  std::size_t size() const;  // of an array
};

class TestApp;

// Somebody with a token, or nobody.
class Client {
 public:
  Client(TestApp& app, std::string token, std::int64_t user = 0, std::string address = "192.0.2.1")
      : app_(&app), token_(std::move(token)), user_(user), address_(std::move(address)) {}
  Answer get(std::string target, http::Headers headers = {});
  Answer post(std::string target, std::string body = "", http::Headers headers = {});
  Answer put(std::string target, std::string body, http::Headers headers = {});
  Answer patch(std::string target, std::string body, http::Headers headers = {});
  Answer del(std::string target, http::Headers headers = {});
  Answer send(http::Method method, std::string target, std::string body, http::Headers headers);
  const std::string& token() const { return token_; }
  std::int64_t user_id() const { return user_; }
  Client from(std::string address) const {
    Client c = *this;
    c.address_ = std::move(address);
    return c;
  }

 private:
  TestApp* app_;
  std::string token_;
  std::int64_t user_;
  std::string address_;
};

class TestApp {
 public:
  using Configure = std::function<void(config::Config&)>;
  static std::unique_ptr<TestApp> on(Database kind, const Configure& configure = {});
  ~TestApp();

  Client anybody() { return {*this, ""}; }
  Client patron(int number = 1);  // patron1@example.org, made at first use
  Client librarian();
  Client admin();
  Client login(const std::string& email, const std::string& password);
  // Makes a book as the librarian and gives its id.
  std::int64_t book(std::string title = "Emma", std::string author = "Jane Austen", std::string more = "");

  FixedClock& clock() { return *clock_; }
  App& app() { return *app_; }
  // Any request; runs to its end before it returns. Safe from several threads at once.
  Answer call(http::Request request);
  // Starts the application again on the same database, as a restart would.
  void restart();
  // Runs a query on the test's database and gives the first column of the first row.
  std::int64_t number(std::string_view sql);

  static constexpr std::string_view password = "correct horse battery";

 private:
  TestApp(Database kind, const Configure& configure);
  Client account(const std::string& email, const std::string& name, std::string_view role);
  void open();
  std::string drained(http::BodySource& stream);

  TestDatabase database_;
  config::Config config_;
  std::shared_ptr<FixedClock> clock_;
  std::unique_ptr<App> app_;
  boost::asio::io_context io_{1};
  std::thread thread_;
};

}  // namespace lumina::test

#include "core/http/io_threads.hpp"
#include "core/http/server.hpp"
#include "core/webhooks/signature.hpp"
#include "support/test_app.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <mutex>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

// A server that keeps what it is sent and answers as it is told.
class Receiver final : public http::Application {
 public:
  Receiver() {
    http::ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    server_ = std::make_unique<http::Server>(io_, options, *this);
    server_->start();
    io_.start();
  }
  ~Receiver() override {
    server_->stop(1s);
    server_.reset();
    io_.stop();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/hook", server_->ports().front()); }
  std::vector<http::Request> received() const {
    std::lock_guard lock(mutex_);
    return received_;
  }
  bool has(std::size_t count) const {
    for (int i = 0; i < 10'000; ++i) {
      if (received().size() >= count) return true;
      std::this_thread::sleep_for(2ms);
    }
    return false;
  }
  std::atomic<int> answers_with{204};

  std::unique_ptr<http::Exchange> begin() override {
    struct Exchange final : http::Exchange {
      explicit Exchange(Receiver& r) : receiver(r) {}
      Eventual<http::Admission> admit(const http::Request&) override { return http::Admission{{}, 1 << 20}; }
      Eventual<http::Response> handle(http::Request& request) override {
        http::Response response;
        response.status = receiver.answers_with;
        if (response.status == 302) response.set("Location", "/elsewhere");
        std::lock_guard lock(receiver.mutex_);
        receiver.received_.push_back(request);
        return response;
      }
      void finished(int, std::uint64_t) override {}
      Receiver& receiver;
    };
    return std::make_unique<Exchange>(*this);
  }
  http::Response refuse(int status, std::string_view, std::string_view) override {
    http::Response response;
    response.status = status;
    return response;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<http::Request> received_;
  http::IoThreads io_{1, [](std::exception_ptr) {}};
  std::unique_ptr<http::Server> server_;
};

void allow_private(config::Config& c) { c.webhook_allow_private = true; }

Answer make(Client& admin, const std::string& url, const std::string& types) {
  return admin.post("/api/v1/webhooks", fmt::format(R"({{"url":"{}","types":{}}})", url, types));
}

Answer delivered(Client& admin, std::int64_t webhook, std::string_view status) {
  Answer list;
  for (int i = 0; i < 10'000; ++i) {
    list = admin.get(fmt::format("/api/v1/webhooks/{}/deliveries", webhook));
    if (list.size() > 0 && list[0].at("status").as_string() == status) break;
    std::this_thread::sleep_for(2ms);
  }
  return list;
}

}  // namespace

TEST_CASE("secrets of webhooks are sealed where they are stored, and can be replaced", "[I7]") {
  auto app = TestApp::on(GENERATE(from_databases()), allow_private);
  Receiver receiver;
  auto admin = app->admin();
  const auto made = make(admin, receiver.url(), R"(["book.created"])");
  REQUIRE(made.status == 201);
  CHECK(app->number("SELECT count(*) FROM webhooks WHERE secret LIKE 'whsec%'") == 0);
  const auto path = fmt::format("/api/v1/webhooks/{}/secret", made.id());
  const auto renewed = admin.post(path);
  REQUIRE(renewed.status == 200);
  CHECK(renewed["secret"] != made["secret"]);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'webhook.secret_renewed'") == 1);
  CHECK(admin.post("/api/v1/webhooks/4711/secret").status == 404);
  CHECK(app->librarian().post(path).status == 403);
  app->book("After");
  REQUIRE(receiver.has(1));
  const auto request = receiver.received().front();
  const std::string id(request.head.header("webhook-id"));
  const auto seconds = std::stoll(std::string(request.head.header("webhook-timestamp")));
  CHECK(request.head.header("webhook-signature") ==
        webhooks::sign(std::string(renewed["secret"].as_string()), id, seconds, request.body));
}

TEST_CASE("a webhook is told of what it wants, signed", "[I7]") {
  auto app = TestApp::on(GENERATE(from_databases()), allow_private);
  Receiver receiver;
  auto admin = app->admin();
  app->book("Before");
  const auto made = make(admin, receiver.url(), R"(["book.created"])");
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == fmt::format("/api/v1/webhooks/{}", made.id()));
  const std::string secret(made["secret"].as_string());
  CHECK(admin.get(fmt::format("/api/v1/webhooks/{}", made.id()))["secret"].is_null());
  CHECK(admin.get("/api/v1/webhooks").body.find("whsec_") == std::string::npos);

  const auto book = app->book("After");
  REQUIRE(receiver.has(1));
  const auto request = receiver.received().front();
  CHECK(request.head.method == http::Method::post);
  CHECK(request.head.header("Content-Type") == "application/json");
  const std::string id(request.head.header("webhook-id"));
  const auto seconds = std::stoll(std::string(request.head.header("webhook-timestamp")));
  CHECK(seconds == app->clock().now().ms / 1000);
  CHECK(request.head.header("webhook-signature") == webhooks::sign(secret, id, seconds, request.body));
  const auto body = boost::json::parse(request.body);
  CHECK(body.at("type") == "book.created");
  CHECK(body.at("timestamp") == "2026-11-22T10:00:00Z");
  CHECK(body.at("data").at("resource_id") == book);

  const auto list = delivered(admin, made.id(), "succeeded");
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("id").as_string() == id);
  CHECK(list[0].at("response_status") == 204);
  CHECK(list[0].at("attempts") == 1);

  const auto path = fmt::format("/api/v1/webhooks/{}/deliveries/{}/replay", made.id(), id);
  CHECK(admin.post(path).status == 202);
  REQUIRE(receiver.has(2));
  CHECK(receiver.received()[1].head.header("webhook-id") == id);
  CHECK(receiver.received()[1].body == request.body);
  CHECK(admin.post(fmt::format("/api/v1/webhooks/{}/deliveries/none/replay", made.id())).status == 404);
  CHECK(admin.post(fmt::format("/api/v1/webhooks/{}/test", made.id())).status == 202);
  REQUIRE(receiver.has(3));
  CHECK(boost::json::parse(receiver.received()[2].body).at("type") == "webhook.test");
}

TEST_CASE("a delivery that is not taken is tried again, 410 turns the webhook off", "[I7]") {
  auto app = TestApp::on(GENERATE(from_databases()), allow_private);
  Receiver receiver;
  receiver.answers_with = 500;
  auto admin = app->admin();
  const auto id = make(admin, receiver.url(), R"(["book.*"])").id();
  app->book();
  REQUIRE(receiver.has(1));
  // 5 seconds, give or take a fifth.
  std::this_thread::sleep_for(100ms);
  CHECK(receiver.received().size() == 1);
  receiver.answers_with = 302;  // not followed
  app->clock().advance(6s);
  REQUIRE(receiver.has(2));
  CHECK(receiver.received()[1].head.target == "/hook");
  CHECK(receiver.received()[1].head.header("webhook-id") == receiver.received()[0].head.header("webhook-id"));
  receiver.answers_with = 200;
  // The job knows when its third attempt is due only once it is queued again.
  constexpr auto queued = "SELECT count(*) FROM jobs WHERE status = 'queued' AND attempts = 2";
  for (int i = 0; i < 15000 && app->number(queued) == 0; ++i) std::this_thread::sleep_for(2ms);
  app->clock().advance(6min);
  REQUIRE(receiver.has(3));
  const auto list = delivered(admin, id, "succeeded");
  CHECK(list[0].at("attempts") == 3);

  receiver.answers_with = 410;
  app->book("Another");
  CHECK(delivered(admin, id, "failed")[0].at("response_status") == 410);
  const auto off = admin.get(fmt::format("/api/v1/webhooks/{}", id));
  CHECK(off["is_active"] == false);
  CHECK(!off["disabled_reason"].is_null());
  app->book("Unheard");
  const auto on = admin.patch(fmt::format("/api/v1/webhooks/{}", id), R"({"is_active":true})");
  CHECK(on["is_active"] == true);
  CHECK(on["disabled_reason"].is_null());
  receiver.answers_with = 200;
  const auto before = receiver.received().size();
  app->book("Heard");
  REQUIRE(receiver.has(before + 1));
  CHECK(receiver.received().back().body.find("Unheard") == std::string::npos);
}

TEST_CASE("addresses of private networks are refused, written or resolved", "[I7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  Receiver receiver;
  auto admin = app->admin();
  for (const std::string url :
       {"http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://10.1.2.3:80/x"})
    CHECK(make(admin, url, R"(["book.*"])").code() == "address_refused");
  for (const std::string url : {"ftp://example.org/", "nonsense", "http://a:b@example.org/"})
    CHECK(make(admin, url, R"(["book.*"])").code() == "bad_url");
  // A name says nothing about where it leads; connecting does.
  auto url = receiver.url();
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  const auto id = make(admin, url, R"(["book.*"])").id();
  REQUIRE(id > 0);
  app->book();
  const auto list = delivered(admin, id, "failed");
  REQUIRE(list.size() == 1);
  CHECK(list[0].at("attempts") == 1);
  CHECK(receiver.received().empty());
  CHECK(admin.patch(fmt::format("/api/v1/webhooks/{}", id), R"({"url":"http://192.168.0.1/"})").code() ==
        "address_refused");
}

TEST_CASE("webhooks are for administrators, and checked", "[I7]") {
  auto app = TestApp::on(GENERATE(from_databases()), allow_private);
  auto admin = app->admin(), librarian = app->librarian();
  CHECK(librarian.get("/api/v1/webhooks").status == 403);
  CHECK(make(librarian, "https://example.org/", R"(["book.*"])").status == 403);
  CHECK(make(admin, "https://example.org/", "[]").status == 422);
  CHECK(admin.post("/api/v1/webhooks", R"({"url":"https://example.org/"})").status == 422);
  const auto id = make(admin, "https://example.org/", R"(["borrow.returned"])").id();
  const auto path = fmt::format("/api/v1/webhooks/{}", id);
  CHECK(admin.patch(path, R"({"description":"For the shop","types":["book.*"]})")["description"] ==
        "For the shop");
  CHECK(admin.get(path)["types"].at(0) == "book.*");
  CHECK(admin.get(path + "/deliveries").size() == 0);
  CHECK(admin.del(path).status == 204);
  CHECK(admin.del(path).status == 404);
  for (const auto* more : {"", "/deliveries"}) CHECK(admin.get(path + more).status == 404);
  CHECK(admin.post(path + "/test").status == 404);
  CHECK(admin.patch(path, "{}").status == 404);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action LIKE 'webhook.%'") == 3);
}

// Covers, and drafts from another catalogue.
#include "core/http/io_threads.hpp"
#include "core/http/server.hpp"
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

using namespace lumina;
using namespace lumina::test;
using namespace std::chrono_literals;

namespace {

// Open Library as a script: knows one book, and fails when it is told to.
class Peer final : public http::Application {
 public:
  Peer() {
    http::ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    server_ = std::make_unique<http::Server>(io_, options, *this);
    server_->start();
    io_.start();
  }
  ~Peer() override {
    server_->stop(1s);
    server_.reset();
    io_.stop();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server_->ports().front()); }
  std::atomic<bool> broken{false};
  std::atomic<int> asked{0};
  std::atomic<std::size_t> most_keys{0};

  std::unique_ptr<http::Exchange> begin() override {
    struct Exchange final : http::Exchange {
      explicit Exchange(Peer& p) : peer(p) {}
      Eventual<http::Admission> admit(const http::Request&) override { return http::Admission{{}, 1 << 20}; }
      Eventual<http::Response> handle(http::Request& request) override {
        ++peer.asked;
        http::Response response;
        if (peer.broken) {
          response.status = 503;
          return response;
        }
        const std::string target = request.head.target;
        const auto keys = static_cast<std::size_t>(std::ranges::count(target, ',')) + 1;
        peer.most_keys = std::max(peer.most_keys.load(), keys);
        response.body = "{";
        if (target.contains("9780306406157"))
          response.body +=
              R"("ISBN:9780306406157":{"title":"Emma","subtitle":"a novel","authors":[{"name":"Jane Austen"}],
            "publish_date":"1815","publishers":[{"name":"Murray"}],"number_of_pages":300,
            "subjects":[{"name":"Love"}],"cover":{"large":"https://covers.example/1-L.jpg"}})";
        response.body += "}";
        return response;
      }
      void finished(int, std::uint64_t) override {}
      Peer& peer;
    };
    return std::make_unique<Exchange>(*this);
  }
  http::Response refuse(int status, std::string_view, std::string_view) override {
    http::Response response;
    response.status = status;
    return response;
  }

 private:
  http::IoThreads io_{1, [](std::exception_ptr) {}};
  std::unique_ptr<http::Server> server_;
};

const std::string png = std::string("\x89PNG\r\n\x1A\n", 8) +
                        std::string("\0\0\0\x0DIHDR\0\0\0\3\0\0\0\4\x08\2\0\0\0crc!", 25) +
                        std::string("\0\0\0\4IDATdatacrc!", 16) + std::string("\0\0\0\0IENDcrc!", 12);

}  // namespace

TEST_CASE("a draft comes from Open Library once and from memory then", "[B12]") {
  Peer peer;
  auto app = TestApp::on(GENERATE(from_databases()),
                         [&](config::Config& config) { config.open_library_url = peer.url(); });
  auto librarian = app->librarian();
  const auto first = librarian.post("/api/v1/books/lookup", R"({"isbn":"0-306-40615-2"})");
  INFO(first.body);
  CHECK(first.status == 200);
  CHECK(first["partial"] == false);
  CHECK(first["source"] == "openlibrary");
  CHECK(first["draft"].at("title") == "Emma: a novel");
  CHECK(first["draft"].at("year_published") == 1815);
  CHECK(first["results"].at(0).at("cached") == false);
  const auto second = librarian.post("/api/v1/books/lookup", R"({"isbn":"9780306406157"})");
  CHECK(second["results"].at(0).at("cached") == true);
  CHECK(second["draft"].at("title") == "Emma: a novel");
  CHECK(peer.asked == 1);
  app->clock().advance(std::chrono::hours(24 * 31));
  librarian = app->librarian();
  librarian.post("/api/v1/books/lookup", R"({"isbn":"9780306406157"})");
  CHECK(peer.asked == 2);
  CHECK(app->number("SELECT count(*) FROM books") == 0);
  // What can be made of it can be added as it is.
  CHECK(librarian.post("/api/v1/books", boost::json::serialize(first["draft"])).status == 201);
  CHECK(librarian.post("/api/v1/books/lookup", R"({"isbn":"123"})").status == 422);
  CHECK(librarian.post("/api/v1/books/lookup", "{}").status == 422);
  CHECK(app->patron().post("/api/v1/books/lookup", R"({"isbn":"9780306406157"})").status == 403);
}

TEST_CASE("a source that is down gives a partial answer and is then left alone", "[B12]") {
  Peer peer;
  peer.broken = true;
  auto app = TestApp::on(GENERATE(from_databases()),
                         [&](config::Config& config) { config.open_library_url = peer.url(); });
  auto librarian = app->librarian();
  for (int i = 0; i < 6; ++i) {
    const auto answer = librarian.post("/api/v1/books/lookup", R"({"isbn":"9780306406157"})");
    CHECK(answer.status == 200);
    CHECK(answer["partial"] == true);
    CHECK(answer["draft"].is_null());
  }
  CHECK(peer.asked == 3);
}

TEST_CASE("many ISBNs go 25 at a time, and a list of them becomes books", "[B12][L3]") {
  Peer peer;
  auto app = TestApp::on(GENERATE(from_databases()),
                         [&](config::Config& config) { config.open_library_url = peer.url(); });
  auto librarian = app->librarian();
  std::string isbns = "9780306406157\n";
  for (int i = 0; i < 60; ++i) {
    std::string digits = fmt::format("97800000{:04}", i);
    int sum = 0;
    for (std::size_t d = 0; d < 12; ++d) sum += (digits[d] - '0') * (d % 2 ? 3 : 1);
    isbns += digits + std::to_string((10 - sum % 10) % 10) + "\n";
  }
  const auto taken = librarian.post("/api/v1/books/import", isbns, {{"Content-Type", "text/plain"}});
  REQUIRE(taken.status == 202);
  Answer task;
  for (int i = 0; i < 2000; ++i) {
    task = librarian.get(taken.header("Location"));
    if (task["status"] == "succeeded" || task["status"] == "failed") break;
    std::this_thread::sleep_for(10ms);
  }
  INFO(task.body);
  CHECK(task["result"].at("rows") == 61);
  CHECK(task["result"].at("created") == 1);
  CHECK(task["result"].at("failed_count") == 60);
  CHECK(peer.asked == 3);
  CHECK(peer.most_keys == 25);
}

TEST_CASE("a cover is what its bytes say, kept and served with a tag", "[B11]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto anybody = app->anybody();
  const auto id = app->book();
  const auto path = fmt::format("/api/v1/books/{}/cover", id);
  CHECK(anybody.get(path).status == 404);
  const auto put = librarian.put(path, png, {{"Content-Type", "image/png"}});
  INFO(put.body);
  CHECK(put.status == 200);
  CHECK(put["media_type"] == "image/png");
  CHECK(put["size"] == static_cast<std::int64_t>(png.size()));
  const auto seen = anybody.get(path);
  CHECK(seen.status == 200);
  CHECK(seen.header("Content-Type") == "image/png");
  CHECK(seen.body == png);
  CHECK(anybody.get(path, {{"If-None-Match", seen.header("ETag")}}).status == 304);
  const std::string jpeg(
      "\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x04\x00\x03\x01\x01\x11\x00\xFF\xDA\x00\x02scan\xFF\xD9", 25);
  const std::string webp(
      "RIFF\x16\x00\x00\x00WEBPVP8L\x0A\x00\x00\x00\x2F\x02\xC0\x00\x00"
      "12345",
      30);
  CHECK(librarian.put(path, "\xFF\xD8\xFF\xE0picture", {{"Content-Type", "image/jpeg"}}).code() ==
        "wrong_kind");
  CHECK(librarian.put(path, jpeg, {{"Content-Type", "application/octet-stream"}})["media_type"] ==
        "image/jpeg");
  CHECK(librarian.put(path, webp, {{"Content-Type", "image/png"}})["media_type"] == "image/webp");
  CHECK(anybody.get(path).body == webp);
  CHECK(anybody.get(path, {{"If-None-Match", seen.header("ETag")}}).status == 200);
  CHECK(librarian.put(path, "GIF89a", {{"Content-Type", "image/png"}}).code() == "wrong_kind");
  CHECK(librarian.put(path, "GIF89a", {{"Content-Type", "image/png"}}).status == 400);
  CHECK(librarian.put(path, png + std::string(5 << 20, 'x'), {{"Content-Type", "image/png"}}).status == 413);
  CHECK(app->patron().put(path, png, {{"Content-Type", "image/png"}}).status == 403);
  CHECK(librarian.put("/api/v1/books/999/cover", png, {{"Content-Type", "image/png"}}).status == 404);
  CHECK(librarian.del(path).status == 204);
  CHECK(librarian.del(path).status == 404);
  CHECK(anybody.get(path).status == 404);
}

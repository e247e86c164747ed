// Files that one instance took and another one needs.
#include "support/eventually.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <filesystem>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("an import that one instance took is run by another that shares only the database", "[B13]") {
  if (!have_postgresql()) return;
  auto first = TestApp::on(Database::postgresql);
  auto librarian = first->librarian();
  auto config = first->app().config();
  config.data_dir += "/other";
  {
    first->app().runner().stop();  // who took the file does not run the job
    App second(config, std::make_shared<FixedClock>(first->clock().now()));
    std::string csv = "title,author\r\n";
    for (int i = 0; i < 1'000; ++i) csv += std::string(300, 'a') + std::to_string(i) + ",Somebody\r\n";
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"books.csv\"\r\n"
        "Content-Type: text/csv\r\n\r\n" +
        csv + "\r\n--b--\r\n";
    const auto accepted =
        librarian.post("/api/v1/books/import", body, {{"Content-Type", "multipart/form-data; boundary=b"}});
    REQUIRE(accepted.status == 202);
    CHECK(first->number("SELECT max(pieces) FROM spool_files") > 1);
    second.start_workers();
    const auto done = fmt::format("SELECT count(*) FROM jobs WHERE status = 'succeeded' AND id = '{}'",
                                  std::string(accepted["task_id"].as_string()));
    CHECK(eventually([&] { return first->number(done) == 1; }));
    CHECK(first->number("SELECT count(*) FROM books") == 1'000);
    // Nothing stays behind where the job ran. The file goes only once the job's end is committed.
    CHECK(eventually([&] { return first->number("SELECT count(*) FROM spool_pieces") == 0; }));
    CHECK(std::filesystem::is_empty(config.data_dir + "/spool"));
    second.stop_background();
  }
}

#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <set>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string text(const boost::json::value& v) {
  return v.is_string() ? std::string(v.get_string()) : "not a string";
}
std::string copies_of(std::int64_t book) { return fmt::format("/api/v1/books/{}/copies", book); }
std::string copy_path(std::int64_t copy) { return fmt::format("/api/v1/copies/{}", copy); }
std::string status_path(std::int64_t copy) { return fmt::format("/api/v1/copies/{}/status", copy); }
std::string status_body(std::string_view status) {
  return fmt::format(R"({{"status":"{}","note":"seen"}})", status);
}

}  // namespace

TEST_CASE("every copy has a barcode and is found by it", "[B23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  const auto made = librarian.post(copies_of(book), "{}");
  REQUIRE(made.status == 201);
  CHECK(made.header("Location") == copy_path(made.id()));
  const auto all = app->anybody().get(copies_of(book));
  REQUIRE(all.size() == 3);
  std::set<std::string> barcodes;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto barcode = text(all[i].at("barcode"));
    barcodes.insert(barcode);
    const auto found = app->anybody().get("/api/v1/copies?barcode=" + barcode);
    REQUIRE(found.size() == 1);
    CHECK(found[0].at("id") == all[i].at("id"));
  }
  CHECK(barcodes.size() == 3);
  CHECK(app->anybody().get("/api/v1/copies?barcode=nothing").size() == 0);
  CHECK(app->anybody().get(copy_path(made.id()))["item_type"] == "book");
  CHECK(app->anybody().get(copy_path(999)).status == 404);

  // A barcode that ours would be, taken by hand before, is passed over.
  const auto next = text(made["barcode"]);
  REQUIRE(librarian.del(copy_path(made.id())).status == 204);
  const auto by_hand = librarian.post(copies_of(app->book()), fmt::format(R"({{"barcode":"{}"}})", next));
  REQUIRE(by_hand.status == 201);
  const auto passed = librarian.post(copies_of(book), "{}");
  REQUIRE(passed.status == 201);
  CHECK(text(passed["barcode"]) != next);
}

TEST_CASE("two copies serve two borrowers and no third", "[B23][D3]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", R"("copies":2)");
  const auto borrow = fmt::format("/api/v1/borrows/{}/borrow", book);
  CHECK(app->patron(1).post(borrow).status == 201);
  CHECK(app->patron(2).post(borrow).status == 201);
  const auto third = app->patron(3).post(borrow);
  CHECK(third.status == 400);
  CHECK(third.detail() == "Book is already borrowed");
  CHECK(app->librarian().post(copies_of(book), R"({"location":"Store"})").status == 201);
  CHECK(app->patron(3).post(borrow).status == 201);
}

TEST_CASE("a copy's details are changed and checked", "[B23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  const auto made = librarian.post(
      copies_of(book), R"({"barcode":"B-7","location":"Main","condition":"worn","item_type":"atlas"})");
  REQUIRE(made.status == 201);
  CHECK(made["item_type"] == "atlas");
  const auto path = copy_path(made.id());
  const auto changed = librarian.patch(path, R"({"location":null,"barcode":"B-8"})");
  REQUIRE(changed.status == 200);
  CHECK(changed["location"].is_null());
  CHECK(changed["barcode"] == "B-8");
  CHECK(changed["condition"] == "worn");
  CHECK(app->anybody().get("/api/v1/copies?item_type=atlas").size() == 1);
  CHECK(librarian.post(copies_of(book), R"({"barcode":"B-8"})").code() == "duplicate_barcode");
  const auto other = librarian.post(copies_of(book), R"({"barcode":"B-9"})");
  CHECK(librarian.patch(copy_path(other.id()), R"({"barcode":"B-8"})").code() == "duplicate_barcode");
  for (const std::string body :
       {R"({"barcode":null})", R"({"barcode":""})", R"({"barcode":" B"})", R"({"branch_id":99})",
        R"({"branch_id":null})", R"({"status":"on_hold"})", R"({"colour":"red"})"})
    CHECK(librarian.patch(path, body).status == 422);
  CHECK(librarian.post(copies_of(book), R"({"branch_id":99})").status == 422);
  CHECK(app->patron().patch(path, R"({"condition":"new"})").status == 403);
  CHECK(app->anybody().get("/api/v1/copies?cursor=bm90LWEtY3Vyc29y").status == 422);
  CHECK(app->anybody().get("/api/v1/copies?limit=2").header("Link").find("rel=\"next\"") !=
        std::string::npos);
}

TEST_CASE("a copy that is lost, damaged, missing or in repair cannot be borrowed until it is found",
          "[B25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto book = app->book();
  const auto copy = app->anybody().get(copies_of(book))[0].at("id").as_int64();
  const auto read = [&] { return app->anybody().get(fmt::format("/api/v1/books/{}", book)); };
  struct Row {
    std::string status;
    int total;
  };
  for (const Row& row :
       std::vector<Row>{{"lost", 0}, {"damaged", 1}, {"in_repair", 1}, {"missing", 0}, {"withdrawn", 0}}) {
    CAPTURE(row.status);
    const auto out = librarian.post(status_path(copy), status_body(row.status));
    REQUIRE(out.status == 200);
    CHECK(text(out["status"]) == row.status);
    CHECK(read()["copies_total"] == row.total);
    CHECK(read()["copies_available"] == 0);
    CHECK(app->patron().post(fmt::format("/api/v1/borrows/{}/borrow", book)).detail() ==
          "Book is already borrowed");
    CHECK(app->number("SELECT count(*) FROM audit_log WHERE action = 'copy." + row.status +
                      "' AND detail LIKE '%seen%'") == 1);
    REQUIRE(librarian.post(status_path(copy), status_body("available"))["status"] == "available");
    CHECK(read()["copies_available"] == 1);
  }
  CHECK(librarian.post(status_path(copy), status_body("claimed_returned")).code() == "bad_transition");
  REQUIRE(librarian.post(status_path(copy), status_body("withdrawn")).status == 200);
  CHECK(librarian.post(status_path(copy), status_body("lost")).code() == "bad_transition");
  CHECK(librarian.post(status_path(copy), status_body("on_loan")).status == 422);
  CHECK(librarian.post(status_path(copy), "{}").status == 422);
  CHECK(librarian.post(status_path(999), status_body("lost")).status == 404);
  CHECK(app->patron().post(status_path(copy), status_body("available")).status == 403);
}

TEST_CASE("a loan stays open while its copy is lost or claimed returned, and a return finds it", "[B25]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  auto reader = app->patron();
  const auto book = app->book();
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  const auto copy = app->number("SELECT copy_id FROM borrows");
  const auto shown = [&] { return text(app->anybody().get(copy_path(copy))["status"]); };
  CHECK(shown() == "on_loan");
  for (const auto* status : {"withdrawn", "damaged", "in_repair", "missing"})
    CHECK(librarian.post(status_path(copy), status_body(status)).code() == "on_loan");
  CHECK(librarian.del(copy_path(copy)).code() == "on_loan");
  REQUIRE(librarian.post(status_path(copy), status_body("claimed_returned")).status == 200);
  CHECK(shown() == "claimed_returned");
  REQUIRE(librarian.post(status_path(copy), status_body("available")).status == 200);
  CHECK(shown() == "on_loan");
  REQUIRE(librarian.post(status_path(copy), status_body("lost")).status == 200);
  CHECK(shown() == "lost");
  CHECK(app->number("SELECT user_id FROM outbox WHERE type = 'copy.lost'") == reader.user_id());
  CHECK(app->number(
            "SELECT count(*) FROM outbox WHERE type = 'copy.lost' AND payload LIKE '%\"borrow_id\":%'") == 1);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["copies_total"] == 0);
  CHECK(reader.get("/api/v1/borrows?status=active").size() == 1);

  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
  CHECK(shown() == "available");
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["copies_total"] == 1);
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["copies_available"] == 1);
  CHECK(librarian.del(copy_path(copy)).code() == "has_history");
}

TEST_CASE("branches are kept, and none goes while copies stand there", "[B24]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto librarian = app->librarian();
  const auto branches = app->anybody().get("/api/v1/branches");
  REQUIRE(branches.size() == 1);
  CHECK(branches[0].at("is_default") == true);
  const auto main = branches[0].at("id").as_int64();
  const auto book = app->book();
  CHECK(app->anybody().get(copies_of(book))[0].at("branch_id") == main);  // nobody had to name it

  const auto north =
      librarian.post("/api/v1/branches", R"({"code":"north","name":"North","address":"Hill 1"})");
  REQUIRE(north.status == 201);
  const auto path = fmt::format("/api/v1/branches/{}", north.id());
  CHECK(north.header("Location") == path);
  CHECK(librarian.post("/api/v1/branches", R"({"code":"north","name":"Other"})").code() == "duplicate_code");
  CHECK(librarian.post("/api/v1/branches", R"({"code":"no good","name":" "})").status == 422);
  CHECK(librarian.patch(path, R"({"name":"North End","address":null})")["name"] == "North End");
  CHECK(librarian.patch(path, R"({"code":"main"})").code() == "duplicate_code");
  CHECK(librarian.patch(path, R"({"is_default":false})").status == 422);
  CHECK(librarian.patch(path, R"({"code":null})").status == 422);

  const auto copy = librarian.post(copies_of(book), fmt::format(R"({{"branch_id":{}}})", north.id()));
  REQUIRE(copy.status == 201);
  CHECK(copy["branch_id"] == north.id());
  CHECK(app->anybody().get(fmt::format("/api/v1/copies?branch_id={}", north.id())).size() == 1);
  CHECK(librarian.del(path).code() == "branch_in_use");
  REQUIRE(librarian.patch(copy_path(copy.id()), fmt::format(R"({{"branch_id":{}}})", main)).status == 200);
  REQUIRE(librarian.patch(path, R"({"is_default":true})").status == 200);
  CHECK(librarian.del(path).code() == "default_branch");
  CHECK(app->anybody().get("/api/v1/branches")[0].at("id") == north.id());
  REQUIRE(librarian.patch(fmt::format("/api/v1/branches/{}", main), R"({"is_default":true})").status == 200);
  CHECK(librarian.del(path).status == 204);
  CHECK(app->anybody().get(path).status == 404);
  CHECK(librarian.del(path).status == 404);
  CHECK(librarian.patch(path, "{}").status == 404);
  CHECK(librarian.post("/api/v1/branches", R"({"code":"north","name":"North again"})").status == 201);
  CHECK(app->patron().post("/api/v1/branches", R"({"code":"x","name":"X"})").status == 403);
  CHECK(app->number("SELECT count(*) FROM audit_log WHERE action LIKE 'branch.%'") == 6);
}

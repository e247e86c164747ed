// What uploads may look like on the way in, and what the virus scanner says of them.
#include "api/documents.hpp"
#include "support/clamd_peer.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <random>

using namespace lumina;
using namespace lumina::test;

namespace {

const std::string owls = make_pdf({"Owls hunt by night."}, "Owls");
// In two pieces, so that no scanner takes this file for one.
const std::string eicar =
    std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

std::size_t files_in(TestApp& app, const std::string& folder) {
  std::size_t n = 0;
  std::error_code error;
  const std::filesystem::path data = app.app().config().data_dir;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(data / "blobs" / folder, error))
    ++n;
  return n;
}

Answer send(Client person, const std::string& body, const std::string& type,
            const std::string& path = "/api/v1/documents", http::Headers more = {}) {
  more.emplace_back("Content-Type", type);
  return person.post(path, body, std::move(more));
}

}  // namespace

TEST_CASE("forms that are broken are refused and leave nothing", "[G1][G2]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto person = app->patron();
  const auto [form, type] = make_form("owls.pdf", owls, {{"title", "Owls at night"}});
  const auto code = [&](const std::string& body, const std::string& content_type) {
    const auto answer = send(person, body, content_type);
    CHECK(answer.status == 400);
    return answer.code();
  };
  CHECK(code(form, "multipart/form-data") == "malformed_multipart");
  CHECK(code(form, "multipart/form-data; boundary=other") == "malformed_multipart");
  std::mt19937 random(11);
  for (int i = 0; i < 40; ++i)
    CHECK(code(form.substr(0, 1 + random() % (form.size() - 10)), type) == "malformed_multipart");
  CHECK(code(form.substr(0, form.size() - 10) + std::string(70'000, 'x'), type) == "malformed_multipart");
  auto [long_field, of] = make_form("owls.pdf", owls, {{"title", std::string(100'000, 't')}});
  CHECK(code(long_field, of) == "malformed_multipart");
  auto [title, with] = make_form("owls.pdf", owls, {{"title", std::string(60'000, 't')}});
  CHECK(send(person, title, with).status == 422);
  auto [unknown, known] = make_form("owls.pdf", owls, {{"colour", "grey"}});
  CHECK(send(person, unknown, known).status == 422);
  const std::string no_file =
      "--edge\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n--edge--\r\n";
  CHECK(send(person, no_file, "multipart/form-data; boundary=edge").status == 422);
  CHECK(send(person, std::string((10 << 20) + 1, ' '), "application/pdf").detail() == "File too large");
  CHECK(send(person, std::string(13 << 20, ' '), "application/pdf").status == 413);
  CHECK(files_in(*app, "drafts") == 0);
  CHECK(app->number("SELECT count(*) FROM blobs") == 0);

  const auto made = send(person, form, type);
  REQUIRE(made.status == 201);
  CHECK(made["title"] == "Owls at night");
  CHECK(made["size"] == static_cast<std::int64_t>(owls.size()));
  CHECK(send(person, owls, "application/pdf").status == 200);
  CHECK(person.get(fmt::format("/api/v1/documents/{}/content", made.id())).body == owls);
  CHECK(files_in(*app, "drafts") == 0);
  // Two files where one belongs.
  auto two = form;
  two.resize(two.size() - std::string_view("--edge--\r\n").size());
  CHECK(send(person, two + make_form("more.pdf", owls + " ").first, type).status == 422);
  CHECK(eventually([&] { return files_in(*app, "drafts") == 0; }));
}

TEST_CASE("an upload with an Idempotency-Key happens once, and the key belongs to its bytes", "[G1]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto person = app->patron();
  const http::Headers key{{"Idempotency-Key", "owls-1"}};
  const auto [form, type] = make_form("owls.pdf", owls);
  const auto first = send(person, form, type, "/api/v1/documents", key);
  REQUIRE(first.status == 201);
  const auto again = send(person, form, type, "/api/v1/documents", key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.header("Idempotency-Replayed") == "true");
  const auto other = make_form("owls.pdf", owls + " ").first;
  CHECK(send(person, other, type, "/api/v1/documents", key).code() == "idempotency_key_reused");
  // Also of bodies that are refused before they were read to the end.
  const http::Headers large_key{{"Idempotency-Key", "owls-2"}};
  std::string large((10 << 20) + 5, ' ');
  CHECK(send(person, large, "application/pdf", "/api/v1/documents", large_key).status == 400);
  CHECK(
      send(person, large, "application/pdf", "/api/v1/documents", large_key).header("Idempotency-Replayed") ==
      "true");
  large.back() = 'x';
  CHECK(send(person, large, "application/pdf", "/api/v1/documents", large_key).code() ==
        "idempotency_key_reused");
  CHECK(eventually([&] { return files_in(*app, "drafts") == 0; }));
}

TEST_CASE("what the virus scanner finds is refused, wherever it comes in", "[G13][G10][G16]") {
  const auto over = GENERATE(ClamdPeer::Over::unix_socket, ClamdPeer::Over::tcp);
  ClamdPeer clamd(over);
  auto app = TestApp::on(over == ClamdPeer::Over::tcp ? Database::sqlite : GENERATE(from_databases()),
                         [&](config::Config& c) { c.clamd_socket = clamd.where(); });
  auto person = app->patron();
  const auto infected = owls + eicar;
  const auto refused = upload(person, "owls.pdf", infected);
  CHECK(refused.status == 400);
  CHECK(refused.code() == "infected");
  const auto made = upload(person, "owls.pdf", owls);
  REQUIRE(made.status == 201);
  const auto file = fmt::format("/api/v1/documents/{}/file", made.id());
  CHECK(person.put(file, infected, {{"Content-Type", "application/pdf"}}).code() == "infected");
  auto [batch, type] = make_form("a.pdf", infected);
  batch.resize(batch.size() - std::string_view("--edge--\r\n").size());
  const auto accepted =
      send(person, batch + make_form("b.pdf", owls + " ").first, type, "/api/v1/documents/batch");
  REQUIRE(accepted.status == 202);
  const auto task = fmt::format("/api/v1/tasks/{}", accepted["task_id"].as_string().c_str());
  REQUIRE(eventually([&] { return person.get(task)["status"] == "succeeded"; }));
  CHECK(person.get(task)["result"].as_array().at(0).at("error_code") == "infected");
  CHECK(person.get(task)["result"].as_array().at(1).at("error_code").is_null());
  CHECK(clamd.fault().empty());
  CHECK(clamd.scanned() == std::vector<std::string>{infected, owls, infected, infected, owls + " "});
  CHECK(app->number(fmt::format("SELECT count(*) FROM blobs WHERE size = {}", infected.size())) == 0);
  CHECK(files_in(*app, "drafts") == 0);

  // What it cannot be asked about comes in or stays out as the settings say.
  clamd.mood = ClamdPeer::Mood::garbage;
  const auto down = upload(person, "c.pdf", owls + "  ");
  CHECK(down.status == 503);
  CHECK(down.code() == "scanner_down");
  CHECK(down.header("Retry-After") == "30");
  CHECK(files_in(*app, "drafts") == 0);
}

TEST_CASE("uploads go on without a scanner where that is allowed", "[G13]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) {
    c.clamd_socket = "/nowhere/clamd.sock";
    c.clamd_required = false;
  });
  CHECK(upload(app->patron(), "owls.pdf", owls).status == 201);
}

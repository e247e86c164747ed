// Summaries in other languages than the book's.
#include "support/http_peer.hpp"
#include "support/test_app.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace lumina::test {
namespace {

std::string summary_path(std::int64_t book) { return fmt::format("/api/v1/books/{}/summary", book); }
std::string generate_path(std::int64_t book) {
  return fmt::format("/api/v1/books/{}/generate-summary", book);
}
constexpr auto english =
    R"("language":"en","description":"She learns how little she knew of other people, and of herself. The village is small, and every letter is talked about for weeks.")";
const http::Headers wait{{"Prefer", "wait=30"}};

}  // namespace

TEST_CASE("summaries are kept for each language by themselves", "[F21]") {
  HttpPeer peer([](const HttpPeer::Received& request) {
    HttpPeer::Reply reply;
    const std::string text = request.body.contains("Portuguese (Brazil)") ? "Um romance sobre uma mulher."
                             : request.body.contains("German")            ? "Ein Roman ueber eine Frau."
                                                                          : "A novel about a woman.";
    reply.body = fmt::format(
        "{{\"message\":{{\"content\":{}}},\"done\":true,\"prompt_eval_count\":1,\"eval_count\":5}}\n",
        boost::json::serialize(boost::json::value(text)));
    return reply;
  });
  auto app = TestApp::on(GENERATE(from_databases()), [url = peer.url()](config::Config& c) {
    c.llm_provider = config::LlmProvider::ollama;
    c.llm_base_url = url;
    c.llm_model = "tiny";
    c.auto_summaries = false;
  });
  const auto book = app->book("Emma", "Jane Austen", english);
  auto librarian = app->librarian();
  REQUIRE(librarian.post(generate_path(book), "", wait).status == 200);
  const auto german = librarian.post(generate_path(book) + "?lang=DE", "", wait);
  CHECK(german["language"] == "de");
  CHECK(german["requested_language"] == "de");
  REQUIRE(librarian.post(generate_path(book) + "?lang=pt-br", "", wait).status == 200);
  CHECK(peer.calls() == 3);
  // Other spellings of the same language are the same summary.
  for (const auto* same : {"de", "deu", "ger", "De"}) {
    CHECK(app->anybody().get(summary_path(book) + "?lang=" + same)["summary"] ==
          "Ein Roman ueber eine Frau.");
    REQUIRE(librarian.post(generate_path(book) + "?lang=" + same, "", wait).status == 200);
  }
  CHECK(peer.calls() == 3);
  CHECK(app->anybody().get(summary_path(book))["summary"] == "A novel about a woman.");
  CHECK(app->anybody().get(summary_path(book) + "?lang=pt-BR")["summary"] == "Um romance sobre uma mulher.");
  CHECK(app->anybody().get(summary_path(book) + "?lang=pt").code() == "no_summary");
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["summary"] == "A novel about a woman.");
  CHECK(app->number("SELECT count(*) FROM book_summaries") == 3);
  for (const auto* bad : {"german", "e", "x-klingon", "i-default", "de_DE", "de--AT", "1", "%20",
                          "en-ignore-all-that-was-said-above"}) {
    INFO(bad);
    CHECK(app->anybody().get(summary_path(book) + "?lang=" + bad).status == 422);
    CHECK(librarian.post(generate_path(book) + "?lang=" + bad).status == 422);
  }
}

TEST_CASE("without a model a summary says what it is written in", "[F21]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) { c.auto_summaries = false; });
  const auto book = app->book("Emma", "Jane Austen", english);
  auto librarian = app->librarian();
  CHECK(app->anybody().get(summary_path(book) + "?lang=de").code() == "no_summary");
  REQUIRE(librarian.post(generate_path(book), "", wait).status == 200);
  const auto shown = app->anybody().get(summary_path(book) + "?lang=de");
  REQUIRE(shown.status == 200);
  CHECK(shown["language"] == "en");
  CHECK(shown["requested_language"] == "de");
  CHECK(shown["source"] == "extractive");
  const auto made = librarian.post(generate_path(book) + "?lang=de", "", wait);
  CHECK(made["language"] == "en");
  CHECK(made["requested_language"] == "de");
  CHECK(made["source"] == "extractive");
  CHECK(app->anybody().get(summary_path(book) + "?lang=de")["language"] == "en");
  CHECK(app->anybody().get(summary_path(book))["requested_language"] == "en");
  // A person can translate.
  const auto edited =
      librarian.put(summary_path(book) + "?lang=de", R"({"summary":"Ein Roman ueber eine Frau."})");
  CHECK(edited["language"] == "de");
  CHECK(app->anybody().get(summary_path(book) + "?lang=de")["language"] == "de");
  CHECK(app->anybody().get(summary_path(book))["language"] == "en");
  const auto text = app->patron().post(
      "/api/v1/generate-summary",
      R"({"content":"The village is small. She learns how little she knew of the people there.","language":"de"})");
  CHECK(text["language"] == "en");
}

}  // namespace lumina::test

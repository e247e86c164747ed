// What language models do for the library: without one, with one in the process, and with a peer that speaks
// for one.
#include "core/http/body_source.hpp"
#include "core/jobs/runner.hpp"
#include "modules/ai/extractive.hpp"
#include "support/eventually.hpp"
#include "support/http_peer.hpp"
#include "support/test_app.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>

namespace lumina::test {
namespace {

const std::string description =
    "Emma Woodhouse is handsome, clever and rich, and she has never had to think about money. "
    "She spends her days making matches for her friends in the village of Highbury. "
    "Her first attempt goes wrong when Mr. Elton proposes to her instead of to Harriet. "
    "Mr. Knightley, an old friend of the family, warns her again and again. "
    "The village is small, and every letter, ball and picnic is talked about for weeks. "
    "In the end Emma learns how little she knew of other people, and of herself.";

std::string book_json() { return fmt::format(R"("description":"{}","genre":"Novel")", description); }

// Speaks as Ollama does.
HttpPeer::Reply ollama(const std::string& text) {
  HttpPeer::Reply reply;
  reply.body = fmt::format(
      "{{\"message\":{{\"content\":{}}},\"done\":false}}\n{{\"message\":{{\"content\":\"\"}},"
      "\"done\":true,\"prompt_eval_count\":120,\"eval_count\":33}}\n",
      boost::json::serialize(boost::json::value(text)));
  return reply;
}
TestApp::Configure with_peer(const HttpPeer& peer) {
  return [url = peer.url()](config::Config& c) {
    c.llm_provider = config::LlmProvider::ollama;
    c.llm_base_url = url;
    c.llm_model = "tiny";
    c.llm_timeout = 5;
  };
}

Answer ended(Client client, const Answer& accepted) {
  Answer task;
  const std::string target = "/api/v1/tasks/" + std::string(accepted["task_id"].as_string());
  eventually([&] {
    task = client.get(target);
    return task["status"] == "succeeded" || task["status"] == "failed";
  });
  return task;
}

std::string summary_path(std::int64_t book) { return fmt::format("/api/v1/books/{}/summary", book); }
std::string generate_path(std::int64_t book) {
  return fmt::format("/api/v1/books/{}/generate-summary", book);
}

}  // namespace

TEST_CASE("without a model a summary is made of the book's own sentences", "[F2][F3][F5][F15]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  CHECK(app->anybody().get(summary_path(book)).code() == "no_summary");
  const auto accepted = app->librarian().post(generate_path(book));
  REQUIRE(accepted.status == 202);
  CHECK(accepted["status"] == "processing");
  CHECK(accepted.header("Location") == "/api/v1/tasks/" + std::string(accepted["task_id"].as_string()));
  const auto task = ended(app->librarian(), accepted);
  CHECK(task["status"] == "succeeded");
  CHECK(app->patron().get("/api/v1/tasks/" + std::string(accepted["task_id"].as_string())).status == 404);

  const auto summary = app->anybody().get(summary_path(book));
  REQUIRE(summary.status == 200);
  CHECK(summary["source"] == "extractive");
  CHECK(summary["book_id"] == book);
  CHECK(summary["review_count"] == 0);
  CHECK(summary["ai"].at("provider") == "builtin");
  const std::string text(summary["summary"].as_string());
  CHECK(ai::count_words(text) <= 200);
  CHECK(description.contains(text.substr(0, text.find(". "))));
  CHECK(app->anybody().get(fmt::format("/api/v1/books/{}", book))["summary"].as_string() == std::string_view(text));
  CHECK(app->anybody().get(summary_path(book + 1000)).status == 404);
  CHECK(app->librarian().post(generate_path(book + 1000)).status == 404);
  CHECK(app->patron().post(generate_path(book)).status == 403);
}

TEST_CASE("a model's summary is asked for once while nothing changes", "[F1][F2][F7][F19]") {
  const auto words = fmt::format(
      "{}", fmt::join(std::vector<std::string>(30, "Emma learns a little about love today."), " "));
  HttpPeer peer([&words](const HttpPeer::Received&) { return ollama(words); });
  auto app = TestApp::on(GENERATE(from_databases()), with_peer(peer));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const http::Headers wait{{"Prefer", "wait=30"}};
  const auto made = app->librarian().post(generate_path(book), "", wait);
  REQUIRE(made.status == 200);
  CHECK(made.header("Preference-Applied") == "wait=30");
  CHECK(made["source"] == "llm");
  CHECK(made["model"] == "tiny");
  const std::string text(made["summary"].as_string());
  CHECK(ai::count_words(text) <= 200);
  CHECK(text.ends_with('.'));
  CHECK(made["ai"].at("prompt_tokens") == 120);
  CHECK(made["ai"].at("completion_tokens") == 33);
  CHECK(std::string(made["ai"].at("prompt_version").as_string()).starts_with("1-"));
  CHECK(peer.calls() == 1);
  REQUIRE(app->librarian().post(generate_path(book), "", wait).status == 200);
  CHECK(peer.calls() == 1);
  REQUIRE(app->librarian().post(generate_path(book) + "?refresh=true", "", wait).status == 200);
  CHECK(peer.calls() == 2);
  const auto german = app->librarian().post(generate_path(book) + "?lang=de", "", wait);
  CHECK(german["language"] == "de");
  CHECK(peer.calls() == 3);
  CHECK(peer.received()[2].body.contains("German"));
  CHECK(app->anybody().get(summary_path(book) + "?lang=de").status == 200);
  CHECK(app->anybody().get(summary_path(book) + "?lang=fr").status == 404);
  CHECK(app->anybody().get(summary_path(book) + "?lang=DE!").status == 422);
  // The book says something else now.
  app->librarian().patch(fmt::format("/api/v1/books/{}", book),
                         R"({"description":"Another story altogether."})");
  REQUIRE(app->librarian().post(generate_path(book), "", wait).status == 200);
  CHECK(peer.calls() == 4);

  const auto status = app->librarian().get("/api/v1/ai/status");
  CHECK(status["tier"] == "llm");
  CHECK(status["providers"].at(0).at("provider") == "ollama");
  CHECK(status["providers"].at(0).at("circuit") == "closed");
  CHECK(status["providers"].at(0).at("requests") == 4);
  CHECK(status["cache_hits"] == 1);
  CHECK(status["calls_today"] == 4);
  CHECK(app->patron().get("/api/v1/ai/status").status == 403);
  const auto usage = app->admin().get("/api/v1/admin/ai/usage");
  CHECK(usage["calls"] == 4);
  CHECK(usage["completion_tokens"] == 4 * 33);
  CHECK(usage["lines"].at(0).at("task") == "book_summary");
  CHECK(app->librarian().get("/api/v1/admin/ai/usage").status == 403);
}

TEST_CASE("a model that fails in any way is replaced by the built-in method", "[F10][F15]") {
  const auto mood = GENERATE(HttpPeer::Mood::garbage, HttpPeer::Mood::cut, HttpPeer::Mood::slam);
  const int status = GENERATE(200, 500);
  HttpPeer peer([&](const HttpPeer::Received&) {
    auto reply = ollama("great!");
    reply.status = status;
    reply.mood = mood;
    return reply;
  });
  auto app = TestApp::on(Database::sqlite, with_peer(peer));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const auto made = app->librarian().post(generate_path(book), "", {{"Prefer", "wait=30"}});
  REQUIRE(made.status == 200);
  CHECK(made["source"] == "extractive");
  const auto text =
      app->patron().post("/api/v1/generate-summary", fmt::format(R"({{"content":"{}"}})", description));
  REQUIRE(text.status == 200);
  CHECK(text["source"] == "extractive");
}

TEST_CASE("a summary that a person wrote is never overwritten until it is unlocked", "[F20]") {
  HttpPeer peer([](const HttpPeer::Received&) { return ollama("The machine's words about Emma."); });
  auto app = TestApp::on(GENERATE(from_databases()), with_peer(peer));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const auto edited = app->librarian().put(summary_path(book), R"({"summary":"Read it. I did."})");
  REQUIRE(edited.status == 200);
  CHECK(edited["source"] == "human");
  CHECK(edited["locked"] == true);
  CHECK(app->patron().put(summary_path(book), R"({"summary":"Mine."})").status == 403);
  CHECK(app->librarian().put(summary_path(book), R"({"summary":"  "})").status == 422);
  const auto kept = app->librarian().post(generate_path(book) + "?refresh=true", "", {{"Prefer", "wait=5"}});
  CHECK(kept["summary"] == "Read it. I did.");
  CHECK(peer.calls() == 0);
  const auto unlocked = app->librarian().post(fmt::format("/api/v1/books/{}/summary/unlock", book));
  REQUIRE(unlocked.status == 202);
  CHECK(ended(app->librarian(), unlocked)["status"] == "succeeded");
  const auto now = app->anybody().get(summary_path(book));
  CHECK(now["summary"] == "The machine's words about Emma.");
  CHECK(now["locked"] == false);
  CHECK(app->librarian().post(fmt::format("/api/v1/books/{}/summary/unlock", book)).code() == "not_locked");
}

TEST_CASE("new and changed books get a summary by themselves, once", "[F4]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const auto bare = app->book("Bare", "Nobody");
  const auto round = [&] {
    const auto task = app->admin().post("/api/v1/admin/schedules/ai.summaries/run");
    return std::string(ended(app->admin(), task)["result"].as_object().contains("started")
                           ? std::to_string(ended(app->admin(), task)["result"].at("started").as_int64())
                           : "none");
  };
  CHECK(round() == "0");  // a moment ago: perhaps somebody is still typing
  app->clock().advance(std::chrono::seconds(11));
  CHECK(round() == "1");
  REQUIRE(eventually([&] { return app->anybody().get(summary_path(book)).status == 200; }));
  CHECK(round() == "0");
  app->librarian().patch(
      fmt::format("/api/v1/books/{}", book),
      R"({"description":"A very different description of the book. It has two sentences."})");
  app->clock().advance(std::chrono::seconds(11));
  CHECK(round() == "1");
  REQUIRE(eventually([&] {
    return std::string(app->anybody().get(summary_path(book))["summary"].as_string())
        .contains("very different");
  }));
  CHECK(app->anybody().get(summary_path(bare)).status == 404);

  auto silent = TestApp::on(Database::sqlite, [](config::Config& c) { c.auto_summaries = false; });
  CHECK(silent->admin().post("/api/v1/admin/schedules/ai.summaries/run").status == 404);
}

TEST_CASE("a given text is summed up, a long one in parts", "[F6]") {
  HttpPeer peer([](const HttpPeer::Received& request) {
    return ollama(request.body.contains("at most 80 words") ? "A part." : "The whole.");
  });
  auto app = TestApp::on(GENERATE(from_databases()), with_peer(peer));
  auto reader = app->patron();
  const auto one = reader.post("/api/v1/generate-summary", fmt::format(R"({{"content":"{}"}})", description));
  REQUIRE(one.status == 200);
  CHECK(one["summary"] == "The whole.");
  CHECK(one["parts"] == 1);
  CHECK(one["ai"].at("provider") == "ollama");
  CHECK(peer.calls() == 1);
  CHECK(reader.post("/api/v1/generate-summary", fmt::format(R"({{"content":"{}"}})", description)).status ==
        200);
  CHECK(peer.calls() == 1);
  std::string book;
  while (book.size() < 20'000) book += description + " ";
  const auto many = reader.post("/api/v1/generate-summary", fmt::format(R"({{"content":"{}"}})", book));
  REQUIRE(many.status == 200);
  CHECK(many["parts"] == 4);
  CHECK(many["summary"] == "The whole.");
  CHECK(peer.calls() == 6);
  CHECK(reader.post("/api/v1/generate-summary", R"({"content":" "})").status == 422);
  CHECK(app->anybody().post("/api/v1/generate-summary", R"({"content":"x"})").status == 401);
}

TEST_CASE("who used up the day's calls is told so by the built-in method; the library's budget counts all",
          "[F18]") {
  HttpPeer peer([](const HttpPeer::Received&) { return ollama("By the model."); });
  auto app = TestApp::on(GENERATE(from_databases()), [&](config::Config& c) {
    with_peer(peer)(c);
    c.llm_user_daily_calls = 2;
    c.llm_daily_calls = 3;
  });
  const auto ask = [](Client who, int i) {
    return std::string(
        who.post("/api/v1/generate-summary",
                 fmt::format(R"({{"content":"Text number {}. It says little."}})", i))["source"]
            .as_string());
  };
  CHECK(ask(app->patron(1), 1) == "llm");
  CHECK(ask(app->patron(1), 2) == "llm");
  CHECK(ask(app->patron(1), 3) == "extractive");
  CHECK(ask(app->patron(2), 4) == "llm");
  CHECK(ask(app->patron(2), 5) == "extractive");
  CHECK(peer.calls() == 3);
  app->clock().advance(std::chrono::hours(24));
  CHECK(ask(app->patron(1), 6) == "llm");
}

TEST_CASE("the whole chain with a model in the process", "[F9][F17]") {
  auto app = TestApp::on(GENERATE(from_databases()), [](config::Config& c) {
    c.llm_provider = config::LlmProvider::llama;
    c.llm_model = std::string(LUMINA_SOURCE_DIR) + "/tests/data/models/stories260K.gguf";
    c.llm_context = 4096;
    c.llm_threads = 1;
  });
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const auto made = app->librarian().post(generate_path(book), "", {{"Prefer", "wait=60"}});
  REQUIRE(made.status == 200);
  CHECK(made["source"] == "llm");
  CHECK(made["model"] == "stories260K");
  CHECK(ai::count_words(std::string(made["summary"].as_string())) <= 200);
  const auto status = app->librarian().get("/api/v1/ai/status");
  CHECK(status["providers"].at(0).at("sha256") ==
        "635e18b9fa84d4fc39f9e5f4876d417d7a89da8c502a75316cd0c5b57f43952a");
  CHECK(status["providers"].at(0).at("bytes") == 1'054'208);
}

TEST_CASE("tokens are sent as they come, and the whole at the end", "[F8]") {
  HttpPeer peer([](const HttpPeer::Received&) { return ollama("A \"short\" tale\nof Emma."); });
  auto app = TestApp::on(GENERATE(from_databases()), with_peer(peer));
  const auto book = app->book("Emma", "Jane Austen", book_json());
  const auto stream = app->librarian().post(generate_path(book), "", {{"Accept", "text/event-stream"}});
  CHECK(stream.status == 200);
  CHECK(stream.header("Content-Type") == "text/event-stream");
  REQUIRE(eventually([&] { return app->anybody().get(summary_path(book)).status == 200; }));
  CHECK(app->librarian().post(generate_path(book + 999), "", {{"Accept", "text/event-stream"}}).status ==
        404);
}

}  // namespace lumina::test

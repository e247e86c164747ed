// The alert rules that are shipped name figures that the server shows.
#include "support/http_peer.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace lumina::test {
namespace {

std::string rules() {
  std::ifstream file(std::string(LUMINA_SOURCE_DIR) + "/config/alerts.yml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<std::string> named(const std::string& text, const char* pattern) {
  std::set<std::string> out;
  const std::regex names(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), names), end; it != end; ++it) out.insert(it->str());
  return out;
}

std::int64_t figure(const std::string& metrics, const std::string& series) {
  const auto at = metrics.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::stoll(metrics.substr(at + series.size() + 2));
}

}  // namespace

TEST_CASE("every figure of the alert rules is one that the server shows", "[E26]") {
  auto app = TestApp::on(Database::sqlite);
  app->anybody().get("/api/v1/books");
  const auto metrics = app->admin().get("/metrics").body;
  const auto names = named(rules(), "luminalib_[a-z_]+");
  CHECK(names.size() >= 8);
  for (const auto& name : names) {
    INFO(name);
    CHECK((metrics.contains("\n" + name + "{") || metrics.contains("\n" + name + " ")));
  }
  CHECK(names.contains("luminalib_llm_requests_total"));
  CHECK(rules().contains("< 0.95"));
  // Labels that the rules choose by are there with these values.
  for (const auto* label : {R"(outcome="success")", R"(outcome="failure")", R"(state="failed")",
                            R"(code="200")", R"(provider=")", R"(le=")", R"(kind=")"}) {
    INFO(label);
    CHECK(metrics.contains(label));
  }
}

TEST_CASE("calls of the model are counted by their outcome", "[E26]") {
  std::atomic<bool> broken{false};
  HttpPeer peer([&](const HttpPeer::Received&) {
    HttpPeer::Reply reply;
    if (broken) reply.status = 400;
    reply.body =
        "{\"message\":{\"content\":\"Some words about a book.\"},\"done\":true,\"prompt_eval_count\":1,"
        "\"eval_count\":5}\n";
    return reply;
  });
  auto app = TestApp::on(Database::sqlite, [url = peer.url()](config::Config& c) {
    c.llm_provider = config::LlmProvider::ollama;
    c.llm_base_url = url;
    c.llm_model = "tiny";
    c.auto_summaries = false;
  });
  const auto ask = [&](int number) {
    REQUIRE(app->patron()
                .post("/api/v1/generate-summary", fmt::format(R"({{"content":"Text number {}."}})", number))
                .status == 200);
  };
  for (int i = 0; i < 3; ++i) ask(i);
  broken = true;
  ask(10);
  const auto metrics = app->admin().get("/metrics").body;
  const auto series = [](std::string_view outcome) {
    return fmt::format(R"(luminalib_llm_requests_total{{provider="ollama",outcome="{}"}})", outcome);
  };
  INFO(metrics.substr(metrics.find("luminalib_llm_requests_total")));
  CHECK(figure(metrics, series("success")) == 3);
  CHECK(figure(metrics, series("failure")) == 1);
}

}  // namespace lumina::test

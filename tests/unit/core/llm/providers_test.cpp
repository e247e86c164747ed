// The remote providers against a peer that speaks their wire formats, well and badly.
#include "core/base/text.hpp"
#include "core/llm/chain.hpp"
#include "core/llm/remote.hpp"
#include "core/runtime/block_on.hpp"
#include "support/http_peer.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace lumina::llm {
namespace {

using test::HttpPeer;
using Reply = HttpPeer::Reply;
using Mood = HttpPeer::Mood;
using namespace std::chrono_literals;

const std::string sentence = "A quiet book about a loud summer – read it.";

// What each provider answers when all is well.
Reply fine(Wire wire, const std::string& text = sentence) {
  const auto quoted = [](const std::string& s) { return boost::json::serialize(boost::json::value(s)); };
  const auto half = utf8_prefix(text, utf8_length(text) / 2);
  const std::string first(half), second = text.substr(half.size());
  switch (wire) {
    case Wire::ollama:
      return {.content_type = "application/x-ndjson",
              .body = fmt::format("{{\"model\":\"m\",\"message\":{{\"role\":\"assistant\",\"content\":{}}},"
                                  "\"done\":false}}\n{{\"message\":{{\"content\":{}}},\"done\":false}}\n"
                                  "{{\"message\":{{\"content\":\"\"}},\"done\":true,\"prompt_eval_count\":41,"
                                  "\"eval_count\":17}}\n",
                                  quoted(first), quoted(second))};
    case Wire::openai:
      return {
          .content_type = "text/event-stream",
          .body = fmt::format(
              ": hello\n\ndata: "
              "{{\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":{}"
              "}}}}]}}\n\ndata: {{\"choices\":[{{\"delta\":{{\"content\":{}}},\"finish_reason\":null}}]}}\n\n"
              "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":41,\"completion_tokens\":17}}}}\n\n"
              "data: [DONE]\n\n",
              quoted(first), quoted(second))};
    case Wire::huggingface:
      break;
  }
  return {.body = fmt::format("[{{\"generated_text\":{}}}]", quoted(text))};
}

std::shared_ptr<RemoteProvider> provider(Wire wire, const HttpPeer& peer, std::string key = "k-123") {
  return std::make_shared<RemoteProvider>(Server{wire, peer.url(), "org/model-1", std::move(key)}, 2, "");
}

Prompt prompt() {
  Prompt p;
  p.task = "book_summary";
  p.system = "You write for a library.";
  p.user = "Summarise \"Emma\".";
  return p;
}

const auto wires = {Wire::ollama, Wire::openai, Wire::huggingface};
constexpr auto all_wires = [] { return Catch::Generators::from_range(wires.begin(), wires.end()); };

std::shared_ptr<Chain> chain_of(std::vector<std::shared_ptr<Provider>> providers, ChainOptions options = {},
                                ChainMetrics* metrics = nullptr) {
  return std::make_shared<Chain>(std::move(providers), std::move(options), metrics);
}
ChainOptions quick() {
  ChainOptions options;
  options.timeout = 600ms;
  options.pause = 5ms;
  return options;
}

}  // namespace

TEST_CASE("each provider is spoken to in its own words and its answer is read", "[F9][F11]") {
  const Wire wire = GENERATE(all_wires());
  HttpPeer peer([wire](const HttpPeer::Received&) { return fine(wire); });
  std::string heard;
  auto on_token = [&heard](std::string_view piece) {
    heard += piece;
    return true;
  };
  const auto written = runtime::block_on(chain_of({provider(wire, peer)})->generate(prompt(), on_token));
  REQUIRE(written);
  CHECK(written->text == sentence);
  CHECK(heard == sentence);
  CHECK(written->provider == to_string(wire));
  CHECK(written->model == "org/model-1");
  CHECK(written->completion_tokens > 0);
  if (wire != Wire::huggingface) CHECK(written->completion_tokens == 17);

  REQUIRE(peer.calls() == 1);
  const auto request = peer.received()[0];
  CHECK(request.header("Authorization") == "Bearer k-123");
  const auto body = boost::json::parse(request.body);
  switch (wire) {
    case Wire::ollama:
      CHECK(request.target == "/api/chat");
      CHECK(body.at_pointer("/options/num_predict") == 500);
      CHECK(body.at_pointer("/options/temperature").as_double() == 0.7);
      CHECK(body.at_pointer("/options/top_p").as_double() == 0.9);
      CHECK(body.at_pointer("/messages/1/content") == "Summarise \"Emma\".");
      break;
    case Wire::openai:
      CHECK(request.target == "/v1/chat/completions");
      CHECK(body.at("max_tokens") == 500);
      CHECK(body.at("temperature").as_double() == 0.7);
      CHECK(body.at("top_p").as_double() == 0.9);
      CHECK(body.at_pointer("/messages/0/role") == "system");
      break;
    case Wire::huggingface:
      CHECK(request.target == "/models/org/model-1");
      CHECK(body.at_pointer("/parameters/max_new_tokens") == 500);
      CHECK(body.at_pointer("/parameters/temperature").as_double() == 0.7);
      CHECK(body.at_pointer("/parameters/top_p").as_double() == 0.9);
      CHECK(body.at("inputs") == "You write for a library.\n\nSummarise \"Emma\".");
      break;
  }
}

TEST_CASE("moods of a provider end within the budget and never as text", "[F10][E11]") {
  const Wire wire = GENERATE(all_wires());
  const auto mood =
      GENERATE(Mood::hang, Mood::drip, Mood::garbage, Mood::half, Mood::huge, Mood::cut, Mood::slam);
  HttpPeer peer([wire, mood](const HttpPeer::Received&) {
    auto reply = fine(wire);
    reply.mood = mood;
    return reply;
  });
  const auto began = std::chrono::steady_clock::now();
  const auto written = runtime::block_on(chain_of({provider(wire, peer)}, quick())->generate(prompt()));
  const auto took = std::chrono::steady_clock::now() - began;
  CAPTURE(static_cast<int>(mood), to_string(wire));
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::unavailable);
  CHECK(written.error().retry_after_seconds > 0);
  CHECK(took < 5s);  // the budget is 600 ms; the rest is for a busy machine
}

TEST_CASE("statuses and broken documents of a provider are failures", "[F10][E11]") {
  const Wire wire = GENERATE(all_wires());
  const auto reply = GENERATE(Reply{.status = 500}, Reply{.status = 503}, Reply{.status = 429},
                              Reply{.status = 302, .headers = "Location: /elsewhere\r\n"},
                              Reply{.body = "great!"}, Reply{.body = "{}"}, Reply{.body = "[]"},
                              Reply{.body = ""}, Reply{.body = R"({"error":"model not found, key k-123"})"});
  HttpPeer peer([reply](const HttpPeer::Received&) { return reply; });
  const auto written = runtime::block_on(chain_of({provider(wire, peer)}, quick())->generate(prompt()));
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::unavailable);
  CHECK_FALSE(written.error().detail.contains("k-123"));
  CHECK(peer.calls() == 3);  // tried again, and nothing else: no redirect was followed
  for (const auto& request : peer.received()) CHECK(request.target != "/elsewhere");
}

TEST_CASE("a provider that asks for time gets it, when the budget allows", "[F10]") {
  std::atomic<int> calls{0};
  HttpPeer peer([&calls](const HttpPeer::Received&) {
    if (calls++ == 0) return Reply{.status = 429, .headers = "Retry-After: 1\r\n"};
    return fine(Wire::openai);
  });
  auto options = quick();
  options.timeout = 10s;
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(runtime::block_on(chain_of({provider(Wire::openai, peer)}, options)->generate(prompt())));
  CHECK(std::chrono::steady_clock::now() - began >= 1s);
  calls = 0;
  // Not when it would take longer than the caller waits.
  const auto late = runtime::block_on(chain_of({provider(Wire::openai, peer)}, quick())->generate(prompt()));
  REQUIRE_FALSE(late);
  CHECK(late.error().retry_after_seconds == 1);
}

TEST_CASE(
    "the second provider answers; the circuit of the first opens after five failures and closes after a "
    "probe",
    "[F10]") {
  std::atomic<bool> well{false};
  HttpPeer first([&well](const HttpPeer::Received&) {
    return well ? fine(Wire::ollama, "from the first") : Reply{.status = 500};
  });
  HttpPeer second([](const HttpPeer::Received&) { return fine(Wire::openai, "from the second"); });
  auto now = std::make_shared<std::atomic<std::int64_t>>(1'000'000);
  ChainOptions options;
  options.attempts = 1;
  options.now = [now] {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now->load()));
  };
  metrics::Registry registry;
  ChainMetrics figures(registry);
  const auto chain =
      chain_of({provider(Wire::ollama, first), provider(Wire::openai, second)}, options, &figures);
  for (int i = 0; i < 8; ++i) {
    const auto written = runtime::block_on(chain->generate(prompt()));
    REQUIRE(written);
    CHECK(written->text == "from the second");
  }
  CHECK(first.calls() == 5);
  CHECK(chain->status().providers[0].circuit == Circuit::open);
  CHECK_FALSE(chain->status().providers[0].available);
  well = true;
  *now += 29'999;
  runtime::block_on(chain->generate(prompt()));
  CHECK(first.calls() == 5);
  *now += 2;
  const auto probed = runtime::block_on(chain->generate(prompt()));
  REQUIRE(probed);
  CHECK(probed->text == "from the first");
  CHECK(chain->status().providers[0].circuit == Circuit::closed);
  const auto text = registry.render();
  CHECK(text.contains(R"(luminalib_llm_requests_total{provider="ollama",outcome="failure"} 5)"));
  CHECK(text.contains(R"(luminalib_llm_requests_total{provider="openai",outcome="success"} 9)"));
}

TEST_CASE("a request that a provider does not want opens no circuit", "[F10]") {
  HttpPeer peer([](const HttpPeer::Received&) { return Reply{.status = 400}; });
  const auto chain = chain_of({provider(Wire::openai, peer)}, quick());
  for (int i = 0; i < 7; ++i) {
    const auto written = runtime::block_on(chain->generate(prompt()));
    REQUIRE_FALSE(written);
    CHECK(written.error().code == "llm_refused");
  }
  CHECK(peer.calls() == 7);
  CHECK(chain->status().providers[0].circuit == Circuit::closed);
}

TEST_CASE("what was said is not taken back: no second provider after the first piece", "[F8]") {
  HttpPeer first([](const HttpPeer::Received&) {
    auto reply = fine(Wire::ollama);
    reply.mood = Mood::half;
    return reply;
  });
  HttpPeer second([](const HttpPeer::Received&) { return fine(Wire::openai); });
  const auto chain = chain_of({provider(Wire::ollama, first), provider(Wire::openai, second)}, quick());
  std::string heard;
  auto on_token = [&heard](std::string_view piece) {
    heard += piece;
    return true;
  };
  const auto written = runtime::block_on(chain->generate(prompt(), on_token));
  CHECK_FALSE(written);
  CHECK_FALSE(heard.empty());
  CHECK(sentence.starts_with(heard));
  CHECK(second.calls() == 0);
}

TEST_CASE("a listener that wants no more ends the call", "[F8]") {
  const Wire wire = GENERATE(all_wires());
  HttpPeer peer([wire](const HttpPeer::Received&) { return fine(wire); });
  int pieces = 0;
  auto on_token = [&pieces](std::string_view) { return ++pieces < 1; };
  const auto written = runtime::block_on(chain_of({provider(wire, peer)})->generate(prompt(), on_token));
  REQUIRE_FALSE(written);
  CHECK(written.error().code == "cancelled");
  CHECK(pieces == 1);
  CHECK(peer.calls() == 1);
}

TEST_CASE("embeddings of every provider come back in order, with length one", "[F9]") {
  const auto [wire, body] = GENERATE(table<Wire, std::string>(
      {{Wire::ollama, R"({"embeddings":[[3,4],[0,2]]})"},
       {Wire::openai, R"({"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]})"},
       {Wire::huggingface, "[[3,4],[0,2]]"},
       {Wire::huggingface, "[[[3,4],[3,4]],[[0,1],[0,3]]]"}}));
  HttpPeer peer([body](const HttpPeer::Received&) { return Reply{.body = body}; });
  RemoteEmbedder embedder(Server{wire, peer.url(), "e", ""}, 2s, "");
  const auto vectors = runtime::block_on(embedder.embed({"a", "b"}));
  REQUIRE(vectors);
  CHECK((*vectors)[0] == std::vector<float>{0.6F, 0.8F});
  CHECK((*vectors)[1] == std::vector<float>{0.F, 1.F});
  CHECK(embedder.dimensions() == 2);
  CHECK(peer.received()[0].header("Authorization").empty());
}

TEST_CASE("embeddings that are none are failures", "[F9]") {
  const auto body =
      GENERATE(as<std::string>{}, R"({"embeddings":[[3,4]]})", R"({"embeddings":[[3,4],[1]]})",
               R"({"embeddings":[[0,0],[1,2]]})", R"({"embeddings":[["a"],[1]]})", "{}", "x", "");
  HttpPeer peer([body](const HttpPeer::Received&) { return Reply{.body = body}; });
  RemoteEmbedder embedder(Server{Wire::ollama, peer.url(), "e", ""}, 2s, "");
  const auto vectors = runtime::block_on(embedder.embed({"a", "b"}));
  REQUIRE_FALSE(vectors);
  CHECK(vectors.error().kind == ErrorKind::unavailable);
}

}  // namespace lumina::llm

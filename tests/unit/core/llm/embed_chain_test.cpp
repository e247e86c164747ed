// Several embedders as one: batches in order, fail-over, breakers, answers of another length.
#include "core/llm/embed_chain.hpp"

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

// Every text is a number n and becomes (1, n), in as many dimensions as wished.
Reply numbered(const HttpPeer::Received& request, std::size_t dimensions = 2) {
  boost::json::array all;
  for (const auto& text : boost::json::parse(request.body).at("input").as_array()) {
    boost::json::array one(dimensions);
    for (auto& number : one) number = 0;
    one[0] = 1;
    one[1] = std::stoi(std::string(text.as_string()));
    all.push_back(std::move(one));
  }
  return {.body = boost::json::serialize(boost::json::object{{"embeddings", std::move(all)}})};
}
std::shared_ptr<Embedder> server(const HttpPeer& peer) {
  return std::make_shared<RemoteEmbedder>(Server{Wire::ollama, peer.url(), "mini", ""}, 5s, "");
}
EmbedOptions quick() {
  EmbedOptions options;
  options.timeout = 2s;
  options.pause = 2ms;
  return options;
}
std::shared_ptr<EmbedChain> chain_of(std::vector<std::shared_ptr<Embedder>> all,
                                     EmbedOptions options = quick(), EmbedMetrics* metrics = nullptr) {
  return std::make_shared<EmbedChain>(std::move(all), std::move(options), metrics);
}
std::vector<std::string> numbers(int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::to_string(i));
  return texts;
}
void check_order(const Vectors& vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i)
    CHECK(vectors[i][1] / vectors[i][0] == Approx(static_cast<double>(i)).margin(0.001));
}

}  // namespace

TEST_CASE("texts are embedded in batches and come back in order", "[H26][G18]") {
  HttpPeer peer([](const HttpPeer::Received& request) { return numbered(request); });
  metrics::Registry registry;
  EmbedMetrics metrics(registry);
  auto options = quick();
  options.batch = 32;
  const auto chain = chain_of({server(peer)}, options, &metrics);
  CHECK(chain->configured());
  CHECK(chain->model() == "mini");
  CHECK(chain->dimensions() == 0);
  const auto vectors = runtime::block_on(chain->embed(numbers(100)));
  REQUIRE(vectors);
  REQUIRE(vectors->size() == 100);
  check_order(*vectors);
  CHECK(peer.calls() == 4);
  CHECK(chain->dimensions() == 2);
  const auto shown = registry.render();
  CHECK(shown.find("luminalib_embed_texts_total 100") != std::string::npos);
  CHECK(shown.find(R"(luminalib_embed_requests_total{provider="ollama",outcome="success"} 4)") !=
        std::string::npos);
  CHECK(runtime::block_on(chain->embed({}))->empty());
  CHECK(runtime::block_on(chain->embed(numbers(257))).error().code == "llm_refused");
}

TEST_CASE("another server of the model goes on where the first fails", "[H26][G18]") {
  const auto mood = GENERATE(Mood::slam, Mood::garbage, Mood::cut, Mood::hang);
  HttpPeer first([mood](const HttpPeer::Received& request) {
    auto reply = numbered(request);
    reply.mood = mood;
    return reply;
  });
  HttpPeer second([](const HttpPeer::Received& request) { return numbered(request); });
  const auto chain = chain_of({server(first), server(second)});
  const auto vectors = runtime::block_on(chain->embed(numbers(3)));
  REQUIRE(vectors);
  check_order(*vectors);
  CHECK(first.calls() >= 1);
  CHECK(second.calls() == 1);
  const auto status = chain->status();
  REQUIRE(status.providers.size() == 2);
  CHECK(status.providers[0].failures == 1);
  CHECK(status.providers[1].failures == 0);
}

TEST_CASE("a server that fails again and again is left alone until it answers", "[H26]") {
  std::atomic<bool> well{false};
  HttpPeer peer(
      [&well](const HttpPeer::Received& request) { return well ? numbered(request) : Reply{.status = 500}; });
  auto now = std::chrono::steady_clock::now();
  auto options = quick();
  options.attempts = 1;
  options.breaker_failures = 3;
  options.now = [&now] { return now; };
  const auto chain = chain_of({server(peer)}, options);
  for (int i = 0; i < 6; ++i) CHECK_FALSE(runtime::block_on(chain->embed({"1"})));
  CHECK(peer.calls() == 3);
  CHECK(chain->status().providers[0].circuit == Circuit::open);
  CHECK_FALSE(chain->status().providers[0].available);
  well = true;
  now += 31s;
  CHECK(runtime::block_on(chain->embed({"1"})));
  CHECK(chain->status().providers[0].circuit == Circuit::closed);
}

TEST_CASE("a request that the model refuses is nobody's failure and not sent again", "[H26]") {
  HttpPeer peer([](const HttpPeer::Received&) { return Reply{.status = 400}; });
  const auto chain = chain_of({server(peer)});
  const auto vectors = runtime::block_on(chain->embed({"1"}));
  REQUIRE_FALSE(vectors);
  CHECK(vectors.error().code == "llm_refused");
  CHECK(peer.calls() == 1);
  CHECK(chain->status().providers[0].failures_in_a_row == 0);
}

TEST_CASE("vectors of another length never come from a second server", "[H26]") {
  std::atomic<bool> down{false};
  HttpPeer first([&down](const HttpPeer::Received& request) {
    return down ? Reply{.status = 500} : numbered(request, 2);
  });
  HttpPeer second([](const HttpPeer::Received& request) { return numbered(request, 3); });
  const auto chain = chain_of({server(first), server(second)});
  REQUIRE(runtime::block_on(chain->embed({"1"})));
  down = true;
  const auto vectors = runtime::block_on(chain->embed({"1"}));
  REQUIRE_FALSE(vectors);
  CHECK(vectors.error().kind == ErrorKind::unavailable);
  CHECK(second.calls() >= 1);
  CHECK(chain->dimensions() == 2);
}

TEST_CASE("a model that was exchanged behind its name is noticed by the length of its vectors", "[G18]") {
  std::atomic<std::size_t> length{2};
  HttpPeer peer([&length](const HttpPeer::Received& request) { return numbered(request, length); });
  const auto chain = chain_of({server(peer)});
  REQUIRE(runtime::block_on(chain->embed({"1"})));
  length = 4;
  REQUIRE(runtime::block_on(chain->embed({"1"}))->front().size() == 4);
  CHECK(chain->dimensions() == 4);
}

TEST_CASE("without embedders a chain says so; a stopped one turns away", "[H26]") {
  const auto none = chain_of({});
  CHECK_FALSE(none->configured());
  CHECK(none->model().empty());
  CHECK(runtime::block_on(none->embed({"1"})).error().code == "llm_not_configured");
  HttpPeer peer([](const HttpPeer::Received& request) { return numbered(request); });
  const auto stopped = chain_of({server(peer)});
  stopped->stop();
  CHECK(runtime::block_on(stopped->embed({"1"})).error().code == "llm_busy");
  CHECK(peer.calls() == 0);
}

TEST_CASE("a call ends within its budget whatever its servers do", "[H26]") {
  HttpPeer first([](const HttpPeer::Received&) { return Reply{.mood = Mood::hang}; });
  HttpPeer second([](const HttpPeer::Received&) { return Reply{.mood = Mood::drip}; });
  const auto chain = chain_of({server(first), server(second)});
  const auto began = std::chrono::steady_clock::now();
  const auto vectors = runtime::block_on(chain->embed({"1"}, {Lane::interactive, 200ms}));
  REQUIRE_FALSE(vectors);
  CHECK(vectors.error().kind == ErrorKind::unavailable);
  CHECK(std::chrono::steady_clock::now() - began < 5s);
}

}  // namespace lumina::llm

// A real model in this process: tests/data/models/stories260K.gguf.
#include "core/llm/chain.hpp"
#include "core/llm/llama_embedder.hpp"
#include "core/llm/llama_engine.hpp"
#include "core/llm/models.hpp"
#include "core/llm/prompts.hpp"
#include "core/runtime/block_on.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

namespace lumina::llm {
namespace {

using namespace std::chrono_literals;

const std::string model_file = std::string(LUMINA_SOURCE_DIR) + "/tests/data/models/stories260K.gguf";
const std::string checksum = "635e18b9fa84d4fc39f9e5f4876d417d7a89da8c502a75316cd0c5b57f43952a";
const std::string story =
    ", there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, "
    "red "
    "ball. She wanted to play with it, but it was too high.";

LlamaOptions options(int parallel = 4, int context = 4096) {
  LlamaOptions o;
  o.path = model_file;
  o.context = context;
  o.threads = 1;
  o.parallel = parallel;
  return o;
}

std::shared_ptr<const Prompt> prompt(int tokens, double temperature = 0, std::string grammar = "") {
  auto p = std::make_shared<Prompt>();
  p->task = "test";
  p->user = "Once upon a time";
  p->max_tokens = tokens;
  p->temperature = temperature;
  p->grammar = std::move(grammar);
  return p;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view name)
      : path_(std::filesystem::temp_directory_path() / fmt::format("lumina_{}_{}", ::getpid(), name)) {}
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a model in the process tells its published story, token by token", "[F9][F17]") {
  const auto engine = LlamaEngine::load(options());
  REQUIRE(engine);
  std::string heard;
  int pieces = 0;
  auto on_token = [&](std::string_view piece) {
    heard += piece;
    ++pieces;
    return true;
  };
  const auto written = runtime::block_on((*engine)->generate(prompt(80), on_token, 20s));
  REQUIRE(written);
  CHECK(written->text.starts_with(story));
  CHECK(heard == written->text);
  CHECK(pieces > 20);
  CHECK(written->completion_tokens == 80);
  CHECK(written->prompt_tokens > 3);
  const auto status = (*engine)->status();
  CHECK(status.sha256 == checksum);
  CHECK(status.bytes == 1'054'208);
  CHECK(status.model == "stories260K");
  CHECK(status.path == model_file);
}

TEST_CASE("prompts that are written together are written as if each were alone", "[F14]") {
  const auto engine = LlamaEngine::load(options(8));
  REQUIRE(engine);
  boost::asio::io_context io{1};
  int whole = 0;
  for (int i = 0; i < 24; ++i) {
    boost::asio::co_spawn(io, (*engine)->generate(prompt(60 + i), {}, 60s),
                          [&, i](std::exception_ptr e, Result<Generated> r) {
                            REQUIRE_FALSE(e);
                            REQUIRE(r);
                            CHECK(r->text.starts_with(story));
                            CHECK(r->completion_tokens == 60 + i);
                            ++whole;
                          });
  }
  io.run();
  CHECK(whole == 24);
}

TEST_CASE("an answer bound by a grammar is one, a thousand times", "[F16]") {
  const PromptBook book;
  const auto engine = LlamaEngine::load(options(16, 8192));
  REQUIRE(engine);
  boost::asio::io_context io{1};
  int numbers = 0;
  for (int i = 0; i < 1000; ++i) {
    auto asked = book.make("sentiment", {{"review", "r"}});
    asked.system.clear();  // the model has 512 tokens of context; what binds it is the grammar
    asked.user = fmt::format("Story {}", i);
    asked.temperature = 1.5;
    boost::asio::co_spawn(io, (*engine)->generate(std::make_shared<const Prompt>(std::move(asked)), {}, 120s),
                          [&](std::exception_ptr e, Result<Generated> r) {
                            REQUIRE_FALSE(e);
                            REQUIRE(r);
                            auto text = std::string_view(r->text);
                            if (text.starts_with(' ')) text.remove_prefix(1);
                            double score = 9;
                            const auto [end, fault] =
                                std::from_chars(text.data(), text.data() + text.size(), score);
                            CAPTURE(r->text);
                            CHECK(fault == std::errc{});
                            CHECK(end == text.data() + text.size());
                            CHECK(std::abs(score) <= 1.0);
                            ++numbers;
                          });
  }
  io.run();
  CHECK(numbers == 1000);
}

TEST_CASE("a grammar that is none, a prompt that is too long: refused, and the model goes on", "[F16]") {
  const auto engine = LlamaEngine::load(options(2, 512));
  REQUIRE(engine);
  const auto bad = runtime::block_on((*engine)->generate(prompt(10, 0, "root ::= ("), {}, 20s));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == "bad_grammar");
  auto longest = std::make_shared<Prompt>(*prompt(10));
  for (int i = 0; i < 3000; ++i) longest->user += " word";
  const auto refused = runtime::block_on((*engine)->generate(longest, {}, 20s));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "prompt_too_long");
  // More than fits is cut to what fits.
  const auto cut = runtime::block_on((*engine)->generate(prompt(100'000), {}, 60s));
  REQUIRE(cut);
  CHECK(cut->prompt_tokens + cut->completion_tokens <= 512);
}

TEST_CASE("who leaves stops the work for himself alone, also while his prompt is read", "[F8]") {
  const auto engine = LlamaEngine::load(options(4, 16'384));
  REQUIRE(engine);
  boost::asio::io_context io{1};
  auto gone = std::make_shared<std::atomic<bool>>(false);
  auto leaving = std::make_shared<Prompt>(*prompt(100));
  for (int i = 0; i < 2500; ++i) leaving->user += " word";
  leaving->cancelled = gone;
  std::string ended;
  boost::asio::co_spawn(
      io, (*engine)->generate(leaving, {}, 120s),
      [&](std::exception_ptr, Result<Generated> r) { ended = r ? "written" : r.error().code; });
  bool whole = false;
  auto on_token = [gone](std::string_view) {
    gone->store(true);  // at the first word of the other
    return true;
  };
  boost::asio::co_spawn(
      io, (*engine)->generate(prompt(80), on_token, 120s),
      [&](std::exception_ptr, Result<Generated> r) { whole = r && r->text.starts_with(story); });
  io.run();
  CHECK(ended == "cancelled");
  CHECK(whole);
  // A listener that says no.
  const auto stopped =
      runtime::block_on((*engine)->generate(prompt(80), [](std::string_view) { return false; }, 20s));
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == "cancelled");
  // A deadline.
  const auto late = runtime::block_on((*engine)->generate(leaving, {}, 1ms));
  CHECK_FALSE(late);
}

TEST_CASE("random interleavings of prompts, cancels and deadlines leave the model whole", "[F8][F14]") {
  const auto seed = GENERATE(take(6, random(1U, 1'000'000U)));
  CAPTURE(seed);
  std::minstd_rand random(seed);
  const auto engine = LlamaEngine::load(options(1 + static_cast<int>(random() % 6), 1024));
  REQUIRE(engine);
  boost::asio::io_context io{1};
  int ended = 0;
  for (int i = 0; i < 40; ++i) {
    auto one = std::make_shared<Prompt>(*prompt(1 + static_cast<int>(random() % 120)));
    const int limit = static_cast<int>(random() % 50);
    auto heard = std::make_shared<int>(0);
    auto on_token = [limit, heard](std::string_view) { return ++*heard <= limit || limit > 30; };
    const auto time = random() % 4 == 0 ? std::chrono::milliseconds(random() % 30) : 60'000ms;
    boost::asio::co_spawn(
        io, (*engine)->generate(one, on_token, time), [&](std::exception_ptr e, Result<Generated> r) {
          REQUIRE_FALSE(e);
          if (r)
            CHECK((story + " The").starts_with(r->text.substr(0, std::min(r->text.size(), story.size()))));
          ++ended;
        });
  }
  io.run();
  CHECK(ended == 40);
  const auto after = runtime::block_on((*engine)->generate(prompt(80), {}, 60s));
  REQUIRE(after);
  CHECK(after->text.starts_with(story));
}

TEST_CASE("an engine that ends fails what it works on", "[F17]") {
  auto engine = LlamaEngine::load(options(2));
  REQUIRE(engine);
  boost::asio::io_context io{1};
  int failed = 0;
  for (int i = 0; i < 6; ++i)
    boost::asio::co_spawn(io, (*engine)->generate(prompt(4000), {}, 60s),
                          [&](std::exception_ptr, Result<Generated> r) {
                            if (!r) ++failed;
                          });
  io.run_one();
  for (int i = 0; i < 6; ++i) io.poll();
  engine->reset();
  io.run();
  CHECK(failed == 6);
}

TEST_CASE("a file that is no model is refused with a reason", "[F17]") {
  const TemporaryFile file("broken.gguf");
  std::string bytes;
  {
    std::ifstream in(model_file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto kind = GENERATE(0, 1, 2, 3);
  if (kind == 0) bytes.clear();
  if (kind == 1) bytes.resize(bytes.size() / 2);
  if (kind == 2) bytes = "this is no model";
  if (kind == 3) bytes[9] = '\xFF';
  std::ofstream(file.path(), std::ios::binary) << bytes;
  auto o = options();
  o.path = file.path();
  const auto engine = LlamaEngine::load(o);
  REQUIRE_FALSE(engine);
  CHECK(engine.error().kind == ErrorKind::unavailable);
  CHECK(engine.error().detail.contains("GGUF"));
  o.path = "/nowhere/model.gguf";
  CHECK_FALSE(LlamaEngine::load(o));
  o = options();
  o.sha256 = std::string(64, '0');
  REQUIRE_FALSE(LlamaEngine::load(o));
  o.sha256 = checksum;
  CHECK(LlamaEngine::load(o));
}

TEST_CASE("vectors from the process have length one and tell texts apart", "[F9]") {
  const auto embedder = LlamaEmbedder::load(options());
  REQUIRE(embedder);
  const auto vectors = runtime::block_on((*embedder)->embed(
      {"a little girl", "a little girl", "The dog ran to the park.", "", std::string(9000, 'x')}));
  REQUIRE(vectors);
  REQUIRE(vectors->size() == 5);
  for (const auto& vector : *vectors) {
    CHECK(vector.size() == (*embedder)->dimensions());
    double sum = 0;
    for (const float x : vector) sum += static_cast<double>(x) * x;
    CHECK(sum == Approx(1).margin(1e-4));
  }
  CHECK((*vectors)[0] == (*vectors)[1]);
  CHECK((*vectors)[0] != (*vectors)[2]);
}

TEST_CASE("models are exchanged while they serve; a bad file changes nothing", "[F9][F17]") {
  metrics::Registry registry;
  config::Config config;
  config.llm_provider = config::LlmProvider::llama;
  config.llm_model = model_file;
  config.llm_threads = 1;
  Models models(config, registry, {});
  REQUIRE(models.language().configured());
  Prompt ask = *prompt(20);
  REQUIRE(runtime::block_on(models.language().generate(ask)));

  const TemporaryFile file("bad.gguf");
  std::ofstream(file.path()) << "no model";
  auto bad = config;
  bad.llm_model = file.path();
  CHECK_FALSE(models.reload(bad));
  CHECK(models.language().model() == "stories260K");
  REQUIRE(runtime::block_on(models.language().generate(ask)));

  const TemporaryFile copy("second.gguf");
  std::filesystem::copy_file(model_file, copy.path());
  auto good = config;
  good.llm_model = copy.path();
  std::atomic<bool> over{false};
  std::atomic<int> written{0}, failed{0};
  std::thread reader([&] {
    while (!over) ++(runtime::block_on(models.language().generate(ask)) ? written : failed);
  });
  for (int i = 0; i < 5; ++i) {
    REQUIRE(models.reload(good));
    REQUIRE(models.reload(config));
  }
  while (written == 0) std::this_thread::yield();
  over = true;
  reader.join();
  CHECK(failed == 0);
  CHECK(written > 0);
}

TEST_CASE("a bad model file at start leaves the server running, and says why", "[F17][F15]") {
  metrics::Registry registry;
  config::Config config;
  config.llm_provider = config::LlmProvider::llama;
  config.llm_model = "/nowhere/model.gguf";
  Models models(config, registry, {});
  const auto status = models.language().status();
  REQUIRE(status.providers.size() == 1);
  CHECK_FALSE(status.providers[0].available);
  CHECK(status.providers[0].detail.contains("/nowhere/model.gguf"));
  const auto written = runtime::block_on(models.language().generate(*prompt(5)));
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::unavailable);
}

}  // namespace lumina::llm

// How fast the configured language models are at what the library asks of them. Prints a table in Markdown.
//
//   bench_ai [--runs N] [--llm-provider llama --llm-model FILE.gguf ...]
//
// Takes the same settings as the server: flags, environment, file. The first model and the fallback are
// measured each by itself, without the chain's retries deciding anything: a call that fails is counted as
// failed. Prompts are those of the server, with a description of 1,500 characters, a review of 400 and five
// passages; each is asked N times (default 5) after one call that is not counted.
#include "core/base/text.hpp"
#include "core/config/config.hpp"
#include "core/llm/fence.hpp"
#include "core/llm/models.hpp"
#include "core/llm/prompts.hpp"
#include "core/runtime/block_on.hpp"
#include "modules/reviews/sentiment_builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fstream>
#include <thread>

using namespace lumina;

namespace {

using Steady = std::chrono::steady_clock;

double seconds(Steady::duration time) { return std::chrono::duration<double>(time).count(); }

std::string machine() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      return fmt::format("{}, {} threads", trim(line.substr(line.find(':') + 1)),
                         std::thread::hardware_concurrency());
  return fmt::format("{} threads", std::thread::hardware_concurrency());
}

const std::string description =
    "Emma Woodhouse is handsome, clever and rich, and she has never had to think about money. She spends her "
    "days making matches for her friends in the village of Highbury. Her first attempt goes wrong when Mr. "
    "Elton proposes to her instead of to Harriet. Mr. Knightley, an old friend of the family, warns her "
    "again "
    "and again. The village is small, and every letter, ball and picnic is talked about for weeks. ";
const std::string review =
    "I did not expect to like this as much as I did. The first hundred pages are slow, and Emma herself is "
    "hard to like at the beginning, but the dialogue is so funny and the picnic on Box Hill so painful that "
    "I "
    "could not put the second half down. The ending is a little too neat for my taste. Still, one of the "
    "best "
    "novels I have read this year, and I will read it again.";

llm::Prompt prompt_for(const llm::PromptBook& prompts, std::string_view task) {
  if (task == "summary")
    return prompts.make(
        "book_summary",
        {{"title", "Title:\n" + llm::fence("title", "Emma", 500)},
         {"author", "Author:\n" + llm::fence("author", "Jane Austen", 500)},
         {"genre", ""},
         {"description",
          "Description:\n" + llm::fence("description", description + description + description, 1500)},
         {"language", "English"},
         {"words", "200"}});
  if (task == "sentiment") return prompts.make("sentiment", {{"review", llm::fence("review", review, 4000)}});
  std::string passages;
  for (int i = 1; i <= 5; ++i) passages += llm::fence(fmt::format("passage {}", i), description, 2000) + "\n";
  return prompts.make("grounded_answer",
                      {{"passages", std::move(passages)},
                       {"question", llm::fence("question", "Who warns Emma again and again?", 500)}});
}

struct Figures {
  std::vector<double> took, first;
  double tokens = 0, writing = 0;
  int failed = 0;
  std::string why;
};

double middle(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(llm::LanguageModel& model, const llm::PromptBook& prompts, std::string_view task, int runs,
             Figures& out) {
  for (int i = 0; i <= runs; ++i) {
    auto prompt = prompt_for(prompts, task);
    prompt.budget = std::chrono::minutes(5);
    const auto began = Steady::now();
    std::atomic<double> first{-1};
    auto made = runtime::block_on(model.generate(std::move(prompt), [&](std::string_view) {
      if (first < 0) first = seconds(Steady::now() - began);
      return true;
    }));
    const double took = seconds(Steady::now() - began);
    if (i == 0) continue;
    if (!made) {
      ++out.failed;
      out.why = made.error().detail;
      continue;
    }
    const double heard = first < 0 ? took : first.load();
    out.took.push_back(took);
    out.first.push_back(heard);
    if (made->completion_tokens > 1) {
      out.tokens += made->completion_tokens - 1;  // the first came at the end of reading
      out.writing += took - heard;
    }
  }
}

std::string shown(const Figures& f) {
  if (f.took.empty()) return "failed: " + f.why;
  const auto worst = *std::ranges::max_element(f.took);
  return fmt::format("{:.2f} s ({:.2f}){}", middle(f.took), worst,
                     f.failed > 0 ? fmt::format(", {} failed", f.failed) : "");
}

void measure_model(const config::Config& config, int runs) {
  metrics::Registry registry;
  llm::Models models(config, registry, {});
  const llm::PromptBook prompts(config.prompts_dir);
  Figures summary, sentiment, question;
  measure(models.language(), prompts, "summary", runs, summary);
  measure(models.language(), prompts, "sentiment", runs, sentiment);
  measure(models.language(), prompts, "question", runs, question);
  Figures all;
  for (const auto* each : {&summary, &sentiment, &question}) {
    all.tokens += each->tokens;
    all.writing += each->writing;
    all.first.insert(all.first.end(), each->first.begin(), each->first.end());
  }
  const auto status = models.language().status();
  fmt::print("| {} ({}) | {:.0f} | {:.3f} s | {} | {} | {} |\n", models.language().model(),
             status.providers.empty() ? "?" : status.providers.front().provider,
             all.writing > 0 ? all.tokens / all.writing : 0, middle(all.first), shown(summary),
             shown(sentiment), shown(question));
  models.stop();
}

void measure_builtin() {
  const reviews::BuiltinSentiment builtin;
  constexpr int times = 2000;
  double sum = 0;
  const auto began = Steady::now();
  for (int i = 0; i < times; ++i) sum += builtin.analyze(review, std::nullopt).score;
  fmt::print("| built in, no model | - | - | - | {:.2f} ms, score {:.2f} | - |\n",
             seconds(Steady::now() - began) / times * 1000, sum / times);
}

}  // namespace

int main(int argc, char** argv) {
  config::Inputs inputs;
  inputs.environment = config::process_environment();
  inputs.serving = false;
  int runs = 5;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string_view flag = argv[i];
    const std::string value = argv[i + 1];
    if (!flag.starts_with("--")) return fmt::print(stderr, "{} is no flag\n", flag), 2;
    flag.remove_prefix(2);
    if (flag == "runs") {
      std::from_chars(value.data(), value.data() + value.size(), runs);
      continue;
    }
    std::string name(flag);
    std::ranges::replace(name, '-', '_');
    inputs.flags.emplace_back(std::move(name), value);
  }
  auto loaded = config::load(inputs);
  if (!loaded) {
    for (const auto& fault : loaded.error()) fmt::print(stderr, "{}\n", fault);
    return 2;
  }
  auto config = loaded->config;
  config.llm_timeout = 600;
  fmt::print("{}; median of {} (slowest)\n\n", machine(), runs);
  fmt::print("| model | tokens a second | first token | summary | sentiment | question |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  measure_builtin();
  auto first = config;
  first.llm_fallback_provider = config::LlmProvider::none;
  if (config.llm_provider != config::LlmProvider::none) measure_model(first, runs);
  if (config.llm_fallback_provider != config::LlmProvider::none) {
    auto second = first;
    second.llm_provider = config.llm_fallback_provider;
    second.llm_base_url = config.llm_fallback_base_url;
    second.llm_model = config.llm_fallback_model;
    second.llm_api_key = config.llm_fallback_api_key;
    second.llm_model_sha256.clear();
    measure_model(second, runs);
  }
  return 0;
}

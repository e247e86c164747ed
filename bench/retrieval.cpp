// How well passages of documents are found and questions answered, and how fast.
//
//   bench_retrieval [DATA] [COPIES]   default ../shared/data and 2,500 copies of 40 passages
//
// 1. XQuAD, English (40 passages, 202 questions): recall@1, recall@5 and MRR@10 of the passage index and of a
//    plain BM25 (k1 1.2, b .75, English stems, stop words kept) written out below, which is shown the same
//    titles.
// 2. The same questions answered from the five best passages: how many are answered at all, and for how many
//    the quotes hold an accepted answer; and twenty questions about other things, none of which may be
//    answered.
// 3. Time of a search among 100,000 passages, and of building that index.
#include "core/text/words.hpp"
#include "modules/ai/answer.hpp"
#include "modules/ai/passage_index.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <random>

using namespace lumina;
using namespace lumina::ai;

namespace {

using Clock = std::chrono::steady_clock;

struct Text {
  std::string id, article, text;
};
struct Asked {
  std::string question, passage;
  std::vector<std::string> answers;
};

constexpr std::array off_topic{"Who won the football cup in 1998?",
                               "What is the capital of Mongolia?",
                               "How do vaccines work?",
                               "What does a tensor product mean?",
                               "Who wrote The Brothers Karamazov?",
                               "How many moons has Jupiter?",
                               "What is the recipe of a sourdough bread?",
                               "Why is the sky red at dusk?",
                               "How is steel made from iron ore?",
                               "What causes an earthquake?",
                               "What is the speed of sound in water?",
                               "How do I change a bicycle tyre?",
                               "Who painted the Night Watch?",
                               "What is quantum entanglement?",
                               "What language do they speak in Brazil?",
                               "How long do elephants live in captivity?",
                               "Who invented the telephone?",
                               "What is the boiling point of mercury?",
                               "How tall is Mount Kilimanjaro?",
                               "Which key is the Moonlight Sonata in?"};

std::vector<boost::json::object> lines_of(const std::string& path) {
  std::vector<boost::json::object> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) out.push_back(boost::json::parse(line).as_object());
  return out;
}

IndexedChunk chunk_of(std::int64_t id, const Text& text) {
  IndexedChunk c;
  c.id = id;
  c.document = {id};
  c.title = text.article;
  c.text = text.text;
  c.language = "en";
  c.visibility = Visibility::everyone;
  return c;
}

// The yardstick.
class PlainBm25 {
 public:
  void add(std::int64_t id, const std::string& text) {
    auto& counts = documents_[id];
    for (const auto& term : text::terms(text, "en")) ++counts[term.text], ++lengths_[id], ++total_;
    for (const auto& [term, n] : counts) ++having_[term];
  }
  std::vector<std::int64_t> ranked(const std::string& query) const {
    std::map<std::int64_t, double> scores;
    const auto n = static_cast<double>(documents_.size());
    const double usual = static_cast<double>(total_) / n;
    for (const auto& term : text::terms(query, "en")) {
      const auto df = having_.find(term.text);
      if (df == having_.end()) continue;
      const double idf = std::log(1 + (n - df->second + .5) / (df->second + .5));
      for (const auto& [id, counts] : documents_) {
        const auto tf = counts.find(term.text);
        if (tf == counts.end()) continue;
        const double length = lengths_.at(id) / usual;
        scores[id] += idf * tf->second * 2.2 / (tf->second + 1.2 * (.25 + .75 * length));
      }
    }
    std::vector<std::pair<double, std::int64_t>> order;
    for (const auto& [id, score] : scores) order.emplace_back(-score, id);
    std::ranges::sort(order);
    std::vector<std::int64_t> out;
    for (const auto& [score, id] : order) out.push_back(id);
    return out;
  }

 private:
  std::map<std::int64_t, std::map<std::string, double>> documents_;
  std::map<std::int64_t, double> lengths_;
  std::map<std::string, double> having_;
  std::int64_t total_ = 0;
};

struct Quality {
  double first = 0, five = 0, reciprocal = 0;
  int questions = 0;
  void add(const std::vector<std::int64_t>& ranked, std::int64_t right) {
    ++questions;
    for (std::size_t i = 0; i < std::min<std::size_t>(10, ranked.size()); ++i) {
      if (ranked[i] != right) continue;
      first += i == 0 ? 1 : 0;
      five += i < 5 ? 1 : 0;
      reciprocal += 1 / static_cast<double>(i + 1);
    }
  }
  void print(std::string_view name) const {
    fmt::print("{:<12} recall@1 {:.3f}  recall@5 {:.3f}  MRR@10 {:.3f}\n", name, first / questions,
               five / questions, reciprocal / questions);
  }
};

void quality(const std::vector<Text>& texts, const std::vector<Asked>& questions) {
  search::Index index(passage_schema());
  PlainBm25 plain;
  std::vector<search::Document> documents;
  std::map<std::string, std::int64_t> ids;
  for (const auto& text : texts) {
    const auto id = static_cast<std::int64_t>(ids.size()) + 1;
    ids[text.id] = id;
    documents.push_back(passage_document(chunk_of(id, text), {}));
    plain.add(id, text.article + " " + text.text);
  }
  index.put(std::move(documents));
  const auto answer = [&](const std::string& question) {
    const auto found = search_passages(index.snapshot(), question, {}, 5);
    std::vector<Evidence> evidence;
    for (const auto& c : found.chunks) {
      const auto& text = texts[static_cast<std::size_t>(c.id - 1)];
      evidence.push_back({text.article, text.text, "en", c.score});
    }
    auto composed = compose(found.words, evidence);
    return std::pair(std::move(composed), std::move(evidence));
  };
  Quality ours, yardstick;
  int answered = 0, right = 0, invented = 0;
  for (const auto& q : questions) {
    std::vector<std::int64_t> ranked;
    for (const auto& c : search_passages(index.snapshot(), q.question, {}, 10).chunks) ranked.push_back(c.id);
    ours.add(ranked, ids.at(q.passage));
    yardstick.add(plain.ranked(q.question), ids.at(q.passage));
    const auto [composed, evidence] = answer(q.question);
    answered += composed.claims.empty() ? 0 : 1;
    bool has = false;
    for (const auto& claim : composed.claims)
      for (const auto& expected : q.answers) has = has || claim.sentence.find(expected) != std::string::npos;
    right += has ? 1 : 0;
  }
  for (const std::string question : off_topic) invented += answer(question).first.claims.empty() ? 0 : 1;
  yardstick.print("plain BM25");
  ours.print("passages");
  fmt::print("answered {} of {}, an accepted answer in the quotes of {}; off-topic answered {} of {}\n",
             answered, questions.size(), right, invented, off_topic.size());
}

void speed(const std::vector<Text>& texts, const std::vector<Asked>& questions, int copies) {
  std::mt19937 random(1);
  search::Index index(passage_schema());
  const auto begun = Clock::now();
  std::int64_t id = 0;
  for (int copy = 0; copy < copies; ++copy) {
    std::vector<search::Document> documents;
    for (const auto& text : texts) {
      auto varied = text;
      varied.text += fmt::format(" word{} word{}", random() % 50'000, random() % 50'000);
      documents.push_back(passage_document(chunk_of(++id, varied), {}));
    }
    index.put(std::move(documents), copy % 50 == 49);
  }
  index.settle();
  const auto built = std::chrono::duration<double>(Clock::now() - begun).count();
  std::vector<double> times;
  for (const auto& q : questions) {
    const auto start = Clock::now();
    (void)search_passages(index.snapshot(), q.question, {}, 10);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::ranges::sort(times);
  fmt::print("{} passages: built in {:.2f} s, a question p50 {:.1f} ms, p95 {:.1f} ms, {} MB\n", id, built,
             times[times.size() / 2], times[times.size() * 95 / 100], index.snapshot()->memory() >> 20);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "../shared/data";
  std::vector<Text> texts;
  std::vector<Asked> questions;
  for (const auto& o : lines_of(data + "/qa/xquad/passages.en.jsonl"))
    texts.push_back({std::string(o.at("id").as_string()), std::string(o.at("article").as_string()),
                     std::string(o.at("text").as_string())});
  for (const auto& o : lines_of(data + "/qa/xquad/questions.en.jsonl")) {
    Asked q{std::string(o.at("question").as_string()), std::string(o.at("passage").as_string()), {}};
    for (const auto& answer : o.at("answers").as_array()) q.answers.emplace_back(answer.as_string());
    questions.push_back(std::move(q));
  }
  if (texts.empty()) {
    fmt::print("{}/qa/xquad is not there\n", data);
    return 0;
  }
  quality(texts, questions);
  speed(texts, questions, argc > 2 ? std::atoi(argv[2]) : 2500);
}

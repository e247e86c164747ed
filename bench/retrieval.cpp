// How well passages of documents are found and questions answered, and how fast.
//
//   bench_retrieval [DATA] [COPIES]          default ../shared/data and 2,500 copies of 40 passages
//   bench_retrieval restart [DATA] [COPIES]  default 250 copies: 10,000 passages
//   bench_retrieval vectors [COUNT]          default 100,000 vectors of 384 numbers
//
// 1. XQuAD, English (40 passages, 202 questions): recall@1, recall@5 and MRR@10 of the passage index and of a
//    plain BM25 (k1 1.2, b .75, English stems, stop words kept) written out below, which is shown the same
//    titles.
// 2. The same questions answered from the five best passages: how many are answered at all, and for how many
//    the quotes hold an accepted answer; and twenty questions about other things, none of which may be
//    answered.
// 3. Time of a search among 100,000 passages, and of building that index.
//
// restart: how long after a start passages in a SQLite database can be searched, by words and by vectors of
// 384 numbers; the latter from the rows alone and from the archive.
// vectors: time and recall@10 of searches in one index, against comparing all; building, keeping and loading
// it. Vectors lie around 2,000 centres, as those of texts on so many subjects; queries lie there too.
#include "core/db/migrator.hpp"
#include "core/text/words.hpp"
#include "modules/ai/answer.hpp"
#include "modules/ai/kept_vectors.hpp"
#include "modules/ai/passage_index.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <unistd.h>

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

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

constexpr std::size_t dimensions = 384;

std::vector<float> around(std::mt19937& random, const std::vector<float>& centre) {
  std::normal_distribution<float> spread;
  std::vector<float> out(dimensions);
  for (std::size_t i = 0; i < dimensions; ++i)
    out[i] = (centre.empty() ? 0 : centre[i]) + spread(random) * (centre.empty() ? 1.0F : 0.7F);
  return out;
}

double percentile(std::vector<double> times, std::size_t part) {
  std::ranges::sort(times);
  return times[std::min(times.size() - 1, times.size() * part / 100)];
}

void vectors(std::size_t count) {
  std::mt19937 random(1);
  std::vector<std::vector<float>> centres;
  for (int i = 0; i < 2000; ++i) centres.push_back(around(random, {}));
  std::vector<std::int64_t> ids;
  std::vector<float> rows;
  rows.reserve(count * dimensions);
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int64_t>(i) + 1);
    const auto row = around(random, centres[random() % centres.size()]);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  vector::Index index(dimensions);
  auto begun = Clock::now();
  if (!index.put_all(ids, rows)) throw std::runtime_error("the index cannot be filled");
  fmt::print("{} vectors: built in {:.1f} s, {} MB\n", count, seconds_since(begun),
             index.stats().memory >> 20);
  std::vector<double> times, filtered_times;
  std::size_t right = 0, filtered_right = 0, wanted = 0, filtered_wanted = 0;
  const auto tenth = [](std::int64_t id) { return id % 10 == 0; };
  const auto shared = [](const std::vector<vector::Hit>& a, const std::vector<vector::Hit>& b) {
    std::size_t n = 0;
    for (const auto& hit : a) n += std::ranges::find(b, hit.id, &vector::Hit::id) != b.end() ? 1U : 0U;
    return n;
  };
  for (int q = 0; q < 300; ++q) {
    auto query = around(random, centres[random() % centres.size()]);
    vector::normalise(query);
    begun = Clock::now();
    const auto found = index.search(query, 10);
    times.push_back(seconds_since(begun) * 1000);
    const auto exact = index.search_exact(query, 10);
    wanted += exact.size();
    right += shared(exact, found);
    if (q >= 100) continue;
    begun = Clock::now();
    const auto some = index.search(query, 10, tenth);
    filtered_times.push_back(seconds_since(begun) * 1000);
    const auto exact_some = index.search_exact(query, 10, tenth);
    filtered_wanted += exact_some.size();
    filtered_right += shared(exact_some, some);
  }
  const auto share = [](std::size_t a, std::size_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
  };
  fmt::print("a search p50 {:.2f} ms, p95 {:.2f} ms, recall@10 {:.3f}\n", percentile(times, 50),
             percentile(times, 95), share(right, wanted));
  fmt::print("among every tenth p50 {:.2f} ms, p95 {:.2f} ms, recall@10 {:.3f}\n",
             percentile(filtered_times, 50), percentile(filtered_times, 95),
             share(filtered_right, filtered_wanted));
  begun = Clock::now();
  const auto bytes = index.save();
  fmt::print("kept in {:.2f} s, {} MB", seconds_since(begun), bytes.size() >> 20);
  begun = Clock::now();
  const auto loaded = vector::Index::load(bytes);
  fmt::print(", loaded in {:.2f} s ({})\n", seconds_since(begun), loaded ? "the same" : "NOT THE SAME");
}

void fill_vectors(db::Database& database) {
  const auto work = [&](db::Transaction& tx) {
    VectorRows vectors(tx, Embedded::passages);
    const auto model = vectors.choose("bench", dimensions);
    std::mt19937 random(1);
    for (const auto& passage : vectors.missing(model.id, 0, 0, 1'000'000))
      vectors.put(model, passage, around(random, {}));
    return true;
  };
  if (!database.write_now(work)) throw std::runtime_error("the vectors cannot be written");
}

// Ten passages a document.
void fill(db::Database& database, const std::vector<Text>& texts, int copies) {
  const auto work = [&](db::Transaction& tx) {
    const std::string digest(64, 'a');
    tx.execute("INSERT INTO blobs (sha256, size, refs, touched_at) VALUES ($1, 1, 1, 0)", digest);
    std::mt19937 random(1);
    std::int64_t version = 0, ordinal = 10;
    for (int copy = 0; copy < copies; ++copy)
      for (const auto& text : texts) {
        if (ordinal == 10) {
          ordinal = 0;
          const auto id = std::get<0>(*tx.one<std::int64_t>(
              "INSERT INTO documents (title, visibility, sha256, created_at, updated_at) "
              "VALUES ($1, 'public', $2, 0, 0) RETURNING id",
              text.article, digest));
          version = std::get<0>(*tx.one<std::int64_t>(
              "INSERT INTO document_versions (document_id, number, sha256, filename, kind, size, status, "
              "language, chunks, created_at) VALUES ($1, 1, $2, 'a.txt', 'txt', 1, 'ready', 'en', 10, 0) "
              "RETURNING id",
              id, digest));
        }
        tx.execute(
            "INSERT INTO document_chunks (version_id, ordinal, page, begin_at, end_at, text) "
            "VALUES ($1, $2, 1, 0, 1, $3)",
            version, ordinal++,
            text.text + fmt::format(" word{} word{}", random() % 50'000, random() % 50'000));
      }
    return true;
  };
  if (!database.write_now(work)) throw std::runtime_error("the passages cannot be written");
}

void restart(const std::vector<Text>& texts, const std::vector<Asked>& questions, int copies) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("bench-retrieval-{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto url = "sqlite:" + (folder / "passages.db").string();
  db::migrate(url);
  {
    db::Database database({url, 2, 2, 4096});
    auto begun = Clock::now();
    fill(database, texts, copies);
    fmt::print("{} passages written in {:.2f} s\n", copies * static_cast<int>(texts.size()),
               seconds_since(begun));
    for (int start = 0; start < 3; ++start) {
      events::Bus bus;
      PassageIndex index(database, bus);
      begun = Clock::now();
      const auto found = index.search(questions.front().question, {.everything = true}, 10);
      fmt::print("searched {:.2f} s after a start, {} found\n", seconds_since(begun),
                 found ? found->total : 0);
      if (start > 0) continue;
      begun = Clock::now();
      for (std::int64_t id = 1; id <= copies * static_cast<std::int64_t>(texts.size()) / 10; ++id)
        bus.publish({.type = "document.updated", .resource_id = id});
      (void)index.search(questions.front().question, {.everything = true}, 10);
      fmt::print("every document changed: searched after {:.2f} s\n", seconds_since(begun));
    }
  }
  {
    db::Database database({url, 2, 2, 4096});
    fill_vectors(database);
    for (const std::string_view from : {"rows", "archive", "archive"}) {
      KeptVectors index(database, Embedded::passages, folder / "vectors");
      const auto begun = Clock::now();
      if (!index.load("bench")) throw std::runtime_error("the vectors cannot be read");
      fmt::print("{} vectors there {:.2f} s after a start, from the {} ({} restored)\n",
                 index.figures().vectors, seconds_since(begun), from, index.figures().restored);
      index.stop();
    }
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "vectors") {
    vectors(argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 100'000);
    return 0;
  }
  const bool restarting = argc > 1 && std::string_view(argv[1]) == "restart";
  if (restarting) --argc, ++argv;
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
  if (restarting) {
    restart(texts, questions, argc > 2 ? std::atoi(argv[2]) : 250);
    return 0;
  }
  quality(texts, questions);
  speed(texts, questions, argc > 2 ? std::atoi(argv[2]) : 2500);
}

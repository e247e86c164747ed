// How well and how fast the library recommends.
//
//   bench_recommendations [quality|blend|tune|speed] [DATA]     default: quality and speed, ../shared/data
//
// quality  The ratings of goodbooks-10k by the protocol of DATA/SOURCE.md: the last max(1, min(10, n / 5))
// rows
//          of everybody are held back, the whole catalogue without what was read is ranked, and a held back
//          book with 4 or 5 stars is one to find. Textbook methods, each without and with recency, and the
//          blend as train_all() makes and measures it. Half-lives and regularisation of the textbook methods
//          are chosen on a validation split inside the learning part (the last rows of what is left), as the
//          blend's weights are; the test split chooses nothing.
// blend    The last line of quality alone.
// tune     The grid search that the product offers, on the validation split.
// speed    100,000 made-up books and 1,000,000 interactions: training, memory, similar books, personal lists.
#include "core/vector/algebra.hpp"
#include "core/vector/kernels.hpp"
#include "modules/recs/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <sys/resource.h>
#include <unordered_map>

using namespace lumina;
using namespace lumina::recs;

namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

constexpr Moment today = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
constexpr float four_stars = 1.3F;  // strength_of(Signal::review, 4)

double seconds_since(Clock::time_point begin) { return Seconds(Clock::now() - begin).count(); }

std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const auto bytes = text.str();
  std::vector<std::vector<std::string>> rows(1);
  rows.back().emplace_back();
  bool quoted = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (quoted && c == '"' && i + 1 < bytes.size() && bytes[i + 1] == '"') {
      rows.back().back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\n') {
      rows.push_back({std::string()});
    } else if (quoted || c != '\r') {
      rows.back().back() += c;
    }
  }
  if (rows.back().size() == 1) rows.pop_back();
  if (!rows.empty()) rows.erase(rows.begin());  // the names of the columns
  return rows;
}

struct Data {
  std::vector<BookText> books;
  std::vector<Interaction> interactions;
};

Data read_goodbooks(const std::filesystem::path& folder) {
  Data data;
  for (const auto& row : read_csv(folder / "catalogue/goodbooks-10k/items.csv")) {
    BookText book;
    book.id = std::stoll(row.at(0));
    book.title = row.at(1);
    book.author = row.at(2);
    book.genre = row.at(4);
    std::stringstream tags(row.at(5));
    for (std::string tag; std::getline(tags, tag, ';');) book.tags.push_back(tag);
    book.language = row.at(7);
    book.description = row.at(9);
    data.books.push_back(std::move(book));
  }
  // The rows are in the order of time, which the file does not tell otherwise.
  std::unordered_map<std::int64_t, int> rows_of;
  for (const auto& row : read_csv(folder / "ratings/goodbooks-10k/ratings.csv")) {
    const auto person = std::stoll(row.at(0));
    data.interactions.push_back({person, std::stoll(row.at(1)),
                                 strength_of(Signal::review, std::stoi(row.at(2))),
                                 today - std::chrono::hours(24) + std::chrono::minutes(rows_of[person]++)});
  }
  return data;
}

std::vector<std::int64_t> ids_of(const std::vector<BookText>& books) {
  std::vector<std::int64_t> ids;
  for (const auto& book : books) ids.push_back(book.id);
  std::ranges::sort(ids);
  return ids;
}

void print(const std::string& name, const Metrics& metrics, double took) {
  fmt::print("{:<34} {:.4f}   {:.4f}   {:.4f}     {:.3f}    {:5.2f}   {:6.1f} s\n", name, metrics.hit_rate,
             metrics.ndcg, metrics.recall, metrics.coverage, metrics.novelty, took);
  std::fflush(stdout);
}

std::vector<std::int64_t> ten_best(const std::vector<float>& scores, const std::vector<std::int64_t>& ids,
                                   const History& history) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!history.contains(ids[i])) order.push_back(i);
  const auto count = std::min<std::size_t>(10, order.size());
  std::ranges::partial_sort(
      order, order.begin() + static_cast<std::ptrdiff_t>(count),
      [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  std::vector<std::int64_t> ten;
  for (std::size_t i = 0; i < count; ++i) ten.push_back(ids[order[i]]);
  return ten;
}

// A textbook method: learns from one split's interactions, and scores all books for a history.
struct Method {
  using Score =
      std::function<std::vector<float>(std::int64_t person, const History& history, float half_life)>;
  std::string name;
  std::function<Score(std::span<const Interaction> learning)> learn;
  bool has_recency = true;
};

using Ids = std::vector<std::int64_t>;

Method popularity(const Ids& ids) {
  return {"popularity",
          [&ids](std::span<const Interaction> learning) -> Method::Score {
            std::vector<float> counts(ids.size(), 0.0F);
            for (const auto& row : learning)
              if (const auto at = std::ranges::lower_bound(ids, row.book); at != ids.end())
                counts[static_cast<std::size_t>(at - ids.begin())] += 1;
            return [counts](std::int64_t, const History&, float) { return counts; };
          },
          false};
}

// A part of the product alone, as the textbook has it.
Method model_method(std::string name, const Ids& ids, CollaborativeParameters parameters) {
  const auto algorithm = parameters.algorithms.front();
  return {
      std::move(name), [&ids, parameters, algorithm](std::span<const Interaction> learning) -> Method::Score {
        auto model = std::make_shared<CollaborativeModel>(
            CollaborativeModel::train(ids, learning, parameters).value());
        return [model, algorithm, size = ids.size()](std::int64_t, const History& history, float half_life) {
          // The model's own half-life is fixed: the weights are put into the strengths instead, and it
          // was trained with none.
          const auto weights = history.weights(half_life);
          std::vector<History::Entry> entries(history.entries().begin(), history.entries().end());
          for (std::size_t i = 0; i < entries.size(); ++i) entries[i].strength = weights[i];
          Scores scores;
          scores.reset(size);
          model->score(algorithm, History(std::move(entries)), scores);
          return scores.values;
        };
      }};
}

Method user_knn(const Ids& ids) {
  return {"user-kNN (100, cosine)", [&ids](std::span<const Interaction> learning) -> Method::Score {
            struct Person {
              std::vector<std::uint32_t> books;
              float length = 0;
            };
            auto people = std::make_shared<std::vector<Person>>();
            auto places = std::make_shared<std::unordered_map<std::int64_t, std::size_t>>();
            auto readers = std::make_shared<std::vector<std::vector<std::uint32_t>>>(ids.size());
            for (const auto& [person, history] : histories_of(learning)) {
              Person one;
              for (const auto& entry : history.entries())
                if (entry.strength > 0) {
                  const auto book =
                      static_cast<std::uint32_t>(std::ranges::lower_bound(ids, entry.book) - ids.begin());
                  one.books.push_back(book);
                  (*readers)[book].push_back(static_cast<std::uint32_t>(people->size()));
                }
              one.length = std::sqrt(static_cast<float>(one.books.size()));
              places->emplace(person, people->size());
              people->push_back(std::move(one));
            }
            return [people, places, readers, &ids](std::int64_t person, const History& history,
                                                   float half_life) {
              std::vector<float> alike(people->size(), 0.0F);
              const auto weights = history.weights(half_life);
              for (std::size_t i = 0; i < weights.size(); ++i) {
                if (weights[i] <= 0) continue;
                const auto book = static_cast<std::size_t>(
                    std::ranges::lower_bound(ids, history.entries()[i].book) - ids.begin());
                for (const auto other : (*readers)[book]) alike[other] += weights[i];
              }
              if (const auto self = places->find(person); self != places->end()) alike[self->second] = 0;
              std::vector<std::size_t> order(people->size());
              std::iota(order.begin(), order.end(), std::size_t{0});
              for (const auto i : order) alike[i] /= std::max((*people)[i].length, 1.0F);
              const auto count = std::min<std::size_t>(100, order.size());
              std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count),
                                        [&](std::size_t a, std::size_t b) {
                                          return alike[a] != alike[b] ? alike[a] > alike[b] : a < b;
                                        });
              std::vector<float> scores(ids.size(), 0.0F);
              for (std::size_t i = 0; i < count; ++i)
                for (const auto book : (*people)[order[i]].books) scores[book] += alike[order[i]];
              return scores;
            };
          }};
}

// Rendle et al., UAI 2009: stochastic gradient ascent on the order of pairs. With recency the person's vector
// is the weighted mean of the books' vectors, as the trained one knows no time.
Method bpr(const Ids& ids) {
  return {
      "BPR (64 factors)", [&ids](std::span<const Interaction> learning) -> Method::Score {
        constexpr std::size_t factors = 64;
        constexpr float rate = 0.05F;
        constexpr float decay = 0.01F;
        std::mt19937_64 random(1);
        const auto histories = histories_of(learning);
        std::vector<std::pair<std::size_t, std::size_t>> pairs;
        std::vector<std::set<std::size_t>> read(histories.size());
        auto places = std::make_shared<std::unordered_map<std::int64_t, std::size_t>>();
        for (std::size_t person = 0; person < histories.size(); ++person) {
          places->emplace(histories[person].person, person);
          for (const auto& entry : histories[person].history.entries())
            if (entry.strength > 0) {
              const auto book =
                  static_cast<std::size_t>(std::ranges::lower_bound(ids, entry.book) - ids.begin());
              pairs.emplace_back(person, book);
              read[person].insert(book);
            }
        }
        const auto noise = [&] { return (static_cast<float>(random() >> 40U) / 8'388'608.0F - 1) * 0.05F; };
        auto people = std::make_shared<std::vector<float>>(histories.size() * factors);
        auto books = std::make_shared<std::vector<float>>(ids.size() * factors);
        std::vector<float> bias(ids.size(), 0.0F);
        for (auto& value : *people) value = noise();
        for (auto& value : *books) value = noise();
        for (std::size_t step = 0; step < 40 * pairs.size(); ++step) {
          const auto [person, liked] = pairs[random() % pairs.size()];
          const auto other = random() % ids.size();
          if (read[person].contains(other)) continue;
          auto* p = people->data() + person * factors;
          auto* i = books->data() + liked * factors;
          auto* j = books->data() + other * factors;
          const auto margin = bias[liked] - bias[other] + vector::dot_product(p, i, factors) -
                              vector::dot_product(p, j, factors);
          const auto pull = rate / (1 + std::exp(margin));
          bias[liked] += pull - rate * decay * bias[liked];
          bias[other] -= pull + rate * decay * bias[other];
          for (std::size_t f = 0; f < factors; ++f) {
            const auto before = p[f];
            p[f] += pull * (i[f] - j[f]) - rate * decay * p[f];
            i[f] += pull * before - rate * decay * i[f];
            j[f] -= pull * before + rate * decay * j[f];
          }
        }
        return [people, books, bias, places, &ids](std::int64_t person, const History& history,
                                                   float half_life) {
          std::vector<float> taste(factors, 0.0F);
          if (half_life > 0) {
            const auto weights = history.weights(half_life);
            float sum = 1e-6F;
            for (const auto weight : weights) sum += std::max(weight, 0.0F);
            for (std::size_t i = 0; i < weights.size(); ++i)
              if (weights[i] > 0) {
                const auto book = static_cast<std::size_t>(
                    std::ranges::lower_bound(ids, history.entries()[i].book) - ids.begin());
                vector::add_scaled(weights[i] / sum, books->data() + book * factors, taste.data(), factors);
              }
          } else if (const auto at = places->find(person); at != places->end()) {
            std::copy_n(people->begin() + static_cast<std::ptrdiff_t>(at->second * factors), factors,
                        taste.begin());
          }
          std::vector<float> scores(ids.size());
          for (std::size_t i = 0; i < ids.size(); ++i)
            scores[i] = (half_life > 0 ? 0 : bias[i]) +
                        vector::dot_product(taste.data(), books->data() + i * factors, factors);
          return scores;
        };
      }};
}

Metrics measure_method(const Split& split, const Ids& ids, const Method::Score& score, float half_life) {
  return measure(split, ids.size(), [&](std::int64_t person, const History& history) {
    return ten_best(score(person, history, half_life), ids, history);
  });
}

TrainingParameters parameters_of_quality() {
  TrainingParameters parameters;
  parameters.found_from = four_stars;
  parameters.measured_people = 100'000;
  parameters.lessons = 100'000;
  return parameters;
}

double blend(const Data& data) {
  const auto began = Clock::now();
  auto model = train_all(data.books, data.interactions, parameters_of_quality(), today).value();
  print("LuminaLib", model.metrics, seconds_since(began));
  fmt::print("\nweights by length of history:\n{:>8}", "");
  for (std::size_t part = 0; part < part_count; ++part)
    fmt::print(" {:>10}", name_of(static_cast<Part>(part)));
  for (std::size_t row = 0; row < model.weights.rows.size(); ++row) {
    fmt::print("\n{:>8}", BlendWeights::lengths[row]);
    for (const auto weight : model.weights.rows[row]) fmt::print(" {:>10.3f}", weight);
  }
  fmt::print("\n");
  for (const auto& step : model.steps) fmt::print("{} {} ms, ", step.step, step.took.count());
  fmt::print("\n");
  return model.metrics.ndcg;
}

int quality(const std::filesystem::path& folder) {
  const auto data = read_goodbooks(folder);
  if (data.books.empty() || data.interactions.empty()) {
    fmt::print("quality: {} has no goodbooks-10k, passed over\n", folder.string());
    return 0;
  }
  const auto ids = ids_of(data.books);
  const auto outer = leave_last_out(data.interactions, four_stars);
  const auto inner = leave_last_out(outer.learning, four_stars);
  fmt::print("goodbooks-10k: {} books, {} people to find books for, {} interactions to learn from\n\n",
             ids.size(), outer.trials.size(), outer.learning.size());
  fmt::print("{:<34} HR@10    nDCG@10  recall@10  coverage  novelty\n", "");

  const auto single = [](Algorithm algorithm) {
    CollaborativeParameters parameters;
    parameters.algorithms = {algorithm};
    parameters.half_life = 0;
    return parameters;
  };
  auto knn = single(Algorithm::neighbours);
  knn.neighbours = 200;
  auto als = single(Algorithm::factors);
  als.factors = 64;
  als.factor_steps = 15;
  std::vector<Method> methods = {popularity(ids), model_method("item-kNN (200, cosine)", ids, knn),
                                 user_knn(ids), bpr(ids), model_method("iALS (64 factors)", ids, als)};
  // EASE is all in its regularisation: chosen on the validation split, of the most read 4,000 for the time.
  auto ease = single(Algorithm::linear);
  ease.neighbours = 100'000;
  ease.linear_books = 4'000;
  double best = -1;
  float regularisation = 0;
  for (const auto candidate : {50.0F, 150.0F, 400.0F}) {
    ease.linear_regularisation = candidate;
    const auto score = model_method("", ids, ease).learn(inner.learning);
    if (const auto ndcg = measure_method(inner, ids, score, 5).ndcg; ndcg > best) {
      best = ndcg;
      regularisation = candidate;
    }
  }
  ease.linear_regularisation = regularisation;
  ease.linear_books = ids.size();
  methods.push_back(
      model_method(fmt::format("EASE^R (all books, lambda {:.0f})", regularisation), ids, ease));

  double textbook = 0;
  for (const auto& method : methods) {
    const auto began = Clock::now();
    float half_life = 0;
    if (method.has_recency) {
      // The whole regression twice would take minutes; its half-life is chosen with fewer books.
      auto fewer = ease;
      fewer.linear_books = 4'000;
      const bool whole = method.name.starts_with("EASE");
      const auto score =
          whole ? model_method("", ids, fewer).learn(inner.learning) : method.learn(inner.learning);
      double highest = -1;
      for (const auto candidate : {1.0F, 2.0F, 3.0F, 5.0F, 8.0F, 15.0F, 30.0F})
        if (const auto ndcg = measure_method(inner, ids, score, candidate).ndcg; ndcg > highest) {
          highest = ndcg;
          half_life = candidate;
        }
    }
    const auto score = method.learn(outer.learning);
    const auto plain = measure_method(outer, ids, score, 0);
    print(method.name, plain, seconds_since(began));
    textbook = std::max(textbook, plain.ndcg);
    if (!method.has_recency) continue;
    const auto recent = measure_method(outer, ids, score, half_life);
    print(fmt::format("  with a half-life of {:.0f} books", half_life), recent, seconds_since(began));
    textbook = std::max(textbook, recent.ndcg);
  }

  const auto ours = blend(data);
  fmt::print("nDCG@10 is {:.2f} times the best textbook method's\n", ours / textbook);
  return 0;
}

int tune(const std::filesystem::path& folder) {
  const auto data = read_goodbooks(folder);
  Grid grid;
  grid.half_life = {2, 3, 5};
  grid.sequence_reach = {2, 4, 8};
  const auto trials = search_parameters(data.books, data.interactions, parameters_of_quality(), grid, today);
  fmt::print("half-life  shrinkage  reach  lambda  neighbours   HR@10    nDCG@10\n");
  for (const auto& trial : trials.value())
    fmt::print("{:>9} {:>10} {:>6} {:>7} {:>11}   {:.4f}   {:.4f}\n", trial.parameters.half_life,
               trial.parameters.shrinkage, trial.parameters.sequence_reach,
               trial.parameters.linear_regularisation, trial.parameters.neighbours, trial.metrics.hit_rate,
               trial.metrics.ndcg);
  return 0;
}

// Books of 300 subjects with words of their own, and people who each read about a few of them, one series
// after the other.
Data made_up(std::size_t book_count, std::size_t interaction_count) {
  constexpr std::size_t subjects = 300;
  std::mt19937_64 random(7);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  const auto word = [](std::size_t number) {
    std::string text = "w";
    for (; number > 0; number /= 20) text += "bcdfghjklmnprstvwxyz"[number % 20];
    return text + "o";
  };
  Data data;
  std::vector<std::vector<std::int64_t>> about(subjects);
  for (std::size_t i = 0; i < book_count; ++i) {
    const auto subject = below(subjects);
    BookText book;
    book.id = static_cast<std::int64_t>(i + 1);
    const auto some_word = [&] {
      return below(3) == 0 ? word(below(30'000)) : word(40'000 + subject * 100 + below(100));
    };
    for (int j = 0; j < 4; ++j) book.title += some_word() + ' ';
    book.author = "Author " + word(subject * 50 + below(50));
    book.genre = "Genre " + word(subject / 10);
    for (int j = 0; j < 40; ++j) book.description += some_word() + ' ';
    book.language = "en";
    about[subject].push_back(book.id);
    data.books.push_back(std::move(book));
  }
  const std::size_t each = 50;
  for (std::size_t person = 1; person * each <= interaction_count; ++person) {
    auto subject = below(subjects);
    for (std::size_t i = 0; i < each; ++i) {
      if (below(8) == 0) subject = below(subjects);
      const auto& list = about[subject];
      const auto popular = std::min(below(list.size()), below(list.size()));
      data.interactions.push_back({static_cast<std::int64_t>(person), list[popular],
                                   strength_of(Signal::borrow), today - std::chrono::hours(24 * (each - i))});
    }
  }
  return data;
}

double percentile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int speed(std::size_t book_count, std::size_t interaction_count) {
  const auto data = made_up(book_count, interaction_count);
  const auto before = peak_megabytes();
  const auto began = Clock::now();
  const auto cpu_began = cpu_seconds();
  auto model = train_all(data.books, data.interactions, {}, today).value();
  fmt::print(
      "\n{} books, {} interactions: trained in {:.1f} s, {:.1f} s of processors, {:.0f} MB above the data\n",
      data.books.size(), data.interactions.size(), seconds_since(began), cpu_seconds() - cpu_began,
      peak_megabytes() - before);
  for (const auto& step : model.steps) fmt::print("{} {:.1f} s, ", step.step, Seconds(step.took).count());
  fmt::print("\nnDCG@10 {:.4f}, of popularity {:.4f}\n", model.metrics.ndcg, model.popularity.ndcg);

  auto at = Clock::now();
  const auto bytes = model.to_bytes();
  fmt::print("saved {:.1f} MB in {:.2f} s, ", static_cast<double>(bytes.size()) / 1e6, seconds_since(at));
  at = Clock::now();
  const auto loaded = TrainedModel::from_bytes(bytes).value();
  fmt::print("loaded in {:.2f} s, ", seconds_since(at));
  at = Clock::now();
  const auto catalogue = loaded.make_catalogue();
  catalogue->put_all(data.books).value();
  catalogue->observe_all(data.interactions, today);
  fmt::print("catalogue in {:.2f} s\n", seconds_since(at));

  // Similar books: the index alone against comparing all, then with authors and series on top.
  const auto& index = *catalogue->index();
  std::mt19937_64 random(11);
  std::vector<double> graph_times;
  std::vector<double> exact_times;
  std::vector<double> similar_times;
  double found = 0;
  double wanted = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = static_cast<std::int64_t>(random() % data.books.size() + 1);
    const auto vector = index.vector_of(id);
    if (!vector) continue;
    auto begin = Clock::now();
    const auto hits = index.search(*vector, 10);
    graph_times.push_back(seconds_since(begin) * 1e3);
    begin = Clock::now();
    static_cast<void>(catalogue->similar(id, 10));
    similar_times.push_back(seconds_since(begin) * 1e3);
    if (i % 5 != 0) continue;
    begin = Clock::now();
    const auto exact = index.search_exact(*vector, 10);
    exact_times.push_back(seconds_since(begin) * 1e3);
    for (const auto& hit : hits) found += hit.score >= exact.back().score ? 1 : 0;
    wanted += static_cast<double>(exact.size());
  }
  fmt::print(
      "nearest 10 of {} x {}: p50 {:.3f} ms, p99 {:.3f} ms, recall@10 {:.4f}; comparing all p50 {:.2f} ms\n",
      index.size(), index.dimensions(), percentile(graph_times, 0.5), percentile(graph_times, 0.99),
      found / wanted, percentile(exact_times, 0.5));
  fmt::print("similar books: p50 {:.3f} ms, p99 {:.3f} ms\n", percentile(similar_times, 0.5),
             percentile(similar_times, 0.99));

  std::vector<double> list_times;
  const auto histories = histories_of(data.interactions);
  for (std::size_t i = 0; i < 300 && i < histories.size(); ++i) {
    const auto begin = Clock::now();
    static_cast<void>(rank(loaded.collaborative.get(), loaded.weights, *catalogue, histories[i].history, {}));
    list_times.push_back(seconds_since(begin) * 1e3);
  }
  fmt::print("personal lists: p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms\n", percentile(list_times, 0.5),
             percentile(list_times, 0.95), percentile(list_times, 0.99));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string mode;
  std::filesystem::path folder = "../shared/data";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "quality" || argument == "blend" || argument == "tune" || argument == "speed")
      mode = argument;
    else
      folder = argument;
  }
  if (mode == "tune") return tune(folder);
  if (mode == "blend") {
    static_cast<void>(blend(read_goodbooks(folder)));
    return 0;
  }
  if (mode.empty() || mode == "quality")
    if (const auto status = quality(folder); status != 0) return status;
  if (mode.empty() || mode == "speed") {
    static_cast<void>(speed(10'000, 200'000));
    return speed(100'000, 1'000'000);
  }
  return 0;
}

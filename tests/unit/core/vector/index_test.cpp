#include "core/vector/index.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

namespace lumina::vector {
namespace {

constexpr std::size_t size = 24;

std::vector<float> random_vector(std::mt19937_64& random, const std::vector<float>& near = {}) {
  std::normal_distribution<float> spread;
  std::vector<float> vector(size);
  for (std::size_t i = 0; i < size; ++i) vector[i] = spread(random) * (near.empty() ? 1.0F : 0.5F);
  for (std::size_t i = 0; i < near.size(); ++i) vector[i] += near[i];
  return vector;
}

// A graph from the tenth vector on.
IndexParameters early() {
  IndexParameters parameters;
  parameters.exact_below = 10;
  return parameters;
}

// Vectors in clusters, as those of books are.
void fill(Index& index, std::size_t count, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<float>> centres;
  for (std::size_t i = 0; i < count / 50 + 1; ++i) centres.push_back(random_vector(random));
  std::vector<std::int64_t> ids;
  std::vector<float> rows;
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int64_t>(i));
    const auto row = random_vector(random, centres[random() % centres.size()]);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  REQUIRE(index.put_all(ids, rows));
}

double recall(const Index& index, std::size_t queries) {
  double found = 0;
  double wanted = 0;
  for (std::size_t i = 0; i < queries; ++i) {
    const auto query = index.vector_of(static_cast<std::int64_t>(i * index.size() / queries));
    if (!query) continue;
    const auto exact = index.search_exact(*query, 10);
    for (const auto& hit : index.search(*query, 10)) found += hit.score >= exact.back().score ? 1 : 0;
    wanted += static_cast<double>(exact.size());
  }
  return found / wanted;
}

TEST_CASE("the graph finds what comparing all finds", "[H24]") {
  Index index(size, early());
  fill(index, 6'000);
  CHECK(index.stats().graph);
  CHECK(recall(index, 200) >= 0.95);
}

TEST_CASE("vectors put one by one are found as well as those put together", "[H24]") {
  Index index(size, early());
  std::mt19937_64 random(4);
  for (std::int64_t id = 0; id < 2'000; ++id) REQUIRE(index.put(id, random_vector(random)));
  CHECK(recall(index, 100) >= 0.95);
}

TEST_CASE("the same calls give the same index, by one thread or by many") {
  IndexParameters parameters = early();
  const auto saved = [&](unsigned threads) {
    Index index(size, parameters);
    std::mt19937_64 random(2);
    std::vector<std::int64_t> ids;
    std::vector<float> rows;
    for (std::int64_t id = 0; id < 700; ++id) {
      ids.push_back(id);
      const auto row = random_vector(random);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    Work work;
    work.threads = threads;
    REQUIRE(index.put_all(ids, rows, work));
    index.put(5, random_vector(random));
    index.remove(9);
    return index.save();
  };
  CHECK(saved(1) == saved(5));
}

TEST_CASE("puts, replacements and removals in any order leave what a map would hold", "[H24]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    IndexParameters parameters;
    parameters.exact_below = seed % 2 == 0 ? 10 : 100'000;
    Index index(size, parameters);
    std::map<std::int64_t, std::vector<float>> expected;
    for (int step = 0; step < 600; ++step) {
      const auto id = static_cast<std::int64_t>(random() % 80);
      if (random() % 3 == 0) {
        CHECK(index.remove(id) == (expected.erase(id) > 0));
      } else {
        auto vector = random_vector(random);
        REQUIRE(index.put(id, vector));
        normalise(vector);
        expected[id] = std::move(vector);
      }
    }
    REQUIRE(index.size() == expected.size());
    const auto reloaded = Index::load(index.save(), parameters).value();
    for (const Index* one : {static_cast<const Index*>(&index), static_cast<const Index*>(reloaded.get())}) {
      for (const auto& [id, vector] : expected) {
        CHECK(one->vector_of(id) == vector);
        const auto hits = one->search(vector, 1);
        REQUIRE(hits.size() == 1);
        CHECK(hits[0].id == id);
      }
      const auto all = one->search(random_vector(random), 1'000);
      CHECK(all.size() == expected.size());
      CHECK(std::ranges::is_sorted(all, std::greater(), &Hit::score));
    }
  }
}

TEST_CASE("a filter costs no results, however narrow", "[H11]") {
  Index index(size, early());
  fill(index, 3'000);
  const auto query = *index.vector_of(17);
  for (const std::int64_t every : {2, 50, 700}) {
    const auto accept = [&](std::int64_t id) { return id % every == 0; };
    const auto hits = index.search(query, 4, accept);
    CHECK(hits.size() == 4);
    CHECK(std::ranges::all_of(hits, [&](const Hit& hit) { return hit.id % every == 0; }));
  }
  CHECK(index.search(query, 10, [](std::int64_t) { return false; }).empty());
}

TEST_CASE("many equal vectors stay in reach") {
  Index index(size, early());
  std::mt19937_64 random(8);
  auto same = random_vector(random);
  normalise(same);
  for (std::int64_t id = 0; id < 300; ++id)
    REQUIRE(index.put(id, id % 3 == 0 ? random_vector(random) : same));
  const auto hits = index.search(same, 150);
  CHECK(hits.size() == 150);
  CHECK(hits.back().score == Approx(1.0F).margin(1e-4));
}

TEST_CASE("what is no vector is refused and changes nothing") {
  Index index(3);
  CHECK(index.put(1, std::vector<float>{1, 2, 3}));
  CHECK_FALSE(index.put(2, std::vector<float>{1, 2}));
  CHECK_FALSE(index.put(1, std::vector<float>{0, 0, 0}));
  CHECK_FALSE(index.put(1, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN(), 0}));
  CHECK_FALSE(index.put(1, std::vector<float>{std::numeric_limits<float>::infinity(), 0, 0}));
  CHECK(index.size() == 1);
  CHECK(index.search(std::vector<float>{1, 2}, 3).empty());
  CHECK(index.search(std::vector<float>{1, 2, 3}, 0).empty());
  CHECK(Index(3).search(std::vector<float>{1, 2, 3}, 5).empty());
  std::vector<float> scores(2);
  index.scores(std::vector<float>{1, 2, 3}, std::vector<std::int64_t>{7, 1}, scores);
  CHECK(scores[0] == 0);
  CHECK(scores[1] > 0.9F);
}

TEST_CASE("searches go on while vectors are put, replaced and removed", "[H24]") {
  Index index(size, early());
  fill(index, 1'500);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> searched = 0;
  std::vector<std::jthread> readers;
  for (std::uint64_t reader = 0; reader < 3; ++reader)
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(reader);
      while (!done) {
        // Ids below 500 are never touched: each must find itself at any moment.
        const auto id = static_cast<std::int64_t>(random() % 500);
        const auto vector = index.vector_of(id);
        if (!vector) {
          ++wrong;
          continue;
        }
        const auto hits = index.search(*vector, 5);
        if (hits.size() != 5 || hits[0].id != id) ++wrong;
        for (std::size_t i = 1; i < hits.size(); ++i)
          if (hits[i].id == hits[i - 1].id || !(hits[i].score <= hits[i - 1].score)) ++wrong;
        ++searched;
      }
    });
  std::mt19937_64 random(99);
  // Enough to make half of the graph dead, so that it is built anew meanwhile.
  for (int step = 0; step < 3'000; ++step) {
    const auto id = static_cast<std::int64_t>(500 + random() % 1'000);
    if (random() % 4 == 0)
      index.remove(id);
    else
      index.put(id, random_vector(random));
  }
  while (searched < 50) std::this_thread::yield();
  done = true;
  readers.clear();
  CHECK(wrong == 0);
  CHECK(index.stats().dead <= index.stats().vectors + 1'000);
}

TEST_CASE("an index comes back from its archive with its graph; damaged ones are errors", "[H24]") {
  Index index(size, early());
  fill(index, 400);
  index.remove(3);
  const auto bytes = index.save();
  const auto loaded = Index::load(bytes, early()).value();
  CHECK(loaded->stats().graph);
  CHECK(loaded->save() == bytes);
  for (std::int64_t id = 10; id < 20; ++id)
    CHECK(loaded->search(*index.vector_of(id), 10) == index.search(*index.vector_of(id), 10));

  std::mt19937_64 random(6);
  for (int i = 0; i < 40; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    CHECK_FALSE(Index::load(damaged));
    CHECK_FALSE(Index::load(std::string_view(bytes).substr(0, random() % bytes.size())));
  }
}

TEST_CASE("putting many can be cancelled and leaves an index that works") {
  Index index(size, early());
  std::mt19937_64 random(12);
  std::vector<std::int64_t> ids;
  std::vector<float> rows;
  for (std::int64_t id = 0; id < 1'000; ++id) {
    ids.push_back(id);
    const auto row = random_vector(random);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  for (const int calls : {0, 3, 12, 20}) {
    std::atomic<int> left = calls;
    Work work;
    work.cancelled = [&] { return left-- <= 0; };
    const auto status = index.put_all(ids, rows, work);
    CHECK((status || status.error().code == "cancelled"));
    const auto stats = index.stats();
    CHECK(index.search(random_vector(random), 5).size() == std::min<std::size_t>(5, stats.vectors));
  }
  CHECK(index.put_all(ids, rows));
  CHECK(index.size() == 1'000);
  CHECK(recall(index, 50) >= 0.95);
}

}  // namespace
}  // namespace lumina::vector

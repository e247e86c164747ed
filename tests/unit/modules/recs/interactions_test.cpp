#include "modules/recs/evaluation.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace lumina::recs {
namespace {

constexpr Moment now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
constexpr std::chrono::hours hour(1);

TEST_CASE("an opinion weighs more than a deed, and dislikes count against", "[H6]") {
  CHECK(strength_of(Signal::borrow) == 1);
  CHECK(strength_of(Signal::review, 5) > strength_of(Signal::review, 4));
  CHECK(strength_of(Signal::review, 4) > strength_of(Signal::borrow));
  CHECK(strength_of(Signal::review, 1) < -strength_of(Signal::borrow));
  CHECK(strength_of(Signal::dislike) < -1);
  CHECK(strength_of(Signal::review) == 1);
}

TEST_CASE("a history holds each book once: the strongest signal, at the latest moment") {
  History history({{1, 1, now}, {2, 1, now - hour}, {1, -1.6F, now - 2 * hour}, {3, 0.2F, now - 3 * hour}});
  REQUIRE(history.size() == 3);
  CHECK(history.entries().back() == History::Entry{1, -1.6F, now});
  history.add({3, 1, now + hour});
  CHECK(history.entries().back() == History::Entry{3, 1, now + hour});
  CHECK(history.contains(2));
  CHECK_FALSE(history.contains(4));
}

TEST_CASE("signals added one by one, in any order, give the history of all together", "[H13]") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<History::Entry> entries;
    for (int i = 0; i < 30; ++i)
      entries.push_back({static_cast<std::int64_t>(random() % 8), static_cast<float>(random() % 5) - 2.5F,
                         now + hour * static_cast<int>(random() % 1'000)});
    const History together(entries);
    std::ranges::shuffle(entries, random);
    History one_by_one;
    for (const auto& entry : entries) one_by_one.add(entry);
    REQUIRE(one_by_one.size() == together.size());
    for (std::size_t i = 0; i < together.size(); ++i) {
      CHECK(one_by_one.entries()[i].book == together.entries()[i].book);
      CHECK(one_by_one.entries()[i].at == together.entries()[i].at);
      // Of two opposite signals of the same magnitude the later counts; one by one, order may decide.
      CHECK(std::abs(one_by_one.entries()[i].strength) == std::abs(together.entries()[i].strength));
    }
  }
}

TEST_CASE("newer books count more, halving with every half-life; dislikes make nothing older", "[H6]") {
  const History history({{1, 1, now}, {2, 1, now + hour}, {3, -1, now + 2 * hour}, {4, 1, now + 3 * hour}});
  const auto weights = history.weights(2);
  CHECK(weights[3] == Approx(1));
  CHECK(weights[2] == Approx(-std::exp2(-0.5F)));
  CHECK(weights[1] == Approx(std::exp2(-0.5F)));
  CHECK(weights[0] == Approx(0.5F));
  CHECK(history.weights(0) == std::vector<float>{1, 1, -1, 1});
}

TEST_CASE("the last fifth of everybody's books is held back, one to ten of them", "[H20]") {
  std::vector<Interaction> rows;
  const auto read = [&](std::int64_t person, int count) {
    for (int i = 0; i < count; ++i) rows.push_back({person, i + 1, i % 2 == 0 ? 1.3F : 0.5F, now + hour * i});
  };
  read(1, 1);
  read(2, 3);
  read(3, 20);
  read(4, 80);
  const auto split = leave_last_out(rows, 1.3F);
  REQUIRE(split.trials.size() == 3);
  CHECK(split.trials[0].held == std::vector<std::int64_t>{3});
  CHECK(split.trials[1].held == std::vector<std::int64_t>{17, 18, 19, 20});
  CHECK(split.trials[1].wanted == std::vector<std::int64_t>{17, 19});
  CHECK(split.trials[2].held.size() == 10);
  CHECK(split.learning.size() == 1 + 2 + 16 + 70);
  for (const auto& trial : split.trials)
    for (const auto& row : split.learning)
      if (row.person == trial.person) CHECK(std::ranges::find(trial.held, row.book) == trial.held.end());
}

TEST_CASE("measures are those of the textbook", "[H20]") {
  Split split;
  split.learning = {{1, 100, 1, now}, {2, 100, 1, now}, {2, 101, 1, now}};
  split.trials = {{1, {5, 6}, {5, 6}}, {2, {7}, {7}}};
  const auto metrics = measure(split, 50, [](std::int64_t person, const History& history) {
    CHECK(history.contains(100));
    return person == 1 ? std::vector<std::int64_t>{9, 5, 8} : std::vector<std::int64_t>{9, 8};
  });
  CHECK(metrics.hit_rate == Approx(0.5));
  CHECK(metrics.recall == Approx(0.25));
  CHECK(metrics.precision == Approx(0.05));
  CHECK(metrics.ndcg == Approx((1 / std::log2(3.0)) / (1 + 1 / std::log2(3.0)) / 2));
  CHECK(metrics.coverage == Approx(3.0 / 50));
  CHECK(metrics.novelty == Approx(std::log2(3 / 0.5)));
  CHECK(measure(Split{}, 10, [](auto, const auto&) { return std::vector<std::int64_t>{}; }).people == 0);
}

TEST_CASE("bots, doubles, strangers, dreams of the future and what is no number are found", "[H3]") {
  std::vector<Interaction> rows;
  for (int i = 0; i < 5'000; ++i) rows.push_back({66, i % 90, 1, now - std::chrono::seconds(i + 1)});
  for (int i = 0; i < 30; ++i) rows.push_back({7, i, 1.5F, now - hour * (24 * i + 1)});
  rows.push_back({8, 1, 1, now - hour});
  rows.push_back({8, 1, 1, now - hour});
  rows.push_back({8, 2, 1, now + 500 * hour});
  rows.push_back({8, 12'345, 1, now - hour});
  rows.push_back({8, 3, std::numeric_limits<float>::quiet_NaN(), now - hour});
  std::vector<std::int64_t> known(90);
  std::iota(known.begin(), known.end(), 0);
  const auto data = clean(rows, known, now);
  CHECK(data.report.bots == 1);
  CHECK(data.report.bot_interactions == 5'000);
  CHECK(data.report.duplicates == 1);
  CHECK(data.report.future == 1);
  CHECK(data.report.unknown_books == 1);
  CHECK(data.report.not_numbers == 1);
  CHECK(data.report.constant_raters == 1);
  CHECK(data.report.people == 2);
  CHECK(data.report.interactions == 32);
  CHECK(data.interactions.size() == 32);
  CHECK(data.report.findings.size() == 6);
  CHECK(std::ranges::all_of(data.interactions, [](const Interaction& row) { return row.at <= now; }));
  CHECK(clean({}, {}, now).report.sparsity == 1);
}

}  // namespace
}  // namespace lumina::recs

// The learning half of blend.hpp.
#include "core/vector/algebra.hpp"
#include "modules/recs/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lumina::recs {
namespace {

constexpr std::size_t fewest_lessons = 20;
constexpr std::size_t kept_candidates = 400;
constexpr std::size_t newton_steps = 12;
constexpr std::size_t listed = 10;

constexpr std::size_t at(Part part) { return static_cast<std::size_t>(part); }

// One lesson as numbers: what the parts say of each candidate, and which candidates are the wanted ones.
struct Exercise {
  std::vector<Weights> values;
  std::vector<std::uint32_t> wanted;
  std::size_t wanted_in_all = 0;  // also those that are no candidates
};

float score(const Weights& weights, const Weights& values) {
  float sum = 0;
  for (std::size_t part = 0; part < part_count; ++part) sum += weights[part] * values[part];
  return sum;
}

History newest(const History& history, std::size_t count) {
  const auto entries = history.entries();
  const auto kept = entries.last(std::min(count, entries.size()));
  return History(std::vector<History::Entry>(kept.begin(), kept.end()));
}

Exercise exercise_of(const CollaborativeModel* model, const Catalogue& catalogue, const Lesson& lesson,
                     const History& history, const Weights& start) {
  const auto table = catalogue.read();
  CandidateRequest request;
  request.weights = start;
  // What was read before the cut is not wanted again, though it may be gone from the cut history.
  request.welcome = [&](const Item& item) { return item.live && !lesson.history.contains(item.id); };
  const auto candidates = candidates_for(model, catalogue, *table, history, request);

  Exercise exercise;
  exercise.wanted_in_all = lesson.wanted.size();
  std::vector<std::pair<float, std::uint32_t>> order;
  for (std::uint32_t i = 0; i < candidates.slots.size(); ++i) {
    const auto id = table->items[candidates.slots[i]].id;
    if (std::ranges::find(lesson.wanted, id) != lesson.wanted.end()) {
      exercise.wanted.push_back(static_cast<std::uint32_t>(exercise.values.size()));
      exercise.values.push_back(candidates.values[i]);
    } else {
      order.emplace_back(-score(start, candidates.values[i]), i);
    }
  }
  const auto kept = std::min(order.size(), kept_candidates);
  std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(kept));
  for (std::size_t i = 0; i < kept; ++i) exercise.values.push_back(candidates.values[order[i].second]);
  return exercise;
}

double ndcg(const Exercise& exercise, const Weights& weights) {
  double gain = 0;
  std::vector<float> scores;
  scores.reserve(exercise.values.size());
  for (const auto& values : exercise.values) scores.push_back(score(weights, values));
  for (const auto wanted : exercise.wanted) {
    std::size_t place = 0;
    for (std::uint32_t i = 0; i < scores.size() && place < listed; ++i)
      if (scores[i] > scores[wanted] || (scores[i] == scores[wanted] && i > wanted)) ++place;
    if (place < listed) gain += 1 / std::log2(static_cast<double>(place) + 2);
  }
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(listed, exercise.wanted_in_all); ++i)
    ideal += 1 / std::log2(static_cast<double>(i) + 2);
  return ideal > 0 ? gain / ideal : 0;
}

double mean_ndcg(const std::vector<Exercise>& exercises, const Weights& weights, const vector::Work& work) {
  std::vector<double> gains(exercises.size());
  vector::for_pieces(exercises.size(), 32, work, [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) gains[i] = ndcg(exercises[i], weights);
  });
  double sum = 0;
  for (const auto gain : gains) sum += gain;
  return sum / static_cast<double>(std::max<std::size_t>(1, gains.size()));
}

// One Newton step of the softmax regression: gradient and Hessian are sums over the exercises.
Weights newton_step(const std::vector<Exercise>& exercises, const Weights& weights,
                    const std::array<bool, part_count>& active) {
  constexpr double ridge = 0.02;
  std::array<double, part_count> gradient{};
  std::array<std::array<double, part_count>, part_count> hessian{};
  for (const auto& exercise : exercises) {
    if (exercise.wanted.empty()) continue;
    std::vector<double> share;
    double top = -1e30;
    for (const auto& values : exercise.values)
      top = std::max(top, static_cast<double>(score(weights, values)));
    double all = 0;
    for (const auto& values : exercise.values) {
      share.push_back(std::exp(static_cast<double>(score(weights, values)) - top));
      all += share.back();
    }
    std::array<double, part_count> mean{};
    for (std::size_t i = 0; i < share.size(); ++i) {
      share[i] /= all;
      for (std::size_t p = 0; p < part_count; ++p) {
        const auto left = share[i] * static_cast<double>(exercise.values[i][p]);
        mean[p] += left;
        for (std::size_t q = 0; q <= p; ++q)
          hessian[p][q] += left * static_cast<double>(exercise.values[i][q]);
      }
    }
    for (std::size_t p = 0; p < part_count; ++p) {
      double wanted = 0;
      for (const auto i : exercise.wanted) wanted += static_cast<double>(exercise.values[i][p]);
      gradient[p] += mean[p] - wanted / static_cast<double>(exercise.wanted.size());
      for (std::size_t q = 0; q <= p; ++q) hessian[p][q] -= mean[p] * mean[q];
    }
  }
  const auto count = static_cast<double>(exercises.size());
  std::vector<float> matrix(part_count * part_count, 0.0F);
  for (std::size_t p = 0; p < part_count; ++p) {
    gradient[p] = gradient[p] / count + ridge * static_cast<double>(weights[p]);
    for (std::size_t q = 0; q <= p; ++q) {
      const auto value = static_cast<float>(active[p] && active[q] ? hessian[p][q] / count : 0.0);
      matrix[p * part_count + q] = matrix[q * part_count + p] = value;
    }
    matrix[p * part_count + p] += active[p] ? static_cast<float>(ridge) : 1.0F;
  }
  Weights next = weights;
  if (!vector::invert(matrix, part_count)) return next;
  for (std::size_t p = 0; p < part_count; ++p) {
    if (!active[p]) continue;
    double step = 0;
    for (std::size_t q = 0; q < part_count; ++q)
      if (active[q]) step += static_cast<double>(matrix[p * part_count + q]) * gradient[q];
    // No part may speak against what it stands for.
    next[p] =
        static_cast<float>(std::max(0.0, static_cast<double>(weights[p]) - std::clamp(step, -1.0, 1.0)));
  }
  return next;
}

Weights learn(const std::vector<Exercise>& exercises, Weights weights,
              const std::array<bool, part_count>& active, const vector::Work& work) {
  for (std::size_t step = 0; step < newton_steps; ++step) weights = newton_step(exercises, weights, active);
  // The regression is right about probabilities; what counts in the end is the order of the first ten.
  auto best = mean_ndcg(exercises, weights, work);
  for (const float reach : {2.0F, 1.5F, 1.25F})
    for (std::size_t part = 0; part < part_count; ++part) {
      if (!active[part]) continue;
      const auto largest = std::ranges::max(weights);
      for (const auto candidate :
           {weights[part] * reach, weights[part] / reach, weights[part] + 0.1F * largest, 0.0F}) {
        auto tried = weights;
        tried[part] = candidate;
        // A hair's breadth is chance.
        if (const auto value = mean_ndcg(exercises, tried, work); value > best + 1e-4) {
          best = value;
          weights = tried;
        }
      }
    }
  return weights;
}

// A handful of lessons proves little: what they taught counts beside what stood before as much as they are,
// the former as many as `trusted`. Sums are made equal first, for only proportions rank.
Weights weighed(const Weights& before, const Weights& learned, std::size_t lessons) {
  constexpr float trusted = 100;
  const auto sum = [](const Weights& weights) {
    return std::accumulate(weights.begin(), weights.end(), 0.0F);
  };
  const auto own = sum(before), theirs = sum(learned);
  if (theirs <= 0 || own <= 0) return theirs > 0 ? learned : before;
  const auto share = static_cast<float>(lessons) / (static_cast<float>(lessons) + trusted);
  Weights out{};
  for (std::size_t part = 0; part < part_count; ++part)
    out[part] = share * learned[part] * own / theirs + (1 - share) * before[part];
  return out;
}

}  // namespace

Result<BlendWeights> learn_weights(const CollaborativeModel* model, const Catalogue& catalogue,
                                   std::span<const Lesson> lessons, const vector::Work& work) {
  BlendWeights learned;
  std::array<bool, part_count> active{};
  active.fill(true);
  for (const auto algorithm : all_algorithms)
    if (model == nullptr || !model->has(algorithm)) active[static_cast<std::size_t>(algorithm)] = false;
  if (catalogue.index() == nullptr) active[at(Part::content)] = false;
  for (auto& row : learned.rows)
    for (std::size_t part = 0; part < part_count; ++part)
      if (!active[part]) row[part] = 0;

  constexpr auto rows = BlendWeights::lengths.size();
  for (std::size_t row = 0; row < rows; ++row) {
    const auto length = row + 1 == rows ? History::most : BlendWeights::lengths[row];
    // The last row learns from whole histories, and only from those that are longer than the row before.
    const auto shortest = row + 1 == rows ? BlendWeights::lengths[row - 1] : length;
    std::vector<const Lesson*> chosen;
    for (const auto& lesson : lessons)
      if (lesson.history.size() >= shortest && !lesson.wanted.empty()) chosen.push_back(&lesson);
    if (chosen.size() < fewest_lessons) {
      if (row > 0 && !lessons.empty() && lessons.size() >= fewest_lessons)
        learned.rows[row] = learned.rows[row - 1];
      continue;
    }
    std::vector<Exercise> exercises(chosen.size());
    const auto part = work.part(static_cast<double>(row) / rows, static_cast<double>(row + 1) / rows);
    const auto made = vector::for_pieces(chosen.size(), 8, part, [&](std::size_t from, std::size_t to) {
      for (auto i = from; i < to; ++i)
        exercises[i] =
            exercise_of(model, catalogue, *chosen[i], newest(chosen[i]->history, length), learned.rows[row]);
    });
    if (!made) return vector::cancelled_failure();
    vector::Work quiet = work;
    quiet.progress = {};
    quiet.cancelled = {};
    const auto before = learned.rows[row];
    learned.rows[row] = weighed(before, learn(exercises, before, active, quiet), chosen.size());
  }
  return learned;
}

}  // namespace lumina::recs

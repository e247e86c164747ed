#include "modules/reviews/linear_model.hpp"

#include "core/text/fold.hpp"
#include "core/text/words.hpp"
#include "modules/reviews/sentiment_tokens.hpp"
#include "modules/reviews/valence.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <zlib.h>

namespace lumina::reviews {
namespace {

constexpr std::size_t bucket_bits = 18;
constexpr std::size_t buckets = std::size_t{1} << bucket_bits;
constexpr std::size_t max_features = 4'000;  // of one text; a review of 5,000 characters has about 1,800

// FNV-1a, 64 bits, with its high half folded in.
class FeatureHash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  std::uint32_t bucket() const {
    const std::uint64_t mixed = state_ ^ (state_ >> 29) ^ (state_ >> 47);
    return static_cast<std::uint32_t>(mixed & (buckets - 1));
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

bool negates(std::string_view word) {
  return word == "not" || word == "no" || word == "never" || word == "nothing" || word == "without" ||
         word == "hardly" || word == "nor" || word == "neither";
}

struct Features {
  std::vector<std::uint32_t> buckets;  // sorted, each once
  std::size_t words = 0;
};

// Words and pairs of neighbours. Words after a negation carry its mark until the clause ends, three at most.
Features features_of(std::string_view text) {
  Features found;
  std::string folded;
  std::string previous = "^";
  std::size_t negated_left = 0;
  std::size_t gap_begin = 0;
  const auto add = [&](std::string_view word) {
    FeatureHash single;
    if (negated_left > 0) single.add("!");
    single.add(word);
    found.buckets.push_back(single.bucket());
    FeatureHash pair;
    pair.add(previous);
    pair.add(" ");
    pair.add(word);
    found.buckets.push_back(pair.bucket());
    if (negated_left > 0) --negated_left;
    if (negates(word)) negated_left = 3;
    previous = word;
  };
  for (const text::Slice& slice : text::words(text)) {
    const std::string_view gap = text.substr(gap_begin, slice.begin - gap_begin);
    gap_begin = slice.end;
    if (ends_clause(gap)) negated_left = 0;
    if (gap.find('!') != std::string_view::npos) add("!");
    if (gap.find('?') != std::string_view::npos) add("?");
    folded.clear();
    text::fold_into(slice.text, folded);
    if (is_markup(folded, gap)) continue;
    const PlainWord word = plain_word(folded);
    add(word.head);
    if (word.negated) add("not");
    ++found.words;
    if (found.buckets.size() >= max_features) break;
  }
  if (text.substr(gap_begin).find('!') != std::string_view::npos) add("!");
  std::sort(found.buckets.begin(), found.buckets.end());
  found.buckets.erase(std::unique(found.buckets.begin(), found.buckets.end()), found.buckets.end());
  return found;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
void put(std::string& out, T value) {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.append(bytes.data(), bytes.size());
}

template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

constexpr std::string_view magic = "LSM1";

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

Failure damaged() {
  return fail(ErrorKind::malformed, "damaged_model", "This is no sentiment model, or it is damaged");
}

}  // namespace

// One training: the examples as features, and the weights being learnt.
class Trainer {
 public:
  Trainer(std::span<const Example> examples, std::stop_token stop) : stop_(std::move(stop)) {
    samples_.reserve(examples.size());
    for (const Example& e : examples) {
      Features f = features_of(e.text);
      const Valence v = valence(e.text);
      if (f.buckets.empty()) continue;
      samples_.push_back({std::move(f.buckets), f.words, std::clamp(e.positive, 0.0, 1.0),
                          std::max(e.weight, 0.0), v.balance(), 0});
    }
  }

  bool enough() const {
    const auto count = [this](auto wanted) {
      return static_cast<std::size_t>(std::count_if(samples_.begin(), samples_.end(), wanted));
    };
    return samples_.size() >= LinearModel::min_examples &&
           count([](const Sample& s) { return s.positive < 0.5; }) >= LinearModel::min_per_side &&
           count([](const Sample& s) { return s.positive > 0.5; }) >= LinearModel::min_per_side;
  }

  Result<LinearModel> run() {
    if (!enough()) {
      return fail(ErrorKind::refused, "too_few_examples",
                  "There are too few reviews of both kinds to learn from");
    }
    constexpr std::size_t folds = 5;
    for (std::size_t fold = 0; fold < folds; ++fold) {
      fit([fold](std::size_t i) { return i % folds != fold; });
      for (std::size_t i = fold; i < samples_.size(); i += folds) samples_[i].held_out = logit(samples_[i]);
    }
    LinearModel model;
    fit_blend(model);
    fit([](std::size_t) { return true; });
    if (stop_.stop_requested()) return fail(ErrorKind::unavailable, "stopped", "The training was stopped");
    store(model);
    return model;
  }

 private:
  struct Sample {
    std::vector<std::uint32_t> buckets;
    std::size_t words = 0;
    double positive = 0.5;
    double weight = 1;
    double rules = 0;     // what the valence rules say
    double held_out = 0;  // what a model that has not seen this text says
  };

  double logit(const Sample& s) const {
    double sum = 0;
    for (const std::uint32_t b : s.buckets) sum += weights_[b];
    return bias_ + sum / std::sqrt(static_cast<double>(s.buckets.size()));
  }

  template <class Wanted>
  void fit(Wanted wanted) {
    constexpr int epochs = 20;
    constexpr double step = 0.5;
    constexpr double decay = 2e-5;  // of a weight each time its feature is seen
    weights_.assign(buckets, 0);
    std::vector<float> squares(buckets, 1e-3F);
    bias_ = 0;
    double bias_square = 1e-3;
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (wanted(i)) order.push_back(i);
    }
    std::mt19937 random(20260101);
    for (int epoch = 0; epoch < epochs && !stop_.stop_requested(); ++epoch) {
      // std::shuffle differs between libraries; this does not.
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
      for (const std::size_t i : order) {
        const Sample& s = samples_[i];
        const double error = s.weight * (sigmoid(logit(s)) - s.positive);
        const double each = error / std::sqrt(static_cast<double>(s.buckets.size()));
        for (const std::uint32_t b : s.buckets) {
          const double gradient = each + decay * weights_[b];
          squares[b] += static_cast<float>(gradient * gradient);
          weights_[b] -= static_cast<float>(step * gradient / std::sqrt(static_cast<double>(squares[b])));
        }
        bias_square += error * error;
        bias_ -= 0.1 * error / std::sqrt(bias_square);
      }
    }
  }

  // Newton's method on three coefficients, drawn gently to the defaults.
  void fit_blend(LinearModel& model) const {
    constexpr std::array<double, 3> prior = {0, 0.5, 1};
    constexpr double pull = 2;
    std::array<double, 3> c = prior;
    for (int round = 0; round < 30; ++round) {
      std::array<double, 3> gradient{};
      std::array<std::array<double, 3>, 3> hessian{};
      for (std::size_t k = 0; k < 3; ++k) {
        gradient[k] = pull * (c[k] - prior[k]);
        hessian[k][k] = pull;
      }
      for (const Sample& s : samples_) {
        const std::array<double, 3> x = {1, s.held_out, s.rules};
        const double p = sigmoid(c[0] + c[1] * x[1] + c[2] * x[2]);
        for (std::size_t j = 0; j < 3; ++j) {
          gradient[j] += s.weight * (p - s.positive) * x[j];
          for (std::size_t k = 0; k < 3; ++k) hessian[j][k] += s.weight * p * (1 - p) * x[j] * x[k];
        }
      }
      const auto move = solve(hessian, gradient);
      for (std::size_t k = 0; k < 3; ++k) c[k] -= move[k];
    }
    model.blend_ = {c[0], std::max(0.0, c[1]), std::max(0.0, c[2])};
    std::size_t right = 0;
    std::size_t decided = 0;
    for (const Sample& s : samples_) {
      if (s.positive == 0.5) continue;
      ++decided;
      const double z = c[0] + model.blend_.linear * s.held_out + model.blend_.rules * s.rules;
      right += (z > 0) == (s.positive > 0.5) ? 1 : 0;
    }
    model.accuracy_ = decided == 0 ? 0 : static_cast<double>(right) / static_cast<double>(decided);
  }

  static std::array<double, 3> solve(std::array<std::array<double, 3>, 3> a, std::array<double, 3> b) {
    // Positive definite, so elimination needs no pivots.
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t r = i + 1; r < 3; ++r) {
        const double f = a[r][i] / a[i][i];
        for (std::size_t k = i; k < 3; ++k) a[r][k] -= f * a[i][k];
        b[r] -= f * b[i];
      }
    }
    std::array<double, 3> x{};
    for (std::size_t i = 3; i-- > 0;) {
      double sum = b[i];
      for (std::size_t k = i + 1; k < 3; ++k) sum -= a[i][k] * x[k];
      x[i] = sum / a[i][i];
    }
    return x;
  }

  void store(LinearModel& model) const {
    float largest = 0;
    for (const float w : weights_) largest = std::max(largest, std::abs(w));
    model.scale_ = static_cast<double>(largest) / 127;
    model.weights_.assign(buckets, 0);
    for (std::size_t b = 0; b < buckets; ++b) {
      if (largest > 0) model.weights_[b] = static_cast<std::int8_t>(std::lround(weights_[b] / largest * 127));
    }
    model.bias_ = bias_;
    std::vector<std::size_t> lengths;
    for (const Sample& s : samples_) lengths.push_back(s.words);
    const auto at = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() * 9 / 10);
    std::nth_element(lengths.begin(), at, lengths.end());
    model.usual_words_ = static_cast<double>(std::max<std::size_t>(1, *at));
    model.examples_ = samples_.size();
  }

  std::stop_token stop_;
  std::vector<Sample> samples_;
  std::vector<float> weights_;
  double bias_ = 0;
};

LinearModel::LinearModel() : weights_(buckets, 0) {}

Result<LinearModel> LinearModel::train(std::span<const Example> examples, std::stop_token stop) {
  return Trainer(examples.first(std::min(examples.size(), max_examples)), std::move(stop)).run();
}

LinearModel::Reading LinearModel::read(std::string_view text) const {
  const Features f = features_of(text);
  if (f.buckets.empty()) return {};
  Reading reading;
  std::int64_t sum = 0;
  for (const std::uint32_t b : f.buckets) {
    sum += weights_[b];
    reading.known += weights_[b] != 0 ? 1 : 0;
  }
  if (reading.known == 0) return {};
  const double length = static_cast<double>(f.words);
  const double damping = length > usual_words_ ? std::sqrt(usual_words_ / length) : 1;
  reading.logit = damping * (bias_ + scale_ * static_cast<double>(sum) /
                                         std::sqrt(static_cast<double>(f.buckets.size())));
  return reading;
}

std::size_t LinearModel::features() const {
  return static_cast<std::size_t>(
      std::count_if(weights_.begin(), weights_.end(), [](std::int8_t w) { return w != 0; }));
}

std::string LinearModel::save() const {
  std::string out(magic);
  for (const double number :
       {scale_, bias_, usual_words_, blend_.bias, blend_.linear, blend_.rules, accuracy_}) {
    put(out, static_cast<float>(number));
  }
  put(out, static_cast<std::uint32_t>(examples_));
  put(out, static_cast<std::uint32_t>(features()));
  std::size_t last = 0;
  for (std::size_t b = 0; b < buckets; ++b) {
    if (weights_[b] == 0) continue;
    // The distance from the one before, seven bits a byte, then the weight.
    std::size_t gap = b - last;
    while (gap >= 128) {
      out.push_back(static_cast<char>(0x80U | (gap & 0x7FU)));
      gap >>= 7U;
    }
    out.push_back(static_cast<char>(gap));
    out.push_back(static_cast<char>(weights_[b]));
    last = b;
  }
  put(out, checksum(out));
  return out;
}

Result<LinearModel> LinearModel::load(std::string_view bytes) {
  constexpr std::size_t largest = 1 << 20;
  if (bytes.size() < magic.size() + 4 || bytes.size() > largest || !bytes.starts_with(magic))
    return damaged();
  std::string_view tail = bytes.substr(bytes.size() - 4);
  bytes.remove_suffix(4);
  std::uint32_t sum = 0;
  take(tail, sum);
  if (sum != checksum(bytes)) return damaged();
  bytes.remove_prefix(magic.size());

  LinearModel model;
  std::array<float, 7> numbers{};
  for (float& number : numbers) {
    if (!take(bytes, number) || !std::isfinite(number)) return damaged();
  }
  model.scale_ = numbers[0];
  model.bias_ = numbers[1];
  model.usual_words_ = numbers[2];
  model.blend_ = {numbers[3], numbers[4], numbers[5]};
  model.accuracy_ = numbers[6];
  std::uint32_t examples = 0;
  std::uint32_t features = 0;
  if (!take(bytes, examples) || !take(bytes, features) || model.usual_words_ < 1) return damaged();
  model.examples_ = examples;
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < features; ++i) {
    std::size_t gap = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (bytes.empty() || shift > 14) return damaged();
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      gap |= static_cast<std::size_t>(byte & 0x7FU) << shift;
      if (byte < 0x80U) break;
    }
    at += gap;
    if (at >= buckets || bytes.empty() || bytes.front() == 0 || (gap == 0 && i > 0)) return damaged();
    model.weights_[at] = static_cast<std::int8_t>(bytes.front());
    bytes.remove_prefix(1);
  }
  if (!bytes.empty()) return damaged();
  return model;
}

std::uint32_t model_checksum(std::string_view saved) {
  std::uint32_t sum = 0;
  if (saved.size() < sizeof sum) return 0;
  saved.remove_prefix(saved.size() - sizeof sum);
  take(saved, sum);
  return sum;
}

}  // namespace lumina::reviews

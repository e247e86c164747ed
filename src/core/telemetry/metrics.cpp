#include "core/telemetry/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <thread>
#include <unordered_map>

namespace lumina::metrics {
namespace {

constexpr std::size_t most_shards = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void require(bool fine, std::string_view what, std::string_view name) {
  if (!fine) throw std::invalid_argument("metric " + std::string(name) + ": " + std::string(what));
}

void require_name(std::string_view name) {
  require(!name.empty() && (is_letter(name.front()) || name.front() == ':') &&
              std::all_of(name.begin(), name.end(),
                          [](char c) { return is_letter(c) || is_digit(c) || c == ':'; }),
          "not a metric name", name);
}

void require_labels(std::string_view name, const Labels& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto& label = labels[i].first;
    require(!label.empty() && is_letter(label.front()) && !label.starts_with("__") && label != "le" &&
                std::all_of(label.begin(), label.end(), [](char c) { return is_letter(c) || is_digit(c); }),
            "not a label name: " + label, name);
    for (std::size_t j = 0; j < i; ++j)
      require(labels[j].first != label, "label given twice: " + label, name);
  }
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name + "=\"" + escaped(value, true) + '"';
  }
  return text;
}

void append_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
  }
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

template <class Number>
void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view more, Number number) {
  out += name;
  out += suffix;
  if (!labels.empty() || !more.empty()) {
    out += '{';
    out += labels;
    if (!labels.empty() && !more.empty()) out += ',';
    out += more;
    out += '}';
  }
  out += ' ';
  append_number(out, number);
  out += '\n';
}

}  // namespace

std::atomic<std::size_t> Cell::threads_seen{0};

std::uint64_t Cell::sum() const noexcept {
  std::uint64_t total = 0;
  for (std::size_t shard = 0; shard < shards_; ++shard)
    total += first_[shard * stride].load(std::memory_order_relaxed);
  return total;
}

std::span<const double> latency_buckets() {
  static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                     0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
  return bounds;
}

Histogram::Histogram(std::vector<double> bounds, double ticks_per_unit, std::vector<Cell> buckets, Cell sum)
    : bounds_(std::move(bounds)), ticks_per_unit_(ticks_per_unit), buckets_(std::move(buckets)), sum_(sum) {
  for (const double bound : bounds_) limits_.push_back(std::llround(bound * ticks_per_unit_));
}

void Histogram::observe(double value) noexcept {
  const double ticks = value * ticks_per_unit_;
  constexpr double most = 9e18;
  if (std::isnan(ticks)) return;
  record(static_cast<std::int64_t>(std::clamp(std::round(ticks), 0.0, most)));
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) total += bucket.sum();
  return total;
}

double Histogram::sum() const noexcept { return static_cast<double>(sum_.sum()) / ticks_per_unit_; }

struct Registry::Series {
  explicit Series(std::string text) : labels(std::move(text)) {}
  std::string labels;
  Show show = Show::always;
  std::optional<Counter> counter;
  std::optional<Gauge> gauge;
  std::optional<Histogram> histogram;
  std::function<double()> read;
};

struct Registry::Family {
  std::string name;
  std::string help;
  std::string type;
  std::deque<Series> series;  // references stay valid
  std::unordered_map<std::string, Series*> by_labels;
};

// A page for each shard; the cells of one metric have the same place in every page.
struct Registry::Slab {
  explicit Slab(std::size_t shards) : pages(shards) {}
  struct alignas(64) Page {
    std::array<std::atomic<std::uint64_t>, Cell::stride> cells{};
  };
  std::vector<Page> pages;
  std::size_t used = 0;
};

Registry::Registry()
    : shards_(std::min(std::bit_ceil(std::max<std::size_t>(std::thread::hardware_concurrency(), 1) * 2),
                       most_shards)) {}
Registry::~Registry() = default;

Cell Registry::cell() {
  if (slabs_.empty() || slabs_.back()->used == Cell::stride)
    slabs_.push_back(std::make_unique<Slab>(shards_));
  auto& slab = *slabs_.back();
  return {&slab.pages.front().cells[slab.used++], shards_};
}

Registry::Series& Registry::series(std::string_view name, std::string_view help, std::string_view type,
                                   const Labels& labels) {
  require_name(name);
  require_labels(name, labels);
  const auto found = std::find_if(families_.begin(), families_.end(),
                                  [&](const auto& family) { return family->name == name; });
  Family* family = nullptr;
  if (found != families_.end()) {
    family = found->get();
    require(family->type == type, "is a " + family->type + " already", name);
  } else {
    families_.push_back(std::make_unique<Family>());
    family = families_.back().get();
    family->name = name;
    family->help = help;
    family->type = type;
  }
  auto text = label_text(labels);
  if (const auto known = family->by_labels.find(text); known != family->by_labels.end())
    return *known->second;
  auto& made = family->series.emplace_back(text);
  family->by_labels.emplace(std::move(text), &made);
  return made;
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels, Show show) {
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, "counter", labels);
  if (!entry.counter) {
    entry.counter.emplace(cell());
    entry.show = show;
  }
  return *entry.counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, "gauge", labels);
  if (!entry.gauge) entry.gauge.emplace(cell());
  return *entry.gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                               const Labels& labels, double ticks_per_unit) {
  require(!bounds.empty() && ticks_per_unit > 0, "needs buckets", name);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    require(std::isfinite(bounds[i]) && (i == 0 || bounds[i] > bounds[i - 1]), "buckets must rise", name);
  }
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, "histogram", labels);
  if (!entry.histogram) {
    std::vector<Cell> buckets;
    for (std::size_t i = 0; i <= bounds.size(); ++i) buckets.push_back(cell());
    entry.histogram.emplace(std::vector<double>(bounds.begin(), bounds.end()), ticks_per_unit,
                            std::move(buckets), cell());
  }
  return *entry.histogram;
}

void Registry::gauge(std::string_view name, std::string_view help, const Labels& labels,
                     std::function<double()> read) {
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, "gauge", labels);
  if (!entry.read) entry.read = std::move(read);
}

void Registry::counter(std::string_view name, std::string_view help, const Labels& labels,
                       std::function<double()> read) {
  const std::lock_guard lock(mutex_);
  auto& entry = series(name, help, "counter", labels);
  if (!entry.read) entry.read = std::move(read);
}

std::string Registry::render() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  std::string samples;
  for (const auto& family : families_) {
    samples.clear();
    for (const auto& entry : family->series) {
      if (entry.read) {
        if (const double value = entry.read(); !std::isnan(value)) {
          append_sample(samples, family->name, "", entry.labels, "", value);
        }
      } else if (entry.counter) {
        const auto value = entry.counter->value();
        if (value == 0 && entry.show == Show::once_used) continue;
        append_sample(samples, family->name, "", entry.labels, "", value);
      } else if (entry.gauge) {
        append_sample(samples, family->name, "", entry.labels, "", entry.gauge->value());
      } else if (entry.histogram) {
        const auto& histogram = *entry.histogram;
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < histogram.buckets_.size(); ++i) {
          below += histogram.buckets_[i].sum();
          std::string bound = "le=\"";
          append_number(bound, i < histogram.bounds_.size() ? histogram.bounds_[i]
                                                            : std::numeric_limits<double>::infinity());
          append_sample(samples, family->name, "_bucket", entry.labels, bound + '"', below);
        }
        append_sample(samples, family->name, "_sum", entry.labels, "", histogram.sum());
        append_sample(samples, family->name, "_count", entry.labels, "", below);
      }
    }
    if (samples.empty()) continue;
    out += "# HELP " + family->name + ' ' + escaped(family->help, false) + '\n';
    out += "# TYPE " + family->name + ' ' + family->type + '\n';
    out += samples;
  }
  return out;
}

}  // namespace lumina::metrics

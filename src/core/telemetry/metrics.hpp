// Counters, gauges and histograms, and their rendering in the Prometheus text format 0.0.4.
//
//   Registry metrics;
//   auto& requests = metrics.counter("luminalib_http_requests_total", "Requests answered.",
//                                    {{"method", "GET"}, {"route", "/api/v1/books/{id}"}, {"code", "200"}});
//   requests.add();
//
// Series are made up front, one for each set of labels; asking again for the same name and labels gives the
// same series. Updating one costs a few nanoseconds and touches memory of the calling thread only: each
// metric is a sum over shards, and a thread keeps to its shard. Updates and rendering may run at the same
// time; a rendered histogram is consistent in itself (its count is the sum of its buckets).
//
// The registry must outlive its series. Making series throws std::invalid_argument for names, labels or
// buckets that Prometheus would refuse and for one name with two types. Source: Prometheus exposition
// formats, text 0.0.4.
#pragma once
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// A number spread over the shards. Made by the registry.
class Cell {
 public:
  static constexpr std::size_t stride = 512;  // numbers of one shard that lie side by side: one page

  Cell(std::atomic<std::uint64_t>* first, std::size_t shards) : first_(first), shards_(shards) {}
  void add(std::uint64_t n) noexcept { first_[shard() * stride].fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t sum() const noexcept;

 private:
  std::size_t shard() const noexcept { return thread_number() & (shards_ - 1); }
  static std::size_t thread_number() noexcept {
    thread_local const std::size_t mine = threads_seen.fetch_add(1, std::memory_order_relaxed);
    return mine;
  }
  static std::atomic<std::size_t> threads_seen;

  std::atomic<std::uint64_t>* first_;
  std::size_t shards_;  // a power of two
};

class Counter {
 public:
  explicit Counter(Cell cell) : cell_(cell) {}
  void add(std::uint64_t n = 1) noexcept { cell_.add(n); }
  std::uint64_t value() const noexcept { return cell_.sum(); }

 private:
  Cell cell_;
};

// Goes up and down. set() gives the part that add() and sub() start from; a gauge uses either it or them.
class Gauge {
 public:
  explicit Gauge(Cell cell) : cell_(cell) {}
  void add(std::uint64_t n = 1) noexcept { cell_.add(n); }
  void sub(std::uint64_t n = 1) noexcept { cell_.add(~n + 1); }
  void set(double value) noexcept { base_.store(value, std::memory_order_relaxed); }
  double value() const noexcept {
    return base_.load(std::memory_order_relaxed) +
           static_cast<double>(std::bit_cast<std::int64_t>(cell_.sum()));
  }

 private:
  Cell cell_;
  std::atomic<double> base_{0};
};

// Seconds from a millisecond to ten, for requests and queries.
std::span<const double> latency_buckets();

// Fixed buckets. Values are kept as whole ticks (nanoseconds for durations), negative ones as zero.
class Histogram {
 public:
  Histogram(std::vector<double> bounds, double ticks_per_unit, std::vector<Cell> buckets, Cell sum);
  void observe(std::chrono::nanoseconds duration) noexcept { record(duration.count()); }
  void observe(double value) noexcept;
  std::uint64_t count() const noexcept;
  double sum() const noexcept;

 private:
  friend class Registry;
  void record(std::int64_t ticks) noexcept {
    if (ticks < 0) ticks = 0;
    std::size_t bucket = 0;
    while (bucket < limits_.size() && ticks > limits_[bucket]) ++bucket;
    buckets_[bucket].add(1);
    sum_.add(static_cast<std::uint64_t>(ticks));
  }

  std::vector<double> bounds_;
  std::vector<std::int64_t> limits_;  // bounds_ in ticks
  double ticks_per_unit_;
  std::vector<Cell> buckets_;  // one more than bounds_
  Cell sum_;
};

enum class Show : std::uint8_t { always, once_used };  // once_used: a counter is left out while it is zero

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {},
                   Show show = Show::always);
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  // Bounds rise strictly and are finite; +Inf is added. `ticks_per_unit`: 1e9 for seconds, 1 for bytes and
  // counts.
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       const Labels& labels = {}, double ticks_per_unit = 1e9);
  // Read at every rendering, on the rendering thread; must not throw or block for long. The first one given
  // for a name and labels stays. NaN leaves the sample out.
  void gauge(std::string_view name, std::string_view help, const Labels& labels,
             std::function<double()> read);
  void counter(std::string_view name, std::string_view help, const Labels& labels,
               std::function<double()> read);

  // Content-Type: content_type.
  std::string render() const;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Family;
  struct Series;
  struct Slab;
  Series& series(std::string_view name, std::string_view help, std::string_view type, const Labels&);
  Cell cell();

  mutable std::mutex mutex_;
  std::deque<std::unique_ptr<Family>> families_;  // in the order in which they were made
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::size_t shards_;
};

}  // namespace lumina::metrics

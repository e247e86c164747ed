#include "core/telemetry/metrics.hpp"

#include "core/telemetry/process_metrics.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace lumina::metrics;
using Catch::Matchers::Contains;

namespace {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

double number(const std::string& text) {
  if (text == "+Inf") return INFINITY;
  if (text == "-Inf") return -INFINITY;
  std::size_t used = 0;
  const double value = std::stod(text, &used);
  if (used != text.size()) throw std::runtime_error("not a number: " + text);
  return value;
}

// Reads the text format 0.0.4 and refuses what a scraper might not take: every line must be a HELP, a TYPE or
// a sample, a family stands in one piece with its TYPE first, no series twice, histograms cumulative and
// complete.
std::vector<Sample> strictly_parsed(const std::string& text) {
  const auto fail = [](const std::string& why, const std::string& line) {
    throw std::runtime_error(why + ": " + line);
  };
  static const std::regex help(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)*))");
  static const std::regex type(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))");
  static const std::regex sample(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+))");
  static const std::regex label(R"x(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\\\|\\"|\\n)*)"(,(?=.)|$))x");

  if (!text.empty() && text.back() != '\n') fail("no line feed at the end", text.substr(text.size() - 10));
  std::vector<Sample> samples;
  std::set<std::string> families;
  std::set<std::string> seen;
  std::string family;
  std::string kind;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("# HELP")) {
      if (!std::regex_match(line, match, help)) fail("bad HELP", line);
      family = match[1];
      kind.clear();
      if (!families.insert(family).second) fail("family in two pieces", line);
    } else if (line.starts_with("#")) {
      if (!std::regex_match(line, match, type) || match[1] != family || !kind.empty()) fail("bad TYPE", line);
      kind = match[2];
    } else {
      if (!std::regex_match(line, match, sample)) fail("bad sample", line);
      Sample read{match[1], {}, number(match[3])};
      std::string rest = match[2];
      std::smatch pair;
      while (!rest.empty()) {
        if (!std::regex_search(rest, pair, label, std::regex_constants::match_continuous))
          fail("bad labels", line);
        if (!read.labels.emplace(pair[1], pair[2]).second) fail("label twice", line);
        rest = pair.suffix();
      }
      const auto suffix = read.name.starts_with(family) ? read.name.substr(family.size()) : "?";
      const bool fits = kind == "histogram" ? suffix == "_bucket" || suffix == "_sum" || suffix == "_count"
                                            : suffix.empty();
      if (kind.empty() || !fits) fail("sample outside its family", line);
      if (kind == "counter" && !(read.value >= 0)) fail("negative counter", line);
      if (!seen.insert(line.substr(0, line.rfind(' '))).second) fail("series twice", line);
      samples.push_back(std::move(read));
    }
  }
  // Histograms, series by series.
  std::map<std::string, std::vector<Sample>> buckets;
  std::map<std::string, double> counts;
  const auto key = [](const Sample& s, std::size_t suffix) {
    auto labels = s.labels;
    labels.erase("le");
    std::string text_key = s.name.substr(0, s.name.size() - suffix);
    for (const auto& [name, value] : labels) text_key += '|' + name + '=' + value;
    return text_key;
  };
  for (const auto& s : samples) {
    if (s.labels.contains("le")) buckets[key(s, 7)].push_back(s);
    if (s.name.ends_with("_count")) counts[key(s, 6)] = s.value;
  }
  for (const auto& [series, list] : buckets) {
    double bound = -INFINITY;
    double below = 0;
    for (const auto& bucket : list) {
      const auto next = number(bucket.labels.at("le"));
      if (!(next > bound)) fail("bounds do not rise", series);
      if (bucket.value < below) fail("not cumulative", series);
      bound = next;
      below = bucket.value;
    }
    if (!std::isinf(bound)) fail("no +Inf bucket", series);
    if (!counts.contains(series) || counts[series] != below) fail("count differs from +Inf", series);
  }
  return samples;
}

std::optional<double> value_of(const std::vector<Sample>& samples, const std::string& name,
                               const std::map<std::string, std::string>& labels = {}) {
  for (const auto& s : samples) {
    if (s.name == name && s.labels == labels) return s.value;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("the checker of the text format refuses what is wrong", "[J4]") {
  const std::string head = "# HELP a x\n# TYPE a counter\n";
  CHECK(strictly_parsed(head + "a 1\na{b=\"c\"} 2\n").size() == 2);
  for (const std::string text : {"a 1\n", "# TYPE a counter\na 1\n", "# HELP a x\na 1\n"}) {
    CHECK_THROWS(strictly_parsed(text));
  }
  for (const std::string line :
       {"a 1", "a x\n", "a{b=c} 1\n", "a{b=\"c\"\"} 1\n", "a{b=\"c\",} 1\n", "a -1\n", "b 1\n", "a 1\na 1\n",
        "a{b=\"1\",b=\"2\"} 1\n", "a{} 1 2\n", "\n"}) {
    INFO(line);
    CHECK_THROWS(strictly_parsed(head + line));
  }
  const std::string histogram = "# HELP h x\n# TYPE h histogram\n";
  CHECK_THROWS(strictly_parsed(histogram + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"));
  CHECK_THROWS(
      strictly_parsed(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"));
  CHECK_THROWS(strictly_parsed(histogram + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n"));
}

TEST_CASE("counters count, gauges move, callbacks are read at each rendering", "[J4]") {
  Registry registry;
  auto& requests = registry.counter("r_total", "Requests.", {{"method", "GET"}, {"code", "200"}});
  auto& flying = registry.gauge("flying", "In flight.");
  auto& level = registry.gauge("level", "Level.");
  double depth = 3;
  registry.gauge("depth", "Depth.", {{"pool", "cpu"}}, [&] { return depth; });
  registry.counter("spent_seconds_total", "Spent.", {}, [] { return 1.5; });
  registry.gauge("unknown", "Unknown.", {}, [] { return std::nan(""); });
  requests.add();
  requests.add(41);
  flying.add(3);
  flying.sub();
  flying.sub(5);
  level.set(-2.25);
  auto samples = strictly_parsed(registry.render());
  CHECK(value_of(samples, "r_total", {{"method", "GET"}, {"code", "200"}}) == 42);
  CHECK(value_of(samples, "flying") == -3);
  CHECK(value_of(samples, "level") == -2.25);
  CHECK(value_of(samples, "depth", {{"pool", "cpu"}}) == 3);
  CHECK(value_of(samples, "spent_seconds_total") == 1.5);
  CHECK_FALSE(value_of(samples, "unknown"));
  CHECK_THAT(registry.render(), !Contains("unknown"));
  depth = 4;
  CHECK(value_of(strictly_parsed(registry.render()), "depth", {{"pool", "cpu"}}) == 4);
}

TEST_CASE("the text is what Prometheus documents", "[J4]") {
  Registry registry;
  registry
      .counter("http_requests_total", "The total number of HTTP requests.",
               {{"method", "post"}, {"code", "200"}})
      .add(1027);
  constexpr std::array bounds{0.05, 0.1, 1.0};
  auto& latency = registry.histogram("latency_seconds", "Latency.", bounds, {{"route", "/a"}});
  latency.observe(std::chrono::milliseconds(50));
  latency.observe(std::chrono::milliseconds(51));
  latency.observe(std::chrono::seconds(7));
  CHECK(registry.render() ==
        "# HELP http_requests_total The total number of HTTP requests.\n"
        "# TYPE http_requests_total counter\n"
        "http_requests_total{method=\"post\",code=\"200\"} 1027\n"
        "# HELP latency_seconds Latency.\n"
        "# TYPE latency_seconds histogram\n"
        "latency_seconds_bucket{route=\"/a\",le=\"0.05\"} 1\n"
        "latency_seconds_bucket{route=\"/a\",le=\"0.1\"} 2\n"
        "latency_seconds_bucket{route=\"/a\",le=\"1\"} 2\n"
        "latency_seconds_bucket{route=\"/a\",le=\"+Inf\"} 3\n"
        "latency_seconds_sum{route=\"/a\"} 7.101\n"
        "latency_seconds_count{route=\"/a\"} 3\n");
}

TEST_CASE("label values and help are escaped, so no value can make a line", "[J4]") {
  Registry registry;
  registry.counter("a_total", "Help with \\ and\na line.", {{"v", "quote \" back \\ line \n end"}}).add();
  const auto samples = strictly_parsed(registry.render());
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].labels.at("v") == R"(quote \" back \\ line \n end)");
}

TEST_CASE("a histogram puts a value into the first bucket that is not below it", "[J4]") {
  Registry registry;
  constexpr std::array bounds{1.0, 10.0, 100.0};
  auto& sizes = registry.histogram("size_bytes", "Sizes.", bounds, {}, 1);
  for (const double value : {0.0, 1.0, 2.0, 10.0, 100.0, 101.0, 1e30, -5.0}) sizes.observe(value);
  sizes.observe(std::nan(""));
  const auto samples = strictly_parsed(registry.render());
  CHECK(value_of(samples, "size_bytes_bucket", {{"le", "1"}}) == 3);
  CHECK(value_of(samples, "size_bytes_bucket", {{"le", "10"}}) == 5);
  CHECK(value_of(samples, "size_bytes_bucket", {{"le", "100"}}) == 6);
  CHECK(value_of(samples, "size_bytes_bucket", {{"le", "+Inf"}}) == 8);
  CHECK(sizes.count() == 8);

  auto& time = registry.histogram("time_seconds", "Times.", latency_buckets());
  time.observe(std::chrono::nanoseconds(-1));
  time.observe(0.25);
  time.observe(std::chrono::milliseconds(250));
  CHECK(time.sum() == Approx(0.5));
  strictly_parsed(registry.render());
}

TEST_CASE("no update is lost when many threads make them while others read", "[J4]") {
  Registry registry;
  auto& count = registry.counter("c_total", "Count.");
  auto& gauge = registry.gauge("g", "Gauge.");
  constexpr std::array bounds{1.0, 2.0};
  auto& histogram = registry.histogram("h", "Histogram.", bounds, {}, 1);
  constexpr int threads = 8;
  constexpr int each = 20'000;
  {
    std::vector<std::jthread> workers;
    for (int thread = 0; thread < threads; ++thread) {
      workers.emplace_back([&, thread] {
        for (int i = 0; i < each; ++i) {
          count.add();
          gauge.add(2);
          gauge.sub();
          histogram.observe(static_cast<double>((i + thread) % 3));
        }
      });
    }
    for (int i = 0; i < 50; ++i) strictly_parsed(registry.render());
  }
  const auto samples = strictly_parsed(registry.render());
  CHECK(value_of(samples, "c_total") == threads * each);
  CHECK(value_of(samples, "g") == threads * each);
  CHECK(value_of(samples, "h_count") == threads * each);
}

TEST_CASE("the same name and labels are the same series, also far beyond one page", "[J4]") {
  Registry registry;
  auto& first = registry.counter("a_total", "A.", {{"n", "0"}});
  for (int i = 0; i < 3000; ++i)
    registry.counter("a_total", "A.", {{"n", std::to_string(i)}}).add(static_cast<std::uint64_t>(i));
  CHECK(&registry.counter("a_total", "A.", {{"n", "0"}}) == &first);
  const auto samples = strictly_parsed(registry.render());
  CHECK(samples.size() == 3000);
  for (const int i : {0, 1, 511, 512, 513, 2999})
    CHECK(value_of(samples, "a_total", {{"n", std::to_string(i)}}) == i);
}

TEST_CASE("series can be kept out of the text until they are used", "[J4]") {
  Registry registry;
  auto& rare = registry.counter("a_total", "A.", {{"code", "507"}}, Show::once_used);
  CHECK(registry.render().empty());
  rare.add();
  CHECK_THAT(registry.render(), Contains("a_total{code=\"507\"} 1\n"));
}

TEST_CASE("names, labels and buckets that Prometheus would refuse are refused", "[J4]") {
  Registry registry;
  registry.counter("a_total", "A.");
  for (const std::string name : {"", "1a", "a-b", "a b", "a\n", "ä"})
    CHECK_THROWS_AS(registry.counter(name, "x"), std::invalid_argument);
  for (const std::string label : {"", "1a", "a-b", "le", "__name__", "a:b"}) {
    CHECK_THROWS_AS(registry.counter("b_total", "x", {{label, "v"}}), std::invalid_argument);
  }
  CHECK_THROWS_AS(registry.counter("b_total", "x", {{"a", "1"}, {"a", "2"}}), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("a_total", "x"), std::invalid_argument);
  constexpr std::array falling{2.0, 1.0};
  constexpr std::array endless{1.0, double{INFINITY}};
  CHECK_THROWS_AS(registry.histogram("h", "x", falling), std::invalid_argument);
  CHECK_THROWS_AS(registry.histogram("h", "x", endless), std::invalid_argument);
  CHECK_THROWS_AS(registry.histogram("h", "x", {}), std::invalid_argument);
}

TEST_CASE("the process, its disk and its build are measured", "[J5]") {
  Registry registry;
  register_process_metrics(registry, {std::filesystem::temp_directory_path(), "1.2.3", "abc", "sqlite"});
  const auto samples = strictly_parsed(registry.render());
  CHECK(value_of(samples, "luminalib_build_info",
                 {{"version", "1.2.3"}, {"commit", "abc"}, {"db", "sqlite"}}) == 1);
  CHECK(value_of(samples, "process_cpu_seconds_total").value() >= 0);
  CHECK(value_of(samples, "process_resident_memory_bytes").value() > 1e6);
  CHECK(value_of(samples, "process_virtual_memory_bytes").value() > 1e6);
  CHECK(value_of(samples, "process_open_fds").value() >= 3);
  CHECK(value_of(samples, "process_max_fds").value() >= value_of(samples, "process_open_fds").value());
  CHECK(value_of(samples, "process_threads").value() >= 1);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(value_of(samples, "process_start_time_seconds").value() == Approx(now).margin(600));
  CHECK(value_of(samples, "luminalib_data_dir_free_bytes").value() > 0);
  CHECK(value_of(samples, "luminalib_data_dir_size_bytes").value() >=
        value_of(samples, "luminalib_data_dir_free_bytes").value());
  CHECK(value_of(samples, "luminalib_log_lines_dropped_total"));
  CHECK(value_of(samples, "process_network_receive_bytes_total"));

  Registry elsewhere;
  register_process_metrics(elsewhere, {"/nonexistent", "1", "", "sqlite"});
  CHECK_FALSE(value_of(strictly_parsed(elsewhere.render()), "luminalib_data_dir_free_bytes"));
}

TEST_CASE("the cost of updates and of a scrape", "[.benchmark]") {
  Registry registry;
  auto& count = registry.counter("c_total", "C.");
  auto& histogram = registry.histogram("h_seconds", "H.", latency_buckets());
  constexpr int rounds = 10'000'000;
  const auto timed = [](auto work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
  };
  WARN("counter " << timed([&] {
                       for (int i = 0; i < rounds; ++i) count.add();
                     }) / rounds
                  << " ns");
  WARN("histogram " << timed([&] {
                         for (int i = 0; i < rounds; ++i)
                           histogram.observe(std::chrono::microseconds(i % 3000));
                       }) / rounds
                    << " ns");
  for (int route = 0; route < 80; ++route) {
    for (int code = 0; code < 12; ++code) {
      registry
          .counter("r_total", "R.",
                   {{"route", "/api/v1/things/" + std::to_string(route)}, {"code", std::to_string(code)}})
          .add();
    }
    registry.histogram("d_seconds", "D.", latency_buckets(), {{"route", std::to_string(route)}});
  }
  register_process_metrics(registry, {"/tmp", "1", "", "sqlite"});
  WARN("scrape " << timed([&] { registry.render(); }) / 1e6 << " ms");
}

// Counts and times of every route, and the log line of every request.
#pragma once
#include "core/http/pipeline.hpp"
#include "core/telemetry/metrics.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

namespace lumina {

class RequestMetrics {
 public:
  RequestMetrics(metrics::Registry& registry, const http::Router& router);
  // On the io thread of the request, after its last byte.
  void finished(const http::RequestRecord& record);

 private:
  // Of one route; the label is its template, so that labels stay few. Counters are made when a status first
  // occurs.
  struct Series {
    std::string method, route;
    metrics::Histogram* duration = nullptr;
    std::array<std::atomic<metrics::Counter*>, 600> by_status{};
  };
  metrics::Counter& counter(Series& series, int status);
  Series& series_of(const http::Route* route);
  // By the code of the problem, a word of ours and never of the client's.
  void count_refused_login(std::string_view code);

  metrics::Registry& registry_;
  const http::Route* first_;
  std::vector<Series> series_;  // as the routes, and one more for requests that matched none
  metrics::Counter& limited_;
};

}  // namespace lumina

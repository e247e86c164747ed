#include "request_metrics.hpp"

#include "core/telemetry/log.hpp"

#include <fmt/format.h>

namespace lumina {

RequestMetrics::RequestMetrics(metrics::Registry& registry, const http::Router& router)
    : registry_(registry),
      first_(router.routes().data()),
      series_(router.routes().size() + 1),
      limited_(registry.counter("luminalib_rate_limited_total", "Requests refused by a rate limit.")) {
  count_refused_login("");
  for (std::size_t i = 0; i < series_.size(); ++i) {
    Series& s = series_[i];
    const bool known = i < router.routes().size();
    s.method = known ? std::string(http::to_string(router.routes()[i].method)) : "any";
    s.route = known ? router.routes()[i].path : "none";
    s.duration =
        &registry.histogram("luminalib_http_request_duration_seconds", "Time from the head to the last byte.",
                            metrics::latency_buckets(), {{"method", s.method}, {"route", s.route}});
  }
}

RequestMetrics::Series& RequestMetrics::series_of(const http::Route* route) {
  return route ? series_[static_cast<std::size_t>(route - first_)] : series_.back();
}

metrics::Counter& RequestMetrics::counter(Series& s, int status) {
  auto& slot = s.by_status[static_cast<std::size_t>(std::clamp(status, 0, 599))];
  if (auto* known = slot.load(std::memory_order_acquire)) return *known;
  auto& made =
      registry_.counter("luminalib_http_requests_total", "Requests answered.",
                        {{"method", s.method}, {"route", s.route}, {"code", fmt::format("{}", status)}});
  slot.store(&made, std::memory_order_release);
  return made;
}

void RequestMetrics::count_refused_login(std::string_view code) {
  auto& refused = registry_.counter("luminalib_auth_failures_total", "Requests refused with 401, by reason.",
                                    {{"reason", code.empty() ? "other" : std::string(code)}});
  if (!code.empty()) refused.add();
}

void RequestMetrics::finished(const http::RequestRecord& r) {
  Series& s = series_of(r.route);
  counter(s, r.status).add();
  s.duration->observe(r.duration);
  if (r.status == 429) limited_.add();
  if (r.status == 401) count_refused_login(r.problem_code);
  if (!log::enabled(r.status >= 500 ? LogLevel::error : LogLevel::info)) return;
  log::AccessLine line;
  line.request_id = r.request_id;
  line.method = http::to_string(r.method);
  line.route = r.route ? std::string_view(r.route->path) : std::string_view{};
  line.status = r.status;
  line.duration = r.duration;
  line.user_id = r.user ? r.user->value : 0;
  line.client_ip = r.address;
  line.trace_id = r.trace_id;
  log::access(line);
}

}  // namespace lumina

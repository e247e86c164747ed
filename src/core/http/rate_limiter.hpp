// How many requests a client may make: named policies, each a quota in a fixed window.
//
// The window of a client starts with its first request and lasts `window_seconds`; inside it `quota` requests
// pass and the rest are refused until it ends. The header fields are those of
// draft-ietf-httpapi-ratelimit-headers-10. Thread-safe; a check takes about a tenth of a microsecond, locks
// one of many shards, and allocates only when a client is seen for the first time. Memory is bounded: when a
// policy holds its most clients, those whose window has ended go first, then the one whose window ends next.
// Time is a steady clock, so setting the system's clock changes nothing.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

struct RatePolicy {
  std::string name;         // lower-case letters, digits, '-' and '_': it stands in header fields
  int quota = 1000;         // requests in a window, at least 1
  int window_seconds = 60;  // 1..86400
};

// Names a policy of one limiter without a look-up: its position in the list given to the constructor.
struct PolicyId {
  std::size_t index = 0;
};

struct RateDecision {
  bool allowed = true;
  int remaining = 0;      // requests left in this window
  int reset_seconds = 0;  // until the window ends, rounded up, at least 1; when refused this is Retry-After
};

class RateLimiter {
 public:
  using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;
  static constexpr std::size_t default_clients = 65'536;  // for each policy; about 150 bytes each

  static constexpr std::size_t longest_key = 128;

  // Throws std::invalid_argument for a policy outside its ranges, a name twice, or none at all.
  explicit RateLimiter(
      std::vector<RatePolicy> policies, std::size_t max_clients = default_clients,
      SteadyClock clock = [] { return std::chrono::steady_clock::now(); });
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  std::optional<PolicyId> find(std::string_view name) const;
  const RatePolicy& policy(PolicyId id) const;

  // Counts one request of that client. The key is any text that names it: address_key(...) or "user:17". Only
  // its first longest_key bytes count.
  RateDecision check(PolicyId policy, std::string_view client);

  // `"default";q=1000;w=60`, for RateLimit-Policy.
  const std::string& policy_field(PolicyId id) const;
  // `"default";r=997;t=42`, for RateLimit.
  std::string limit_field(PolicyId id, const RateDecision& decision) const;

  // Clients held at the moment, for metrics.
  std::size_t clients() const;

 private:
  class Table;
  SteadyClock clock_;
  std::vector<std::unique_ptr<Table>> tables_;  // one for each policy
};

// The part of an address that stands for one client: an IPv4 address whole, an IPv6 address up to its /64 (a
// client owns at least that many), an IPv4-mapped one as IPv4. Text that is no address is its own key.
std::string address_key(std::string_view address);

}  // namespace lumina::http

#include "core/http/rate_limiter.hpp"

#include "core/security/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <bit>
#include <cstring>
#include <list>
#include <mutex>
#include <netinet/in.h>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace lumina::http {
namespace {

using Instant = std::chrono::steady_clock::time_point;

// SipHash-1-3 (Aumasson and Bernstein, 2012) under a key of this process: clients choose their keys, so they
// must not be able to choose keys that collide.
class KeyedHash {
 public:
  KeyedHash() {
    const std::string random = security::random_bytes(sizeof key_);
    std::memcpy(key_.data(), random.data(), sizeof key_);
  }

  std::uint64_t operator()(std::string_view text) const noexcept {
    State s{key_[0] ^ 0x736f6d6570736575U, key_[1] ^ 0x646f72616e646f6dU, key_[0] ^ 0x6c7967656e657261U,
            key_[1] ^ 0x7465646279746573U};
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i, 8);
      s.absorb(word);
    }
    std::uint64_t rest = std::uint64_t{text.size()} << 56;
    for (std::size_t shift = 0; i < text.size(); ++i, shift += 8) {
      rest |= std::uint64_t{static_cast<unsigned char>(text[i])} << shift;
    }
    s.absorb(rest);
    s.v2 ^= 0xFF;
    for (int round = 0; round < 3; ++round) s.mix();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;
    void mix() {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
    void absorb(std::uint64_t word) {
      v3 ^= word;
      mix();
      v0 ^= word;
    }
  };
  std::array<std::uint64_t, 2> key_{};
};

// A client's name with its hash, computed once for the shard and the map.
struct HashedKey {
  std::string_view text;
  std::uint64_t hash;
};

struct Client {
  std::string name;
  std::uint64_t hash;
  Instant ends;
  int used = 0;
};
using Clients = std::list<Client>;

struct MapHash {
  using is_transparent = void;
  std::size_t operator()(const HashedKey& key) const noexcept { return key.hash; }
};
struct MapEqual {
  using is_transparent = void;
  bool operator()(const HashedKey& a, const HashedKey& b) const noexcept {
    return a.hash == b.hash && a.text == b.text;
  }
};

int seconds_until(Instant end, Instant now) {
  return static_cast<int>(
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(end - now).count(), 1));
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

// The clients of one policy. Windows are equally long, so in a list ordered by the start of the window the
// first client is also the first to expire.
class RateLimiter::Table {
 public:
  Table(RatePolicy policy, std::size_t max_clients)
      : policy_(std::move(policy)),
        field_(fmt::format("\"{}\";q={};w={}", policy_.name, policy_.quota, policy_.window_seconds)),
        window_(std::chrono::seconds(policy_.window_seconds)),
        clients_per_shard_(std::max<std::size_t>(max_clients / shards, 1)) {}

  const RatePolicy& policy() const { return policy_; }
  const std::string& field() const { return field_; }

  RateDecision check(std::string_view client_name, Instant now) {
    const std::string_view name = client_name.substr(0, longest_key);
    const HashedKey key{name, hash_(name)};
    Shard& shard = shards_[key.hash >> (64 - shard_bits)];
    const std::scoped_lock lock(shard.mutex);
    const Clients::iterator client = find_or_add(shard, key, now);
    if (client->ends <= now) {
      client->used = 0;
      client->ends = now + window_;
      shard.by_start.splice(shard.by_start.end(), shard.by_start, client);
    }
    const bool allowed = client->used < policy_.quota;
    if (allowed) ++client->used;
    return {allowed, policy_.quota - client->used, seconds_until(client->ends, now)};
  }

  std::size_t size() const {
    std::size_t total = 0;
    for (const Shard& shard : shards_) {
      const std::scoped_lock lock(shard.mutex);
      total += shard.by_start.size();
    }
    return total;
  }

 private:
  static constexpr std::size_t shard_bits = 5;
  static constexpr std::size_t shards = std::size_t{1} << shard_bits;

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Clients by_start;
    std::unordered_map<HashedKey, Clients::iterator, MapHash, MapEqual> by_name;  // keys point into the list
  };

  Clients::iterator find_or_add(Shard& shard, const HashedKey& key, Instant now) {
    if (const auto found = shard.by_name.find(key); found != shard.by_name.end()) return found->second;
    // Two expired clients go for each that comes, so that a burst of strangers does not stay in memory for
    // ever.
    for (int i = 0; i < 2 && !shard.by_start.empty() && shard.by_start.front().ends <= now; ++i)
      drop_first(shard);
    if (shard.by_start.size() >= clients_per_shard_) drop_first(shard);
    const auto added = shard.by_start.insert(shard.by_start.end(),
                                             Client{std::string(key.text), key.hash, now + window_, 0});
    try {
      shard.by_name.emplace(HashedKey{added->name, added->hash}, added);
    } catch (...) {
      shard.by_start.erase(added);
      throw;
    }
    return added;
  }

  static void drop_first(Shard& shard) {
    const Client& first = shard.by_start.front();
    shard.by_name.erase(HashedKey{first.name, first.hash});
    shard.by_start.pop_front();
  }

  const RatePolicy policy_;
  const std::string field_;
  const std::chrono::steady_clock::duration window_;
  const std::size_t clients_per_shard_;
  const KeyedHash hash_;
  std::array<Shard, shards> shards_;
};

RateLimiter::RateLimiter(std::vector<RatePolicy> policies, std::size_t max_clients, SteadyClock clock)
    : clock_(std::move(clock)) {
  if (policies.empty()) throw std::invalid_argument("a rate limiter needs a policy");
  for (RatePolicy& policy : policies) {
    if (!is_plain_name(policy.name) || find(policy.name) || policy.quota < 1 || policy.window_seconds < 1 ||
        policy.window_seconds > 86'400) {
      throw std::invalid_argument("the rate limit policy '" + policy.name + "' is not valid");
    }
    tables_.push_back(std::make_unique<Table>(std::move(policy), max_clients));
  }
}

RateLimiter::~RateLimiter() = default;

std::optional<PolicyId> RateLimiter::find(std::string_view name) const {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (tables_[i]->policy().name == name) return PolicyId{i};
  }
  return std::nullopt;
}

const RatePolicy& RateLimiter::policy(PolicyId id) const { return tables_.at(id.index)->policy(); }

RateDecision RateLimiter::check(PolicyId policy, std::string_view client) {
  return tables_.at(policy.index)->check(client, clock_());
}

const std::string& RateLimiter::policy_field(PolicyId id) const { return tables_.at(id.index)->field(); }

std::string RateLimiter::limit_field(PolicyId id, const RateDecision& decision) const {
  const std::string& name = policy(id).name;
  std::string field;
  field.reserve(name.size() + 30);
  const fmt::format_int remaining(decision.remaining);
  const fmt::format_int reset(decision.reset_seconds);
  field.append("\"").append(name).append("\";r=").append(remaining.data(), remaining.size());
  field.append(";t=").append(reset.data(), reset.size());
  return field;
}

std::size_t RateLimiter::clients() const {
  std::size_t total = 0;
  for (const auto& table : tables_) total += table->size();
  return total;
}

std::string address_key(std::string_view address) {
  const std::string text(address);
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1 || text.contains('\0')) return text;
  char printed[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    inet_ntop(AF_INET, v6.s6_addr + 12, printed, sizeof printed);
    return printed;
  }
  std::memset(v6.s6_addr + 8, 0, 8);
  inet_ntop(AF_INET6, &v6, printed, sizeof printed);
  return std::string(printed) + "/64";
}

}  // namespace lumina::http

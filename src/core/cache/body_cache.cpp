#include "core/cache/body_cache.hpp"

#include "core/runtime/resuming.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>
#include <mutex>
#include <unordered_map>

namespace lumina::cache {
namespace {

constexpr std::size_t shard_count = 32;
constexpr std::size_t version_slots = 1 << 16;
constexpr std::size_t entry_overhead = 200;  // list node, index node, counters

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

using Landing = std::move_only_function<void(std::exception_ptr, Result<BodyPtr>)>;

}  // namespace

struct BodyCache::State {
  struct Entry {
    std::string key;
    BodyPtr body;
    Versions versions;
    std::size_t size = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;  // most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator, Hash, std::equal_to<>> index;
    std::unordered_map<std::string, std::vector<Landing>, Hash, std::equal_to<>> flights;
    std::size_t bytes = 0;
    std::int64_t hits = 0, misses = 0, evictions = 0;

    void erase(std::list<Entry>::iterator it) {
      bytes -= it->size;
      index.erase(it->key);
      entries.erase(it);
    }
  };

  std::array<Shard, shard_count> shards;
  std::vector<std::atomic<std::uint64_t>> versions = std::vector<std::atomic<std::uint64_t>>(version_slots);
  std::size_t shard_limit;
  std::atomic<std::size_t> bytes_hint{0};  // of the shard written last: keys spread evenly

  Shard& shard(std::string_view key) { return shards[(Hash{}(key) >> 8) % shard_count]; }
  bool current(const Versions& made_from) const {
    for (const auto& [slot, version] : made_from)
      if (versions[slot].load(std::memory_order_acquire) != version) return false;
    return true;
  }
  BodyPtr find_locked(Shard& s, std::string_view key) {
    const auto it = s.index.find(key);
    if (it == s.index.end()) return ++s.misses, nullptr;
    if (!current(it->second->versions)) {
      s.erase(it->second);
      return ++s.misses, nullptr;
    }
    s.entries.splice(s.entries.begin(), s.entries, it->second);
    ++s.hits;
    return it->second->body;
  }
  void put_locked(Shard& s, std::string key, Versions made_from, const BodyPtr& body) {
    if (const auto it = s.index.find(key); it != s.index.end()) s.erase(it->second);
    const std::size_t size = key.size() + body->bytes.size() + body->header_block.size() + entry_overhead;
    if (size > shard_limit) return;
    s.entries.push_front({std::move(key), body, std::move(made_from), size});
    s.index.emplace(s.entries.front().key, s.entries.begin());
    s.bytes += size;
    while (s.bytes > shard_limit) {
      s.erase(std::prev(s.entries.end()));
      ++s.evictions;
    }
  }
};

BodyCache::BodyCache(std::size_t most_bytes) : state_(std::make_unique<State>()) {
  state_->shard_limit = most_bytes / shard_count;
}
BodyCache::~BodyCache() = default;

BodyPtr BodyCache::find(std::string_view key) {
  auto& s = state_->shard(key);
  std::lock_guard lock(s.mutex);
  return state_->find_locked(s, key);
}

BodyCache::Versions BodyCache::versions(std::initializer_list<Tag> tags) const {
  Versions out;
  out.reserve(tags.size());
  for (const Tag& tag : tags) {
    const auto slot = static_cast<std::uint32_t>(tag.hash() % version_slots);
    out.emplace_back(slot, state_->versions[slot].load(std::memory_order_acquire));
  }
  return out;
}

void BodyCache::put(std::string key, Versions made_from, const BodyPtr& body) {
  auto& s = state_->shard(key);
  std::lock_guard lock(s.mutex);
  state_->put_locked(s, std::move(key), std::move(made_from), body);
  state_->bytes_hint.store(s.bytes, std::memory_order_relaxed);
}

bool BodyCache::roomy() const {
  return state_->bytes_hint.load(std::memory_order_relaxed) < state_->shard_limit / 8 * 7;
}

void BodyCache::forget(std::string_view key, const BodyPtr& body) {
  auto& s = state_->shard(key);
  std::lock_guard lock(s.mutex);
  if (const auto it = s.index.find(key); it != s.index.end() && it->second->body == body) s.erase(it->second);
}

void BodyCache::drop(Tag tag) {
  state_->versions[tag.hash() % version_slots].fetch_add(1, std::memory_order_acq_rel);
}

void BodyCache::clear() {
  // What is being read at this moment is as old as what is kept.
  for (auto& version : state_->versions) version.fetch_add(1, std::memory_order_acq_rel);
  for (auto& s : state_->shards) {
    std::lock_guard lock(s.mutex);
    s.index.clear();
    s.entries.clear();
    s.bytes = 0;
  }
}

CacheStatistics BodyCache::statistics() const {
  CacheStatistics total;
  for (auto& s : state_->shards) {
    std::lock_guard lock(s.mutex);
    total.hits += s.hits;
    total.misses += s.misses;
    total.evictions += s.evictions;
    total.bytes += static_cast<std::int64_t>(s.bytes);
    total.entries += static_cast<std::int64_t>(s.entries.size());
  }
  return total;
}

Eventual<Result<BodyPtr>> BodyCache::get(std::string key, std::initializer_list<Tag> tags, Loader load) {
  auto& s = state_->shard(key);
  std::unique_lock lock(s.mutex);
  if (auto hit = state_->find_locked(s, key)) return Result<BodyPtr>(std::move(hit));
  auto made_from = versions(tags);
  lock.unlock();
  return fill(std::move(key), std::move(made_from), std::move(load));
}

Task<Result<BodyPtr>> BodyCache::fill(std::string key, Versions versions, Loader load) {
  auto& s = state_->shard(key);
  // The flight is named by the versions too: who asks after a change must not be given what was read before
  // it.
  std::string flight = key;
  for (const auto& [slot, version] : versions)
    flight += '\0' + std::to_string(slot) + ':' + std::to_string(version);
  bool leader = false;
  {
    std::lock_guard lock(s.mutex);
    leader = s.flights.try_emplace(flight).second;
  }
  if (!leader) {
    auto initiate = [&s, &flight](auto handler) {
      Landing landing = runtime::resuming<Result<BodyPtr>>(std::move(handler));
      std::unique_lock lock(s.mutex);
      const auto it = s.flights.find(flight);
      if (it != s.flights.end()) return it->second.push_back(std::move(landing));
      lock.unlock();
      landing(nullptr, BodyPtr{});  // landed in between: load again below
    };
    auto shared = co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<IoExecutor>,
                                                       void(std::exception_ptr, Result<BodyPtr>)>(
        std::move(initiate), boost::asio::use_awaitable_t<IoExecutor>{});
    if (!shared || *shared) co_return shared;
    co_return co_await load();
  }

  Result<BodyPtr> result;
  std::exception_ptr thrown;
  try {
    result = co_await load();
  } catch (...) {
    thrown = std::current_exception();
  }
  std::vector<Landing> waiting;
  {
    std::lock_guard lock(s.mutex);
    const auto it = s.flights.find(flight);
    waiting = std::move(it->second);
    s.flights.erase(it);
    if (!thrown && result && *result) state_->put_locked(s, key, std::move(versions), *result);
  }
  for (auto& landing : waiting) landing(thrown, result);
  if (thrown) std::rethrow_exception(thrown);
  co_return result;
}

}  // namespace lumina::cache

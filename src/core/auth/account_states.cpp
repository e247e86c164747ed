#include "core/auth/account_states.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

namespace lumina::auth {
namespace {

constexpr std::size_t most_key_owners = 16'384;

}  // namespace

const AccountState::OpenSession* AccountState::session(SessionId id) const {
  const auto it =
      std::find_if(sessions.begin(), sessions.end(), [id](const OpenSession& s) { return s.id == id; });
  return it == sessions.end() ? nullptr : &*it;
}

const AccountState::Key* AccountState::key(std::string_view prefix) const {
  const auto it =
      std::find_if(keys.begin(), keys.end(), [prefix](const Key& k) { return k.prefix == prefix; });
  return it == keys.end() ? nullptr : &*it;
}

AccountStates::AccountStates(events::Bus& bus, Options options, SteadyClock clock)
    : options_(options), clock_(std::move(clock)) {
  const auto forget = [this](const events::Event& event) {
    if (event.user) drop(*event.user);
  };
  for (const char* prefix : {"user.", "session.", "api_key."}) bus.subscribe(prefix, forget);
}

std::chrono::steady_clock::time_point AccountStates::coarse_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

AccountStatePtr AccountStates::find(UserId user) {
  const auto now = clock_();
  Shard& shard = shard_of(user);
  std::lock_guard lock(shard.mutex);
  const auto it = shard.people.find(user.value);
  if (it == shard.people.end()) return {};
  Entry& entry = it->second;
  const auto age = now - entry.read_at;
  if (age >= options_.max_age) return {};
  if (age >= options_.max_age / 2 && !std::exchange(entry.being_read_early, true)) return {};
  return entry.state;
}

AccountStates::Ticket AccountStates::before_reading(UserId user) {
  const auto now = clock_();
  Shard& shard = shard_of(user);
  std::lock_guard lock(shard.mutex);
  return {shard.generation, now};
}

void AccountStates::keep(UserId user, Ticket ticket, AccountStatePtr state) {
  Shard& shard = shard_of(user);
  std::lock_guard lock(shard.mutex);
  if (shard.generation != ticket.generation) return;
  const std::size_t most = std::max<std::size_t>(1, options_.most_people / shard_count);
  if (shard.people.size() >= most && !shard.people.contains(user.value)) make_room(shard);
  shard.people[user.value] = {std::move(state), ticket.taken_at, false};
}

// Somebody of the next bucket that holds anybody: everybody's turn comes.
void AccountStates::make_room(Shard& shard) {
  const std::size_t buckets = shard.people.bucket_count();
  for (std::size_t tried = 0; tried < buckets; ++tried) {
    const std::size_t bucket = shard.hand++ % buckets;
    const auto first = shard.people.begin(bucket);
    if (first == shard.people.end(bucket)) continue;
    const std::int64_t gone = first->first;
    shard.people.erase(gone);
    return;
  }
}

void AccountStates::drop(UserId user) {
  Shard& shard = shard_of(user);
  std::lock_guard lock(shard.mutex);
  ++shard.generation;
  shard.people.erase(user.value);
}

std::optional<UserId> AccountStates::owner_of_key(std::string_view prefix) {
  std::lock_guard lock(owners_mutex_);
  const auto it = owners_.find(std::string(prefix));
  return it == owners_.end() ? std::nullopt : std::optional(it->second);
}

void AccountStates::keep_owner_of_key(std::string_view prefix, UserId user) {
  std::lock_guard lock(owners_mutex_);
  if (owners_.size() >= most_key_owners) owners_.erase(owners_.begin());
  owners_.insert_or_assign(std::string(prefix), user);
}

std::size_t AccountStates::size() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    n += shard.people.size();
  }
  return n;
}

}  // namespace lumina::auth

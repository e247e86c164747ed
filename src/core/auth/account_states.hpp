// What decides whether a credential still counts, in memory: for each person seen lately the role, whether
// the account is open, the token epoch, the open sessions and the API keys.
//
// Exact within the process: every change of these is an event ("user.", "session.", "api_key.") with the
// person as its user, and drops the person's state before the change is answered. A state that was being read
// while a change happened is not kept. What another process changes (the command line, another instance) is
// seen at the latest after `max_age`, for then a state is read again; one request does so early, when half of
// it has passed, and the others go on with what is there.
//
// Thread-safe: 64 shards, each with its own lock, about 40 ns a look-up. Bounded: a full shard forgets
// somebody.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/events/bus.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lumina::auth {

struct AccountState {
  struct OpenSession {
    SessionId id;
    Timestamp last_seen;
  };
  struct Key {
    ApiKeyId id;
    std::string prefix, hash;
    std::uint32_t scopes = 0;
    std::optional<Timestamp> expires_at, last_used_at;
  };

  bool exists = false;  // false: nobody has this number, or the account was erased
  bool is_active = false;
  Role role = Role::patron;
  std::int64_t epoch = 0;
  std::string email;
  std::string password_mark;          // changes with the password
  std::vector<OpenSession> sessions;  // few: their number is limited
  std::vector<Key> keys;

  bool may_act() const { return exists && is_active; }
  const OpenSession* session(SessionId id) const;
  const Key* key(std::string_view prefix) const;
};
using AccountStatePtr = std::shared_ptr<const AccountState>;

class AccountStates {
 public:
  using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;
  struct Options {
    std::chrono::milliseconds max_age{1000};
    std::size_t most_people = 131'072;  // a few hundred bytes each
  };

  // Listens to the bus from now on; the bus must not publish after the end of this object.
  AccountStates(events::Bus& bus, Options options, SteadyClock clock = &coarse_now);
  AccountStates(const AccountStates&) = delete;
  AccountStates& operator=(const AccountStates&) = delete;

  // Nothing when it must be read (again): then take a ticket, read, and keep() what was read.
  AccountStatePtr find(UserId user);

  // Marks the moment from which a change makes what is being read too old to keep.
  struct Ticket {
    std::uint64_t generation = 0;
    std::chrono::steady_clock::time_point taken_at;
  };
  Ticket before_reading(UserId user);
  void keep(UserId user, Ticket ticket, AccountStatePtr state);
  void drop(UserId user);

  // Whose key it is, as far as it was looked up before; prefixes never change hands.
  std::optional<UserId> owner_of_key(std::string_view prefix);
  void keep_owner_of_key(std::string_view prefix, UserId user);

  std::size_t size() const;
  // To within a few milliseconds, for a fifth of the price.
  static std::chrono::steady_clock::time_point coarse_now();

 private:
  struct Entry {
    AccountStatePtr state;
    std::chrono::steady_clock::time_point read_at;
    bool being_read_early = false;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::uint64_t generation = 0;  // of the changes in this shard
    std::size_t hand = 0;          // the bucket that gives up somebody next
    std::unordered_map<std::int64_t, Entry> people;
  };
  static constexpr std::size_t shard_count = 64;
  static void make_room(Shard& shard);
  Shard& shard_of(UserId user) { return shards_[static_cast<std::size_t>(user.value) % shard_count]; }

  const Options options_;
  const SteadyClock clock_;
  std::array<Shard, shard_count> shards_;
  std::mutex owners_mutex_;
  std::unordered_map<std::string, UserId> owners_;
};

}  // namespace lumina::auth

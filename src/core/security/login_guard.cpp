#include "core/security/login_guard.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lumina::security {
namespace {

using Instant = std::chrono::steady_clock::time_point;
using std::chrono::seconds;

struct Counter {
  std::string name;
  Instant window_end;
  int attempts = 0;  // in this window
  int failures = 0;  // in a row, over windows
};

// Counters by name in the order of their last use. When full, the longest unused goes.
class Counters {
 public:
  explicit Counters(const LoginLimits& limits) : limits_(limits) {}

  // The seconds to wait when the quota of this window is used up; otherwise counts the attempt.
  std::optional<int> attempt(const std::string& name, Instant now) {
    Counter& counter = touch(name, now);
    if (now >= counter.window_end + seconds(limits_.longest_window_seconds)) counter.failures = 0;
    if (now >= counter.window_end) {
      counter.attempts = 0;
      counter.window_end = now + window_after(counter.failures);
    }
    if (counter.attempts >= limits_.quota) {
      return static_cast<int>(
          std::max<std::int64_t>(std::chrono::ceil<seconds>(counter.window_end - now).count(), 1));
    }
    ++counter.attempts;
    return std::nullopt;
  }

  void count_failure(const std::string& name) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) ++found->second->failures;
  }
  void forget_failures(const std::string& name) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) found->second->failures = 0;
  }
  void erase(const std::string& name) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      by_use_.erase(found->second);
      by_name_.erase(found);
    }
  }

 private:
  seconds window_after(int failures) const {
    const int doublings = std::clamp(failures / limits_.quota - 1, 0, 20);
    return seconds(std::min<std::int64_t>(std::int64_t{limits_.window_seconds} << doublings,
                                          limits_.longest_window_seconds));
  }

  Counter& touch(const std::string& name, Instant now) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      by_use_.splice(by_use_.end(), by_use_, found->second);
      return *found->second;
    }
    if (by_use_.size() >= limits_.max_entries) {
      by_name_.erase(by_use_.front().name);
      by_use_.pop_front();
    }
    by_use_.push_back({name, now + seconds(limits_.window_seconds), 0, 0});
    by_name_.emplace(name, std::prev(by_use_.end()));
    return by_use_.back();
  }

  const LoginLimits& limits_;
  std::list<Counter> by_use_;
  std::unordered_map<std::string, std::list<Counter>::iterator> by_name_;
};

// The last few addresses from which each account logged in; accounts in the order of their last success.
class KnownAddresses {
 public:
  explicit KnownAddresses(const LoginLimits& limits) : limits_(limits) {}

  bool contains(const std::string& account, std::string_view address) const {
    const auto found = by_account_.find(account);
    return found != by_account_.end() &&
           std::ranges::find(found->second->addresses, address) != found->second->addresses.end();
  }

  void add(const std::string& account, std::string_view address) {
    if (limits_.known_addresses == 0) return;
    auto found = by_account_.find(account);
    if (found == by_account_.end()) {
      if (by_use_.size() >= limits_.max_entries) {
        by_account_.erase(by_use_.front().account);
        by_use_.pop_front();
      }
      by_use_.push_back({account, {}});
      found = by_account_.emplace(account, std::prev(by_use_.end())).first;
    } else {
      by_use_.splice(by_use_.end(), by_use_, found->second);
    }
    std::vector<std::string>& addresses = found->second->addresses;
    std::erase(addresses, address);
    if (addresses.size() >= limits_.known_addresses) addresses.erase(addresses.begin());
    addresses.emplace_back(address);
  }

  void erase(const std::string& account) {
    if (const auto found = by_account_.find(account); found != by_account_.end()) {
      by_use_.erase(found->second);
      by_account_.erase(found);
    }
  }

 private:
  struct Known {
    std::string account;
    std::vector<std::string> addresses;  // the oldest first
  };
  const LoginLimits& limits_;
  std::list<Known> by_use_;
  std::unordered_map<std::string, std::list<Known>::iterator> by_account_;
};

// Names come from strangers, so long ones are kept as a digest.
std::string account_key(std::string_view account) {
  constexpr std::size_t longest_email = 320;
  return account.size() <= longest_email ? ascii_lower(account) : sha256_hex(ascii_lower(account));
}

}  // namespace

class LoginGuard::State {
 public:
  State(LoginLimits limits_of, SteadyClock clock_of) : limits(limits_of), clock(std::move(clock_of)) {}

  const LoginLimits limits;
  const SteadyClock clock;
  std::mutex mutex;
  Counters addresses{limits};
  Counters accounts{limits};
  KnownAddresses known{limits};
};

LoginGuard::LoginGuard(LoginLimits limits, SteadyClock clock) {
  if (limits.quota < 1 || limits.window_seconds < 1 ||
      limits.longest_window_seconds < limits.window_seconds || limits.max_entries < 1) {
    throw std::invalid_argument("the login limits are not valid");
  }
  state_ = std::make_unique<State>(limits, std::move(clock));
}

LoginGuard::~LoginGuard() = default;

Status LoginGuard::admit(std::string_view address, std::string_view account) {
  const std::string person = account_key(account);
  const std::string place(address);
  std::optional<int> wait;
  {
    const std::scoped_lock lock(state_->mutex);
    const Instant now = state_->clock();
    wait = state_->addresses.attempt(place, now);
    if (!wait && !state_->known.contains(person, place)) wait = state_->accounts.attempt(person, now);
  }
  if (!wait) return {};
  return Failure(Error{ErrorKind::rate_limited,
                       "too_many_attempts",
                       "Too many attempts to log in; try again later",
                       {},
                       *wait});
}

void LoginGuard::failed(std::string_view address, std::string_view account) {
  const std::string person = account_key(account);
  const std::string place(address);
  const std::scoped_lock lock(state_->mutex);
  state_->addresses.count_failure(place);
  if (!state_->known.contains(person, place)) state_->accounts.count_failure(person);
}

void LoginGuard::succeeded(std::string_view address, std::string_view account) {
  const std::string person = account_key(account);
  const std::scoped_lock lock(state_->mutex);
  state_->accounts.forget_failures(person);
  state_->known.add(person, address);
}

void LoginGuard::remember(std::string_view address, std::string_view account) {
  const std::string person = account_key(account);
  const std::scoped_lock lock(state_->mutex);
  state_->known.add(person, address);
}

void LoginGuard::forget(std::string_view account) {
  const std::string person = account_key(account);
  const std::scoped_lock lock(state_->mutex);
  state_->accounts.erase(person);
  state_->known.erase(person);
}

}  // namespace lumina::security

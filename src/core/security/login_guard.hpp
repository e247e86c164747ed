// Slows down the guessing of passwords, by address and by account, without locking owners out.
//
// Ask admit() before hashing; a refusal then costs nothing. Attempts are counted for the address and for the
// account, `quota` in a window each, whether they succeed or not, so that many guesses in flight at once
// count too. Failures lengthen the windows: after every `quota` failures in a row beyond the first the next
// window is twice as long, up to `longest_window_seconds`. An account's failures are forgotten when its owner
// gets in, an address's never are by logging in (a guesser has an account too), and both after a quiet time
// of `longest_window_seconds`.
//
// The addresses from which an account logged in before (the last few) are exempt from the limit of the
// account, not from that of the address: whoever guesses an account from everywhere does not keep its owner
// out.
//
// Accounts that do not exist are counted like others, which tells nobody which exist. Thread-safe and
// bounded; the state is of this process and is empty after a start, when remember() can restore known
// addresses.
#pragma once
#include "core/base/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace lumina::security {

struct LoginLimits {
  int quota = 5;                     // attempts in a window, for an address and for an account; at least 1
  int window_seconds = 60;           // at least 1
  int longest_window_seconds = 900;  // at least window_seconds
  std::size_t max_entries = 32'768;  // addresses, and accounts, that are remembered
  std::size_t known_addresses = 8;   // for each account
};

class LoginGuard {
 public:
  using SteadyClock = std::function<std::chrono::steady_clock::time_point()>;

  // Throws std::invalid_argument for limits outside their ranges.
  explicit LoginGuard(
      LoginLimits limits = {}, SteadyClock clock = [] { return std::chrono::steady_clock::now(); });
  ~LoginGuard();
  LoginGuard(const LoginGuard&) = delete;
  LoginGuard& operator=(const LoginGuard&) = delete;

  // Counts an attempt and says whether the password may be looked at. Error kind: rate_limited, code
  // "too_many_attempts", with retry_after_seconds. Addresses are keys (http::address_key); the case of
  // accounts does not matter. An attempt that the address is refused does not count for the account.
  Status admit(std::string_view address, std::string_view account);

  // What became of an admitted attempt. One of the two for each; an attempt that ended otherwise (overload)
  // needs none.
  void failed(std::string_view address, std::string_view account);
  void succeeded(std::string_view address, std::string_view account);

  // Makes the address a known one of the account, as a success does: from stored sessions, after a start.
  void remember(std::string_view address, std::string_view account);
  // Forgets the account: its failures and its known addresses (password reset, all sessions ended, erased).
  void forget(std::string_view account);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace lumina::security

// Asks ClamAV's daemon about bytes (clamd(8), zINSTREAM): over its UNIX socket, or over TCP.
//
// Blocks for at most ScanRules::patience; for pools and jobs. Without a socket everything is clean. Only
// "stream: OK" and "stream: <name> FOUND", ended by NUL, are verdicts; a daemon that says anything else,
// closes early or takes too long gives none, and the rules say what that means. Thread-safe.
#pragma once
#include "core/base/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace lumina::ai {

struct ScanRules {
  std::string socket;                          // a path, or tcp://host:port; empty: nothing is scanned
  bool required = true;                        // refuse uploads while the scanner is down
  std::chrono::milliseconds patience{20'000};  // for all of one file
};

class Scanner {
 public:
  explicit Scanner(ScanRules rules) : rules_(std::move(rules)) {}
  bool configured() const { return !rules_.socket.empty(); }
  // Refused `infected`; unavailable `scanner_down` when there is no verdict and rules say so.
  Status check(std::string_view bytes) const;

 private:
  const ScanRules rules_;
};

}  // namespace lumina::ai

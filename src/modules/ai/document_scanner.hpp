// Asks ClamAV's daemon about bytes, over its UNIX socket (clamd(8), INSTREAM).
//
// Blocks for at most some seconds; for pools and jobs. Without a socket everything is clean. Thread-safe.
#pragma once
#include "core/base/error.hpp"

#include <string>
#include <string_view>

namespace lumina::ai {

struct ScanRules {
  std::string socket;    // empty: nothing is scanned
  bool required = true;  // refuse uploads while the scanner is down
};

class Scanner {
 public:
  explicit Scanner(ScanRules rules) : rules_(std::move(rules)) {}
  bool configured() const { return !rules_.socket.empty(); }
  // Refused `infected` with the name of what was found; unavailable `scanner_down` when rules say so.
  Status check(std::string_view bytes) const;

 private:
  const ScanRules rules_;
};

}  // namespace lumina::ai

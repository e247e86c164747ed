// The versions that a client says it saw; a change of a newer one is refused instead of losing somebody's
// work.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace lumina {

struct Precondition {
  bool given = false;  // without it every change may go on
  std::vector<std::int64_t> versions;

  bool allows(std::int64_t version) const {
    return !given || std::find(versions.begin(), versions.end(), version) != versions.end();
  }
};

}  // namespace lumina

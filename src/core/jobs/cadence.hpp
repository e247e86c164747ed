// When a schedule comes round: every so often, or at a time of day somewhere. A value; any thread.
#pragma once
#include "core/base/clock.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace lumina::jobs {

class Cadence {
 public:
  // Counted from 1970, so that all instances agree. At least a second.
  static Cadence every(std::chrono::seconds period);
  // `zone` is an IANA name ("Europe/Berlin"); an unknown one counts as UTC. An hour that a clock change skips
  // comes later that day, one that comes twice is taken once.
  static Cadence daily(int hour, int minute, std::string zone);

  // The first moment after `last`.
  Timestamp next(Timestamp last) const;
  std::string text() const;  // "every 3600 s", "daily at 02:30 Europe/Berlin"

 private:
  std::chrono::seconds period_{0};  // 0: daily
  int hour_ = 0, minute_ = 0;
  std::string zone_;
};

}  // namespace lumina::jobs

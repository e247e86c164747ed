// Wall-clock time as the product keeps it, and a clock that tests can set.
#pragma once
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lumina {

// A moment in UTC, milliseconds since 1970-01-01; what the database stores and what JSON shows as RFC 3339.
struct Timestamp {
  std::int64_t ms = 0;
  auto operator<=>(const Timestamp&) const = default;
  Timestamp operator+(std::chrono::milliseconds d) const { return {ms + d.count()}; }
  Timestamp operator-(std::chrono::milliseconds d) const { return {ms - d.count()}; }
};

// "2026-11-22T10:00:00Z"; whole seconds, as the contract writes times. Years outside 0..9999 are clamped.
std::string to_rfc3339(Timestamp);
// Accepts RFC 3339 with any offset and fraction, and a plain date (midnight UTC); nothing for anything else.
std::optional<Timestamp> parse_rfc3339(std::string_view);
// The proleptic Gregorian year in UTC.
int year_of(Timestamp);

// Thread-safe. The system clock unless a test says otherwise.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};
// For tests: stands still until told to move.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Timestamp start) : ms_(start.ms) {}
  Timestamp now() const override { return {ms_.load()}; }
  void advance(std::chrono::milliseconds d) { ms_ += d.count(); }
  void set(Timestamp t) { ms_ = t.ms; }

 private:
  std::atomic<std::int64_t> ms_;
};

}  // namespace lumina

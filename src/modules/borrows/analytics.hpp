// How the library is used: loans by day, week or month, and what is read most. Days are those of the
// library's time zone, weeks start on Monday; loans whose history was cut count like all others.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/base/time_zone.hpp"
#include "core/db/database.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::borrows {

enum class Interval : std::uint8_t { day, week, month };
constexpr std::array<std::string_view, 3> interval_names{"day", "week", "month"};
constexpr auto& enum_names(Interval) { return interval_names; }

struct TrendQuestion {
  std::optional<Interval> interval, by;  // the same under two names; default: day
  std::optional<Timestamp> from, to;     // default: the last 30 days, 26 weeks or 12 months
  static constexpr std::string_view type_name = "LoanTrendQuestion";
  static std::vector<schema::Field> fields();
};
// One day, week or month; none is left out when nothing happened.
struct TrendPoint {
  std::string period;  // its first day
  std::int64_t borrows = 0, returns = 0, due = 0;
  std::int64_t borrowers = 0;  // different people whose history was not cut
  static constexpr std::string_view type_name = "LoanTrendPoint";
  static std::vector<schema::Field> fields();
};

struct PopularQuestion {
  std::optional<int> days, limit;
  std::optional<std::string> genre;
  static constexpr std::string_view type_name = "PopularQuestion";
  static std::vector<schema::Field> fields();
};
struct PopularBook {
  BookId id;
  std::string title, author;
  std::optional<std::string> genre, cover_url;
  std::int64_t borrows = 0;  // in those days
  std::int64_t active_borrows = 0, total_borrows = 0;
  static constexpr std::string_view type_name = "PopularBook";
  static std::vector<schema::Field> fields();
};

// The first day of the day, week or month that this day is in; days since 1970. Pure.
std::int64_t start_of(Interval interval, std::int64_t day);
// The first day of the next one.
std::int64_t next_start(Interval interval, std::int64_t start);

class AnalyticsService {
 public:
  using Zone = std::function<TimeZone(db::Transaction&)>;
  // `zone` is asked in the unit of work; UTC without.
  AnalyticsService(db::Database& database, const Clock& clock, Zone zone = {})
      : database_(database), clock_(clock), zone_(std::move(zone)) {}

  // Invalid when the range is empty or has more than 1,100 points.
  Task<Result<std::vector<TrendPoint>>> trend(TrendQuestion question);
  // Most lent first; ties by id.
  Task<Result<std::vector<PopularBook>>> popular(PopularQuestion question);

 private:
  db::Database& database_;
  const Clock& clock_;
  const Zone zone_;
};

}  // namespace lumina::borrows

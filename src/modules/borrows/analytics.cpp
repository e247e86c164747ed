#include "modules/borrows/analytics.hpp"

#include <chrono>

namespace lumina::borrows {

using schema::Field;

namespace {

// Clocks everywhere differ from UTC by multiples of it, so it never holds two days of a zone.
constexpr std::int64_t quarter_ms = 900'000;
constexpr std::size_t most_points = 1100;
constexpr int default_days = 30, default_limit = 10;

// Where each period starts, and what happened in it; a moment belongs to the last period that starts before
// it.
class Periods {
 public:
  Periods(Interval interval, std::int64_t first, std::int64_t end) : interval_(interval) {
    for (auto day = start_of(interval, first); day < end; day = next_start(interval, day)) {
      index_[day] = points_.size();
      points_.push_back({format_day(day), 0, 0, 0, 0});
    }
  }
  TrendPoint* at(std::int64_t day) {
    const auto found = index_.find(start_of(interval_, day));
    return found == index_.end() ? nullptr : &points_[found->second];
  }
  std::vector<TrendPoint> take() { return std::move(points_); }

 private:
  Interval interval_;
  std::map<std::int64_t, std::size_t> index_;
  std::vector<TrendPoint> points_;
};

const db::Columns<PopularBook> popular_columns{{"b.id", &PopularBook::id},
                                               {"b.title", &PopularBook::title},
                                               {"b.author", &PopularBook::author},
                                               {"b.genre", &PopularBook::genre},
                                               {"b.cover_url", &PopularBook::cover_url},
                                               {"x.borrows", &PopularBook::borrows},
                                               {"s.active_borrows", &PopularBook::active_borrows},
                                               {"s.total_borrows", &PopularBook::total_borrows}};

}  // namespace

std::vector<Field> TrendQuestion::fields() {
  return {{"interval", &TrendQuestion::interval, "Length of a point (default day)"},
          {"by", &TrendQuestion::by, "The same"},
          {"from", &TrendQuestion::from, "From this time on (default: 30 days, 26 weeks or 12 months back)"},
          {"to", &TrendQuestion::to, "Before this time (default: now)"}};
}
std::vector<Field> TrendPoint::fields() {
  return {{"period", &TrendPoint::period, "Its first day, in the library's time zone"},
          {"borrows", &TrendPoint::borrows, "Loans made"},
          {"returns", &TrendPoint::returns, "Loans that came back"},
          {"due", &TrendPoint::due, "Loans that were or will be due"},
          {"borrowers", &TrendPoint::borrowers, "Different people who borrowed"}};
}
std::vector<Field> PopularQuestion::fields() {
  return {
      {"days", &PopularQuestion::days, "Loans of so many last days (default 30)", {schema::range(1, 3660)}},
      {"limit", &PopularQuestion::limit, "Books to show (default 10)", {schema::range(1, 100)}},
      {"genre", &PopularQuestion::genre, "Only this genre", {schema::length(1, 100)}}};
}
std::vector<Field> PopularBook::fields() {
  return {{"id", &PopularBook::id, "The book"},
          {"title", &PopularBook::title, "Title proper"},
          {"author", &PopularBook::author, "Author"},
          {"genre", &PopularBook::genre, "Genre"},
          {"cover_url", &PopularBook::cover_url, "Cover"},
          {"borrows", &PopularBook::borrows, "Loans in those days"},
          {"active_borrows", &PopularBook::active_borrows, "Copies that are out"},
          {"total_borrows", &PopularBook::total_borrows, "Loans ever"}};
}

std::int64_t start_of(Interval interval, std::int64_t day) {
  using namespace std::chrono;
  if (interval == Interval::day) return day;
  if (interval == Interval::week) return day - weekday_of(day);
  const year_month_day date{sys_days{days{day}}};
  return sys_days{date.year() / date.month() / 1}.time_since_epoch().count();
}

std::int64_t next_start(Interval interval, std::int64_t start) {
  using namespace std::chrono;
  if (interval == Interval::day) return start + 1;
  if (interval == Interval::week) return start + 7;
  const year_month_day date{sys_days{days{start}}};
  return sys_days{(date.year() / date.month() + months{1}) / 1}.time_since_epoch().count();
}

Task<Result<std::vector<TrendPoint>>> AnalyticsService::trend(TrendQuestion question) {
  auto work = [this, question](db::Transaction& tx) -> Result<std::vector<TrendPoint>> {
    const Interval interval = question.interval.value_or(question.by.value_or(Interval::day));
    const TimeZone zone = zone_ ? zone_(tx) : TimeZone::utc();
    const auto day_of = [&zone](Timestamp t) { return zone.local(t).day; };
    const Timestamp now = clock_.now();
    constexpr std::array<std::int64_t, 3> default_span{29, 25 * 7, 11 * 30};
    const Timestamp to = question.to.value_or(zone.moment(day_of(now) + 1, 0));
    const auto last = day_of(to - std::chrono::milliseconds(1));
    const auto back = start_of(interval, last - default_span[static_cast<std::size_t>(interval)]);
    const Timestamp from = question.from.value_or(zone.moment(back, 0));
    if (from >= to) return invalid({{{"query", "from"}, "must be before to", "range"}});
    if (last - day_of(from) > static_cast<std::int64_t>(most_points) * (interval == Interval::day    ? 1
                                                                        : interval == Interval::week ? 7
                                                                                                     : 30))
      return invalid({{{"query", "from"}, "gives more points than one answer holds", "range"}});
    Periods periods(interval, day_of(from), last + 1);
    // Counted by quarter of an hour in the database, put together here: neither days nor months are of one
    // length.
    const auto day_of_quarter = [&](std::int64_t quarter) { return day_of({quarter * quarter_ms}); };
    const auto add = [&](std::int64_t TrendPoint::* figure) {
      return [&periods, &day_of_quarter, figure](std::int64_t quarter, std::int64_t n) {
        if (auto* point = periods.at(day_of_quarter(quarter))) point->*figure += n;
      };
    };
    tx.each<std::int64_t, std::int64_t>(
        add(&TrendPoint::borrows),
        "SELECT borrow_date / 900000, count(*) FROM borrows WHERE borrow_date >= $1 "
        "AND borrow_date < $2 GROUP BY borrow_date / 900000",
        from, to);
    tx.each<std::int64_t, std::int64_t>(
        add(&TrendPoint::returns),
        "SELECT return_date / 900000, count(*) FROM borrows WHERE return_date >= $1 "
        "AND return_date < $2 GROUP BY return_date / 900000",
        from, to);
    tx.each<std::int64_t, std::int64_t>(
        add(&TrendPoint::due),
        "SELECT due_date / 900000, count(*) FROM borrows WHERE due_date >= $1 "
        "AND due_date < $2 GROUP BY due_date / 900000",
        from, to);
    // A person counts once a period.
    std::map<std::pair<std::int64_t, std::int64_t>, bool> seen;
    tx.each<std::int64_t, std::int64_t>(
        [&](std::int64_t quarter, std::int64_t user) {
          const auto day = day_of_quarter(quarter);
          if (auto* point = periods.at(day))
            if (seen.emplace(std::pair{start_of(interval, day), user}, true).second) ++point->borrowers;
        },
        "SELECT DISTINCT borrow_date / 900000, user_id FROM borrows WHERE borrow_date >= $1 AND "
        "borrow_date < $2 "
        "AND user_id IS NOT NULL",
        from, to);
    return periods.take();
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<PopularBook>>> AnalyticsService::popular(PopularQuestion question) {
  auto work = [this, question](db::Transaction& tx) {
    static const std::string sql = "SELECT " + popular_columns.list() +
                                   " FROM (SELECT o.book_id, count(*) AS borrows FROM borrows o WHERE "
                                   "o.borrow_date >= $1 GROUP BY o.book_id) x "
                                   "JOIN books b ON b.id = x.book_id JOIN book_stats s ON s.book_id = b.id "
                                   "WHERE b.deleted_at IS NULL AND ($2 = '' OR b.genre = $2) "
                                   "ORDER BY x.borrows DESC, b.id LIMIT CAST($3 AS BIGINT)";
    const auto since = clock_.now() - std::chrono::hours(24) * question.days.value_or(default_days);
    return tx.list(popular_columns, sql, since, question.genre.value_or(""),
                   question.limit.value_or(default_limit));
  };
  return database_.read(std::move(work));
}

}  // namespace lumina::borrows

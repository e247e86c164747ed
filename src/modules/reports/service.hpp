// How the library is used: overviews and reports from counts by day, and the counting.
//
// Counting goes through the audit log once, in its order, a piece in each transaction, and moves a mark on
// with what it counted: nothing is counted twice, whatever stops it and however many instances try, and after
// a downtime it goes on where it was. Rows of the last ten minutes wait, for on PostgreSQL a row may become
// visible after one with a higher number. Answers add what is not counted yet, so they are of this moment,
// all but the list of titles. More than 200,000 such rows are not added, and the answer says that it is not
// complete. A change of the library's time zone counts for days to come.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/base/time_zone.hpp"
#include "core/db/database.hpp"
#include "modules/reports/model.hpp"

#include <functional>
#include <string>

namespace lumina::reports {

class ReportService {
 public:
  using Zone = std::function<TimeZone(db::Transaction&)>;
  ReportService(db::Database& database, const Clock& clock, Zone zone)
      : database_(database), clock_(clock), zone_(std::move(zone)) {}

  Task<Result<Overview>> overview(Period period);
  // By hour of the week.
  Task<Result<std::vector<Busy>>> activity(Period period);
  // Comma-separated, with a head; at most 10,000 rows.
  Task<Result<std::string>> csv(Report report, Period period);

  // Blocking, for the schedule: counts what can be counted while it may go on; gives the number of rows.
  Result<std::int64_t> catch_up(const std::function<bool()>& go_on = [] { return true; });

 private:
  db::Database& database_;
  const Clock& clock_;
  const Zone zone_;
};

}  // namespace lumina::reports

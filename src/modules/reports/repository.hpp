// SQL of the counts by day, and of the audit log that they are made from.
//
// Also reads the audit log, borrows, books and what was searched for. Moments are counted by quarters of an
// hour since 1970, for no zone differs from UTC by anything else; the caller makes days of them.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/reports/model.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reports {

constexpr std::int64_t quarter_ms = 900'000;

class ReportRepository {
 public:
  explicit ReportRepository(db::Transaction& tx) : tx_(tx) {}

  // Up to which row of the audit log everything is counted. Made at the first call of a writing transaction,
  // and nobody else moves it before its end.
  std::int64_t hold_mark();
  std::int64_t mark();
  void move_mark(std::int64_t to);
  std::int64_t last_audit_row();
  // The first row behind `from`, up to `to`, that is younger than that.
  std::optional<std::int64_t> first_younger(std::int64_t from, std::int64_t to, Timestamp than);
  std::optional<Timestamp> time_of(std::int64_t row);

  // What the rows behind `from` up to `to` tell.
  using OnAction =
      std::function<void(std::int64_t quarter, const std::string& action, bool refused, std::int64_t n)>;
  void actions(std::int64_t from, std::int64_t to, const OnAction& tell);
  using OnNumber = std::function<void(std::int64_t quarter, std::int64_t number, std::int64_t n)>;
  void people(std::int64_t from, std::int64_t to, const OnNumber& tell);      // number: the person; n is 1
  void lent_books(std::int64_t from, std::int64_t to, const OnNumber& tell);  // number: the book

  void add_actions(const std::string& day, const std::string& action, std::int64_t done,
                   std::int64_t refused);
  void add_hour(const std::string& day, int hour, std::int64_t events);
  void add_person(const std::string& day, std::int64_t user);
  void add_loans(const std::string& day, std::int64_t book, std::int64_t loans);
  // Days before this one: only how many people there were.
  void forget_people(const std::string& before);

  using OnDay = std::function<void(const std::string& day, const std::string& action, std::int64_t done,
                                   std::int64_t refused)>;
  void days(const std::string& from, const std::string& to, const OnDay& tell);
  void searched_days(
      const std::string& from, const std::string& to,
      const std::function<void(const std::string& day, std::int64_t searches, std::int64_t misses)>& tell);
  void people_days(const std::string& from, const std::string& to,
                   const std::function<void(const std::string& day, std::int64_t people)>& tell);
  // Those still known by name.
  void people_by_day(const std::string& from, const std::string& to,
                     const std::function<void(const std::string& day, std::int64_t user)>& tell);
  void hours(const std::string& from, const std::string& to,
             const std::function<void(const std::string& day, int hour, std::int64_t events)>& tell);
  // Most lent first, of what is counted.
  std::vector<LentTitle> lent_most(const std::string& from, const std::string& to, int most);
  std::vector<SearchedWords> searched_most(const std::string& from, const std::string& to, int most);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::reports

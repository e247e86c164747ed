// The rules, calendars and blocks in force, in memory: lending in a library that has set none of them costs
// nothing.
//
// The snapshot is immutable. An event that changes it (here or on another instance) only marks it as old; the
// next unit of work that asks reads it anew on its own connection, so nobody decides by a snapshot older than
// the last event heard. Loans name the version they were made under, and keep its terms. Thread-safe.
#pragma once
#include "core/db/transaction.hpp"
#include "core/events/bus.hpp"
#include "modules/borrows/calendar.hpp"
#include "modules/borrows/policy.hpp"
#include "modules/borrows/rule_set.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace lumina::borrows {

class RuleBook {
 public:
  struct Snapshot {
    std::map<std::int64_t, std::shared_ptr<const RuleSet>> versions;
    std::shared_ptr<const RuleSet> in_force;     // version 0 and empty when the library has set none
    std::map<std::int64_t, Calendar> calendars;  // by branch; 0 is the library
    bool any_blocks = false;                     // staff have blocked somebody
    bool charges = false;                        // some version, in force or not, makes loans cost something

    // The rules that a loan was made under.
    const RuleSet& of_version(std::int64_t version) const;
    const Calendar& calendar(const std::optional<std::int64_t>& branch) const;
  };

  // `configured` counts where no row of the rules says otherwise.
  RuleBook(events::Bus& bus, LoanRules configured);

  // For the unit of work that decides by it.
  std::shared_ptr<const Snapshot> current(db::Transaction& tx);
  // Whether lending needs to look at nothing but the book and the loan: no rules, limits, blocks or
  // calendars. False also while that is not known.
  bool plain() const;
  // Whether a loan that comes back late may cost something. True while that is not known.
  bool may_charge() const;
  const LoanRules& configured() const { return configured_; }
  // What stands where no rule says otherwise.
  const RuleValues& defaults() const { return defaults_; }

 private:
  bool fresh() const { return read_at_ == heard_; }
  std::shared_ptr<const Snapshot> known() const;

  const LoanRules configured_;
  RuleValues defaults_;
  // The snapshot is as old as the event number that it was read at.
  std::atomic<std::uint64_t> heard_{1}, read_at_{0};
  mutable std::mutex mutex_;  // of the pointer
  std::mutex reading_;        // one reader at a time, so that an older snapshot never replaces a newer one
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace lumina::borrows

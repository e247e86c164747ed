#include "modules/borrows/rule_book.hpp"

#include "core/json/codec.hpp"
#include "modules/borrows/rule_repository.hpp"

#include <stdexcept>

namespace lumina::borrows {
namespace {

// Every version is kept, but only read once.
std::shared_ptr<const RuleBook::Snapshot> read_snapshot(db::Transaction& tx, const RuleBook::Snapshot* before,
                                                        const RuleValues& defaults) {
  RuleRepository repository(tx);
  auto fresh = std::make_shared<RuleBook::Snapshot>();
  const auto newest = repository.newest_version();
  for (std::int64_t version = 1; version <= newest; ++version) {
    std::shared_ptr<const RuleSet> set;
    if (before != nullptr)
      if (const auto known = before->versions.find(version); known != before->versions.end())
        set = known->second;
    if (!set) set = std::make_shared<const RuleSet>(version, repository.rules(version), defaults);
    fresh->charges = fresh->charges || set->charges();
    fresh->versions.emplace(version, std::move(set));
  }
  fresh->versions.emplace(0, std::make_shared<const RuleSet>(0, std::vector<Rule>{}, defaults));
  fresh->in_force = fresh->versions.rbegin()->second;
  tx.each<std::int64_t, std::string>(
      [&](std::int64_t branch, std::string text) {
        const auto document = json::decode<CalendarDocument>(text);
        auto calendar = document ? Calendar::make(*document) : Result<Calendar>(Failure(document.error()));
        if (!calendar)
          throw std::runtime_error("a stored calendar cannot be read: " + calendar.error().detail);
        fresh->calendars.emplace(branch, std::move(*calendar));
      },
      "SELECT branch_id, document FROM calendars");
  fresh->any_blocks = repository.any_blocks();
  return fresh;
}

}  // namespace

const RuleSet& RuleBook::Snapshot::of_version(std::int64_t version) const {
  const auto found = versions.find(version);
  return found == versions.end() ? *in_force : *found->second;
}

const Calendar& RuleBook::Snapshot::calendar(const std::optional<std::int64_t>& branch) const {
  static const Calendar always_open;
  if (branch)
    if (const auto own = calendars.find(*branch); own != calendars.end()) return own->second;
  const auto library = calendars.find(0);
  return library == calendars.end() ? always_open : library->second;
}

RuleBook::RuleBook(events::Bus& bus, LoanRules configured) : configured_(configured) {
  defaults_.loan_period_days = defaults_.renewal_period_days = configured.period_days;
  defaults_.max_loans = configured.max_loans > 0 ? static_cast<int>(configured.max_loans) : no_limit;
  defaults_.max_renewals = configured.max_renewals;
  defaults_.pickup_days = configured.pickup_days;
  for (const auto* prefix : {"rules.", "block.", "calendar."})
    bus.subscribe(prefix, [this](const events::Event&) { ++heard_; });
}

std::shared_ptr<const RuleBook::Snapshot> RuleBook::known() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

std::shared_ptr<const RuleBook::Snapshot> RuleBook::current(db::Transaction& tx) {
  if (fresh()) return known();
  std::lock_guard one_at_a_time(reading_);
  const auto before = known();
  if (fresh()) return before;
  const auto heard = heard_.load();
  auto read = read_snapshot(tx, before.get(), defaults_);
  {
    std::lock_guard lock(mutex_);
    snapshot_ = read;
  }
  read_at_ = heard;
  return read;
}

bool RuleBook::plain() const {
  if (!fresh() || configured_.max_loans > 0) return false;
  const auto now = known();
  return now->in_force->empty() && now->calendars.empty() && !now->any_blocks;
}

bool RuleBook::may_charge() const { return !fresh() || known()->charges; }

}  // namespace lumina::borrows

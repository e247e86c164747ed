// The desk: lending and taking back by barcode, with what staff may set aside, and what desks did while the
// server was away.
//
// Public functions are awaited on an io thread; each is one unit of work, but replay(), which is one for each
// transaction, so that a conflict undoes nothing else.
// Codes: unknown_barcode, unknown_patron (404); not_on_loan, on_loan, on_hold_for_other, copy_unavailable
// (400).
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/borrows/desk_model.hpp"
#include "modules/borrows/service.hpp"

#include <string>

namespace lumina::borrows {

class DeskService {
 public:
  DeskService(db::Database& database, const Clock& clock, events::Journal& journal, BorrowService& loans,
              HoldRules rules = {})
      : database_(database), clock_(clock), journal_(journal), loans_(loans), rules_(rules) {}

  Task<Result<Borrow>> checkout(Checkout checkout, Caller by);
  // A copy that was lost, missing or out of order is in circulation again.
  Task<Result<CheckedIn>> checkin(Checkin checkin, Caller by);
  Task<Result<PatronSummary>> patron(std::string who);
  // In the order of the clients' times. What was told before is passed over; what cannot be is listed and
  // remembered.
  Task<Result<OfflineReport>> replay(OfflineBatch batch, Caller by);

 private:
  Result<Borrow> lend(db::Transaction& tx, const Checkout& checkout, Timestamp at, const Caller& by);
  Result<CheckedIn> take_back(db::Transaction& tx, const Checkin& checkin, Timestamp at, const Caller& by);
  Result<std::optional<BorrowId>> act(db::Transaction& tx, const OfflineTransaction& transaction,
                                      const Caller& by);
  Task<Result<OfflineResult>> replay_one(OfflineTransaction transaction, Caller by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  BorrowService& loans_;
  const HoldRules rules_;
};

}  // namespace lumina::borrows

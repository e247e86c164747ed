// The desk for self-check machines: what SIP2 asks of a library, answered by the services that staff use.
//
// A terminal signs in (93) with the e-mail address and password of an account that may manage loans; CP names
// the branch where it stands by its code, the default branch without. Everything it does is done in that
// account's name and looked at anew with every message: an account that is closed, demoted or given another
// password is out. People are known by AA (card number, e-mail address or id) and, where the library wants
// it, prove with their password (AD) who they are; that holds until the session ends (35) or somebody else
// stands there. Attempts are counted for each machine and person, so that a queue of people is no attack.
//
// What was done while the connection was down ("no block") is told as offline transactions are: done at the
// machine's times, once, however often it is told. Answers: 94 98 64 24 18 12 10 30 66 38 36 16; refusals are
// shown to the person in AF. Source: 3M Standard Interchange Protocol, version 2.00.
#pragma once
#include "core/auth/password_gate.hpp"
#include "core/base/clock.hpp"
#include "core/base/time_zone.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/sip2/listener.hpp"
#include "modules/borrows/desk_service.hpp"
#include "modules/borrows/hold_service.hpp"
#include "modules/borrows/ledger_service.hpp"
#include "modules/borrows/service.hpp"

#include <functional>
#include <memory>
#include <string>

namespace lumina::borrows {

struct Sip2Settings {
  std::string institution;  // AO
  std::string currency;     // ISO 4217
  bool patron_password = true;
  // The clocks of a branch.
  std::function<TimeZone(db::Transaction&, std::optional<std::int64_t> branch)> zone;
};

struct Sip2Services {
  db::Database& database;
  const Clock& clock;
  events::Journal& journal;
  auth::PasswordGate& gate;
  DeskService& desk;
  BorrowService& loans;
  HoldService& holds;
  LedgerService& ledger;
};

class Sip2Desk final : public sip2::Host {
 public:
  // Everything must outlive it, and it outlives its terminals.
  Sip2Desk(Sip2Services services, Sip2Settings settings)
      : services_(services), settings_(std::move(settings)) {}
  std::shared_ptr<sip2::Terminal> connected(std::string address) override;

 private:
  const Sip2Services services_;
  const Sip2Settings settings_;
};

}  // namespace lumina::borrows

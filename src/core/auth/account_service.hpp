// People: one's own profile, wishes and record, and the administration of accounts.
//
// Public functions are awaited on an io thread; each is one unit of work, journalled with the person
// concerned.
#pragma once
#include "core/auth/model.hpp"
#include "core/auth/password_gate.hpp"
#include "core/auth/repository.hpp"
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"

#include <functional>
#include <vector>

namespace lumina::auth {

class AccountService {
 public:
  AccountService(db::Database& database, const Clock& clock, events::Journal& journal, PasswordGate& gate)
      : database_(database), clock_(clock), journal_(journal), gate_(gate) {}

  Task<Result<User>> find(UserId id);
  Task<Result<Page<User>>> list(UserFilter filter, PageRequest page);

  // A changed role or standing ends every token and, when deactivated, every session of the person. The last
  // active administrator can lose neither: refused "last_admin".
  Task<Result<User>> change(UserId id, UserChanges changes, Precondition seen, Caller by);
  // Erases name, address, password, wishes, sessions and keys; loans, reviews and statistics stay, with a
  // number instead of a name. Refused: "open_loans", "last_admin".
  Task<Status> erase(UserId id, Precondition seen, Caller by);
  // What else goes with an account, in the same transaction: modules that keep things of people add
  // themselves. Before the first request.
  void also_erase(std::function<void(db::Transaction&, UserId)> step) {
    erasures_.push_back(std::move(step));
  }
  // One's own, which takes somebody who signed in.
  Task<Status> erase_own(Precondition seen, Caller by);

  Task<Result<Preferences>> preferences(UserId id);
  Task<Result<Preferences>> set_preferences(Preferences wishes, Precondition seen, Caller by);
  // Everything that is kept about the person, without secrets.
  Task<Result<PersonalRecord>> record(Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  PasswordGate& gate_;
  std::vector<std::function<void(db::Transaction&, UserId)>> erasures_;
};

}  // namespace lumina::auth

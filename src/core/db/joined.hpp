// Units of work inside another unit of work: several services' changes that stand or fall together.
//
//   database.write([&](db::Transaction& outer) -> Result<Answer> {
//     db::Joined joined(database, outer);
//     boost::asio::io_context here;              // the coroutines of the inner work run on this very thread
//     boost::asio::co_spawn(here, service.create(...), ...);
//     here.run();
//     joined.rethrow_broken();
//     return ...;                                // an Error here takes back everything
//   });
//
// While a scope stands, every read() and write() that this thread starts on that database runs at once, on
// the outer unit's connection: it sees what the outer unit changed, and nothing waits in a queue, so the one
// writing thread of SQLite cannot wait for itself. That is why the inner coroutines must be driven by this
// thread, on an io_context of their own: a unit that another thread starts goes its usual way (and would wait
// for the outer one to end).
//
// An inner write has a savepoint: if it gives an Error or throws, its own changes are taken back and the
// outer unit goes on. What breaks the connection or asks for a repetition of the whole (a serialization
// failure, a full disk) is kept: rethrow_broken() throws it, so that the outer unit ends as it would have by
// itself. after_commit actions run after the commit of the outermost unit. Scopes may be nested. Not
// thread-safe, and never moved to another thread.
#pragma once
#include "core/db/database.hpp"
#include "core/db/transaction.hpp"

#include <exception>

namespace lumina::db {

class Joined {
 public:
  Joined(Database& database, Transaction& outer);
  ~Joined();
  Joined(const Joined&) = delete;
  Joined& operator=(const Joined&) = delete;

  void rethrow_broken() const {
    if (broken_) std::rethrow_exception(broken_);
  }

 private:
  friend class Database;
  // The innermost scope of this thread for that database; null when there is none.
  static Joined* of(const Database& database);
  void run(Database::Unit unit);
  bool attempt(Database::Unit& unit);
  void break_off(Database::Unit& unit);

  const Database& database_;
  Transaction& outer_;
  Joined* const around_;  // the scope that this one stands in
  std::exception_ptr broken_;
};

}  // namespace lumina::db

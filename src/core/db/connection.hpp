// One SOCI session with its kept statements. Used by one thread at a time. Owns every SOCI habit that bites:
// statements are run to their end (SQLite would pin its snapshot), parameters live in the statement, and
// error texts, which contain bound values, never leave.
#pragma once
#include "core/db/transaction.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lumina::db {

// The database cannot be reached or went away; the work may be tried again later.
struct Unreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The connection went away between a statement that was sent and its answer. Whether the statement took
// effect is not known where it committed by itself, or was the COMMIT.
struct AnswerLost : Unreachable {
  using Unreachable::Unreachable;
};
// A statement took longer than it may. The same work would again.
struct TookTooLong : Unreachable {
  using Unreachable::Unreachable;
};
// No space left for the database; reads still work.
struct StorageFull : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The statement is wrong or broke a constraint that the code did not foresee: a bug.
struct StatementError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A constraint refused it. Seldom a race that running again resolves (PostgreSQL checks against newer rows
// than the statement saw); else a bug.
struct ConstraintViolation : StatementError {
  using StatementError::StatementError;
};

class Connection {
 public:
  enum class Access : std::uint8_t { read, write };
  // `url`: "sqlite:PATH" or "postgresql://user:password@host:port/name". Throws Unreachable.
  Connection(std::string url, Access access);
  ~Connection();

  Dialect dialect() const;
  std::int64_t run(std::string_view sql, const Value* values, std::size_t count, std::string_view codes,
                   const std::function<void(const Row&)>& on_row);
  // Several statements at once, without parameters: migrations and pragmas.
  void script(const std::string& sql);
  void begin();
  void commit();
  void rollback() noexcept;
  // True while a transaction is open; SQLite ends one by itself on some errors.
  bool in_transaction() const;
  // Rows inserted, changed and deleted since the connection was opened, by triggers too. SQLite only.
  std::int64_t changes() const;
  // Forgets the session and opens a new one. Throws Unreachable.
  void reconnect();
  // Whether the server ended this session while nobody used it; asked before a statement that must not be
  // sent twice. One system call. False on SQLite.
  bool ended_by_server() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lumina::db

#include "core/db/joined.hpp"

#include "core/db/connection.hpp"

namespace lumina::db {
namespace {

thread_local Joined* innermost = nullptr;

}  // namespace

Joined::Joined(Database& database, Transaction& outer)
    : database_(database), outer_(outer), around_(innermost) {
  innermost = this;
}
Joined::~Joined() { innermost = around_; }

Joined* Joined::of(const Database& database) {
  for (Joined* scope = innermost; scope; scope = scope->around_)
    if (&scope->database_ == &database) return scope;
  return nullptr;
}

bool Joined::attempt(Database::Unit& unit) {
  Connection& connection = outer_.connection_;
  Transaction inner(connection, unit.is_write);
  const auto savepoint = [&](const char* sql) {
    if (unit.is_write) connection.run(sql, nullptr, 0, {}, {});
  };
  savepoint("SAVEPOINT joined");
  bool keep = false;
  try {
    keep = unit.run(inner);
  } catch (...) {
    // Some errors end the whole transaction (SQLite, a full disk): then there is no savepoint to go back to.
    if (connection.in_transaction()) {
      savepoint("ROLLBACK TO joined");
      savepoint("RELEASE joined");
    }
    throw;
  }
  if (!keep) savepoint("ROLLBACK TO joined");
  savepoint("RELEASE joined");
  if (keep)
    for (auto& action : inner.take_after_commit()) outer_.after_commit(std::move(action));
  return keep;
}

// Called while the exception is handled that ends the outer unit too.
void Joined::break_off(Database::Unit& unit) {
  broken_ = std::current_exception();
  unit.done(std::nullopt, broken_);
}

void Joined::run(Database::Unit unit) {
  if (broken_) return unit.done(std::nullopt, broken_);
  for (int tried = 1;; ++tried) {
    try {
      attempt(unit);
      return unit.done(std::nullopt, nullptr);
    } catch (const ConstraintViolation&) {
      // A newer row than the statement had seen: once more, as Database does for a unit of its own.
      if (tried > 1) return unit.done(std::nullopt, std::current_exception());
    } catch (const Unreachable&) {
      return break_off(unit);
    } catch (const StorageFull&) {
      return break_off(unit);
    } catch (const TryAgain&) {
      return break_off(unit);
    } catch (...) {
      return unit.done(std::nullopt, std::current_exception());
    }
  }
}

}  // namespace lumina::db

// Locks of PostgreSQL that a test holds, to stop a request in its middle and change the world meanwhile.
#pragma once
#include "core/db/connection.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace lumina::test {

class HeldLock {
 public:
  // `sql` takes the lock, and may change things that are committed when it is let go.
  HeldLock(const std::string& url, const std::string& sql)
      : holder_(url, db::Connection::Access::write), watcher_(url, db::Connection::Access::write) {
    holder_.begin();
    holder_.script(sql);
  }
  // Returns when another session waits for a lock of this database.
  void wait_for_somebody() {
    db::Transaction tx(watcher_, false);
    while (std::get<0>(*tx.one<std::int64_t>(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "wait_event_type = 'Lock'")) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Committed at once, on another connection.
  void meanwhile(const std::string& sql) { watcher_.script(sql); }
  void let_go() { holder_.commit(); }

 private:
  db::Connection holder_, watcher_;
};

}  // namespace lumina::test

// The figures of the whole library. Reads the tables of other modules and has none of its own.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/pages/model.hpp"

namespace lumina::pages {

class PageRepository {
 public:
  explicit PageRepository(db::Transaction& tx) : tx_(tx) {}
  Totals totals();

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::pages

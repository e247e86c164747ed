// SQL of the audit log. It can be added to and read, nothing else.
#pragma once
#include "core/audit/model.hpp"
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"

namespace lumina::audit {

class AuditRepository {
 public:
  explicit AuditRepository(db::Transaction& tx) : tx_(tx) {}
  Page<Entry> list(const Filter& filter, const PageRequest& page);  // newest first
  std::optional<Entry> find(std::int64_t id);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::audit

// SQL of the audit log. It can be added to and read; of old rows the address can be blanked, nothing else.
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
  // Of up to `most` rows before that time; gives how many.
  std::int64_t blank_addresses(Timestamp before, std::int64_t most);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::audit

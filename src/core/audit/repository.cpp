#include "core/audit/repository.hpp"

namespace lumina::audit {
namespace {

const db::Columns<Entry> entry_columns{{"id", &Entry::id},
                                       {"at", &Entry::at},
                                       {"user_id", &Entry::user_id},
                                       {"action", &Entry::action},
                                       {"resource", &Entry::resource},
                                       {"resource_id", &Entry::resource_id},
                                       {"outcome", &Entry::outcome},
                                       {"address", &Entry::address},
                                       {"request_id", &Entry::request_id},
                                       {"detail", &Entry::detail}};

}  // namespace

Page<Entry> AuditRepository::list(const Filter& filter, const PageRequest& page) {
  std::string where = "1 = 1";
  std::vector<db::Value> values;
  const auto bind = [&](db::Value value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  };
  if (filter.user_id) where += " AND user_id = " + bind(db::to_value(*filter.user_id));
  if (filter.user) where += " AND user_id = " + bind(db::to_value(*filter.user));
  if (filter.action) where += " AND action = " + bind(*filter.action);
  if (filter.resource) where += " AND resource = " + bind(*filter.resource);
  if (filter.resource_id) where += " AND resource_id = " + bind(*filter.resource_id);
  if (filter.outcome) where += " AND outcome = " + bind(*filter.outcome);
  if (filter.from) where += " AND at >= " + bind(filter.from->ms);
  if (filter.to) where += " AND at < " + bind(filter.to->ms);

  Page<Entry> out;
  tx_.each_of<std::int64_t>([&](std::int64_t n) { out.total = n; },
                            "SELECT count(*) FROM audit_log WHERE " + where, values);
  const auto limit = bind(page.limit), offset = bind(page.skip);
  out.items = tx_.list(entry_columns,
                       "SELECT " + entry_columns.list() + " FROM audit_log WHERE " + where +
                           " ORDER BY id DESC LIMIT CAST(" + limit + " AS BIGINT) OFFSET CAST(" + offset +
                           " AS BIGINT)",
                       values);
  return out;
}

std::optional<Entry> AuditRepository::find(std::int64_t id) {
  static const std::string sql = "SELECT " + entry_columns.list() + " FROM audit_log WHERE id = $1";
  return tx_.find(entry_columns, sql, id);
}

std::int64_t AuditRepository::blank_addresses(Timestamp before, std::int64_t most) {
  return tx_.execute(
      "UPDATE audit_log SET address = '' WHERE id IN (SELECT id FROM audit_log WHERE at < $1 AND address <> "
      "'' "
      "ORDER BY at LIMIT CAST($2 AS BIGINT))",
      before, most);
}

}  // namespace lumina::audit

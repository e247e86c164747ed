// Who did what, as the audit log shows it.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::audit {

struct Entry {
  std::int64_t id = 0;
  Timestamp at;
  std::optional<UserId> user_id;
  std::string action, resource;
  std::optional<std::int64_t> resource_id;
  std::string outcome, address, request_id;
  std::optional<std::string> detail;

  static constexpr std::string_view type_name = "AuditEntry";
  static std::vector<schema::Field> fields();
};

struct Filter {
  std::optional<UserId> user_id, user;  // one thing in two spellings
  std::optional<std::string> action, resource, outcome;
  std::optional<std::int64_t> resource_id;
  std::optional<Timestamp> from, to;

  static constexpr std::string_view type_name = "AuditFilter";
  static std::vector<schema::Field> fields();
};

struct Note {
  std::string action;
  std::optional<std::string> detail;

  static constexpr std::string_view type_name = "AuditNote";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::audit

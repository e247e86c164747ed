// The WHERE, ORDER BY and keyset of GET /books, built from the filter. Text comes from constants only; every
// value is a parameter.
#pragma once
#include "core/db/value.hpp"
#include "modules/books/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::books {

struct Conditions {
  std::string where = "b.deleted_at IS NULL";
  std::vector<db::Value> values;

  // "$3" for the value it keeps.
  std::string bind(db::Value value) {
    values.push_back(std::move(value));
    return "$" + std::to_string(values.size());
  }
};

struct SortOrder {
  std::string_view expression;  // "b.created_at"
  char code;                    // i, d or t: the kind of its values
  bool nullable;
  bool descending;
};

Conditions conditions_of(const BookFilter& filter);
SortOrder order_of(const BookFilter& filter);
// "b.title_key DESC NULLS LAST, b.id DESC"
std::string order_by(const SortOrder& order);

// Where a page ended: opaque to clients, base64url of JSON.
std::string encode_cursor(const SortOrder& order, const db::Value& key, std::int64_t id);
// Adds "rows after the cursor" to the conditions; false when the cursor is not one of ours for this order.
bool continue_after(const SortOrder& order, const std::string& cursor, Conditions& conditions);

}  // namespace lumina::books

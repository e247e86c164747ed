// How a column of JSON text is read into a member that shows it as it is.
#pragma once
#include "core/db/columns.hpp"
#include "core/schema/type.hpp"

template <>
struct lumina::db::Column<lumina::schema::RawJson> {
  static constexpr char code = 't';
  static schema::RawJson read(const Row& r, std::size_t i) { return {r.text(i)}; }
};

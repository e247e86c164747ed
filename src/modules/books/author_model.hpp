// Authorities: one record for an author, whatever name the title pages give.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

using AuthorId = Id<struct AuthorTag>;

struct Author {
  AuthorId id;
  std::string name;                   // under which the library files the author
  std::vector<std::string> variants;  // other names and spellings; search finds the titles by them
  std::optional<std::string> note;
  std::optional<std::string> viaf;  // number in the Virtual International Authority File
  std::int64_t books = 0;           // under any of the names
  Timestamp created_at, updated_at;
  std::int64_t version = 1;  // part of the ETag, not of the body
  static constexpr std::string_view type_name = "Author";
  static std::vector<schema::Field> fields();
};
struct NewAuthor {
  std::string name;                   // 1..255 code points
  std::vector<std::string> variants;  // up to 50
  std::optional<std::string> note, viaf;
  static constexpr std::string_view type_name = "NewAuthor";
  static std::vector<schema::Field> fields();
};
struct AuthorChanges {
  schema::Patch<std::string> name;
  schema::Patch<std::vector<std::string>> variants;
  schema::Patch<std::string> note, viaf;
  std::optional<bool> all_titles;  // a new name also for the titles under variants
  static constexpr std::string_view type_name = "AuthorChanges";
  static std::vector<schema::Field> fields();
};
struct AuthorFilter {
  std::optional<std::string> q;  // begins so, any of the names
  static constexpr std::string_view type_name = "AuthorFilter";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books

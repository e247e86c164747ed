// Browsing the catalogue as its drawers: headings in their order, from any place on, with how many titles
// stand under each; and how good the records are.
#pragma once
#include "core/schema/type.hpp"
#include "modules/books/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

enum class Drawer : std::uint8_t { titles, authors, subjects, series, ddc, lcc };
constexpr std::array<std::string_view, 6> drawer_names{"titles", "authors", "subjects",
                                                       "series", "ddc",     "lcc"};
constexpr auto& enum_names(Drawer) { return drawer_names; }

struct BrowseRequest {
  std::optional<std::string> from;    // headings that are not before this text
  std::optional<std::string> before;  // the last ones before this key
  std::optional<int> limit;           // 1..100, default 20
  static constexpr std::string_view type_name = "BrowseRequest";
  static std::vector<schema::Field> fields();
};
struct Heading {
  std::string heading;
  std::string key;  // by which it is filed; for `from` and `before`
  std::int64_t count = 0;
  std::string books;  // path that lists the titles
  static constexpr std::string_view type_name = "Heading";
  static std::vector<schema::Field> fields();
};
struct Headings {
  std::vector<Heading> items;
  std::optional<std::string> next, prev;  // paths
  static constexpr std::string_view type_name = "Headings";
  static std::vector<schema::Field> fields();
};

struct FieldProfile {
  std::string field;
  std::int64_t filled = 0, missing = 0, distinct = 0;
  double share = 0;  // filled, of 1
  std::string fix;   // path of the records that lack it
  static constexpr std::string_view type_name = "FieldProfile";
  static std::vector<schema::Field> fields();
};
struct Anomaly {
  std::string kind;  // year_in_future, year_before_isbn, title_in_capitals, author_unknown, ...
  std::string description;
  std::int64_t count = 0;
  std::vector<BookId> examples;  // the first ten
  std::vector<std::string> fix;  // paths of those
  static constexpr std::string_view type_name = "Anomaly";
  static std::vector<schema::Field> fields();
};
struct DataQuality {
  std::int64_t books = 0;
  double score = 100;  // 0..100
  std::vector<FieldProfile> profile;
  std::vector<Anomaly> anomalies;
  std::int64_t duplicate_groups = 0;
  std::string duplicates;  // path
  Timestamp at;
  static constexpr std::string_view type_name = "DataQuality";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books

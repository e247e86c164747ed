// Collections: reading lists, wishlists and the library's curated lists are one thing with a kind.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::lists {

struct CollectionTag;
using CollectionId = Id<CollectionTag>;

// A person has one wishlist at most; curated lists are made by staff and belong to the library.
enum class Kind : std::uint8_t { reading, wishlist, curated };
constexpr std::array<std::string_view, 3> kind_names{"reading", "wishlist", "curated"};
constexpr auto& enum_names(Kind) { return kind_names; }

// What the caller may do with a collection.
enum class Access : std::uint8_t { none, view, edit, owner };
constexpr std::array<std::string_view, 4> access_names{"none", "view", "edit", "owner"};
constexpr auto& enum_names(Access) { return access_names; }

struct Owner {
  UserId id;
  std::string full_name;
  static constexpr std::string_view type_name = "CollectionOwner";
  static std::vector<schema::Field> fields();
};

struct Collection {
  CollectionId id;
  Kind kind = Kind::reading;
  std::string name, slug;
  std::optional<std::string> description;
  bool is_public = false;
  std::optional<schema::RawJson> query;  // a smart list: filters and order of GET /books
  std::int64_t items = 0;
  Owner owner;
  Access access = Access::none;     // the caller's
  std::optional<std::string> link;  // path for whoever has it; shown to the owner
  Timestamp created_at, updated_at;
  std::int64_t version = 1;  // part of the ETag, not of the body
  static constexpr std::string_view type_name = "Collection";
  static std::vector<schema::Field> fields();
};
struct NewCollection {
  std::string name;  // 1..200 code points
  std::optional<Kind> kind;
  std::optional<std::string> description;  // up to 2,000
  std::optional<bool> is_public;
  std::optional<schema::RawJson> query;  // makes it a smart list
  static constexpr std::string_view type_name = "NewCollection";
  static std::vector<schema::Field> fields();
};
struct CollectionChanges {
  schema::Patch<std::string> name, description;
  schema::Patch<bool> is_public;
  schema::Patch<schema::RawJson> query;  // of a smart list
  static constexpr std::string_view type_name = "CollectionChanges";
  static std::vector<schema::Field> fields();
};
struct CollectionFilter {
  std::optional<Kind> kind;
  std::optional<bool> mine;      // one's own only
  std::optional<std::string> q;  // part of the name
  static constexpr std::string_view type_name = "CollectionFilter";
  static std::vector<schema::Field> fields();
};

struct ListedBook {
  BookId id;
  std::string title, author;
  std::optional<std::string> cover_url;
  std::optional<double> average_rating;
  int copies_available = 0;
  static constexpr std::string_view type_name = "ListedBook";
  static std::vector<schema::Field> fields();
};
struct Item {
  ListedBook book;
  std::int64_t position = 0;
  std::optional<std::string> note;
  UserId added_by;
  Timestamp added_at;
  static constexpr std::string_view type_name = "CollectionItem";
  static std::vector<schema::Field> fields();
};
struct NewItem {
  std::optional<std::string> note;  // up to 1,000 code points
  static constexpr std::string_view type_name = "NewCollectionItem";
  static std::vector<schema::Field> fields();
};
struct Order {
  std::vector<BookId> book_ids;
  static constexpr std::string_view type_name = "CollectionOrder";
  static std::vector<schema::Field> fields();
};

struct Grant {
  UserId user_id;
  Access access = Access::view;  // view or edit
  static constexpr std::string_view type_name = "CollectionPermission";
  static std::vector<schema::Field> fields();
};

struct Statistics {
  std::int64_t items = 0;
  std::int64_t available = 0;  // that can be borrowed now
  std::int64_t loans = 0;      // ever, of the books in it
  std::int64_t pages = 0;
  std::optional<double> average_rating;
  Timestamp last_change;
  static constexpr std::string_view type_name = "CollectionStatistics";
  static std::vector<schema::Field> fields();
};

struct SharedCollection {
  Collection collection;
  std::vector<Item> books;  // the first hundred
  static constexpr std::string_view type_name = "SharedCollection";
  static std::vector<schema::Field> fields();
};

// "Did I list it": the caller's collections that hold a book.
struct ListedIn {
  CollectionId id;
  std::string name;
  Kind kind = Kind::reading;
  static constexpr std::string_view type_name = "ListedIn";
  static std::vector<schema::Field> fields();
};
struct Listed {
  bool listed = false, wished = false;
  std::vector<ListedIn> collections;
  static constexpr std::string_view type_name = "Listed";
  static std::vector<schema::Field> fields();
};

// "Summer reading, 2026!" -> "summer-reading-2026"; never empty, never only digits, at most 80 bytes of a-z,
// 0-9 and '-'.
std::string slug_of(std::string_view name);

}  // namespace lumina::lists

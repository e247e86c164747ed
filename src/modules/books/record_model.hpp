// Records over time: how a book was before and who changed it, what was deleted, what was merged into what,
// and which books look as if they were one.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/books/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

using ChangeSetId = Id<struct ChangeSetTag>;

enum class HistoryAction : std::uint8_t {
  created,
  updated,
  reverted,
  deleted,
  restored,
  merged,    // others became part of it
  unmerged,  // and left again
  author_renamed,
};
constexpr std::array<std::string_view, 8> history_action_names{
    "created", "updated", "reverted", "deleted", "restored", "merged", "unmerged", "author_renamed"};
constexpr auto& enum_names(HistoryAction) { return history_action_names; }

struct FieldChange {
  std::string field;
  schema::RawJson before, after;
  static constexpr std::string_view type_name = "FieldChange";
  static std::vector<schema::Field> fields();
};
struct HistoryEntry {
  std::int64_t version = 0;  // that came about
  Timestamp at;
  HistoryAction action = HistoryAction::updated;
  std::optional<UserId> user_id;  // nobody: the server itself
  std::optional<std::string> user_name;
  std::vector<FieldChange> changes;
  static constexpr std::string_view type_name = "HistoryEntry";
  static std::vector<schema::Field> fields();
};
struct Revert {
  std::int64_t version = 0;  // as it was then
  static constexpr std::string_view type_name = "Revert";
  static std::vector<schema::Field> fields();
};

enum class ChangeKind : std::uint8_t { deletion, merge };
constexpr std::array<std::string_view, 2> change_kind_names{"deletion", "merge"};
constexpr auto& enum_names(ChangeKind) { return change_kind_names; }

// What happened to several records at once and can be undone at once.
struct ChangeSet {
  ChangeSetId id;
  ChangeKind kind = ChangeKind::merge;
  BookId book_id;             // that was deleted, or that the others became part of
  std::vector<BookId> books;  // that went
  Timestamp at;
  std::optional<UserId> user_id;
  std::optional<Timestamp> undone_at;
  std::optional<UserId> undone_by;
  static constexpr std::string_view type_name = "ChangeSet";
  static std::vector<schema::Field> fields();
};
struct MergeRequest {
  BookId into;
  std::vector<BookId> from;  // 1..20
  std::optional<bool> fill;  // empty fields of `into` take what the others have; default true
  static constexpr std::string_view type_name = "MergeRequest";
  static std::vector<schema::Field> fields();
};

struct DeletedBook {
  BookId id;
  std::string title, author;
  std::optional<std::string> isbn;
  Timestamp deleted_at, restorable_until;
  std::optional<BookId> merged_into;
  static constexpr std::string_view type_name = "DeletedBook";
  static std::vector<schema::Field> fields();
};

struct DuplicateBook {
  BookId id;
  std::string title, author;
  std::optional<std::string> isbn;
  std::optional<int> year_published;
  int copies_total = 0;
  static constexpr std::string_view type_name = "DuplicateBook";
  static std::vector<schema::Field> fields();
};
struct DuplicateGroup {
  double score = 0;    // 1: the same title and author; less: nearly
  std::string reason;  // same_record, same_title_other_isbn, similar_title
  std::vector<DuplicateBook> books;
  static constexpr std::string_view type_name = "DuplicateGroup";
  static std::vector<schema::Field> fields();
};
struct DuplicateFilter {
  std::optional<double> min_score;  // default 0.7
  static constexpr std::string_view type_name = "DuplicateFilter";
  static std::vector<schema::Field> fields();
};
struct DifferentBooks {
  std::vector<BookId> books;  // 2..20, no two of which are one
  static constexpr std::string_view type_name = "DifferentBooks";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books

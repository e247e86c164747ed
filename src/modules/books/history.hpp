// What each version of a book changed, written down by the unit of work that changes it.
#pragma once
#include "core/base/caller.hpp"
#include "core/db/transaction.hpp"
#include "modules/books/record_model.hpp"

#include <string>
#include <vector>

namespace lumina::books {

// The editable fields in which two records differ, as JSON: {"title":["before","after"]}.
std::string changed_fields(const Book& before, const Book& after);
// The editable fields, as a JSON object.
std::string current_fields(const Book& book);
std::vector<FieldChange> unpack_changes(std::string_view changes);

// `version` is the one that the change made.
void remember(db::Transaction& tx, BookId book, std::int64_t version, HistoryAction action, const Caller& by,
              Timestamp at, std::string_view changes = "{}");

// The record as it was before these changes, the newest first; nothing when they do not fit it.
std::optional<NewBook> taken_back(const Book& now, const std::vector<std::string>& changes);

}  // namespace lumina::books

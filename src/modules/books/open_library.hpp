// Records of Open Library as books: editions, works, lists of editions, answers of its search and of
// /api/books?jscmd=data.
//
// Members that are missing or of another type are absent. Pure, thread-safe. Source: Open Library's API
// documentation (openlibrary.org/developers/api).
#pragma once
#include "modules/books/imported_record.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

// The books of one document; nothing when it is none of the kinds above.
std::optional<std::vector<BookDraft>> open_library_drafts(std::string_view json);

// The answer of /api/books?bibkeys=ISBN:...&jscmd=data&format=json: what is known by ISBN as it was asked
// for; nothing when the answer is not readable.
std::optional<std::map<std::string, BookDraft>> open_library_lookup(std::string_view json);

}  // namespace lumina::books

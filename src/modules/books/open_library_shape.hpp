// A book in the shapes of Open Library's read API, so that tools written for it work on local data.
//
// Keys are made from ids: /books/OL12M and /works/OL12W are the book 12, and an author is known by name
// alone. Pure. Source: Open Library's API documentation (openlibrary.org/developers/api).
#pragma once
#include "modules/books/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

// "OL12M", "OL12W", also with ".json" or a path in front.
std::optional<BookId> id_of_open_library_key(std::string_view key);

// /isbn/{isbn}.json and /books/OL12M.json
std::string open_library_edition(const Book& book);
// /search.json
std::string open_library_search(const std::vector<Book>& books, std::int64_t total, std::int64_t start,
                                std::string_view query);
// One member of /api/books: `data` for jscmd=data, else the short form.
std::string open_library_member(const Book& book, bool data, const std::string& own_address);

}  // namespace lumina::books

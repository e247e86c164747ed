// A book between what people enter and what is stored: one spelling for each meaning, the keys that go with
// it, and the fields of the library's own.
//
// Pure and thread-safe.
#pragma once
#include "core/base/error.hpp"
#include "modules/books/model.hpp"
#include "modules/books/repository.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::books {

// As it is stored. The fields were validated before.
BookRow stored(NewBook book);
// What librarians edit of it; without copies.
NewBook editable(const Book& book);

// Whether the fields of the library's own can be kept: an object of up to 16 KiB and 200 values, names up to
// 200 bytes.
std::optional<FieldError> metadata_fault(const schema::RawJson& metadata);
// The same without the reason; what cannot be kept becomes an empty object.
std::string clean_metadata(const schema::RawJson& metadata);
// RFC 7396.
std::string merge_patched(std::string_view object, std::string_view patch);
// Every value that is no object, with its path: {"a":{"b":[1,true]}} gives ("a.b","1"), ("a.b","true").
std::vector<std::pair<std::string, std::string>> metadata_leaves(std::string_view object);
// No database keeps a NUL character in a text: such a leaf is never found.
inline bool can_be_kept(std::string_view text) { return !text.contains('\0'); }

// "Jane Austen" -> "austen, jane", folded: how catalogues file people. A name that is written with a comma,
// or is one word, stays as it is.
std::string author_sort_key(std::string_view author);

}  // namespace lumina::books

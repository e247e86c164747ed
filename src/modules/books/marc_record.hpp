// What the fields of a MARC record say about a book, and a book as a MARC record.
//
// Read are 020 (ISBN), 041 and 008 (language), 100/110/111/700/710/720 (authors), 130/240/245/246 (title),
// 260/264 and 008 (publisher, year), 300 (pages), 520 and 500 (description), 600..653 (tags), 655 (genre),
// 856 (cover), 990 (copies, ours). Names in inverted order ("Austen, Jane, 1775-1817") come out as people say
// them; punctuation of ISBD goes unless the leader says that it was left out. A record without an author
// takes the statement of responsibility, the publisher or "Unknown": anthologies and films have none.
//
// Written are the same fields, so that an export read back is equal; the generated summary stays behind.
// Pure, thread-safe. Source: MARC 21 Format for Bibliographic Data (Library of Congress).
#pragma once
#include "core/marc/record.hpp"
#include "modules/books/imported_record.hpp"
#include "modules/books/model.hpp"

#include <string>
#include <string_view>

namespace lumina::books {

BookDraft draft_of(const marc::Record& record);
marc::Record to_marc(const Book& book);

// "Austen, Jane, 1775-1817" -> "Jane Austen"; a name in any other shape only loses its dates and punctuation.
std::string direct_order(std::string_view name);

// The three letters of MARC's list of languages: "eng" for "en-GB"; "und" when there are none.
std::string marc_language(std::string_view tag);

}  // namespace lumina::books

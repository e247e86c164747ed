// Filters read out of a sentence, by rule: "short french novels after 1990" asks for French books of at most
// 200 pages, published in 1991 or later, about novels.
//
// A sentence is taken so only when it has the shape
//   [find|show me|i want ...] {short|long|available|LANGUAGE} NOUN {by NAME | about WORDS | in LANGUAGE |
//   after|since|before|until|from|in YEAR | between YEAR and YEAR | of the 1990s | WORDS}
// where NOUN is a word for books (books, novels, stories, poems, plays, ...), or ends in such a time, so that
// titles ("The French Lieutenant's Woman") stay titles. What is no filter is left to be searched for.
// Thread-safe.
#pragma once
#include "modules/books/search_model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

struct Interpreted {
  std::string rest;  // of the sentence; may be empty
  std::vector<UsedFilter> filters;
  // The same as filters of a search.
  std::optional<std::string> language, author;
  std::optional<int> year_from, year_to, pages_from, pages_to;
  std::optional<bool> available;
};

// Nothing when it is no such sentence.
std::optional<Interpreted> interpret(std::string_view sentence);

}  // namespace lumina::books

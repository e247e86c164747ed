// Where the words of a query stand in a text, and the text with those places marked.
#pragma once
#include "core/search/plan.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::search {

struct Mark {
  std::size_t start = 0, end = 0;  // code points of the whole text, end one past the last
};
struct Marked {
  std::string text;         // HTML-escaped, marked with <mark> and </mark>; a piece of a long text
  std::vector<Mark> marks;  // all in that piece, in order
};

// At most about `most` code points around the densest group of marks, cut between words, with an ellipsis
// where something is left out. Nothing is marked: text is empty. `field` is a bit: leaves that look
// elsewhere do not count.
Marked highlight(const Plan& plan, std::string_view text, Language language, std::uint32_t field,
                 std::size_t most);

// & < > " ' as references.
std::string escape_html(std::string_view text);

}  // namespace lumina::search

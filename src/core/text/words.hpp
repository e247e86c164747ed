// Words of a text, with the places they came from.
//
// A word is a run of letters, marks and digits of any script; an apostrophe (' or ’) between two letters
// belongs to it ("don't", "O’Brien"), any other sign ends it. Scripts written without spaces (Han, Hiragana,
// Katakana) give overlapping pairs when `cjk_bigrams` is set, else one word a run. Emoji and punctuation are
// no words. Any bytes are welcome: what is not UTF-8 separates words. Time grows with the length.
// Thread-safe.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::text {

// A piece of the text that was given; `text` points into it. Offsets in bytes, `end` one past the last.
struct Slice {
  std::string_view text;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct WordOptions {
  bool cjk_bigrams = false;
};

std::vector<Slice> words(std::string_view utf8, WordOptions options = {});

// What an index stores and a query asks for: words, folded, stemmed (see stem.hpp) and, when `language` is
// empty, not stemmed. `begin` and `end` are the word's place in the text. Empty results of folding are left
// out.
struct Term {
  std::string text;
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<Term> terms(std::string_view utf8, std::string_view language, WordOptions options = {});

}  // namespace lumina::text

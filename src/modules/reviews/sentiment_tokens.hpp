// The words of a text as both analysers read them: folded, contractions written out, markup left out.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lumina::reviews {

// A folded word without its clitic: "didn't" and "didnt" are {"did", true}, "author's" is {"author", false}.
struct PlainWord {
  std::string_view head;  // points into the word given, or to a constant
  bool negated = false;   // a "not" follows the head
};
PlainWord plain_word(std::string_view folded);

// Whether the word is the name of an HTML tag or entity, seen by what stands right before it.
bool is_markup(std::string_view folded, std::string_view gap_before);

// Whether a reader pauses in what stands between two words: a comma, full stop, dash, bracket.
bool ends_clause(std::string_view gap);
// Whether the pause is so long that no negation reaches over it.
bool ends_thought(std::string_view gap);

}  // namespace lumina::reviews

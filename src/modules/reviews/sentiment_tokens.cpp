#include "modules/reviews/sentiment_tokens.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lumina::reviews {

PlainWord plain_word(std::string_view word) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr auto odd = std::to_array<Pair>({
      {"can't", "can"}, {"won't", "will"}, {"shan't", "shall"},  {"ain't", "is"},      {"cannot", "can"},
      {"cant", "can"},  {"wont", "will"},  {"dont", "do"},       {"didnt", "did"},     {"doesnt", "does"},
      {"isnt", "is"},   {"wasnt", "was"},  {"arent", "are"},     {"werent", "were"},   {"havent", "have"},
      {"hasnt", "has"}, {"hadnt", "had"},  {"wouldnt", "would"}, {"couldnt", "could"}, {"shouldnt", "should"},
  });
  const std::size_t mark = word.rfind('\'');
  const bool may_negate = word.ends_with("nt") || word.ends_with("n't") || word == "cannot";
  if (may_negate && word.size() >= 4 && word.size() <= 9) {
    const auto* const found =
        std::find_if(odd.begin(), odd.end(), [word](const Pair& p) { return p.first == word; });
    if (found != odd.end()) return {found->second, true};
    if (word.ends_with("n't")) return {word.substr(0, word.size() - 3), true};
  }
  // 's, 'd, 've, 'll, 're, 'm; "o'brien" keeps its apostrophe.
  if (mark == std::string_view::npos || word.size() - mark > 3) return {word, false};
  return {word.substr(0, mark), false};
}

bool is_markup(std::string_view folded, std::string_view gap) {
  if (gap.empty() || (gap.back() != '<' && gap.back() != '&' && !gap.ends_with("</"))) return false;
  static constexpr auto names =
      std::to_array<std::string_view>({"br", "p", "i", "b", "em", "strong", "a", "li", "ul", "div", "span",
                                       "quot", "amp", "lt", "gt", "nbsp"});
  return std::find(names.begin(), names.end(), folded) != names.end();
}

bool ends_thought(std::string_view gap) {
  return gap.find_first_of(";()[]") != std::string_view::npos || gap.find("--") != std::string_view::npos;
}

bool ends_clause(std::string_view gap) {
  return ends_thought(gap) || gap.find_first_of(",:.!?\n") != std::string_view::npos ||
         gap.find(" - ") != std::string_view::npos;
}

}  // namespace lumina::reviews

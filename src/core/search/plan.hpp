// What a query means for this index: its words looked up, mended where the index lacks them, joined by their
// synonyms, and put together as a condition that matcher.hpp evaluates.
//
// A sentence asks for all of its words first and for some of them after that; stop words in it do nothing,
// and what is quoted must be there. A query with other signs is a condition. A word matches any word with its
// stem in the language of the record; a quoted phrase matches exactly its words. Names that are no text field
// (a year, a language) are given to Rules::special.
#pragma once
#include "core/search/index.hpp"
#include "core/search/query.hpp"

#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::search {

// A condition on what is not text.
struct Condition {
  enum class On : std::uint8_t { facet, number, live, nothing };
  On on = On::nothing;  // nothing: never true
  std::size_t index = 0;
  std::int64_t least = std::numeric_limits<std::int64_t>::min() + 1;  // absent numbers are below
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::function<bool(std::string_view)> accepts;  // facet: any of the document's values
};

// One of the ways in which something asked for may stand in a document.
struct Alternative {
  enum class Kind : std::uint8_t { word, exact, prefix, phrase };
  Kind kind = Kind::word;
  std::vector<std::string> words;  // folded; several for phrases only
  double weight = 1;
};

struct Leaf {
  std::vector<Alternative> alternatives;
  std::uint32_t fields = ~0U;  // bits of the fields looked into
  bool negative = false;       // no score, no mark: under a NOT, a filter, a stop word
  bool optional = false;       // a stop word of a sentence
  bool required = false;       // of a sentence, a phrase or filter: what lacks it is not found
  std::string shown;           // as typed, for explanations
};

struct Expression {
  enum class Kind : std::uint8_t { all, any, none_of, leaf, condition, sentence };
  Kind kind = Kind::all;
  std::vector<Expression> children;
  std::size_t leaf = 0;
  std::optional<Condition> condition;
};

struct Plan {
  Expression where;  // of kind all without children: everything
  std::vector<Leaf> leaves;
  // The query with the words put right that the index lacks; empty: none was.
  std::string corrected;
  std::vector<std::int64_t> pinned;  // documents that come first
};

// Made by librarians. Keys are folded words joined by one space.
struct Vocabulary {
  std::map<std::string, std::vector<std::string>, std::less<>> synonyms;
  std::set<std::string, std::less<>> stop_words;
};
std::string vocabulary_key(std::string_view text);

struct Rules {
  std::optional<int> slips;  // 0: nothing is mended; 1, 2: so much in any word; empty: by length
  const Vocabulary* vocabulary = nullptr;
  bool prefix_last = true;  // the last word of a sentence may be the beginning of one
  // Text fields by name, as bits; nothing for others.
  std::function<std::optional<std::uint32_t>(std::string_view)> field;
  // A condition for name:text of another kind, or what is wrong with the text.
  std::function<std::expected<Condition, std::string>(std::string_view name, std::string_view text)> special;
};

std::expected<Plan, Fault> make_plan(const Snapshot& snapshot, const Query& query, std::string_view text,
                                     const Rules& rules);

// Terms of a segment that a word of a query stands for, and the languages of documents in which it does.
struct Meant {
  TermNumber term;
  LanguageSet languages;
};
std::vector<Meant> meant_by(const Segment& segment, const Alternative& one_word);
// Whether any document, living or dead, has a word with one of its stems.
bool is_known(const Snapshot& snapshot, std::string_view folded_word);

}  // namespace lumina::search

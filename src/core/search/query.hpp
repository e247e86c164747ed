// The query language, read by recursive descent.
//
//   query   = all { "OR" all }
//   all     = one { ["AND"] one }
//   one     = { "NOT" | "-" } piece
//   piece   = "(" query ")" | [ name ":" ] ( "(" query ")" | phrase | word [ "*" ] )
//   phrase  = '"' words '"'
//
// Operators are written in capitals. `name` must be one that the caller knows; anything else with a colon is
// a word ("Re:Zero"). Text without any sign of the language but parentheses is `plain`, a sentence: its words
// are to be ranked, not conditions; with quoted phrases in it those are conditions. At most 1,000 code
// points, 20 levels and, with signs, 64 words; whatever is beyond, an unclosed quote or parenthesis, an
// operator without operands: a Fault with the place in code points. Any bytes are welcome. Thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::search {

struct Node {
  enum class Kind : std::uint8_t { all, any, none_of, word, prefix, phrase };
  Kind kind = Kind::all;
  std::vector<Node> children;  // all, any; none_of has one
  std::string text;            // as typed
  std::string field;           // empty: any field
  std::size_t at = 0;          // of the text, in bytes of the query
  std::size_t begin = 0;       // of the field's name, when there is one
};

struct Query {
  Node root;             // Kind::all, perhaps without children
  bool plain = true;     // words and nothing else
  bool sentence = true;  // words and quoted phrases
};

struct Fault {
  std::size_t position = 0;  // in code points, from 0
  std::string message;
};

constexpr std::size_t most_query_length = 1000, most_query_words = 64, most_query_depth = 20;

using KnowsField = std::function<bool(std::string_view lower_name)>;
std::expected<Query, Fault> parse_query(std::string_view text, const KnowsField& knows_field);

// The query as text that parses to the same; for messages and tests.
std::string to_text(const Node& node);

}  // namespace lumina::search

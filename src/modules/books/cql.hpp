// The Contextual Query Language of SRU, as a tree. Pure, thread-safe.
//
// Read are clauses with and without index and relation, the booleans and, or, not, parentheses, quoted terms
// and sortBy; prefix assignments are passed over. Everything else is a diagnostic of SRU. Nesting is bounded
// at 64. Source: CQL 1.2 (Library of Congress), searchRetrieve part 5.
#pragma once
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace lumina::books {

// info:srw/diagnostic/1/<number>
struct SruDiagnostic {
  int number = 10;
  std::string details, message;
};

struct CqlNode {
  enum class Kind { clause, both, either, without };  // and, or, not
  Kind kind = Kind::clause;
  std::string index, relation, term;  // of a clause; index in lower case, relation "=" when not said
  std::unique_ptr<CqlNode> left, right;
};
struct CqlQuery {
  std::unique_ptr<CqlNode> root;
  std::string sort;  // index to sort by, in lower case
  bool descending = false;
};

std::expected<CqlQuery, SruDiagnostic> parse_cql(std::string_view text);

}  // namespace lumina::books

#include "modules/books/cql.hpp"

#include "core/base/text.hpp"

#include <optional>

namespace lumina::books {
namespace {

constexpr int deepest = 64;
constexpr int most_booleans = 20;  // each is a level of the statement's condition, and SQLite has some eighty

struct Token {
  enum class Kind { end, word, quoted, symbol };
  Kind kind = Kind::end;
  std::string text;
  std::size_t at = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  std::expected<CqlQuery, SruDiagnostic> parse() {
    CqlQuery query;
    query.root = expression(0);
    if (!fault_ && is_word("sortby")) sort(query);
    if (!fault_ && token_.kind != Token::Kind::end) complain(10, "unexpected \"" + token_.text + "\"");
    if (fault_) return std::unexpected(std::move(*fault_));
    return query;
  }

 private:
  void complain(int number, std::string details) {
    if (fault_) return;
    fault_ = SruDiagnostic{number, std::move(details), {}};
    if (number == 10) {
      fault_->message =
          "Query syntax error at character " + std::to_string(token_.at + 1) + ": " + fault_->details;
    }
  }

  static bool ends_word(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')' || c == '=' || c == '<' ||
           c == '>' || c == '/' || c == '"';
  }
  void advance() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    token_ = {Token::Kind::end, {}, at_};
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '"') {
      token_.kind = Token::Kind::quoted;
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        token_.text += text_[at_];
      }
      if (at_ == text_.size()) return complain(10, "a quotation mark is not closed");
      ++at_;
      return;
    }
    if (ends_word(c)) {
      token_.kind = Token::Kind::symbol;
      token_.text = c;
      ++at_;
      const bool two =
          at_ < text_.size() && ((c == '=' && text_[at_] == '=') || (c == '<' && text_[at_] == '>') ||
                                 ((c == '<' || c == '>') && text_[at_] == '='));
      if (two) token_.text += text_[at_++];
      return;
    }
    token_.kind = Token::Kind::word;
    while (at_ < text_.size() && !ends_word(text_[at_])) token_.text += text_[at_++];
  }
  bool is_symbol(std::string_view symbol) const {
    return token_.kind == Token::Kind::symbol && token_.text == symbol;
  }
  bool is_word(std::string_view word) const {
    return token_.kind == Token::Kind::word && iequals(token_.text, word);
  }
  bool is_boolean() const { return is_word("and") || is_word("or") || is_word("not") || is_word("prox"); }

  std::unique_ptr<CqlNode> expression(int depth) {
    if (depth > deepest) {
      complain(10, "too deeply nested");
      return {};
    }
    auto left = clause(depth);
    while (!fault_ && is_boolean()) {
      auto node = std::make_unique<CqlNode>();
      if (++booleans_ > most_booleans) complain(38, std::to_string(most_booleans));
      if (is_word("prox")) complain(37, "prox");
      node->kind = is_word("and")  ? CqlNode::Kind::both
                   : is_word("or") ? CqlNode::Kind::either
                                   : CqlNode::Kind::without;
      advance();
      if (is_symbol("/")) complain(46, "modifiers of booleans");
      node->left = std::move(left);
      node->right = clause(depth);
      left = std::move(node);
    }
    return left;
  }

  std::unique_ptr<CqlNode> clause(int depth) {
    // > prefix = "identifier", or > "identifier": the index names are the usual ones whatever they are
    // called.
    while (!fault_ && is_symbol(">")) {
      advance();
      advance();
      if (!is_symbol("=")) continue;
      advance();
      advance();
    }
    if (fault_) return {};
    if (is_symbol("(")) {
      advance();
      auto inner = expression(depth + 1);
      if (!fault_ && !is_symbol(")")) complain(10, "a parenthesis is not closed");
      if (!fault_) advance();
      return inner;
    }
    if (token_.kind != Token::Kind::word && token_.kind != Token::Kind::quoted) {
      complain(10,
               token_.kind == Token::Kind::end ? "a term is missing" : "unexpected \"" + token_.text + "\"");
      return {};
    }
    if (is_boolean() || is_word("sortby")) {
      complain(10, "a term is missing before \"" + token_.text + "\"");
      return {};
    }
    auto node = std::make_unique<CqlNode>();
    const Token first = token_;
    advance();
    if (const auto relation = take_relation()) {
      node->index = ascii_lower(first.text);
      node->relation = *relation;
      if (is_symbol("/")) complain(20, "modifiers of relations");
      if (!fault_ && token_.kind != Token::Kind::word && token_.kind != Token::Kind::quoted)
        complain(10, "a term is missing");
      node->term = token_.text;
      if (!fault_) advance();
    } else {
      node->relation = "=";
      node->term = first.text;
    }
    return node;
  }

  std::optional<std::string> take_relation() {
    std::optional<std::string> relation;
    if (token_.kind == Token::Kind::symbol && token_.text != "(" && token_.text != ")" &&
        token_.text != "/") {
      relation = token_.text;
    } else if (token_.kind == Token::Kind::word && !is_boolean() && !is_word("sortby")) {
      relation = ascii_lower(token_.text);
    }
    if (relation) advance();
    return relation;
  }

  void sort(CqlQuery& query) {
    advance();
    if (token_.kind != Token::Kind::word) return complain(10, "sortBy names no index");
    query.sort = ascii_lower(token_.text);
    advance();
    while (!fault_ && is_symbol("/")) {
      advance();
      if (is_word("sort.descending") || is_word("descending"))
        query.descending = true;
      else if (!is_word("sort.ascending") && !is_word("ascending"))
        return complain(20, token_.text);
      advance();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token token_;
  std::optional<SruDiagnostic> fault_;
  int booleans_ = 0;
};

}  // namespace

std::expected<CqlQuery, SruDiagnostic> parse_cql(std::string_view text) { return Parser(text).parse(); }

}  // namespace lumina::books

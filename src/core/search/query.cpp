#include "core/search/query.hpp"

#include "core/base/text.hpp"

#include <optional>
#include <utility>

namespace lumina::search {
namespace {

enum class Sign : std::uint8_t { end, open, close, all, any, none_of, name, phrase, word, prefix };

struct Piece {
  Sign sign = Sign::end;
  std::string_view text;
  std::size_t at = 0;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

class Parser {
 public:
  Parser(std::string_view text, const KnowsField& knows_field) : text_(text), knows_field_(knows_field) {}

  std::expected<Query, Fault> run() {
    if (utf8_length(text_) > most_query_length)
      return fault(utf8_prefix(text_, most_query_length).size(), "is longer than 1,000 characters");
    advance();
    Query query;
    if (next_.sign == Sign::end && !fault_) return query;
    Node root = any(0);
    if (!fault_ && next_.sign == Sign::close) refuse(next_.at, "a parenthesis is closed that was not opened");
    if (!plain_ && words_ > most_query_words) refuse(one_too_many_, "has more than 64 words");
    if (fault_) return std::unexpected(std::move(*fault_));
    query.plain = plain_ && !quoted_;
    query.sentence = plain_;
    if (root.kind == Node::Kind::all)
      query.root = std::move(root);
    else
      query.root.children.push_back(std::move(root));
    return query;
  }

 private:
  std::unexpected<Fault> fault(std::size_t at, std::string message) const {
    return std::unexpected(Fault{utf8_length(text_.substr(0, at)), std::move(message)});
  }
  void refuse(std::size_t at, std::string message) {
    if (!fault_) fault_ = Fault{utf8_length(text_.substr(0, at)), std::move(message)};
    next_ = {Sign::end, {}, text_.size()};
    at_ = text_.size();
  }

  void advance() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    const std::size_t begin = at_;
    if (at_ >= text_.size()) {
      next_ = {Sign::end, {}, begin};
      return;
    }
    const char c = text_[at_];
    if (c == '(' || c == ')') {
      ++at_;
      next_ = {c == '(' ? Sign::open : Sign::close, text_.substr(begin, 1), begin};
      return;
    }
    if (c == '"') {
      const auto end = text_.find('"', begin + 1);
      quoted_ = true;
      if (end == std::string_view::npos) return refuse(begin, "a quote is not closed");
      at_ = end + 1;
      next_ = {Sign::phrase, text_.substr(begin + 1, end - begin - 1), begin};
      return;
    }
    const bool follows_word = begin > 0 && !is_space(text_[begin - 1]) && text_[begin - 1] != '(';
    if (c == '-' && !follows_word && begin + 1 < text_.size() && !is_space(text_[begin + 1]) &&
        text_[begin + 1] != '-') {
      ++at_;
      plain_ = false;
      next_ = {Sign::none_of, text_.substr(begin, 1), begin};
      return;
    }
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '(' && text_[at_] != ')' &&
           text_[at_] != '"') {
      if (text_[at_] == ':' && at_ > begin && at_ + 1 < text_.size() && !is_space(text_[at_ + 1]) &&
          text_[at_ + 1] != ')' && knows_field_(ascii_lower(text_.substr(begin, at_ - begin)))) {
        next_ = {Sign::name, text_.substr(begin, at_ - begin), begin};
        ++at_;
        plain_ = false;
        return;
      }
      ++at_;
    }
    auto word = text_.substr(begin, at_ - begin);
    if (word == "AND" || word == "OR" || word == "NOT") {
      plain_ = false;
      next_ = {word == "AND" ? Sign::all : word == "OR" ? Sign::any : Sign::none_of, word, begin};
      return;
    }
    const bool prefix = word.size() > 1 && word.ends_with('*');
    if (prefix) {
      plain_ = false;
      word.remove_suffix(1);
    }
    next_ = {prefix ? Sign::prefix : Sign::word, word, begin};
  }

  Node any(std::size_t depth) {
    Node first = all(depth);
    if (next_.sign != Sign::any) return first;
    Node out;
    out.kind = Node::Kind::any;
    out.at = first.at;
    out.children.push_back(std::move(first));
    while (!fault_ && next_.sign == Sign::any) {
      advance();
      out.children.push_back(all(depth));
    }
    return out;
  }

  Node all(std::size_t depth) {
    Node out;
    out.at = next_.at;
    out.children.push_back(one(depth));
    while (!fault_ && next_.sign != Sign::end && next_.sign != Sign::close && next_.sign != Sign::any) {
      if (next_.sign == Sign::all) advance();
      out.children.push_back(one(depth));
    }
    return out;
  }

  Node one(std::size_t depth) {
    if (next_.sign != Sign::none_of) return piece(depth);
    Node out;
    out.kind = Node::Kind::none_of;
    out.at = next_.at;
    bool negative = false;
    while (next_.sign == Sign::none_of) {
      negative = !negative;
      advance();
    }
    Node inner = piece(depth);
    if (!negative) return inner;
    out.children.push_back(std::move(inner));
    return out;
  }

  Node piece(std::size_t depth) {
    Node out;
    out.at = out.begin = next_.at;
    if (depth >= most_query_depth) {
      refuse(next_.at, "parentheses are nested deeper than 20 levels");
      return out;
    }
    switch (next_.sign) {
      case Sign::open: {
        const auto opened = next_.at;
        advance();
        if (next_.sign == Sign::close) refuse(opened, "parentheses hold nothing");
        out = any(depth + 1);
        if (fault_) return out;
        if (next_.sign != Sign::close)
          refuse(opened, "a parenthesis is not closed");
        else
          advance();
        return out;
      }
      case Sign::name: {
        const std::string field = ascii_lower(next_.text);
        if (!field_.empty()) {
          refuse(next_.at, "a field stands inside another");
          return out;
        }
        field_ = field;
        const auto begin = next_.at;
        advance();
        out = piece(depth + 1);
        out.begin = begin;
        field_.clear();
        return out;
      }
      case Sign::phrase:
      case Sign::word:
      case Sign::prefix:
        out.kind = next_.sign == Sign::phrase ? Node::Kind::phrase
                   : next_.sign == Sign::word ? Node::Kind::word
                                              : Node::Kind::prefix;
        out.text = next_.text;
        out.field = field_;
        if (++words_ == most_query_words + 1) one_too_many_ = next_.at;
        advance();
        return out;
      case Sign::end:
        refuse(next_.at, "something is missing at the end");
        return out;
      default:
        refuse(next_.at, "'" + std::string(next_.text) + "' stands where a word is expected");
        return out;
    }
  }

  std::string_view text_;
  const KnowsField& knows_field_;
  std::size_t at_ = 0, words_ = 0, one_too_many_ = 0;
  Piece next_;
  std::string field_;
  bool plain_ = true, quoted_ = false;
  std::optional<Fault> fault_;
};

}  // namespace

std::expected<Query, Fault> parse_query(std::string_view text, const KnowsField& knows_field) {
  return Parser(text, knows_field).run();
}

std::string to_text(const Node& node) {
  const auto joined = [&](std::string_view with) {
    std::string out = "(";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      if (i > 0) out += with;
      out += to_text(node.children[i]);
    }
    return out + ")";
  };
  const std::string field = node.field.empty() ? "" : node.field + ":";
  switch (node.kind) {
    case Node::Kind::all:
      return joined(" AND ");
    case Node::Kind::any:
      return joined(" OR ");
    case Node::Kind::none_of:
      return "NOT " + to_text(node.children[0]);
    case Node::Kind::word:
      return field + node.text;
    case Node::Kind::prefix:
      return field + node.text + "*";
    case Node::Kind::phrase:
      return field + "\"" + node.text + "\"";
  }
  return {};
}

}  // namespace lumina::search

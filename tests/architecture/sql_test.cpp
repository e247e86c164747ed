// Migrations exist for both databases, and statements never carry values in their text.
#include "architecture/source_tree.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <regex>
#include <set>

namespace lumina::architecture {
namespace {

// Names of migrations by database folder.
using Migrations = std::map<std::string, std::set<std::string>>;

Findings migrations_are_twins(const Migrations& migrations) {
  static const std::regex shape("[0-9]{4}_[a-z0-9_]+\\.sql");
  Findings findings;
  std::set<std::string> all;
  for (const auto& [folder, names] : migrations) all.insert(names.begin(), names.end());
  std::set<std::string> numbers;
  for (const auto& name : all) {
    if (!std::regex_match(name, shape)) findings.push_back(name + ": is not called NNNN_name.sql");
    if (!numbers.insert(name.substr(0, 4)).second) findings.push_back(name + ": its number is taken");
    for (const auto& [folder, names] : migrations)
      if (!names.contains(name)) findings.push_back(name + ": is missing in " + folder);
  }
  return findings;
}

// The text with its comments blanked and each literal shrunk to "S" where it reads like SQL, "F" where it is
// SQL with places for a formatter, "$" where it ends in the sign of a placeholder, "x" otherwise. Lines stay
// where they are.
std::string masked(std::string_view text) {
  static const std::regex sql(
      "(^|[^A-Za-z])(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|WHERE|AND|VALUES|ORDER "
      "BY|LIMIT|SET|JOIN)([^A-Za-z]|$)");
  std::string out;
  const auto mask = [&](const std::string& literal) {
    const bool like_sql = std::regex_search(literal, sql);
    const bool has_places =
        literal.find("{}") != std::string::npos || literal.find("{0") != std::string::npos;
    out += '"';
    out += like_sql && literal.ends_with('$') ? '$' : like_sql && has_places ? 'F' : like_sql ? 'S' : 'x';
    out.append(static_cast<std::size_t>(std::ranges::count(literal, '\n')), '\n');
    out += '"';
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    std::size_t taken = 1;
    if (rest.starts_with("//")) {
      taken = rest.find('\n');
    } else if (rest.starts_with("/*")) {
      taken = std::min(rest.find("*/", 2), rest.size() - 2) + 2;
      out.append(static_cast<std::size_t>(std::ranges::count(rest.substr(0, taken), '\n')), '\n');
    } else if (rest.starts_with("R\"")) {
      const auto open = std::min(rest.find('('), rest.size());
      const std::string close = ")" + std::string(rest.substr(2, open - 2)) + "\"";
      const auto end = std::min(rest.find(close, open), rest.size() - 1);
      mask(std::string(rest.substr(open + 1, end - open - 1)));
      taken = end + close.size();
    } else if (rest.front() == '"') {
      while (taken < rest.size() && rest[taken] != '"') taken += rest[taken] == '\\' ? 2 : 1;
      mask(std::string(rest.substr(1, taken - 1)));
      ++taken;
    } else if (rest.front() == '\'' && rest.size() > 2 && (rest[1] == '\\' || rest[2] == '\'')) {
      taken = rest.find('\'', rest[1] == '\\' ? 3 : 2);
      if (taken != std::string_view::npos) ++taken;
      out += "' '";
    } else {
      out += rest.front();
    }
    i += std::min(taken, rest.size());
  }
  return out;
}

// Walks from one literal of a masked text over the literals and terms that + joins to it.
class Chain {
 public:
  Chain(std::string_view text, std::size_t open, std::size_t close)
      : text_(text), begin_(open), end_(close + 1) {}

  // The next term to the right: empty when nothing more is joined.
  std::optional<std::string> next() {
    skip_right();
    if (end_ < text_.size() && text_[end_] == '"') return take_literal_right();
    if (text_.substr(end_, 2) == "<<") {
      ++end_;
    } else if (end_ >= text_.size() || text_[end_] != '+' || text_.substr(end_, 2) == "+=") {
      return std::nullopt;
    }
    ++end_;
    skip_right();
    const auto from = end_;
    for (int depth = 0; end_ < text_.size(); ++end_) {
      if (text_.substr(end_, 2) == "::") ++end_;
      const char c = text_[end_] == ':' && text_[end_ - 1] == ':' ? 'a' : text_[end_];
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (depth == 0 && std::string_view("+,;)]}?:<").find(c) != std::string_view::npos) break;
      if (c == ')' || c == ']' || c == '}') --depth;
    }
    return trimmed(text_.substr(from, end_ - from));
  }

  // The next term to the left.
  std::optional<std::string> previous() {
    skip_left();
    if (begin_ > 0 && text_[begin_ - 1] == '"') return take_literal_left();
    if (begin_ == 0 || text_[begin_ - 1] != '+') return std::nullopt;
    --begin_;
    const auto to = begin_;
    for (int depth = 0; begin_ > 0; --begin_) {
      if (begin_ > 1 && text_.substr(begin_ - 2, 2) == "::") --begin_;
      const char c = text_[begin_ - 1] == ':' && text_[begin_] == ':' ? 'a' : text_[begin_ - 1];
      if (c == ')' || c == ']') ++depth;
      if (depth == 0 && std::string_view("+,;([{}=?:").find(c) != std::string_view::npos) break;
      if (c == '(' || c == '[') --depth;
    }
    auto term = trimmed(text_.substr(begin_, to - begin_));
    if (term.starts_with("return ")) term.erase(0, 7);
    return term;
  }

 private:
  static bool space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  static std::string trimmed(std::string_view text) {
    while (!text.empty() && space(text.front())) text.remove_prefix(1);
    while (!text.empty() && space(text.back())) text.remove_suffix(1);
    return std::string(text);
  }
  void skip_right() {
    while (end_ < text_.size() && space(text_[end_])) ++end_;
  }
  void skip_left() {
    while (begin_ > 0 && space(text_[begin_ - 1])) --begin_;
  }
  std::string take_literal_right() {
    const auto close = text_.find('"', end_ + 1);
    const auto literal = text_.substr(end_, close + 1 - end_);
    end_ = close + 1;
    return std::string(literal);
  }
  std::string take_literal_left() {
    const auto open = text_.rfind('"', begin_ - 2);
    const auto literal = text_.substr(open, begin_ - open);
    begin_ = open;
    return std::string(literal);
  }

  std::string_view text_;
  std::size_t begin_;
  std::size_t end_;
};

// Terms that may stand in a statement although the rule cannot see what they hold. Every line is a promise
// that no value of a caller gets there.
struct Promise {
  std::string_view file;
  std::string_view term;  // "format" for a literal that is formatted
};
constexpr Promise promises[] = {
    // The parameter of a lambda that collects conditions; order_of picks one of its constants.
    {"src/modules/books/listing_query.cpp", "condition"},
    {"src/modules/books/repository.cpp", "order_by(order)"},
    {"src/modules/books/repository.cpp", "std::string(order.expression)"},
    // A column, from the four calls in facets.
    {"src/modules/books/repository.cpp", "expression"},
    {"src/modules/books/listing_query.cpp", "e"},
    // One of the constants of order_by.
    {"src/modules/reviews/repository.cpp", "std::string(order_by(order))"},
    // "$1, $2, ...", as many as one of three fixed lengths: made by Ids::bind.
    {"src/modules/books/search_repository.cpp", "places"},
    // The name of an expression of the statement, and numbers of placeholders.
    {"src/core/events/journal.cpp", "format"},
    // A condition without parameters, a constant of loan_query.cpp.
    {"src/modules/borrows/loan_moves.cpp", "free_copy"},
};

// A statement is a literal, or literals joined with constants, columns (x.list()) and placeholders
// (x.bind(value)).
Findings statements_carry_no_values(const Sources& sources) {
  static const std::regex placeholder("([A-Za-z_0-9.]+(\\.|->))?bind\\((.|\\n)*\\)");
  static const std::regex columns("[a-z_0-9.]+\\.list\\(\\)");
  static const std::regex journal("(events::)?Journal::attached\\(\"x\", [0-9]+\\)");  // a name, placeholders
  // Conditions that were collected piece by piece, each seen by this rule where it was added.
  static const std::regex collected("[a-z_]+\\.(where|order_by)");
  static const std::regex name("[a-z_0-9]+");
  static const std::regex formats("(format|format_to|sprintf|print)\\s*\\(\\s*$");
  Findings findings;
  for (const auto& file : sources) {
    const auto text = masked(file.text);
    const auto promised = [&](std::string_view term) {
      return std::ranges::any_of(promises,
                                 [&](const Promise& p) { return p.file == file.path && p.term == term; });
    };
    const auto harmless = [&](const std::string& term, bool after_dollar) {
      if (term.starts_with('"') || promised(term)) return true;
      if (after_dollar && term.starts_with("std::to_string(")) return true;
      if (std::regex_match(term, placeholder) || std::regex_match(term, columns) ||
          std::regex_match(term, collected))
        return true;
      if (std::regex_match(term, journal) || term.starts_with("fmt::format(\"F")) return true;
      if (!std::regex_match(term, name)) return false;
      const std::regex constant("\\b" + term +
                                "(\\[\\])?\\s*=\\s*(\"|[A-Za-z_0-9.>-]*\\bbind\\(|[^;,]*\\?\\s*\")");
      return std::regex_search(text, constant);
    };
    for (auto open = text.find('"'); open != std::string::npos;) {
      const auto close = text.find('"', open + 1);
      const char kind = text[open + 1];
      if (kind != 'x') {
        const auto line = 1 + static_cast<std::size_t>(
                                  std::count(text.begin(), text.begin() + static_cast<long>(open), '\n'));
        const auto before = text.substr(open > 40 ? open - 40 : 0, std::min<std::size_t>(open, 40));
        if (kind == 'F' && std::regex_search(before, formats) && !promised("format"))
          findings.push_back(at(file, line) + "formats a statement");
        bool after_dollar = kind == '$';
        Chain right(text, open, close);
        while (const auto term = right.next()) {
          if (!harmless(*term, after_dollar))
            findings.push_back(at(file, line) + "a statement is joined with " + *term);
          if (term->starts_with('"') && (*term)[1] != 'x') break;  // its own turn comes
          after_dollar = *term == "\"$\"";
        }
        Chain left(text, open, close);
        while (const auto term = left.previous()) {
          if (term->starts_with('"') && (*term)[1] != 'x') break;
          if (!harmless(*term, true))
            findings.push_back(at(file, line) + "a statement is joined with " + *term);
        }
      }
      open = close == std::string::npos ? close : text.find('"', close + 1);
    }
  }
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
  return findings;
}

Migrations migrations() {
  Migrations found;
  for (const std::string folder : {"sql/sqlite", "sql/postgresql"}) {
    found[folder];
    for (const auto& file : read_sources(folder, {".sql"}))
      found[folder].insert(file.path.substr(folder.size() + 1));
  }
  return found;
}

void require_none(const Findings& findings) {
  INFO(joined(findings));
  REQUIRE(findings.empty());
}

TEST_CASE("every migration exists for SQLite and for PostgreSQL, under the same number and name") {
  CHECK(migrations_are_twins({{"a", {"0001_start.sql"}}, {"b", {"0001_start.sql"}}}).empty());
  CHECK(migrations_are_twins({{"a", {"0001_start.sql"}}, {"b", {}}}).size() == 1);
  CHECK(migrations_are_twins({{"a", {"0001_x.sql", "0001_y.sql"}}, {"b", {"0001_x.sql", "0001_y.sql"}}})
            .size() == 1);
  CHECK(migrations_are_twins({{"a", {"1-start.sql"}}, {"b", {"1-start.sql"}}}).size() == 1);
  require_none(migrations_are_twins(migrations()));
}

TEST_CASE("the rule for statements finds values of a caller in them", "[A33]") {
  const auto count = [](std::string text) {
    return statements_carry_no_values({{"src/a.cpp", std::move(text)}}).size();
  };
  SECTION("values joined, streamed or formatted into a statement are found") {
    CHECK(count("tx.run(\"SELECT * FROM books WHERE title = '\" + title + \"'\");") == 1);
    CHECK(count("tx.run(\"SELECT * FROM books WHERE title = '\" + filter.title + \"' LIMIT 1\");") == 1);
    CHECK(count("tx.run(fmt::format(\"DELETE FROM books WHERE book_id = {}\", id));") == 1);
    CHECK(count("out << \"UPDATE books SET title = \" << title;") == 1);
    CHECK(count("sql = name + \" WHERE book_id = 1\";") == 1);
    CHECK(count("sql = \"SELECT 1 FROM books WHERE book_id = \" + std::to_string(id);") == 1);
    CHECK(count("tx.run(R\"(SELECT 1 FROM books WHERE title = )\" + title);") == 1);
    CHECK(count("where += \" AND genre = \" + *filter.genre;") == 1);
    CHECK(count("where += \" AND genre IN (\" + list_of(filter.genres) + \")\";") == 1);
  }
  SECTION("constants, columns and placeholders are not") {
    CHECK(count("tx.run(\"SELECT * FROM books \"\n \"WHERE book_id = $1\", id);") == 0);
    CHECK(count("where += \" WHERE genre = $\" + std::to_string(n);") == 0);
    CHECK(count("where += \" AND genre = \" + c.bind(*filter.genre);") == 0);
    CHECK(count("where += \" AND x LIKE \" + c.bind(tag + \"-%\") + \" ESCAPE '~'\";") == 0);
    CHECK(count("const auto n = bind(page.limit);\nsql = \"SELECT \" + columns.list() + \" LIMIT \" + n;") ==
          0);
    CHECK(
        count(
            "constexpr auto from = \" FROM books b \";\nsql = \"SELECT 1\" + from + \"WHERE b.id = $1\";") ==
        0);
  }
  SECTION("comments and prose are not") {
    CHECK(count("// \"SELECT \" + title\n/* \"SELECT \" + title */ const char quote = '\"';") == 0);
    CHECK(count("detail = \"Set from \" + name;") == 0);
  }
}

TEST_CASE("no promise about statements outlives what it was made for") {
  for (const auto& promise : promises) {
    CAPTURE(promise.file, promise.term);
    const auto text = read_text(std::filesystem::path(LUMINA_SOURCE_DIR) / promise.file);
    CHECK(text.find(promise.term) != std::string::npos);
  }
}

TEST_CASE("no statement of ours is built from the values of a caller", "[A33]") {
  require_none(statements_carry_no_values(read_sources("src", {".hpp", ".cpp"})));
}

}  // namespace
}  // namespace lumina::architecture

#include "modules/books/sru.hpp"

#include "core/base/text.hpp"
#include "core/marc/writer.hpp"
#include "core/text/fold.hpp"
#include "core/text/language_tag.hpp"
#include "core/xml/writer.hpp"
#include "modules/books/cql.hpp"
#include "modules/books/dublin_core.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/marc_record.hpp"
#include "modules/books/repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace lumina::books {
namespace {

constexpr std::int64_t most_records = 100, usual_records = 10;
constexpr std::string_view marcxml_schema = "info:srw/schema/1/marcxml-v1.1",
                           dc_schema = "info:srw/schema/1/dc-v1.1";

std::string_view message_of(int number) {
  switch (number) {
    case 4:
      return "Unsupported operation";
    case 5:
      return "Unsupported version";
    case 6:
      return "Unsupported parameter value";
    case 7:
      return "Mandatory parameter not supplied";
    case 16:
      return "Unsupported index";
    case 19:
      return "Unsupported relation";
    case 20:
      return "Unsupported relation modifier";
    case 24:
      return "Unsupported combination of relation and term";
    case 37:
      return "Unsupported boolean operator";
    case 46:
      return "Unsupported boolean modifier";
    case 61:
      return "First record position out of range";
    case 66:
      return "Unknown schema for retrieval";
    case 71:
      return "Unsupported record packing";
    case 80:
      return "Sort not supported";
    default:
      return "Query syntax error";
  }
}

enum class Field { any, title, author, subject, publisher, language, date, isbn, id };

std::optional<Field> field_of(std::string_view index) {
  static const std::map<std::string_view, Field> known = {{"", Field::any},
                                                          {"cql.serverchoice", Field::any},
                                                          {"cql.anywhere", Field::any},
                                                          {"cql.keywords", Field::any},
                                                          {"anywhere", Field::any},
                                                          {"keyword", Field::any},
                                                          {"dc.title", Field::title},
                                                          {"title", Field::title},
                                                          {"bath.title", Field::title},
                                                          {"dc.creator", Field::author},
                                                          {"dc.author", Field::author},
                                                          {"author", Field::author},
                                                          {"creator", Field::author},
                                                          {"bath.author", Field::author},
                                                          {"bath.name", Field::author},
                                                          {"dc.subject", Field::subject},
                                                          {"subject", Field::subject},
                                                          {"bath.subject", Field::subject},
                                                          {"dc.publisher", Field::publisher},
                                                          {"publisher", Field::publisher},
                                                          {"dc.language", Field::language},
                                                          {"language", Field::language},
                                                          {"dc.date", Field::date},
                                                          {"date", Field::date},
                                                          {"year", Field::date},
                                                          {"bath.isbn", Field::isbn},
                                                          {"dc.identifier", Field::isbn},
                                                          {"isbn", Field::isbn},
                                                          {"rec.identifier", Field::id},
                                                          {"rec.id", Field::id},
                                                          {"id", Field::id}};
  const auto found = known.find(index);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

// A pattern of LIKE with '~' as its escape; '*' and '?' of the term are masks.
std::string pattern_of(std::string_view term, bool whole) {
  std::string pattern = whole ? "" : "%", piece;
  const auto flush = [&] {
    for (const char c : text::fold(piece)) {
      if (c == '%' || c == '_' || c == '~') pattern += '~';
      pattern += c;
    }
    piece.clear();
  };
  for (const char c : term) {
    if (c != '*' && c != '?') {
      piece += c;
      continue;
    }
    flush();
    pattern += c == '*' ? '%' : '_';
  }
  flush();
  return whole ? pattern : pattern + "%";
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trim(text); !text.empty() && words.size() < 20; text = trim(text)) {
    const auto end = std::min(text.find_first_of(" \t\n"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// A tree of CQL as a condition on `books b`; every term is a parameter.
class Compiler {
 public:
  explicit Compiler(Conditions& conditions) : c_(conditions) {}

  std::string condition(const CqlNode& node) {
    switch (node.kind) {
      case CqlNode::Kind::both:
        return joined(node, ") AND (");
      case CqlNode::Kind::either:
        return joined(node, ") OR (");
      case CqlNode::Kind::without:
        return joined(node, ") AND NOT (");
      case CqlNode::Kind::clause:
        break;
    }
    return clause(node);
  }
  std::optional<SruDiagnostic> fault;

 private:
  std::string joined(const CqlNode& node, const char* by) {
    const auto left = condition(*node.left), right = condition(*node.right);
    return "((" + left + by + right + "))";
  }
  std::string refuse(int number, std::string details) {
    if (!fault) fault = SruDiagnostic{number, std::move(details), {}};
    return "1 = 0";
  }

  std::string clause(const CqlNode& node) {
    const auto field = field_of(node.index);
    if (!field) return refuse(16, node.index);
    const std::string& r = node.relation;
    if (*field == Field::date) return date(r, node.term);
    const bool negative = r == "<>";
    std::string out;
    if (*field == Field::isbn) {
      if (!is_equal(r)) return refuse(19, r);
      out = "b.isbn = " + c_.bind(parse_isbn(node.term).value_or(""));
    } else if (*field == Field::id) {
      if (!is_equal(r)) return refuse(19, r);
      std::int64_t id = 0;
      std::from_chars(node.term.data(), node.term.data() + node.term.size(), id);
      out = "b.id = " + c_.bind(db::to_value(id));
    } else if (*field == Field::language) {
      if (!is_equal(r)) return refuse(19, r);
      const auto tag = text::parse_imported_language(node.term).value_or("");
      const auto exact = c_.bind(tag), regional = c_.bind(tag + "-%");
      out = "(b.language = " + exact + " OR b.language LIKE " + regional + ")";
    } else if (r == "==" || r == "exact" || negative) {
      out = matches(*field, pattern_of(trim(node.term), true));
    } else if (r == "=" || r == "all" || r == "any" || r == "scr" || r == "adj") {
      const auto words = r == "adj" ? std::vector<std::string>{node.term} : words_of(node.term);
      for (const auto& word : words) {
        out += out.empty() ? "(" : r == "any" ? " OR " : " AND ";
        out += matches(*field, pattern_of(word, false));
      }
      out += out.empty() ? "1 = 1" : ")";
    } else {
      return refuse(19, r);
    }
    return negative ? "NOT COALESCE(" + out + ", 1 = 0)" : out;
  }
  static bool is_equal(std::string_view r) {
    return r == "=" || r == "==" || r == "exact" || r == "any" || r == "<>";
  }

  std::string matches(Field field, const std::string& pattern) {
    const auto p = c_.bind(pattern);
    switch (field) {
      case Field::title:
        return "b.title_key LIKE " + p + " ESCAPE '~'";
      case Field::author:
        return "b.author_key LIKE " + p + " ESCAPE '~'";
      case Field::subject:
        return "(lower(b.genre) LIKE " + p +
               " ESCAPE '~' OR EXISTS (SELECT 1 FROM book_tags t WHERE t.book_id = b.id "
               "AND lower(t.tag) LIKE " +
               p + " ESCAPE '~'))";
      case Field::publisher:
        return "lower(b.publisher) LIKE " + p + " ESCAPE '~'";
      default:
        return "(b.title_key LIKE " + p + " ESCAPE '~' OR b.author_key LIKE " + p + " ESCAPE '~')";
    }
  }

  static std::optional<int> year(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
  }
  std::string date(const std::string& r, const std::string& term) {
    if (r == "within") {
      const auto words = words_of(term);
      const auto from = words.size() == 2 ? year(words[0]) : std::nullopt;
      const auto to = words.size() == 2 ? year(words[1]) : std::nullopt;
      if (!from || !to) return refuse(24, term);
      const auto low = c_.bind(db::to_value(*from)), high = c_.bind(db::to_value(*to));
      return "b.year_published BETWEEN " + low + " AND " + high;
    }
    const auto value = year(trim(term));
    if (!value) return refuse(24, term);
    const auto p = c_.bind(db::to_value(*value));
    if (r == "=" || r == "==" || r == "exact") return "b.year_published = " + p;
    if (r == "<") return "b.year_published < " + p;
    if (r == "<=") return "b.year_published <= " + p;
    if (r == ">") return "b.year_published > " + p;
    if (r == ">=") return "b.year_published >= " + p;
    if (r == "<>") return "b.year_published <> " + p;
    return refuse(19, r);
  }

  Conditions& c_;
};

class Answer {
 public:
  Answer(db::Transaction& tx, const SruRequest& request) : tx_(tx), request_(request) {
    for (const auto& [name, value] : request.parameters) parameters_.emplace(name, value);
  }

  std::string text() {
    const std::string version = get("version").empty()
                                    ? (get("operation").empty() && !get("query").empty() ? "2.0" : "1.2")
                                    : get("version");
    v2_ = version == "2.0";
    prefix_ = v2_ ? "sruResponse" : "zs";
    std::string operation = get("operation");
    if (operation.empty()) operation = get("query").empty() ? "explain" : "searchRetrieve";
    if (operation == "explain" && get("query").empty()) return explained(version);
    if (version != "1.1" && version != "1.2" && version != "2.0") complain(5, "1.2");
    if (operation != "searchRetrieve") complain(4, operation);
    return retrieved(version);
  }

 private:
  std::string get(const char* name) const {
    const auto found = parameters_.find(name);
    return found == parameters_.end() ? std::string() : found->second;
  }
  void complain(int number, std::string details) {
    if (!fault_) fault_ = SruDiagnostic{number, std::move(details), {}};
  }
  std::string tag(std::string_view name) const { return prefix_ + ":" + std::string(name); }
  std::string_view response_namespace() const {
    return v2_ ? "http://docs.oasis-open.org/ns/search-ws/sruResponse" : "http://www.loc.gov/zing/srw/";
  }

  std::optional<std::int64_t> number(const char* name, std::int64_t usual, std::int64_t least) {
    const std::string text = get(name);
    if (text.empty()) return usual;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least) {
      complain(6, name);
      return {};
    }
    return value;
  }

  std::string retrieved(const std::string& version) {
    const auto start = number("startRecord", 1, 1), most = number("maximumRecords", usual_records, 0);
    const std::string wanted = get("recordSchema");
    const bool dc = wanted == "dc" || wanted == dc_schema;
    if (!wanted.empty() && !dc && wanted != "marcxml" && wanted != marcxml_schema) complain(66, wanted);
    const std::string packing = v2_ ? get("recordXMLEscaping") : get("recordPacking");
    if (!packing.empty() && packing != "xml" && packing != "string") complain(71, packing);
    const std::string query = get("query");
    if (query.empty()) complain(7, "query");
    Conditions conditions;
    std::string order = "b.title_key, b.id";
    if (!fault_) order = compile(query, conditions);
    std::int64_t total = 0;
    std::vector<Book> books;
    if (!fault_) {
      BookRepository repository(tx_);
      total = repository.count(conditions);
      if (*start > total && total > 0 && *most > 0) complain(61, std::to_string(*start));
      if (!fault_ && *most > 0)
        books = repository.page(conditions, order, *start - 1, std::min(*most, most_records));
    }
    std::string out;
    xml::Writer w(out);
    w.declaration();
    const std::string name = "xmlns:" + prefix_;
    w.open(tag("searchRetrieveResponse"), {{name, response_namespace()}});
    w.element(tag("version"), fault_ && fault_->number == 5 ? "1.2" : version);
    w.element(tag("numberOfRecords"), std::to_string(total));
    if (!books.empty()) {
      w.open(tag("records"));
      std::int64_t position = *start;
      for (const Book& book : books) write(book, dc, packing == "string", position++, w);
      w.close();
      if (position <= total) w.element(tag("nextRecordPosition"), std::to_string(position));
    }
    if (fault_) {
      w.open(tag("diagnostics"));
      const std::string_view space = v2_ ? "http://docs.oasis-open.org/ns/search-ws/diagnostic"
                                         : "http://www.loc.gov/zing/srw/diagnostic/";
      w.open("diag:diagnostic", {{"xmlns:diag", space}});
      w.element("diag:uri", fmt::format("info:srw/diagnostic/1/{}", fault_->number));
      w.some("diag:details", fault_->details);
      w.element("diag:message",
                fault_->message.empty() ? std::string(message_of(fault_->number)) : fault_->message);
      w.close().close();
    }
    w.close();
    out += '\n';
    return out;
  }

  // Fills the conditions; gives the order.
  std::string compile(const std::string& text, Conditions& conditions) {
    auto query = parse_cql(text);
    if (!query) {
      fault_ = std::move(query.error());
      return {};
    }
    Compiler compiler(conditions);
    const std::string condition = compiler.condition(*query->root);
    if (compiler.fault) {
      fault_ = std::move(compiler.fault);
      return {};
    }
    conditions.where += " AND " + condition;
    if (query->sort.empty()) return "b.title_key, b.id";
    const auto field = field_of(query->sort);
    if (field == Field::title) return query->descending ? "b.title_key DESC, b.id" : "b.title_key, b.id";
    if (field == Field::author) return query->descending ? "b.author_key DESC, b.id" : "b.author_key, b.id";
    if (field == Field::date)
      return query->descending ? "b.year_published DESC NULLS LAST, b.id"
                               : "b.year_published NULLS LAST, b.id";
    complain(80, query->sort);
    return {};
  }

  void write(const Book& book, bool dc, bool as_string, std::int64_t position, xml::Writer& w) const {
    w.open(tag("record"));
    w.element(tag("recordSchema"), dc ? dc_schema : marcxml_schema);
    w.element(tag(v2_ ? "recordXMLEscaping" : "recordPacking"), as_string ? "string" : "xml");
    std::string data;
    xml::Writer inner(data);
    if (dc)
      write_srw_dc(book, inner);
    else
      marc::write_marcxml(to_marc(book), inner, true);
    w.open(tag("recordData"));
    if (as_string)
      w.text(data);
    else
      w.raw(data);
    w.close();
    w.element(tag("recordPosition"), std::to_string(position));
    w.close();
  }

  std::string explained(const std::string& version) const {
    std::string out;
    xml::Writer w(out);
    w.declaration();
    const std::string name = "xmlns:" + prefix_;
    w.open(tag("explainResponse"), {{name, response_namespace()}});
    w.element(tag("version"), version == "2.0" ? "2.0" : "1.2");
    w.open(tag("record"));
    w.element(tag("recordSchema"), "http://explain.z3950.org/dtd/2.0/");
    w.element(tag(v2_ ? "recordXMLEscaping" : "recordPacking"), "xml");
    w.open(tag("recordData"));
    w.open("explain", {{"xmlns", "http://explain.z3950.org/dtd/2.0/"}});
    w.open("serverInfo",
           {{"protocol", "SRU"}, {"version", version == "2.0" ? "2.0" : "1.2"}, {"transport", "http"}});
    w.element("host", request_.host);
    w.element("port", request_.port);
    w.element("database", "sru");
    w.close();
    w.open("databaseInfo");
    w.element("title", "LuminaLib", {{"lang", "en"}, {"primary", "true"}});
    w.close();
    w.open("indexInfo");
    for (const auto& [set, uri] : std::initializer_list<std::pair<const char*, const char*>>{
             {"cql", "info:srw/cql-context-set/1/cql-v1.2"},
             {"dc", "info:srw/cql-context-set/1/dc-v1.1"},
             {"bath", "http://zing.z3950.org/cql/bath/2.0/"},
             {"rec", "info:srw/cql-context-set/2/rec-1.1"}})
      w.open("set", {{"name", set}, {"identifier", uri}}).close();
    for (const auto& [set, index, title] :
         std::initializer_list<std::tuple<const char*, const char*, const char*>>{
             {"cql", "serverChoice", "Words of title or author"},
             {"dc", "title", "Title"},
             {"dc", "creator", "Author"},
             {"dc", "subject", "Subject"},
             {"dc", "publisher", "Publisher"},
             {"dc", "language", "Language"},
             {"dc", "date", "Year of publication"},
             {"bath", "isbn", "ISBN"},
             {"rec", "identifier", "Number of the book"}}) {
      w.open("index");
      w.element("title", title);
      w.open("map");
      w.element("name", index, {{"set", set}});
      w.close().close();
    }
    w.close();
    w.open("schemaInfo");
    for (const auto& [schema, uri, title] :
         std::initializer_list<std::tuple<const char*, std::string_view, const char*>>{
             {"marcxml", marcxml_schema, "MARCXML"}, {"dc", dc_schema, "Dublin Core"}}) {
      w.open("schema", {{"name", schema}, {"identifier", uri}});
      w.element("title", title);
      w.close();
    }
    w.close();
    w.open("configInfo");
    w.element("default", std::to_string(usual_records), {{"type", "numberOfRecords"}});
    w.element("setting", std::to_string(most_records), {{"type", "maximumRecords"}});
    w.close();
    while (w.depth() > 0) w.close();
    out += '\n';
    return out;
  }

  db::Transaction& tx_;
  const SruRequest& request_;
  std::map<std::string, std::string> parameters_;
  std::string prefix_;
  bool v2_ = false;
  std::optional<SruDiagnostic> fault_;
};

}  // namespace

Task<Result<std::string>> sru_answer(db::Database& database, SruRequest request) {
  auto work = [request = std::move(request)](db::Transaction& tx) { return Answer(tx, request).text(); };
  return database.read(std::move(work));
}

}  // namespace lumina::books

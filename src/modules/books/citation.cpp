#include "modules/books/citation.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace lumina::books {
namespace {

namespace json = boost::json;

PersonName direct(std::string_view name) {
  name = trim(name);
  const auto space = name.rfind(' ');
  if (space == std::string_view::npos) return {{}, std::string(name)};
  return {std::string(trim(name.substr(0, space))), std::string(name.substr(space + 1))};
}

std::string inverted(const PersonName& name) {
  return name.given.empty() ? name.family : name.family + ", " + name.given;
}

// What TeX would take for a command.
std::string tex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        out += c;
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '\r':
      case '\n':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out;
}

// "austen1815emma": letters and digits of ASCII only, and the id, so that no two books share one.
std::string key_of(const Book& book, const std::vector<PersonName>& names) {
  const auto plain = [](std::string_view text) {
    std::string out;
    for (const char c : text::fold(text)) {
      if (c == ' ' && !out.empty()) break;
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    }
    return out;
  };
  std::string key = names.empty() ? std::string() : plain(names.front().family);
  if (book.year_published)
    key += std::to_string(*book.year_published < 0 ? -*book.year_published : *book.year_published);
  return key + plain(book.title) + "_" + std::to_string(book.id.value);
}

std::string bibtex(const Book& book) {
  const auto names = names_in(book.author);
  std::string authors;
  for (const auto& name : names) {
    if (!authors.empty()) authors += " and ";
    authors += name.given.empty() ? "{" + tex(name.family) + "}" : tex(inverted(name));
  }
  std::string out = fmt::format("@book{{{},\n", key_of(book, names));
  const auto field = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("  {} = {{{}}},\n", name, value);
  };
  const auto text = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) field(name, tex(*value));
  };
  field("author", authors);
  field("title", "{" + tex(book.title) + "}");
  if (book.year_published) field("year", std::to_string(*book.year_published));
  text("publisher", book.publisher);
  text("isbn", book.isbn);
  text("language", book.language);
  if (book.page_count) field("pagetotal", std::to_string(*book.page_count));
  std::string keywords;
  for (const auto& tag : book.tags) keywords.append(keywords.empty() ? "" : ", ").append(tex(tag));
  field("keywords", keywords);
  text("abstract", book.description);
  return out + "}\n";
}

std::string ris(const Book& book) {
  std::string out;
  const auto line = [&](std::string_view tag, std::string_view value) {
    if (value.empty()) return;
    out += fmt::format("{}  - ", tag);
    bool gap = false;
    for (const char c : value) {
      if (c == '\r' || c == '\n') {
        gap = true;
        continue;
      }
      if (std::exchange(gap, false)) out += ' ';
      out += c;
    }
    out += "\r\n";
  };
  line("TY", "BOOK");
  line("ID", std::to_string(book.id.value));
  for (const auto& name : names_in(book.author)) line("AU", inverted(name));
  line("TI", book.title);
  if (book.year_published) line("PY", std::to_string(*book.year_published));
  line("PB", book.publisher.value_or(""));
  line("SN", book.isbn.value_or(""));
  line("LA", book.language.value_or(""));
  if (book.page_count) line("SP", std::to_string(*book.page_count));
  for (const auto& tag : book.tags) line("KW", tag);
  line("AB", book.description.value_or(""));
  return out + "ER  - \r\n";
}

std::string csl(const Book& book) {
  json::object item{{"id", std::to_string(book.id.value)}, {"type", "book"}, {"title", book.title}};
  json::array authors;
  for (const auto& name : names_in(book.author)) {
    if (name.given.empty())
      authors.push_back(json::object{{"literal", name.family}});
    else
      authors.push_back(json::object{{"family", name.family}, {"given", name.given}});
  }
  item["author"] = std::move(authors);
  if (book.year_published) {
    json::array dates;  // of one date of one part; a brace list of arrays would be that array
    dates.push_back(json::array{*book.year_published});
    item["issued"] = json::object{{"date-parts", std::move(dates)}};
  }
  if (book.publisher) item["publisher"] = *book.publisher;
  if (book.isbn) item["ISBN"] = *book.isbn;
  if (book.language) item["language"] = *book.language;
  if (book.page_count) item["number-of-pages"] = *book.page_count;
  if (book.genre) item["genre"] = *book.genre;
  if (book.description) item["abstract"] = *book.description;
  return json::serialize(json::array{std::move(item)});
}

}  // namespace

std::vector<PersonName> names_in(std::string_view author) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = author; !rest.empty();) {
    const auto end = std::min(rest.find_first_of(",;"), rest.size());
    if (const auto part = trim(rest.substr(0, end)); !part.empty()) parts.push_back(part);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // "Austen, Jane" and "Doyle, Arthur Conan": one comma, and the first part is a single word.
  if (parts.size() == 2 && !parts[0].contains(' ') && !author.contains(';'))
    return {{std::string(parts[1]), std::string(parts[0])}};
  std::vector<PersonName> names;
  for (const auto part : parts) names.push_back(direct(part));
  return names;
}

std::string media_type_of(Citation style) {
  switch (style) {
    case Citation::bibtex:
      return "application/x-bibtex; charset=utf-8";
    case Citation::ris:
      return "application/x-research-info-systems; charset=utf-8";
    case Citation::csl:
      break;
  }
  return "application/vnd.citationstyles.csl+json";
}

std::string cite(const Book& book, Citation style) {
  switch (style) {
    case Citation::bibtex:
      return bibtex(book);
    case Citation::ris:
      return ris(book);
    case Citation::csl:
      break;
  }
  return csl(book);
}

std::string linked_data(const Book& book, std::string_view address) {
  json::object item{{"@context", "https://schema.org"},
                    {"@type", "Book"},
                    {"@id", address},
                    {"url", address},
                    {"name", book.title}};
  json::array authors;
  for (const auto& name : names_in(book.author)) {
    const auto shown = name.given.empty() ? name.family : name.given + " " + name.family;
    authors.push_back(json::object{{"@type", "Person"}, {"name", shown}});
  }
  item["author"] = std::move(authors);
  if (book.isbn) item["isbn"] = *book.isbn;
  if (book.year_published)
    item["datePublished"] =
        fmt::format("{}{:04}", *book.year_published < 0 ? "-" : "", std::abs(*book.year_published));
  if (book.publisher) item["publisher"] = json::object{{"@type", "Organization"}, {"name", *book.publisher}};
  if (book.language) item["inLanguage"] = *book.language;
  if (book.page_count) item["numberOfPages"] = *book.page_count;
  if (book.genre) item["genre"] = *book.genre;
  if (!book.tags.empty()) item["keywords"] = json::array(book.tags.begin(), book.tags.end());
  if (book.description) item["description"] = *book.description;
  if (book.cover_url) item["image"] = *book.cover_url;
  if (book.average_rating && book.review_count > 0)
    item["aggregateRating"] = json::object{{"@type", "AggregateRating"},
                                           {"ratingValue", *book.average_rating},
                                           {"reviewCount", book.review_count},
                                           {"bestRating", 5},
                                           {"worstRating", 1}};
  return json::serialize(item);
}

std::vector<schema::Field> CitationRequest::fields() {
  return {{"format", &CitationRequest::format, "bibtex (the default), ris or csl (CSL-JSON)"}};
}
std::vector<schema::Field> BookFormRequest::fields() {
  return {{"format", &BookFormRequest::format, "json (the default), bibtex, ris, csl, jsonld or marcxml"}};
}

}  // namespace lumina::books

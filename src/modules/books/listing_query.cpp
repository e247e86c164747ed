#include "modules/books/listing_query.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/book_row.hpp"
#include "modules/books/isbn.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lumina::books {
namespace {

// A LIKE pattern for "contains"; the escape character is '~'.
std::string containing(std::string_view text) {
  std::string pattern = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '~') pattern += '~';
    pattern += c;
  }
  return pattern + "%";
}

std::vector<std::string> folded_words(std::string_view text) {
  std::vector<std::string> words;
  const std::string folded = text::fold(text);
  std::string_view rest = folded;
  while (!(rest = trim(rest)).empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end);
    if (words.size() == 12) break;
  }
  return words;
}

}  // namespace

Conditions conditions_of(const BookFilter& filter) {
  Conditions c;
  const auto require = [&](const std::string& condition) { c.where += " AND " + condition; };
  if (filter.q)
    for (const auto& word : folded_words(*filter.q)) {
      const auto p = c.bind(containing(word));
      require("(b.title_key LIKE " + p + " ESCAPE '~' OR b.author_key LIKE " + p + " ESCAPE '~')");
    }
  if (filter.author)
    require("b.author_key LIKE " + c.bind(containing(text::fold(trim(*filter.author)))) + " ESCAPE '~'");
  if (filter.genre) require("b.genre = " + c.bind(*filter.genre));
  if (filter.isbn) require("b.isbn = " + c.bind(parse_isbn(*filter.isbn).value_or("")));
  if (filter.tag)
    require("EXISTS (SELECT 1 FROM book_tags t WHERE t.book_id = b.id AND t.tag = " + c.bind(*filter.tag) +
            ")");
  if (filter.language) {
    const auto tag = text::parse_language_tag(*filter.language).value_or("");
    const auto exact = c.bind(tag), regional = c.bind(tag + "-%");
    require("(b.language = " + exact + " OR b.language LIKE " + regional + ")");
  }
  if (filter.year_from) require("b.year_published >= " + c.bind(db::to_value(*filter.year_from)));
  if (filter.year_to) require("b.year_published <= " + c.bind(db::to_value(*filter.year_to)));
  if (filter.series) require("b.series_key = " + c.bind(text::fold(trim(*filter.series))));
  if (filter.subject)
    require(
        "EXISTS (SELECT 1 FROM book_subjects bs JOIN subjects sj ON sj.id = bs.subject_id WHERE bs.book_id = "
        "b.id AND sj.name_key = " +
        c.bind(text::fold(trim(*filter.subject))) + ")");
  if (filter.work) require("b.work_id = " + c.bind(db::to_value(*filter.work)));
  if (filter.metadata)
    for (const auto& [name, value] : metadata_leaves(*filter.metadata)) {
      if (!can_be_kept(name) || !can_be_kept(value)) {
        require("1 = 0");
        continue;
      }
      const auto n = c.bind(name), v = c.bind(value);
      require("EXISTS (SELECT 1 FROM book_metadata m WHERE m.book_id = b.id AND m.name = " + n +
              " AND m.value = " + v + ")");
    }
  if (filter.available) require(*filter.available ? "s.copies_available > 0" : "s.copies_available = 0");
  return c;
}

SortOrder order_of(const BookFilter& filter) {
  std::string_view name = filter.sort ? std::string_view(*filter.sort) : "-created_at";
  const bool descending = name.starts_with('-');
  if (descending) name.remove_prefix(1);
  if (name == "title") return {"b.title_key", 't', false, descending};
  if (name == "author") return {"b.author_key", 't', false, descending};
  if (name == "year_published") return {"b.year_published", 'i', true, descending};
  if (name == "series") return {"b.series_index", 'd', true, descending};
  if (name == "ddc") return {"b.ddc_key", 't', true, descending};
  if (name == "lcc") return {"b.lcc_key", 't', true, descending};
  if (name == "rating") return {"s.average_rating", 'd', true, descending};
  if (name == "popularity") return {"s.total_borrows", 'i', false, descending};
  return {"b.created_at", 'i', false, descending};
}

std::string order_by(const SortOrder& order) {
  const std::string direction = order.descending ? " DESC" : " ASC";
  return std::string(order.expression) + direction + (order.nullable ? " NULLS LAST" : "") + ", b.id" +
         direction;
}

std::string encode_cursor(const SortOrder& order, const db::Value& key, std::int64_t id) {
  boost::json::array cursor{std::string(order.expression) + (order.descending ? "-" : "+")};
  if (const auto* i = std::get_if<std::int64_t>(&key))
    cursor.emplace_back(*i);
  else if (const auto* d = std::get_if<double>(&key))
    cursor.emplace_back(*d);
  else if (const auto* t = std::get_if<std::string>(&key))
    cursor.emplace_back(*t);
  else
    cursor.emplace_back(nullptr);
  cursor.emplace_back(id);
  return base64url_encode(boost::json::serialize(cursor));
}

bool continue_after(const SortOrder& order, const std::string& cursor, Conditions& c) {
  const auto text = base64url_decode(cursor);
  if (!text) return false;
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error);
  if (error || !value.is_array() || value.get_array().size() != 3) return false;
  const auto& parts = value.get_array();
  if (!parts[0].is_string() || !parts[2].is_int64() ||
      parts[0].get_string() != std::string(order.expression) + (order.descending ? "-" : "+"))
    return false;
  db::Value key;
  if (parts[1].is_null() && order.nullable)
    key = {};
  else if (parts[1].is_int64() && order.code == 'i')
    key = parts[1].get_int64();
  else if (parts[1].is_number() && order.code == 'd')
    key = parts[1].to_number<double>();
  else if (parts[1].is_string() && order.code == 't')
    key = std::string(parts[1].get_string());
  else
    return false;

  const std::string e(order.expression), beyond = order.descending ? " < " : " > ";
  const std::string id = c.bind(parts[2].get_int64());
  if (key.index() == 0) {
    c.where += " AND " + e + " IS NULL AND b.id" + beyond + id;
    return true;
  }
  const std::string k = c.bind(std::move(key));
  if (order.nullable)
    c.where += " AND (" + e + beyond + k + " OR (" + e + " = " + k + " AND b.id" + beyond + id + ") OR " + e +
               " IS NULL)";
  else
    c.where += " AND (" + e + ", b.id)" + beyond + "(" + k + ", " + id + ")";
  return true;
}

}  // namespace lumina::books

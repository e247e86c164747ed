#include "modules/books/imported_record.hpp"

#include "core/base/text.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/book_row.hpp"
#include "modules/books/class_mark.hpp"
#include "modules/books/genre_map.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/normalize.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace lumina::books {
namespace {

constexpr std::size_t title_limit = 500;
constexpr std::size_t author_limit = 255;
constexpr std::size_t publisher_limit = 255;
constexpr std::size_t genre_limit = 100;
constexpr std::size_t description_limit = 20'000;
constexpr std::size_t tag_limit = 100;
constexpr std::size_t tag_count_limit = 50;
constexpr std::size_t series_limit = 300, subject_limit = 200, subject_count_limit = 100, mark_limit = 60;
constexpr std::size_t url_limit = 2000;
constexpr std::size_t work_limit = 100;
constexpr int oldest_year = -3000;
constexpr int page_limit = 100'000;
constexpr int copies_limit = 1'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> whole_number(std::string_view text) {
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return {};
    text = text.substr(0, point);
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

// The only run of four digits in the text, as in "c1851", "1979-05-01" and "December 24, 2020".
std::optional<int> only_four_digits(std::string_view text) {
  std::optional<int> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - i == 4) {
      if (found) return {};
      found = whole_number(text.substr(i, 4));
    }
    i = end;
  }
  return found;
}

std::optional<int> year_in(std::string_view text) {
  if (const auto number = whole_number(text)) return number;
  return only_four_digits(text);
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string quoted = "\"";
  quoted += utf8_prefix(text, longest);
  quoted += utf8_length(text) > longest ? "...\"" : "\"";
  return quoted;
}

class Checker {
 public:
  Checker(const BookDraft& draft, int newest_year) : draft_(draft), newest_year_(newest_year) {}

  ImportedRecord check(std::size_t line) {
    title();
    author();
    isbn();
    book_.genre = short_text("genre", draft_.genre, genre_limit);
    book_.year_published = year();
    description();
    language();
    book_.publisher = short_text("publisher", draft_.publisher, publisher_limit);
    book_.page_count = number("page_count", draft_.page_count, 1, page_limit);
    tags();
    cover();
    book_.series = short_text("series", draft_.series, series_limit);
    if (book_.series) book_.series_index = first_number(draft_.series_index);
    subjects();
    book_.ddc = class_mark("ddc", draft_.ddc, &ddc_shelf_key);
    book_.lcc = class_mark("lcc", draft_.lcc, &lcc_shelf_key);
    own_fields();
    usual_genre_name();
    book_.copies = number("copies", draft_.copies, 0, copies_limit);
    ImportedRecord record{line, std::move(book_), std::move(warnings_), {}};
    if (!faults_.empty()) {
      record.partial = std::move(*record.book);
      record.book = std::unexpected(std::move(faults_));
    }
    record.notes = draft_.notes;
    record.work = clean_line(draft_.work);
    if (utf8_length(record.work) > work_limit) record.work.clear();
    return record;
  }

 private:
  void warn(std::string_view field, std::string message, std::string type) {
    warnings_.push_back({{std::string(field)}, std::move(message), std::move(type)});
  }

  void require(std::string_view field, const std::string& text, std::size_t limit) {
    if (text.empty()) {
      faults_.push_back({{std::string(field)}, "The record has no " + std::string(field), "missing"});
    } else if (utf8_length(text) > limit) {
      faults_.push_back(
          {{std::string(field)},
           "The " + std::string(field) + " is longer than " + std::to_string(limit) + " characters",
           "length"});
    }
  }

  void title() {
    book_.title = clean_line(draft_.title);
    if (const std::string subtitle = clean_line(draft_.subtitle); !subtitle.empty() && !book_.title.empty()) {
      book_.title.append(": ").append(subtitle);
    }
    require("title", book_.title, title_limit);
  }

  void author() {
    book_.author = clean_line(draft_.author);
    // Nobody's own name holds three commas.
    bool list = draft_.author_is_list || std::ranges::count(book_.author, ',') >= 3;
    for (const std::string& other : draft_.other_authors) {
      const std::string name = clean_line(other);
      if (name.empty()) continue;
      if (!book_.author.empty()) book_.author += ", ";
      book_.author += name;
      list = true;
    }
    if (list && utf8_length(book_.author) > author_limit) shorten_authors();
    require("author", book_.author, author_limit);
  }

  void shorten_authors() {
    const std::string_view fits = utf8_prefix(book_.author, author_limit + 1);
    const std::size_t comma = fits.rfind(", ");
    if (comma == std::string_view::npos || comma == 0) return;
    book_.author.resize(comma);
    warn("author", "The list of authors is too long; only the first names were kept", "length");
  }

  void isbn() {
    std::optional<IsbnFault> fault;
    std::string_view culprit;
    for (const std::string& text : draft_.isbns) {
      auto parsed = parse_imported_isbn(text);
      if (parsed) {
        book_.isbn = *std::move(parsed);
        return;
      }
      if (parsed.error() == IsbnFault::empty) continue;
      if (!fault || *fault == IsbnFault::scientific) {
        fault = parsed.error();
        culprit = text;
      }
    }
    if (!fault) return;
    warn("isbn", std::string(describe(*fault)) + ": " + shown(clean_line(culprit)), "isbn");
  }

  std::optional<int> year() {
    const std::string text = clean_line(draft_.year);
    if (text.empty()) return {};
    const auto year = year_in(text);
    if (year && *year >= oldest_year && *year <= newest_year_ && *year != 0) return year;
    warn("year_published", shown(text) + " is no possible year", year ? "range" : "type");
    return {};
  }

  void description() {
    std::string text = clean_paragraphs(draft_.description);
    if (text.empty()) return;
    if (utf8_length(text) <= description_limit) {
      book_.description = std::move(text);
    } else {
      warn("description", "Longer than " + std::to_string(description_limit) + " characters", "length");
    }
  }

  void language() {
    const std::string text = clean_line(draft_.language);
    if (text.empty()) return;
    book_.language = text::parse_imported_language(text);
    if (!book_.language) warn("language", shown(text) + " names no language", "language");
  }

  void tags() {
    std::vector<std::string> keys;
    for (const std::string& raw : draft_.tags) {
      std::string tag = clean_line(raw);
      if (tag.empty()) continue;
      if (utf8_length(tag) > tag_limit) {
        warn("tags", "A tag is longer than " + std::to_string(tag_limit) + " characters: " + shown(tag),
             "length");
        continue;
      }
      std::string key = plain_words(tag);
      if (key.empty()) key = tag;
      if (std::ranges::find(keys, key) != keys.end()) continue;
      if (keys.size() == tag_count_limit) {
        warn("tags", "Only the first " + std::to_string(tag_count_limit) + " tags were kept", "range");
        return;
      }
      keys.push_back(std::move(key));
      book_.tags.push_back(std::move(tag));
    }
  }

  void subjects() {
    for (const std::string& raw : draft_.subjects) {
      std::string subject = clean_line(raw);
      if (subject.empty() || std::ranges::find(book_.subjects, subject) != book_.subjects.end()) continue;
      if (utf8_length(subject) > subject_limit || book_.subjects.size() == subject_count_limit) {
        warn("subjects", "Too long or one too many: " + shown(subject), "length");
        continue;
      }
      book_.subjects.push_back(std::move(subject));
    }
  }

  // "v. 3", "Book 2.5": nothing when there is none, which is no fault.
  static std::optional<double> first_number(std::string_view text) {
    const auto begin = text.find_first_of("0123456789");
    if (begin == std::string_view::npos) return {};
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + begin, text.data() + text.size(), value, std::chars_format::fixed);
    constexpr double most = 100'000;
    return error == std::errc{} && value <= most ? std::optional(value) : std::nullopt;
  }

  std::optional<std::string> class_mark(std::string_view field, std::string_view raw,
                                        std::optional<std::string> (*key)(std::string_view)) {
    std::string mark = clean_line(raw);
    if (mark.empty()) return {};
    if (utf8_length(mark) <= mark_limit && key(mark)) return mark;
    warn(field, shown(mark) + " is no class mark", "pattern");
    return {};
  }

  void own_fields() {
    if (draft_.metadata.empty()) return;
    schema::RawJson own{draft_.metadata};
    if (auto fault = metadata_fault(own)) return warn("metadata", fault->message, fault->type);
    book_.metadata = std::move(own);
  }

  // What the file calls it stays in the library's own fields, unless something stands there.
  void usual_genre_name() {
    if (!book_.genre) return;
    auto usual = usual_genre(*book_.genre);
    if (usual == *book_.genre) return;
    auto own = boost::json::parse(book_.metadata.text).as_object();
    own.emplace("genre", *book_.genre);
    schema::RawJson kept{boost::json::serialize(own)};
    if (metadata_fault(kept)) return;
    book_.metadata = std::move(kept);
    book_.genre = std::move(usual);
  }

  void cover() {
    std::string url = clean_line(draft_.cover_url);
    if (url.empty()) return;
    const bool web = iequals(url.substr(0, 8), "https://") || iequals(url.substr(0, 7), "http://");
    if (!web || url.size() > url_limit || url.contains(' ')) {
      warn("cover_url", shown(url) + " is no web address", "pattern");
      return;
    }
    book_.cover_url = std::move(url);
  }

  std::optional<std::string> short_text(std::string_view field, std::string_view raw, std::size_t limit) {
    std::string text = clean_line(raw);
    if (text.empty()) return {};
    if (utf8_length(text) <= limit) return text;
    warn(field, "Longer than " + std::to_string(limit) + " characters: " + shown(text), "length");
    return {};
  }

  std::optional<int> number(std::string_view field, std::string_view raw, int least, int most) {
    const std::string text = clean_line(raw);
    if (text.empty()) return {};
    const auto value = whole_number(text);
    if (value && *value >= least && *value <= most) return value;
    warn(field,
         shown(text) + " is no whole number from " + std::to_string(least) + " to " + std::to_string(most),
         value ? "range" : "type");
    return {};
  }

  const BookDraft& draft_;
  int newest_year_;
  NewBook book_;
  std::vector<FieldError> faults_;
  std::vector<FieldError> warnings_;
};

}  // namespace

ImportedRecord to_record(const BookDraft& draft, std::size_t line, int newest_year) {
  return Checker(draft, newest_year).check(line);
}

}  // namespace lumina::books

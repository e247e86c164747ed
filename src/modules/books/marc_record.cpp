#include "modules/books/marc_record.hpp"

#include "core/base/text.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/isbn.hpp"

#include <fmt/format.h>
#include <unicode/uloc.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lumina::books {
namespace {

using marc::Field;
using marc::Record;
using marc::Subfield;

// Where the bibliographic code of ISO 639-2, MARC's, differs from the one that locales use.
constexpr auto bibliographic_codes = std::to_array<std::pair<std::string_view, std::string_view>>(
    {{"sqi", "alb"}, {"hye", "arm"}, {"eus", "baq"}, {"mya", "bur"}, {"zho", "chi"},
     {"ces", "cze"}, {"nld", "dut"}, {"fra", "fre"}, {"kat", "geo"}, {"deu", "ger"},
     {"ell", "gre"}, {"isl", "ice"}, {"mkd", "mac"}, {"mri", "mao"}, {"msa", "may"},
     {"fas", "per"}, {"ron", "rum"}, {"slk", "slo"}, {"bod", "tib"}, {"cym", "wel"}});

// In 520 $9: the text goes on from the field before, which could not hold more.
constexpr std::string_view continued = "+";
constexpr std::size_t most_field_text = 9'000;  // bytes; ISO 2709 has four digits for the length of a field

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool four_digits(std::string_view text) { return text.size() == 4 && std::ranges::all_of(text, is_digit); }

// Without the punctuation that introduces the next element, and without a full stop that ends no
// abbreviation.
std::string without_isbd(std::string_view text, bool full_stop) {
  text = trim(text);
  while (!text.empty()) {
    const char last = text.back();
    if (last == '/' || last == ':' || last == ';' || last == ',' || last == '=') {
      text.remove_suffix(1);
    } else if (full_stop && last == '.' && !text.ends_with("...")) {
      const std::string_view before = text.substr(0, text.size() - 1);
      const auto space = before.find_last_of(" .");
      const std::string_view word = space == std::string_view::npos ? before : before.substr(space + 1);
      if (utf8_length(word) <= 2) break;  // an initial, "Jr", "ed"
      text = before;
    } else {
      break;
    }
    text = trim(text);
  }
  return std::string(text);
}

class Reader {
 public:
  explicit Reader(const Record& record)
      : record_(record), punctuated_(record.at(18) != 'c' && record.at(18) != 'n') {}

  BookDraft draft() {
    title();
    authors();
    for (const Field& field : record_.fields) {
      if (field.tag == "020") {
        for (const Subfield& part : field.subfields)
          if (part.code == 'a') draft_.isbns.emplace_back(number_of(part.value));
      } else if (field.tag == "520") {
        describe(field);
      } else if (field.tag == "655") {
        if (draft_.genre.empty()) draft_.genre = clean(field.get('a'), true);
      } else if (field.tag == "653") {
        for (const Subfield& part : field.subfields)
          if (part.code == 'a') draft_.tags.push_back(part.value);
      } else if (is_subject(field.tag)) {
        subject(field);
      } else if (field.tag == "490" || field.tag == "800" || field.tag == "830") {
        series(field);
      } else if (field.tag == "082") {
        if (draft_.ddc.empty()) draft_.ddc = class_mark(field);
      } else if (field.tag == "050") {
        if (draft_.lcc.empty()) draft_.lcc = class_mark(field);
      } else if (field.tag == "856") {
        link(field);
      } else if (field.tag == "990") {
        draft_.copies = field.get('c');
      }
    }
    if (draft_.description.empty())
      if (const Field* note = record_.find("500")) draft_.description = note->get('a');
    publication();
    language();
    pages();
    return std::move(draft_);
  }

 private:
  std::string clean(std::string_view text, bool full_stop) const {
    return punctuated_ ? without_isbd(text, full_stop) : std::string(text);
  }
  // The field of that tag, or the one in another script that stands for it when there is none.
  const Field* field_or_script(std::string_view tag) const {
    if (const Field* field = record_.find(tag)) return field;
    for (const Field& field : record_.fields)
      if (field.tag == "880" && field.get('6').starts_with(tag)) return &field;
    return nullptr;
  }

  // "0306406152 (pbk.) :" -> "0306406152"
  static std::string_view number_of(std::string_view text) {
    text = trim(text);
    return text.substr(0, text.find_first_of(" (:"));
  }

  static bool is_subject(std::string_view tag) {
    return tag == "600" || tag == "610" || tag == "611" || tag == "630" || tag == "650" || tag == "651";
  }

  std::string title_of(const Field& field) const {
    std::string title, rest;
    for (const Subfield& part : field.subfields) {
      const std::string text = clean(part.value, true);
      if (text.empty()) continue;
      if (part.code == 'a' && title.empty())
        title = text;
      else if (part.code == 'b' || part.code == 'n' || part.code == 'p')
        rest += (rest.empty() ? "" : part.code == 'b' ? ": " : ". ") + text;
    }
    if (title.empty()) return rest;
    return rest.empty() ? title : title + ": " + rest;
  }

  void title() {
    for (const std::string_view tag : {"245", "240", "130", "246", "222", "210"}) {
      if (const Field* field = field_or_script(tag)) draft_.title = title_of(*field);
      if (!draft_.title.empty()) return;
    }
    // An empty title proper with its text in another script.
    for (const Field& field : record_.fields)
      if (draft_.title.empty() && field.tag == "880" && field.get('6').starts_with("245"))
        draft_.title = title_of(field);
  }

  std::string name_of(const Field& field) const {
    const bool person = field.tag.ends_with("00");
    std::string name = clean(field.get('a'), !person);
    if (person && field.first != '0') name = direct_order(name);
    if (field.tag.ends_with("10")) {
      for (const Subfield& part : field.subfields)
        if (part.code == 'b') name += ". " + clean(part.value, true);
    }
    if (person && punctuated_ && field.first == '0') name = without_isbd(name, true);
    return name;
  }
  // Whether somebody named in 7XX wrote the book, as opposed to having drawn or published it, or being named
  // for another work.
  static bool is_author(const Field& field) {
    if (!field.get('t').empty()) return false;
    bool said = false;
    for (const Subfield& part : field.subfields) {
      if (part.code != 'e' && part.code != '4') continue;
      said = true;
      const std::string role = ascii_lower(part.value);
      if (role.starts_with("aut") || role.starts_with("joint aut") || role.starts_with("creator"))
        return true;
    }
    return !said;
  }

  void authors() {
    for (const std::string_view tag : {"100", "110", "111"}) {
      const Field* field = field_or_script(tag);
      if (!field || !draft_.author.empty()) continue;
      draft_.author = name_of(*field);
    }
    for (const Field& field : record_.fields) {
      if (field.tag != "700" && field.tag != "710" && field.tag != "720") continue;
      if (!is_author(field) || (field.tag == "710" && !draft_.author.empty())) continue;
      std::string name = name_of(field);
      if (name.empty() || name == draft_.author ||
          std::ranges::find(draft_.other_authors, name) != draft_.other_authors.end())
        continue;
      if (draft_.author.empty())
        draft_.author = std::move(name);
      else
        draft_.other_authors.push_back(std::move(name));
    }
    if (!draft_.author.empty()) return;
    if (const Field* title = field_or_script("245")) draft_.author = clean(title->get('c'), true);
    if (draft_.author.empty()) draft_.author = publisher();
    if (draft_.author.empty()) draft_.author = "Unknown";
    draft_.author_is_list = true;
  }

  void describe(const Field& field) {
    std::string text(field.get('a'));
    if (const auto more = field.get('b'); !more.empty()) text.append(" ").append(more);
    if (text.empty()) return;
    if (!draft_.description.empty() && field.get('9') != continued) draft_.description += "\n\n";
    draft_.description += text;
  }

  void subject(const Field& field) {
    std::string tag = clean(field.get('a'), true);
    if (field.tag == "600") tag = direct_order(tag);
    for (const Subfield& part : field.subfields)
      if (std::string_view("vxyz").contains(part.code)) tag += " -- " + clean(part.value, true);
    if (!tag.empty()) draft_.subjects.push_back(std::move(tag));
  }

  // 490 is what the book says, 800 and 830 the form under which series are filed: the first that is there.
  void series(const Field& field) {
    if (!draft_.series.empty()) return;
    draft_.series = clean(field.get(field.tag == "800" ? 't' : 'a'), true);
    draft_.series_index = field.get('v');
  }

  static std::string class_mark(const Field& field) {
    std::string mark(trim(field.get('a')));
    if (const auto item = trim(field.get('b')); !item.empty()) mark.append(" ").append(item);
    return mark;
  }

  void link(const Field& field) {
    const std::string what = ascii_lower(field.get('3'));
    if (what.contains("cover") && draft_.cover_url.empty()) draft_.cover_url = field.get('u');
  }

  const Field* imprint() const {
    const Field* found = nullptr;
    for (const Field& field : record_.fields) {
      if (field.tag == "264" && field.second == '1') return &field;
      if (!found && (field.tag == "260" || field.tag == "264")) found = &field;
    }
    return found;
  }
  std::string publisher() const {
    const Field* field = imprint();
    if (!field) return {};
    std::string name = clean(field->get('b'), true);
    if (punctuated_ && name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return ascii_lower(name) == "s.n" || name == "publisher not identified" ? std::string() : name;
  }

  void publication() {
    draft_.publisher = publisher();
    const Field* fixed = record_.find("008");
    const std::string_view places = fixed ? std::string_view(fixed->data) : std::string_view{};
    const auto date = [&](std::size_t at) {
      const auto text = places.size() >= at + 4 ? places.substr(at, 4) : std::string_view{};
      return four_digits(text) && text != "0000" && text != "9999" ? text : std::string_view{};
    };
    const char kind = places.size() > 6 ? places[6] : ' ';
    // A reprint has the original's date second; ranges, and what is not known, tell no year of publication.
    std::string_view year;
    if (kind == 'r') year = date(11);
    if (year.empty() && std::string_view("scetpr| ").contains(kind)) year = date(7);
    if (!year.empty()) {
      draft_.year = std::to_string((year[0] - '0') * 1000 + (year[1] - '0') * 100 + (year[2] - '0') * 10 +
                                   year[3] - '0');
      return;
    }
    const Field* field = imprint();
    if (!field) return;
    const std::string text = clean(field->get('c'), true);
    if (!punctuated_ || (kind == 'n' && text.starts_with('-'))) {
      draft_.year = text;
      return;
    }
    // "[1895?]", "c1963, 1964 printing": the first run of four digits.
    for (std::size_t i = 0; i + 4 <= text.size(); ++i) {
      const bool alone =
          (i == 0 || !is_digit(text[i - 1])) && (i + 4 == text.size() || !is_digit(text[i + 4]));
      if (!alone || !four_digits(std::string_view(text).substr(i, 4))) continue;
      draft_.year = text.substr(i, 4);
      return;
    }
  }

  void language() {
    std::string_view code;
    for (const Field& field : record_.fields) {
      if (field.tag != "041") continue;
      if (field.get('2') == "rfc5646") {
        draft_.language = field.get('a');
        return;
      }
      if (code.empty()) code = field.get('a').substr(0, 3);
    }
    const Field* fixed = record_.find("008");
    if (fixed && fixed->data.size() >= 38) {
      const auto said = trim(std::string_view(fixed->data).substr(35, 3));
      if (said.size() == 3 && said != "|||" && said != "und" && said != "mul" && said != "zxx") code = said;
    }
    // Not a fault of the record: old codes come and go.
    if (!code.empty() && text::parse_imported_language(ascii_lower(code)))
      draft_.language = ascii_lower(code);
  }

  void pages() {
    const Field* field = record_.find("300");
    if (!field) return;
    const std::string_view text = field->get('a');
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (!is_digit(text[i]) || (i > 0 && is_digit(text[i - 1]))) continue;
      std::size_t end = i;
      while (end < text.size() && is_digit(text[end])) ++end;
      std::string_view unit = trim(text.substr(end));
      if (unit.starts_with(']')) unit = trim(unit.substr(1));
      if (end - i <= 5 && (unit.starts_with('p') || unit.starts_with("S.") || unit.starts_with("s.")) &&
          text.substr(i, end - i).find_first_not_of('0') != std::string_view::npos)
        draft_.page_count = text.substr(i, end - i);
    }
  }

  const Record& record_;
  bool punctuated_;
  BookDraft draft_;
};

// "Jane Austen" -> "Austen, Jane"; nothing when it is not surely one person, or when direct_order would not
// give the name back.
std::string inverted(std::string_view name) {
  const auto space = name.rfind(' ');
  if (space == std::string_view::npos || name.find_first_of(",;&/()[]") != std::string_view::npos) return {};
  for (const char c : name)
    if (is_digit(c)) return {};
  std::string out(name.substr(space + 1));
  out.append(", ").append(name.substr(0, space));
  return direct_order(out) == name ? out : std::string();
}

void describe(std::string_view text, Record& record) {
  bool first = true;
  while (!text.empty()) {
    std::size_t length = std::min(text.size(), most_field_text);
    while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
    std::vector<Subfield> parts{{'a', std::string(text.substr(0, length))}};
    if (!std::exchange(first, false)) parts.push_back({'9', std::string(continued)});
    record.add("520", ' ', ' ', std::move(parts));
    text.remove_prefix(length);
  }
}

std::string fixed_field(const Book& book) {
  const std::string created = to_rfc3339(book.created_at);  // 2026-11-22T...
  std::string out = created.substr(2, 2) + created.substr(5, 2) + created.substr(8, 2);
  const bool plain = book.year_published && *book.year_published > 0 && *book.year_published <= 9998;
  out += plain ? fmt::format("s{:04}    ", *book.year_published) : std::string("nuuuuuuuu");
  out += "xx ";  // place: unknown
  out.resize(35, ' ');
  out += book.language ? marc_language(*book.language) : "und";
  out += " d";
  return out;
}

}  // namespace

std::string direct_order(std::string_view name) {
  const std::string clean = without_isbd(name, false);
  std::string_view text = clean;
  const auto comma = text.find(", ");
  if (comma == std::string_view::npos) return clean;
  const std::string_view family = trim(text.substr(0, comma));
  std::string_view given = trim(text.substr(comma + 2));
  // Dates and titles follow another comma.
  if (const auto second = given.find(','); second != std::string_view::npos)
    given = trim(given.substr(0, second));
  if (family.empty()) return std::string(given);
  if (given.empty() || is_digit(given.front())) return std::string(family);
  return std::string(given).append(" ").append(family);
}

std::string marc_language(std::string_view tag) {
  const std::string name(tag);
  const std::string_view code = uloc_getISO3Language(name.c_str());
  if (code.size() != 3) return "und";
  for (const auto& [usual, bibliographic] : bibliographic_codes)
    if (code == usual) return std::string(bibliographic);
  return std::string(code);
}

BookDraft draft_of(const Record& record) { return Reader(record).draft(); }

Record to_marc(const Book& book) {
  Record record;
  // Language material, a monograph; without the punctuation of ISBD.
  record.leader = "00000nam a2200000 c 4500";
  const std::string updated = to_rfc3339(book.updated_at);
  record.control("001", fmt::format("{}", book.id.value));
  record.control("003", "LuminaLib");
  record.control("005", updated.substr(0, 4) + updated.substr(5, 2) + updated.substr(8, 2) +
                            updated.substr(11, 2) + updated.substr(14, 2) + updated.substr(17, 2) + ".0");
  record.control("008", fixed_field(book));
  if (book.isbn) record.add("020", ' ', ' ', {{'a', *book.isbn}});
  if (book.language) record.add("041", ' ', '7', {{'a', *book.language}, {'2', "rfc5646"}});
  if (book.lcc) record.add("050", ' ', '4', {{'a', *book.lcc}});
  if (book.ddc) record.add("082", '0', '4', {{'a', *book.ddc}});
  if (auto name = inverted(book.author); !name.empty())
    record.add("100", '1', ' ', {{'a', std::move(name)}});
  else
    record.add("100", '0', ' ', {{'a', book.author}});
  record.add("245", '1', '0', {{'a', book.title}, {'c', book.author}});
  std::vector<Subfield> imprint;
  if (book.publisher) imprint.push_back({'b', *book.publisher});
  if (book.year_published) imprint.push_back({'c', std::to_string(*book.year_published)});
  if (!imprint.empty()) record.add("264", ' ', '1', std::move(imprint));
  if (book.page_count) record.add("300", ' ', ' ', {{'a', fmt::format("{} pages", *book.page_count)}});
  if (book.description) describe(*book.description, record);
  if (book.series) {
    std::vector<Subfield> parts{{'a', *book.series}};
    if (book.series_index) parts.push_back({'v', fmt::format("{}", *book.series_index)});
    record.add("490", '0', ' ', std::move(parts));
  }
  for (const std::string& subject : book.subjects) record.add("650", ' ', '4', {{'a', subject}});
  for (const std::string& tag : book.tags) record.add("653", ' ', ' ', {{'a', tag}});
  if (book.genre) record.add("655", ' ', '4', {{'a', *book.genre}});
  if (book.cover_url) record.add("856", '4', '2', {{'3', "Cover image"}, {'u', *book.cover_url}});
  record.add("990", ' ', ' ', {{'c', std::to_string(book.copies_total)}});
  return record;
}

}  // namespace lumina::books

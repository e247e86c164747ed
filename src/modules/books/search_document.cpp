#include "modules/books/search_document.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/language_tag.hpp"
#include "modules/books/isbn.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lumina::books {
namespace {

struct Name {
  std::string_view name, code;
};
constexpr std::array<Name, 30> language_names{
    {{"english", "en"},   {"german", "de"},     {"french", "fr"},    {"spanish", "es"},
     {"italian", "it"},   {"portuguese", "pt"}, {"dutch", "nl"},     {"swedish", "sv"},
     {"norwegian", "no"}, {"danish", "da"},     {"finnish", "fi"},   {"hungarian", "hu"},
     {"romanian", "ro"},  {"russian", "ru"},    {"turkish", "tr"},   {"arabic", "ar"},
     {"greek", "el"},     {"catalan", "ca"},    {"polish", "pl"},    {"czech", "cs"},
     {"chinese", "zh"},   {"japanese", "ja"},   {"korean", "ko"},    {"hebrew", "he"},
     {"hindi", "hi"},     {"latin", "la"},      {"ukrainian", "uk"}, {"welsh", "cy"},
     {"irish", "ga"},     {"esperanto", "eo"}}};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// 1990, >1990, >=1990, <1990, <=1990, 1990..2000, 1990-2000, ..2000, 1990..
std::optional<search::Condition> range_of(IndexNumber number, std::string_view text) {
  const auto between = [&](std::optional<std::int64_t> low, std::optional<std::int64_t> high) {
    return number_between(number, low, high);
  };
  const auto one_sided = [&](std::size_t signs, bool upward,
                             std::int64_t step) -> std::optional<search::Condition> {
    const auto n = whole_number(text.substr(signs));
    if (!n) return std::nullopt;
    return upward ? between(*n + step, {}) : between({}, *n - step);
  };
  if (text.starts_with(">=")) return one_sided(2, true, 0);
  if (text.starts_with("<=")) return one_sided(2, false, 0);
  if (text.starts_with('>')) return one_sided(1, true, 1);
  if (text.starts_with('<')) return one_sided(1, false, 1);
  if (const auto n = whole_number(text)) return between(n, n);
  auto middle = text.find("..");
  std::size_t width = 2;
  if (middle == std::string_view::npos) {
    middle = text.find('-', 1);
    width = 1;
  }
  if (middle == std::string_view::npos) return std::nullopt;
  const auto left = text.substr(0, middle), right = text.substr(middle + width);
  const auto low = whole_number(left), high = whole_number(right);
  if ((!low && !left.empty()) || (!high && !right.empty()) || (!low && !high)) return std::nullopt;
  return between(low, high);
}

}  // namespace

search::Schema search_schema() {
  return {{"title", "author", "genre", "subject", "publisher", "description", "isbn"},
          {"genre", "author", "language", "tag", "year"},
          {"created_at", "year", "pages"},
          {"popularity", "available", "rating"}};
}

search::Ranking search_ranking() {
  search::Ranking r;
  r.k1 = 1.2;
  const auto field = [&](TextField f, double weight, double b) {
    r.weight[at(f)] = weight;
    r.b[at(f)] = b;
  };
  field(TextField::title, 4.0, 0.75);
  field(TextField::author, 3.0, 0.4);
  field(TextField::genre, 1.2, 0.3);
  field(TextField::subject, 1.5, 0.5);
  field(TextField::publisher, 0.5, 0.3);
  field(TextField::description, 1.0, 0.75);
  field(TextField::isbn, 5.0, 0);
  r.pair_weight = 0.8;
  r.popularity = static_cast<int>(at(IndexLive::popularity));
  r.popularity_share = 0.05;
  return r;
}

std::array<std::int32_t, 3> live_of(int total_borrows, int copies_available, std::optional<double> rating) {
  return {total_borrows, copies_available,
          rating ? static_cast<std::int32_t>(std::lround(*rating * 100)) : std::int32_t{-1}};
}

search::Document document_of(const IndexedBook& b) {
  search::Document d;
  d.id = b.id.value;
  d.language = b.language.value_or("");
  d.title = b.title;
  const auto values = [](const std::optional<std::string>& text) {
    return text && !text->empty() ? std::vector<std::string>{*text} : std::vector<std::string>{};
  };
  d.texts = {{b.title},     {b.author}, values(b.genre), b.tags, values(b.publisher), values(b.description),
             values(b.isbn)};
  auto& authors = d.texts[at(TextField::author)];
  authors.insert(authors.end(), b.author_names.begin(), b.author_names.end());
  auto& subjects = d.texts[at(TextField::subject)];
  subjects.insert(subjects.end(), b.subjects.begin(), b.subjects.end());
  if (b.series) subjects.push_back(*b.series);
  if (b.isbn)
    if (const auto ten = to_isbn10(*b.isbn)) d.texts[at(TextField::isbn)].push_back(*ten);
  auto tags = b.tags;
  std::ranges::sort(tags);
  tags.erase(std::ranges::unique(tags).begin(), tags.end());
  d.facets = {values(b.genre), {b.author}, values(b.language), std::move(tags), {}};
  if (b.year_published) d.facets[at(IndexFacet::year)].push_back(std::to_string(*b.year_published));
  d.numbers = {b.created_at.ms, b.year_published ? *b.year_published : search::no_number,
               b.page_count ? *b.page_count : search::no_number};
  const auto live = live_of(b.total_borrows, b.copies_available, b.average_rating);
  d.live.assign(live.begin(), live.end());
  return d;
}

bool is_search_field(std::string_view name) {
  return text_field(name) || name == "language" || name == "year" || name == "pages" || name == "available";
}

std::optional<std::uint32_t> text_field(std::string_view name) {
  if (name == "title") return bit_of(TextField::title);
  if (name == "author") return bit_of(TextField::author);
  if (name == "genre") return bit_of(TextField::genre);
  if (name == "subject" || name == "tag") return bit_of(TextField::subject);
  if (name == "publisher") return bit_of(TextField::publisher);
  if (name == "description") return bit_of(TextField::description);
  if (name == "isbn") return bit_of(TextField::isbn);
  return std::nullopt;
}

std::optional<std::string> language_code(std::string_view text) {
  const std::string lower = ascii_lower(text);
  const auto known = std::ranges::find(language_names, std::string_view(lower), &Name::name);
  if (known != language_names.end()) return std::string(known->code);
  return text::parse_imported_language(text);
}

search::Condition language_is(std::string_view tag) {
  search::Condition c;
  c.on = search::Condition::On::facet;
  c.index = at(IndexFacet::language);
  c.accepts = [tag = std::string(tag)](std::string_view value) {
    return value == tag || (value.size() > tag.size() && value.starts_with(tag) && value[tag.size()] == '-');
  };
  return c;
}

search::Condition number_between(IndexNumber number, std::optional<std::int64_t> least,
                                 std::optional<std::int64_t> most) {
  search::Condition c;
  c.on = search::Condition::On::number;
  c.index = at(number);
  if (least) c.least = *least;
  if (most) c.most = *most;
  return c;
}

std::expected<search::Condition, std::string> field_condition(std::string_view name, std::string_view text) {
  if (name == "language") {
    const auto code = language_code(text);
    if (!code) return std::unexpected("language: wants a language such as en, fra or french");
    return language_is(*code);
  }
  if (name == "available") {
    if (text != "true" && text != "false") return std::unexpected("available: wants true or false");
    search::Condition c;
    c.on = search::Condition::On::live;
    c.index = at(IndexLive::available);
    c.least = text == "true" ? 1 : 0;
    c.most = text == "true" ? INT32_MAX : 0;
    return c;
  }
  auto range = range_of(name == "year" ? IndexNumber::year : IndexNumber::pages, text);
  if (!range)
    return std::unexpected(std::string(name) + ": wants a number or a range such as 1990..2000 or >1990");
  return std::move(*range);
}

}  // namespace lumina::books

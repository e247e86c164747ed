#include "modules/books/import_format.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "modules/books/csv_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace lumina::books {

struct ColumnMap::Name {
  std::string_view name;
  Role role;
};

// In order of preference within a role.
const std::vector<ColumnMap::Name>& ColumnMap::names() {
  using enum Role;
  static const std::vector<Name> all = {
      {"title", title},
      {"book_title", title},
      {"name", title},
      {"original_title", title},
      {"subtitle", subtitle},
      {"author", author},
      {"author_name", author},
      {"book_author", author},
      {"primary_author", author},
      {"author_text", author},
      {"creator", author},
      {"authors", author_list},
      {"author_s", author_list},
      {"author_names", author_list},
      {"additional_authors", other_authors},
      {"secondary_author", other_authors},
      {"isbn13", isbn},
      {"isbn_13", isbn},
      {"isbn", isbn},
      {"isbn10", isbn},
      {"isbn_10", isbn},
      {"isbn_uid", isbn},
      {"isbns", isbn},
      {"ean", isbn},
      {"genre", genre},
      {"category", genre},
      {"genres", genre_list},
      {"categories", genre_list},
      {"year_published", year},
      {"publication_year", year},
      {"published_year", year},
      {"year", year},
      {"pub_year", year},
      {"year_of_publication", year},
      {"original_publication_year", year},
      {"publication_date", year},
      {"published_date", year},
      {"date_published", year},
      {"pubdate", year},
      {"published", year},
      {"date", year},
      {"description", description},
      {"synopsis", description},
      {"blurb", description},
      {"comments", description},
      {"language", language},
      {"language_code", language},
      {"lang", language},
      {"languages", language},
      {"publisher", publisher},
      {"page_count", page_count},
      {"pages", page_count},
      {"num_pages", page_count},
      {"number_of_pages", page_count},
      {"pagecount", page_count},
      {"tags", tags},
      {"bookshelves", tags},
      {"bookshelf", tags},
      {"shelves", tags},
      {"subjects", tags},
      {"keywords", tags},
      {"cover_url", cover_url},
      {"image_url", cover_url},
      {"cover_image", cover_url},
      {"cover", cover_url},
      {"thumbnail", cover_url},
      {"image", cover_url},
      {"copies", copies},
      {"copies_total", copies},
      {"total_copies", copies},
      {"number_of_copies", copies},
      {"series", series},
      {"series_index", series_index},
      {"subjects", Role::subjects},
      {"ddc", ddc},
      {"lcc", lcc},
      {"metadata", metadata},
      {"work_id", work},
      {"exclusive_shelf", shelf},
      {"read_status", shelf},
      {"shelf_name", shelf},
      {"status", shelf},
      {"bookshelf", shelf},
      {"bookshelves", shelf_list},
      {"collections", shelf_list},
      {"my_rating", rating},
      {"my_ratings", rating},
      {"star_rating", rating},
      {"rating", rating},
      {"my_review", review},
      {"review", review},
      {"review_content", review},
      {"spoiler", spoiler},
  };
  return all;
}

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// The main categories of Project Gutenberg, the more telling ones first: a novel is almost everything there.
constexpr auto gutenberg_genres = std::to_array<Pair>({
    {"Science-Fiction & Fantasy", "Science fiction and fantasy"},
    {"Crime, Thrillers and Mystery", "Crime and mystery"},
    {"Poetry", "Poetry"},
    {"Plays", "Drama"},
    {"Children & Young Adult Reading", "Children's literature"},
    {"Mythology, Legends & Folklore", "Mythology and folklore"},
    {"Romance", "Romance"},
    {"Adventure", "Adventure"},
    {"Historical Novels", "Historical fiction"},
    {"Short Stories", "Short stories"},
    {"Humour", "Humour"},
    {"Cooking & Drinking", "Cooking"},
    {"Philosophy & Ethics", "Philosophy"},
    {"Religion", "Religion"},
    {"Biographies", "Biography"},
    {"Travel Writing", "Travel"},
    {"Art", "Art"},
    {"Architecture", "Art"},
    {"Music", "Music"},
    {"Science - Biology", "Science"},
    {"Science - Physics", "Science"},
    {"Science - Chemistry", "Science"},
    {"Science - Earth", "Science"},
    {"Mathematics", "Science"},
    {"Nature", "Nature"},
    {"Economics", "Economics"},
    {"Politics", "Politics"},
    {"Essays, Letters & Speeches", "Essays"},
    {"History - American", "History"},
    {"History - British", "History"},
    {"History - European", "History"},
    {"History - Ancient", "History"},
    {"History - Warfare", "History"},
    {"History - Other", "History"},
    {"Novels", "Fiction"},
});
constexpr std::string_view gutenberg_category = "Category: ";

// Shelves that say how far a reader has come and nothing about the book.
constexpr std::array<std::string_view, 4> reading_states = {"to-read", "currently-reading", "read",
                                                            "did-not-finish"};

// How programs call the state of a reader, and how people do.
constexpr auto state_names = std::to_array<Pair>({
    {"to-read", "Want to read"},
    {"to read", "Want to read"},
    {"want to read", "Want to read"},
    {"planned", "Want to read"},
    {"currently-reading", "Currently reading"},
    {"currently reading", "Currently reading"},
    {"in_progress", "Currently reading"},
    {"read", "Read"},
    {"already read", "Read"},
    {"finished", "Read"},
    {"did-not-finish", "Did not finish"},
    {"abandoned", "Did not finish"},
    {"stopped-reading", "Did not finish"},
    {"stopped reading", "Did not finish"},
});

std::string shelf_name(std::string_view name) {
  const std::string key = ascii_lower(trim(name));
  for (const auto& [state, shown] : state_names)
    if (key == state) return std::string(shown);
  return std::string(trim(name));
}

// Goodreads writes line breaks as <br/>; other tags go.
std::string without_markup(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto open = std::min(text.find('<'), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const auto close = text.find('>');
    const bool tag = text.size() > 2 && (text[1] == '/' || (text[1] >= 'a' && text[1] <= 'z')) && close < 200;
    if (tag && text.starts_with("<br")) out += '\n';
    if (!tag) out += '<';
    text.remove_prefix(tag ? close + 1 : 1);
  }
  return out;
}

std::string header_key(std::string_view name) {
  std::string key;
  for (const char c : ascii_lower(name)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      key += c;
    } else if (!key.empty() && key.back() != '_') {
      key += '_';
    }
  }
  if (key.ends_with('_')) key.pop_back();
  return key;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (const std::string_view part = trim(text.substr(0, end)); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Semicolons and bars if there are any, otherwise commas.
std::vector<std::string> split_list(std::string_view text) {
  return split(text, text.find_first_of(";|") != std::string_view::npos ? ";|" : ",");
}

// A list, or the JSON array that our own export writes.
std::vector<std::string> subjects_in(const std::string& text) {
  if (text.starts_with('['))
    if (auto list = json::decode<std::vector<std::string>>(text)) return std::move(*list);
  return split_list(text);
}

std::string joined_with_commas(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : ", ").append(part);
  return text;
}

// Some titles still hold the mark of a MARC subfield: "Faust : $b Eine Tragödie".
void remove_marc_marks(std::string& title) {
  for (const std::string_view mark : {" : $b", " $b", "$b"}) {
    for (std::size_t at = title.find(mark); at != std::string::npos; at = title.find(mark, at)) {
      title.replace(at, mark.size(), ":");
    }
  }
}

void read_gutenberg_shelves(BookDraft& draft) {
  std::vector<std::string> shelves;
  for (const std::string& path : draft.tags) std::ranges::move(split(path, "/"), std::back_inserter(shelves));
  std::vector<std::string_view> categories;
  for (std::string& shelf : shelves) {
    if (shelf.starts_with(gutenberg_category)) {
      shelf.erase(0, gutenberg_category.size());
      categories.push_back(shelf);
    }
  }
  for (const auto& [category, genre] : gutenberg_genres) {
    if (std::ranges::find(categories, category) == categories.end()) continue;
    draft.genre = genre;
    break;
  }
  draft.tags = std::move(shelves);
  if (draft.author.empty()) draft.author = "Unknown";
}

}  // namespace

std::string_view name_of(FormatKind kind) {
  switch (kind) {
    case FormatKind::unknown:
      return "unknown";
    case FormatKind::csv:
      return "csv";
    case FormatKind::goodreads:
      return "goodreads";
    case FormatKind::goodbooks_10k:
      return "goodbooks-10k";
    case FormatKind::gutenberg:
      return "gutenberg";
    case FormatKind::storygraph:
      return "storygraph";
    case FormatKind::bookwyrm:
      return "bookwyrm";
    case FormatKind::librarything:
      return "librarything";
    case FormatKind::calibre:
      return "calibre";
    case FormatKind::openreads:
      return "openreads";
    case FormatKind::open_library:
      return "open-library";
    case FormatKind::open_library_json:
      return "open-library-json";
    case FormatKind::isbn_list:
      return "isbn-list";
    case FormatKind::json_lines:
      return "json-lines";
    case FormatKind::marc21:
      return "marc21";
    case FormatKind::marcxml:
      return "marcxml";
  }
  return "unknown";
}

ColumnMap::ColumnMap(const std::vector<std::string>& header) {
  std::vector<std::string> keys;
  for (const std::string& name : header) keys.push_back(header_key(name));
  const auto has = [&](std::string_view key) { return std::ranges::find(keys, key) != keys.end(); };
  for (const auto& [name, role] : names()) {
    const auto found = std::ranges::find(keys, name);
    if (found == keys.end()) continue;
    columns_[static_cast<std::size_t>(role)].push_back(static_cast<std::size_t>(found - keys.begin()));
  }
  if (columns(Role::title).empty()) return;
  kind_ = FormatKind::csv;
  if (has("author_l_f") || has("exclusive_shelf")) kind_ = FormatKind::goodreads;
  if (has("goodreads_book_id") && has("authors")) kind_ = FormatKind::goodbooks_10k;
  if (has("gutenberg_id") && has("bookshelf")) kind_ = FormatKind::gutenberg;
  if (has("read_status") && has("star_rating")) kind_ = FormatKind::storygraph;
  if (has("openlibrary_key") && has("review_content")) kind_ = FormatKind::bookwyrm;
  if (has("primary_author") && has("collections")) kind_ = FormatKind::librarything;
  if (has("title_sort") && has("author_sort")) kind_ = FormatKind::calibre;
  if (has("olid") && has("my_review")) kind_ = FormatKind::openreads;
  if (has("work_id") && has("edition_id") && has("bookshelf")) kind_ = FormatKind::open_library;
  const auto forget = [&](Role role) { columns_[static_cast<std::size_t>(role)].clear(); };
  // A path on somebody's computer.
  if (kind_ == FormatKind::calibre) forget(Role::cover_url);
  if (kind_ == FormatKind::open_library) forget(Role::tags);
  // Beside tags, subjects are headings; alone they are all the tags there are.
  if (const auto subjects = std::ranges::find(keys, "subjects"); subjects != keys.end()) {
    if (has("tags") && kind_ == FormatKind::csv)
      std::erase(columns_[static_cast<std::size_t>(Role::tags)],
                 static_cast<std::size_t>(subjects - keys.begin()));
    else
      forget(Role::subjects);
  }
  // Numbers of another catalogue.
  if (kind_ != FormatKind::csv) forget(Role::work);
  // A rating or a status in any table may be anything.
  if (kind_ == FormatKind::csv || kind_ == FormatKind::goodbooks_10k || kind_ == FormatKind::gutenberg)
    for (const Role role : {Role::shelf, Role::shelf_list, Role::rating, Role::review, Role::spoiler})
      forget(role);
}

std::vector<std::string> ColumnMap::unused(const std::vector<std::string>& header) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool used = std::ranges::any_of(
        columns_, [&](const auto& places) { return std::ranges::find(places, i) != places.end(); });
    if (!used) names.push_back(header[i]);
  }
  return names;
}

std::string ColumnMap::first_of(Role role, const std::vector<std::string>& cells) const {
  for (const std::size_t column : columns(role)) {
    if (column >= cells.size()) continue;
    const std::string_view text = trim(cells[column]);
    if (text.empty()) continue;
    return std::string(kind_ == FormatKind::csv ? unguard_formula(text) : text);
  }
  return {};
}

ReaderNotes ColumnMap::notes_of(const std::vector<std::string>& cells) const {
  ReaderNotes notes;
  const auto put = [&](std::string_view name) {
    std::string shelf = shelf_name(name);
    if (!shelf.empty() && std::ranges::find(notes.shelves, shelf) == notes.shelves.end())
      notes.shelves.push_back(std::move(shelf));
  };
  put(first_of(Role::shelf, cells));
  for (const std::string& name : split(first_of(Role::shelf_list, cells), ",;")) put(name);
  double stars = 0;
  const std::string rating = first_of(Role::rating, cells);
  const auto [end, error] = std::from_chars(rating.data(), rating.data() + rating.size(), stars);
  if (error == std::errc{} && end == rating.data() + rating.size() && stars >= 0.5 && stars <= 5)
    notes.rating = std::round(stars * 2) / 2;
  notes.review = without_markup(first_of(Role::review, cells));
  notes.spoiler = ascii_lower(first_of(Role::spoiler, cells)) == "true";
  return notes;
}

BookDraft ColumnMap::draft_of(const std::vector<std::string>& cells) const {
  BookDraft draft;
  draft.title = first_of(Role::title, cells);
  draft.subtitle = first_of(Role::subtitle, cells);
  draft.author = first_of(Role::author, cells);
  if (draft.author.empty()) {
    draft.author = first_of(Role::author_list, cells);
    draft.author_is_list = true;
    if (draft.author.find_first_of(";|") != std::string::npos) {
      draft.author = joined_with_commas(split(draft.author, ";|"));
    }
  }
  draft.other_authors =
      split(first_of(Role::other_authors, cells), kind_ == FormatKind::goodreads ? "," : ";|");
  for (const std::size_t column : columns(Role::isbn)) {
    if (column < cells.size() && !cells[column].empty()) draft.isbns.push_back(cells[column]);
  }
  draft.genre = first_of(Role::genre, cells);
  draft.tags = split_list(first_of(Role::tags, cells));
  if (draft.genre.empty()) {
    std::vector<std::string> genres = split_list(first_of(Role::genre_list, cells));
    if (!genres.empty()) {
      draft.genre = std::move(genres.front());
      draft.tags.insert(draft.tags.begin(), std::move_iterator(genres.begin() + 1),
                        std::move_iterator(genres.end()));
    }
  }
  draft.year = first_of(Role::year, cells);
  draft.description = first_of(Role::description, cells);
  draft.language = first_of(Role::language, cells);
  draft.publisher = first_of(Role::publisher, cells);
  draft.page_count = first_of(Role::page_count, cells);
  draft.cover_url = first_of(Role::cover_url, cells);
  draft.copies = first_of(Role::copies, cells);
  draft.series = first_of(Role::series, cells);
  draft.series_index = first_of(Role::series_index, cells);
  draft.subjects = subjects_in(first_of(Role::subjects, cells));
  draft.ddc = first_of(Role::ddc, cells);
  draft.lcc = first_of(Role::lcc, cells);
  draft.metadata = first_of(Role::metadata, cells);
  draft.work = first_of(Role::work, cells);
  draft.notes = notes_of(cells);
  if (kind_ == FormatKind::goodreads) {
    std::erase_if(draft.tags, [](const std::string& tag) {
      return std::ranges::find(reading_states, tag) != reading_states.end();
    });
    if (draft.page_count == "0") draft.page_count.clear();
  }
  if (kind_ == FormatKind::gutenberg) {
    draft.tags = {first_of(Role::tags, cells)};
    remove_marc_marks(draft.title);
    read_gutenberg_shelves(draft);
  }
  return draft;
}

}  // namespace lumina::books

#include "modules/lists/model.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <algorithm>

namespace lumina::lists {
namespace {

using schema::Field;
using schema::Rule;

constexpr std::size_t longest_slug = 80;
constexpr double most_items = 10'000;

bool has_text(std::string_view text) { return !trim(text).empty(); }
std::vector<Rule> name_rules() {
  return {schema::length(1, 200), schema::format("not-blank", &has_text, "must not be blank")};
}

}  // namespace

std::string slug_of(std::string_view name) {
  std::string slug;
  for (const char c : text::fold(name)) {
    if (slug.size() == longest_slug) break;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      slug += c;
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  while (slug.ends_with('-')) slug.pop_back();
  if (slug.empty()) return "list";
  // Only digits would be taken for an id.
  if (slug.find_first_not_of("0123456789") == std::string::npos) return "list-" + slug;
  return slug;
}

std::vector<Field> Owner::fields() {
  return {{"id", &Owner::id, "Identifier"}, {"full_name", &Owner::full_name, "Name as shown"}};
}
std::vector<Field> Collection::fields() {
  return {
      {"id", &Collection::id, "Identifier"},
      {"kind", &Collection::kind, "reading, wishlist or curated"},
      {"name", &Collection::name, "Name"},
      {"slug", &Collection::slug, "For addresses, in the place of the identifier"},
      {"description", &Collection::description, "What it is about"},
      {"is_public", &Collection::is_public, "Whether everybody may read it"},
      Field("query", &Collection::query, "Of a smart list: the filters and the order of GET /books")
          .hide_when_absent(),
      {"items", &Collection::items, "Number of books"},
      {"owner", &Collection::owner, "Whose it is"},
      {"access", &Collection::access, "What you may do: view, edit or owner"},
      Field("link", &Collection::link, "Address for whoever has it; shown to the owner").hide_when_absent(),
      {"created_at", &Collection::created_at, "When it was made"},
      {"updated_at", &Collection::updated_at, "When it or its books last changed"}};
}
std::vector<Field> NewCollection::fields() {
  return {{"name", &NewCollection::name, "1 to 200 characters", name_rules()},
          {"kind", &NewCollection::kind, "reading (default), wishlist, or curated for staff"},
          {"description", &NewCollection::description, "What it is about", {schema::length(0, 2000)}},
          {"is_public", &NewCollection::is_public,
           "Whether everybody may read it (default false; true when curated)"},
          {"query", &NewCollection::query,
           "Makes it a smart list: an object of the filters and the order of GET /books, as "
           "{\"genre\":\"Novel\",\"sort\":\"title\"}"}};
}
std::vector<Field> CollectionChanges::fields() {
  return {{"name", &CollectionChanges::name, "1 to 200 characters", name_rules()},
          {"description", &CollectionChanges::description, "What it is about", {schema::length(0, 2000)}},
          {"is_public", &CollectionChanges::is_public, "Whether everybody may read it"},
          {"query", &CollectionChanges::query, "Of a smart list: other filters"}};
}
std::vector<Field> CollectionFilter::fields() {
  return {{"kind", &CollectionFilter::kind, "Of this kind"},
          {"mine", &CollectionFilter::mine, "true: only one's own"},
          {"q", &CollectionFilter::q, "Part of the name", {schema::length(1, 200)}}};
}
std::vector<Field> ListedBook::fields() {
  return {{"id", &ListedBook::id, "Identifier"},
          {"title", &ListedBook::title, "Title proper"},
          {"author", &ListedBook::author, "Author"},
          {"cover_url", &ListedBook::cover_url, "Picture of the cover"},
          {"average_rating", &ListedBook::average_rating, "Mean of the ratings"},
          {"copies_available", &ListedBook::copies_available, "Copies that can be borrowed now"}};
}
std::vector<Field> Item::fields() {
  return {{"book", &Item::book, "The book"},
          {"position", &Item::position, "Where it stands, from 1"},
          {"note", &Item::note, "Why it is here"},
          {"added_by", &Item::added_by, "Who put it here"},
          {"added_at", &Item::added_at, "When"}};
}
std::vector<Field> NewItem::fields() {
  return {{"note", &NewItem::note, "Why it is here", {schema::length(0, 1000)}}};
}
std::vector<Field> Order::fields() {
  return {Field("book_ids", &Order::book_ids, "Every book of the list once, in the new order",
                {schema::items(0, most_items)})
              .needed()};
}
std::vector<Field> Grant::fields() {
  return {{"user_id", &Grant::user_id, "To whom"}, {"access", &Grant::access, "view or edit"}};
}
std::vector<Field> Statistics::fields() {
  return {{"items", &Statistics::items, "Books"},
          {"available", &Statistics::available, "Books that can be borrowed now"},
          {"loans", &Statistics::loans, "Loans of these books, ever"},
          {"pages", &Statistics::pages, "Pages, as far as they are known"},
          {"average_rating", &Statistics::average_rating, "Mean of the books' mean ratings"},
          {"last_change", &Statistics::last_change, "When the list last changed"}};
}
std::vector<Field> SharedCollection::fields() {
  return {{"collection", &SharedCollection::collection, "The list"},
          {"books", &SharedCollection::books, "Its first hundred books"}};
}
std::vector<Field> ListedIn::fields() {
  return {{"id", &ListedIn::id, "Identifier"},
          {"name", &ListedIn::name, "Name"},
          {"kind", &ListedIn::kind, "Kind"}};
}
std::vector<Field> Listed::fields() {
  return {{"listed", &Listed::listed, "Whether a list of yours holds it"},
          {"wished", &Listed::wished, "Whether it is on your wishlist"},
          {"collections", &Listed::collections, "Which lists"}};
}

}  // namespace lumina::lists

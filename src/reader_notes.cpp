#include "reader_notes.hpp"

#include "core/base/text.hpp"
#include "core/runtime/block_on.hpp"

#include <algorithm>

namespace lumina {
namespace {

constexpr std::size_t longest_name = 200, shortest_review = 10, longest_review = 5000;

// The caller's own list of that name, made when there is none. Nothing when there may be no more lists.
std::optional<std::string> list_called(lists::ListService& lists, const std::string& name, const Caller& by) {
  lists::CollectionFilter mine;
  mine.mine = true;
  mine.q = name;
  PageRequest page;
  const auto found = runtime::block_on(lists.list(mine, page, by));
  if (found)
    for (const auto& list : found->items)
      if (list.name == name) return std::to_string(list.id.value);
  lists::NewCollection made;
  made.name = name;
  made.kind = lists::Kind::reading;
  const auto created = runtime::block_on(lists.create(made, by));
  if (!created) return {};
  return std::to_string(created->id.value);
}

}  // namespace

books::NotesKept keep_reader_notes(lists::ListService& lists, reviews::ReviewService& reviews, BookId book,
                                   const books::ReaderNotes& notes, const Caller& by) {
  books::NotesKept kept;
  if (!by.user) return kept;
  for (const auto& shelf : notes.shelves) {
    const std::string name(utf8_prefix(shelf, longest_name));
    const auto list = list_called(lists, name, by);
    if (!list) continue;
    const auto put = runtime::block_on(lists.put(*list, book, {}, by));
    if (put) ++kept.listed;
  }
  if (!notes.rating) return kept;
  reviews::NewReview review;
  review.book_id = book;
  review.review_text = std::string(utf8_prefix(trim(notes.review), longest_review));
  review.rating = std::max(1.0, *notes.rating);
  review.spoiler = notes.spoiler;
  if (utf8_length(review.review_text) < shortest_review) {
    ++kept.left_out;
    return kept;
  }
  const auto written = runtime::block_on(reviews.create(review, by));
  ++(written ? kept.reviewed : kept.left_out);
  return kept;
}

}  // namespace lumina

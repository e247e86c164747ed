// Questions about the catalogue: which books they are about, and what is on the shelf of them now.
#include "app_parts.hpp"
#include "core/text/words.hpp"

namespace lumina {
namespace {

constexpr std::int64_t most_found = 3, reviews_of_each = 2;
constexpr int most_alike = 12;
constexpr std::size_t most_title_words = 8, most_answers = 3;

struct CatalogueQuestion {
  std::vector<std::string> like;   // words that begin with the title of a book; empty: not asked so
  std::vector<std::string> words;  // those that tell something
  bool on_shelf = false;
};

CatalogueQuestion read(std::string_view question) {
  CatalogueQuestion out;
  std::vector<std::string> words;
  for (auto& term : text::terms(question, "", {.cjk_bigrams = true})) words.push_back(std::move(term.text));
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    out.on_shelf = out.on_shelf || word == "shelf" || word == "shelves" || word == "available";
    if (!ai::is_filler(word)) out.words.push_back(word);
    const bool like = word == "like" || (word == "to" && i > 0 && words[i - 1] == "similar");
    if (like && out.like.empty())
      out.like.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::size_t count, std::string_view between) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += between;
    out += words[i];
  }
  return out;
}

std::string said_of(const books::Book& book) {
  if (book.description && !book.description->empty()) return *book.description;
  if (book.summary && !book.summary->empty()) return *book.summary;
  return book.title + " by " + book.author + (book.genre ? ", " + *book.genre : "") + ".";
}

}  // namespace

// The book whose whole title the words begin with; of several, the longest title.
Task<Result<std::optional<books::Book>>> App::Parts::book_titled(std::vector<std::string> words) {
  for (std::size_t count = std::min(words.size(), most_title_words); count > 0; --count) {
    const auto title = joined(words, count, " ");
    books::SearchQuery query;
    query.q = "\"" + title + "\"";
    query.natural = false;
    auto found = co_await search.search(std::move(query));
    if (!found) co_return Failure(std::move(found.error()));
    for (auto& hit : found->items) {
      std::vector<std::string> own;
      for (auto& term : text::terms(hit.book.title, "", {.cjk_bigrams = true}))
        own.push_back(std::move(term.text));
      if (joined(own, own.size(), " ") == title) co_return std::optional(std::move(hit.book));
    }
  }
  co_return std::optional<books::Book>();
}

// Books like one that is named; else books the words of the question are found in, each with its reviews.
Task<Result<std::vector<ai::BookEvidence>>> App::Parts::books_asked_about(std::string question) {
  const auto asked = read(question);
  std::vector<ai::BookEvidence> out;
  auto model = co_await book_titled(asked.like);
  if (!model) co_return Failure(std::move(model.error()));
  if (*model) {
    recs::SimilarQuery query;
    query.limit = most_alike;
    auto alike = co_await recs.lists.similar((*model)->id, std::move(query));
    if (!alike) co_return Failure(std::move(alike.error()));
    for (const auto& book : *alike) {
      if (out.size() == most_answers) break;
      if (book.id == (*model)->id || (asked.on_shelf && book.copies_available == 0)) continue;
      out.push_back({book.id, book.title, book.author, said_of(book), book.copies_available, true});
    }
    co_return out;
  }
  if (asked.words.empty()) co_return out;
  books::SearchQuery query;
  query.q = joined(asked.words, asked.words.size(), " OR ");
  query.natural = false;
  query.limit = most_found;
  if (asked.on_shelf) query.available = true;
  auto found = co_await search.search(std::move(query));
  if (!found) co_return Failure(std::move(found.error()));
  for (const auto& hit : found->items) {
    const auto& book = hit.book;
    out.push_back({book.id, book.title, book.author, said_of(book), book.copies_available, false});
    PageRequest page;
    page.limit = reviews_of_each;
    auto said = co_await reviews.list(book.id, {}, page);
    if (!said) co_return Failure(std::move(said.error()));
    for (const auto& review : said->items)
      if (!review.spoiler && review.seen())
        out.push_back({book.id, book.title, book.author, review.review_text, book.copies_available, false});
  }
  co_return out;
}

}  // namespace lumina

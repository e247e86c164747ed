// Questions about the catalogue: which books they are about, and what is on the shelf of them now.
#include "app_parts.hpp"
#include "core/text/words.hpp"

namespace lumina {
namespace {

constexpr std::int64_t most_found = 20, reviews_of_each = 2;
constexpr int most_reviewed = 3;  // books whose reviews are read for one question
constexpr int most_alike = 12;
constexpr std::size_t most_title_words = 8, most_answers = 3;

std::string joined(const std::vector<std::string>& words, std::size_t count, std::string_view between) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += between;
    out += words[i];
  }
  return out;
}

std::string entry_of(const books::Book& book) {
  return book.title + " by " + book.author + (book.genre ? ", " + *book.genre : "") + ".";
}

std::string said_of(const books::Book& book) {
  if (book.description && !book.description->empty()) return *book.description;
  if (book.summary && !book.summary->empty()) return *book.summary;
  return entry_of(book);
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

// Books like one that is named; else books that the question is about, by what the catalogue says of them or
// else by one of their reviews.
Task<Result<std::vector<ai::BookEvidence>>> App::Parts::books_asked_about(std::string question) {
  using Kind = ai::BookEvidence::Kind;
  const auto asked = ai::read_catalogue_question(question);
  std::vector<ai::BookEvidence> out;
  auto model = co_await book_titled(asked.like);
  if (!model) co_return Failure(std::move(model.error()));
  if (*model && ai::only_like(asked, text::terms((*model)->title, "", {.cjk_bigrams = true}).size())) {
    recs::SimilarQuery query;
    query.limit = most_alike;
    auto alike = co_await recs.lists.similar((*model)->id, std::move(query));
    if (!alike) co_return Failure(std::move(alike.error()));
    for (const auto& book : *alike) {
      if (out.size() == most_answers) break;
      if (book.id == (*model)->id || (asked.on_shelf && book.copies_available == 0)) continue;
      out.push_back(
          {book.id, book.title, book.author, said_of(book), book.copies_available, Kind::asked_for});
    }
    co_return out;
  }
  if (asked.words.empty()) co_return out;
  books::SearchQuery query;
  query.q = joined(asked.words, asked.words.size(), " OR ");
  query.natural = false;
  query.limit = most_found;
  if (asked.on_shelf && asked.for_books) query.available = true;
  auto found = co_await search.search(std::move(query));
  if (!found) co_return Failure(std::move(found.error()));
  int reviewed = 0;
  for (const auto& hit : found->items) {
    if (out.size() == most_answers) break;
    const auto& book = hit.book;
    const std::string genre = book.genre.value_or("");
    ai::BookEvidence evidence{book.id,   book.title, book.author, said_of(book), book.copies_available,
                              Kind::none};
    evidence.kind = ai::match(asked, {book.title, book.author, genre, evidence.text});
    if (evidence.kind != Kind::none) {
      if (asked.who_wrote) evidence.text = entry_of(book);
      out.push_back(std::move(evidence));
      continue;
    }
    if (book.review_count == 0 || ++reviewed > most_reviewed) continue;
    PageRequest page;
    page.limit = reviews_of_each;
    auto said = co_await reviews.list(book.id, {}, page);
    if (!said) co_return Failure(std::move(said.error()));
    for (const auto& review : said->items) {
      if (review.spoiler || !review.seen()) continue;
      evidence.text = review.review_text;
      evidence.kind = ai::match(asked, {book.title, book.author, genre, evidence.text});
      if (evidence.kind == Kind::none) continue;
      out.push_back(evidence);
      break;
    }
  }
  co_return out;
}

}  // namespace lumina

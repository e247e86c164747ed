// What every part of the library does when records become one, or are there again.
#include "app_parts.hpp"
#include "core/runtime/run_on.hpp"
#include "modules/ai/merged_books.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/merged_pins.hpp"
#include "modules/books/repository.hpp"
#include "modules/lists/merged_books.hpp"
#include "modules/reviews/merged_books.hpp"

namespace lumina {

void App::Parts::tie_records() {
  records.also_move(
      {.name = "lending",
       .lock = [this](db::Transaction& tx, const std::vector<BookId>& all) { merged_lending.lock(tx, all); },
       .move = [this](db::Transaction& tx, BookId from, BookId into,
                      const Caller& by) { return merged_lending.move(tx, from, into, by); },
       .back = [this](db::Transaction& tx, BookId from, BookId into, const std::string& note,
                      const Caller& by) { merged_lending.back(tx, from, into, note, by); }});
  records.also_move(
      {.name = "reviews",
       .move = [](db::Transaction& tx, BookId from, BookId into, const Caller&) -> Result<std::string> {
         return reviews::move_reviews(tx, from, into);
       },
       .back = [](db::Transaction& tx, BookId from, BookId into, const std::string& note,
                  const Caller&) { reviews::move_reviews_back(tx, from, into, note); }});
  records.also_move(
      {.name = "lists",
       .move = [](db::Transaction& tx, BookId from, BookId into, const Caller&) -> Result<std::string> {
         return lists::move_places(tx, from, into);
       },
       .back = [](db::Transaction& tx, BookId from, BookId into, const std::string& note,
                  const Caller&) { lists::move_places_back(tx, from, into, note); }});
  records.also_move(
      {.name = "documents",
       .move = [this](db::Transaction& tx, BookId from, BookId into, const Caller& by)
           -> Result<std::string> { return ai::move_documents(tx, journal, from, into, by); },
       .back = [this](db::Transaction& tx, BookId from, BookId into, const std::string& note,
                      const Caller& by) { ai::move_documents_back(tx, journal, from, into, note, by); }});
  records.also_move(
      {.name = "pins",
       .move = [this](db::Transaction& tx, BookId from, BookId into, const Caller& by)
           -> Result<std::string> { return books::move_pins(tx, journal, from, into, by); },
       .back = [this](db::Transaction& tx, BookId from, BookId into, const std::string& note,
                      const Caller& by) { books::move_pins_back(tx, journal, from, into, note, by); }});
  lists.find_books_with([](db::Transaction& tx, const books::BookFilter& filter,
                           const PageRequest& page) -> Result<Page<books::Book>> {
    books::BookRepository all(tx);
    Page<books::Book> out;
    out.total = all.count(filter);
    out.items = all.list(filter, page).books;
    return out;
  });
  // By meaning: the vectors that recommendations keep of all books.
  search.use_neighbours(
      [this](std::string_view query, std::size_t most) -> std::optional<std::vector<BookId>> {
        const auto engine = recs.live.engine();
        if (!engine || !engine->catalogue) return {};
        const auto* embedder = engine->catalogue->embedder();
        const auto* index = engine->catalogue->index();
        if (embedder == nullptr || index == nullptr || index->size() == 0) return {};
        const auto vector = embedder->embed({{{1.0F, std::string(query)}}, ""});
        std::vector<BookId> near;
        for (const auto& hit : index->search(vector, most))
          if (hit.score > 0) near.push_back({hit.id});
        return near;
      },
      [this] { return recs.live.caught_up(false); });
  recs.live.when_renewed([this] { cache.drop(books::catalogue_tag()); });
  // Rather by the vectors of an embedding model, where one is set up and answers.
  search.use_meaning(
      [this](std::string query, std::size_t most) { return books_meant(std::move(query), most); });
  recs.lists.use_meaning([this](std::int64_t book, std::size_t most) {
    if (!models.embedder().configured()) return std::vector<vector::Hit>{};
    const auto engine = recs.live.engine();
    const auto known = engine && engine->catalogue ? engine->catalogue->size() : 0;
    return book_vectors.nearest_to(models.embedder().model(), book, most, static_cast<std::int64_t>(known))
        .value_or(std::vector<vector::Hit>{});
  });
  records.when_restored(
      [this](db::Transaction& tx, BookId book, const Caller& by) { merged_lending.settle(tx, book, by); });
}

Task<std::optional<std::vector<BookId>>> App::Parts::books_meant(std::string query, std::size_t most) {
  constexpr std::chrono::milliseconds patience{2000};
  constexpr float least_nearness = 0.5F;  // of the best one's: below, a book means something else
  auto& embedder = models.embedder();
  const auto engine = recs.live.engine();
  if (!embedder.configured() || !engine || !engine->catalogue) co_return std::nullopt;
  const auto model = embedder.model();
  std::vector<std::string> texts;
  texts.push_back(std::move(query));
  const auto made = co_await embedder.embed(std::move(texts), {llm::Lane::interactive, patience});
  if (!made) co_return std::nullopt;
  const auto known = static_cast<std::int64_t>(engine->catalogue->size());
  auto look = [&] { return book_vectors.nearest(model, made->front(), most, known, {}); };
  const auto near = co_await runtime::run_on(cpu, std::move(look));
  if (!near || near->empty()) co_return std::nullopt;
  std::vector<BookId> out;
  for (const auto& hit : *near)
    if (hit.score > 0 && hit.score >= least_nearness * near->front().score) out.emplace_back(hit.id);
  co_return out;
}

// Whoever borrowed a book that became part of this one borrowed this one.
bool App::Parts::has_borrowed(db::Transaction& tx, UserId user, BookId book) {
  if (loan_privacy.has_borrowed(tx, user, book)) return true;
  for (const auto merged : books::merged_into(tx, book))
    if (loan_privacy.has_borrowed(tx, user, merged)) return true;
  return false;
}

// For saved searches. A query that cannot be read any more finds nothing.
std::vector<notices::NewBook> App::Parts::new_books(db::Transaction& tx, const std::string& query,
                                                    Timestamp since, int most) {
  books::BookFilter filter;
  if (!json::decode(schema::type_of<books::BookFilter>(), &filter, query, {"query"})) return {};
  auto conditions = books::conditions_of(filter);
  conditions.where += " AND b.created_at >= " + conditions.bind(db::to_value(since));
  std::vector<notices::NewBook> out;
  for (auto& book : books::BookRepository(tx).page(std::move(conditions), "b.id", 0, most))
    out.push_back({book.id, std::move(book.title), std::move(book.author)});
  return out;
}

}  // namespace lumina

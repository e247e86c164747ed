#include "unit/modules/recs/fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace lumina::recs {
namespace {

using namespace fixture;

struct Shop {
  TrainedModel model = train_all(library(), readings(300), small(), now).value();
  std::unique_ptr<Catalogue> catalogue = model.make_catalogue();
  Shop() {
    REQUIRE(catalogue->put_all(library()));
    catalogue->observe_all(readings(300), now);
  }
  std::vector<Ranked> list(const History& history, const RankRequest& request = {}) const {
    return rank(model.collaborative.get(), model.weights, *catalogue, history, request);
  }
};

const Shop& shop() {
  static const Shop kept;
  return kept;
}

std::vector<std::int64_t> ids_of(const std::vector<Ranked>& list) {
  std::vector<std::int64_t> ids;
  for (const auto& one : list) ids.push_back(one.book);
  return ids;
}

TEST_CASE("series and authors are read from titles and author lines", "[H5]") {
  CHECK(series_of("The Two Towers (The Lord of the Rings, #2)")->name == "the lord of the rings");
  CHECK(series_of("The Two Towers (The Lord of the Rings, #2)")->number == 2);
  CHECK(series_of("Mort (Discworld, #4; Death, #1)")->number == 4);
  CHECK(series_of("Emma (Classics, Vol. 3)")->name == "classics");
  CHECK(series_of("Novella (Saga, #1.5)")->number == 1.5F);
  CHECK_FALSE(series_of("Catch 22"));
  CHECK_FALSE(series_of("Poems (1916)"));
  CHECK_FALSE(series_of("Odd ()"));
  CHECK_FALSE(series_of(")"));
  CHECK_FALSE(series_of(""));
  CHECK(authors_of("J.K. Rowling, Mary GrandPré") ==
        std::vector<std::string>{"j k rowling", "mary grandpre"});
  CHECK(authors_of("J. K. Rowling") == std::vector<std::string>{"j k rowling"});
  CHECK(authors_of("Ann & Bob and Cy; Dee").size() == 4);
  CHECK(authors_of("  ,; ").empty());
}

TEST_CASE("lists follow what was read", "[H1][H13]") {
  for (int cluster = 0; cluster < clusters; ++cluster) {
    const auto list = shop().list(history_of({100 + cluster, 104 + cluster, 108 + cluster}));
    REQUIRE(list.size() == 10);
    CHECK(std::ranges::count_if(list, [&](const Ranked& one) { return cluster_of(one.book) == cluster; }) >=
          8);
    CHECK(std::ranges::is_sorted(list, std::greater(), &Ranked::score));
    CHECK(list.front().score == Approx(1));
  }
}

TEST_CASE("one more book changes the next list, without training", "[H13]") {
  const auto before = shop().list(history_of({100, 104}));
  const auto after = shop().list(history_of({100, 104, 121, 125}));
  CHECK(ids_of(before) != ids_of(after));
  CHECK(std::ranges::count_if(after, [](const Ranked& one) { return cluster_of(one.book) == 1; }) >
        std::ranges::count_if(before, [](const Ranked& one) { return cluster_of(one.book) == 1; }));
}

TEST_CASE("10,000 random histories: nothing read, refused or removed, no repeats, always full",
          "[H10][H11]") {
  auto catalogue = shop().model.make_catalogue();
  REQUIRE(catalogue->put_all(library()));
  catalogue->observe_all(readings(300), now);
  std::set<std::int64_t> removed;
  std::mt19937_64 random(17);
  const auto all = ids();
  for (int i = 0; i < 12; ++i) removed.insert(all[random() % all.size()]);
  for (const auto id : removed) catalogue->remove(id);
  std::size_t wrong = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::vector<History::Entry> entries;
    const auto count = random() % 30;
    for (std::size_t i = 0; i < count; ++i)
      entries.push_back({all[random() % all.size()], static_cast<float>(random() % 7) - 2,
                         now - std::chrono::hours(random() % 5'000)});
    const History history(std::move(entries));
    std::set<std::int64_t> hidden;
    for (int i = 0; i < 8; ++i) hidden.insert(all[random() % all.size()]);
    RankRequest request;
    request.limit = 1 + random() % 20;
    request.diversity = static_cast<float>(random() % 3) / 2;
    request.strategy = static_cast<Strategy>(random() % 4);
    request.accept = [&](std::int64_t id) { return !hidden.contains(id); };
    const auto list =
        rank(shop().model.collaborative.get(), shop().model.weights, *catalogue, history, request);
    std::set<std::int64_t> seen;
    for (const auto& one : list)
      if (history.contains(one.book) || hidden.contains(one.book) || removed.contains(one.book) ||
          !seen.insert(one.book).second || !std::isfinite(one.score))
        ++wrong;
    // 100 books less at most 30 read, 8 hidden and 12 removed leave 50.
    if (list.size() != request.limit) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("full variety shows no two books of one author while there are others", "[H16]") {
  RankRequest request;
  request.diversity = 1;
  const auto list = shop().list(history_of({100, 104, 108}), request);
  REQUIRE(list.size() == 10);
  std::set<std::string> authors;
  for (const auto& one : list)
    for (const auto& book : library())
      if (book.id == one.book) authors.insert(book.author);
  CHECK(authors.size() == 10);

  request.diversity = 0;
  const auto plain = shop().list(history_of({100, 104, 108}), request);
  request.diversity = 0.5F;
  const auto some = shop().list(history_of({100, 104, 108}), request);
  CHECK(some.front().book == plain.front().book);
  // More wanted than there are authors: the rest comes after.
  request.diversity = 1;
  request.limit = 90;
  CHECK(shop().list(history_of({100}), request).size() == 90);
}

TEST_CASE("a stated preference decides for somebody new, and shows for others", "[A15][H9]") {
  RankRequest request;
  request.genres = {"gardening"};
  const auto fresh = shop().list({}, request);
  REQUIRE(fresh.size() == 10);
  for (const auto& one : fresh) {
    CHECK(cluster_of(one.book) == 2);
    CHECK(one.reason.kind == ReasonKind::preference);
  }
  const auto popular = shop().list({});
  CHECK(
      std::ranges::all_of(popular, [](const Ranked& one) { return one.reason.kind == ReasonKind::popular; }));
  request.genres.clear();
  request.authors = {author_name(3, 1)};
  const auto mixed = shop().list(history_of({100, 104}), request);
  CHECK(std::ranges::any_of(mixed, [](const Ranked& one) { return cluster_of(one.book) == 3; }));
}

TEST_CASE("reasons name a book that was read, and what they say of it is true", "[H14]") {
  const auto books = library();
  const auto text = [&](std::int64_t id) -> const BookText& {
    return *std::ranges::find(books, id, &BookText::id);
  };
  std::mt19937_64 random(4);
  std::set<ReasonKind> kinds;
  for (int round = 0; round < 200; ++round) {
    std::vector<History::Entry> entries;
    for (int i = 0; i < 6; ++i)
      entries.push_back(
          {100 + static_cast<int>(random() % 100), 1, now - std::chrono::hours(random() % 900)});
    const History history(std::move(entries));
    // Half of them with every part in the same weight, so that each has its say.
    RankRequest request;
    if (round % 2 == 0) {
      request.weights.emplace();
      request.weights->fill(1);
    }
    for (const auto& one : shop().list(history, request)) {
      kinds.insert(one.reason.kind);
      if (one.reason.kind == ReasonKind::popular || one.reason.kind == ReasonKind::preference) {
        CHECK(one.reason.book == 0);
        continue;
      }
      REQUIRE(history.contains(one.reason.book));
      const auto& read = text(one.reason.book);
      const auto& given = text(one.book);
      if (one.reason.kind == ReasonKind::author) CHECK(read.author == given.author);
      if (one.reason.kind == ReasonKind::genre) CHECK(read.genre == given.genre);
      if (one.reason.kind == ReasonKind::series || one.reason.kind == ReasonKind::next)
        CHECK(series_of(read.title)->name == series_of(given.title)->name);
      if (one.reason.kind == ReasonKind::next)
        CHECK(series_of(given.title)->number == series_of(read.title)->number + 1);
    }
  }
  CHECK(kinds.size() >= 3);
}

TEST_CASE("without a model, without books: popular ones, or nothing", "[H4]") {
  Catalogue empty;
  CHECK(rank(nullptr, {}, empty, history_of({100}), {}).empty());
  CHECK(empty.similar(100, 5).empty());
  Catalogue fresh;
  REQUIRE(fresh.put_all(library()));
  fresh.observe_all(readings(50), now);
  const auto list = rank(nullptr, {}, fresh, {}, {});
  REQUIRE(list.size() == 10);
  const auto popular = fresh.popular(10);
  for (std::size_t i = 0; i < 10; ++i) CHECK(list[i].book == popular[i].id);
  const auto read = rank(nullptr, {}, fresh, history_of({100, 104}), {});
  CHECK(std::ranges::count_if(read, [](const Ranked& one) { return cluster_of(one.book) == 0; }) >= 6);
}

TEST_CASE("a new book is similar to its kind at once, and leaves when it is removed", "[H2][H13]") {
  auto catalogue = shop().model.make_catalogue();
  REQUIRE(catalogue->put_all(library()));
  BookText book;
  book.id = 5'000;
  book.title = "A detective without an alibi";
  book.author = author_name(1, 1);
  book.genre = "Crime";
  book.description = "murder poison clue";
  book.language = "en";
  catalogue->put(book);
  const auto similar = catalogue->similar(5'000, 10);
  REQUIRE(similar.size() == 10);
  for (const auto& hit : similar) CHECK(cluster_of(hit.id) == 1);
  CHECK(std::ranges::any_of(catalogue->similar(similar.front().id, 30),
                            [](const vector::Hit& hit) { return hit.id == 5'000; }));
  const auto first = similar.front().id;
  CHECK(catalogue->remove(5'000));
  CHECK_FALSE(catalogue->remove(5'000));
  CHECK(catalogue->similar(5'000, 10).empty());
  for (const auto& hit : catalogue->similar(first, 100)) CHECK(hit.id != 5'000);
}

TEST_CASE("a book of the same author and genre is among the first three similar ones", "[H5]") {
  const auto books = library();
  // The last of each cluster is its author's only one.
  for (std::size_t i = 0; i + clusters < books.size(); i += 9) {
    const auto similar = shop().catalogue->similar(books[i].id, 3);
    CHECK(std::ranges::any_of(similar, [&](const vector::Hit& hit) {
      const auto other = std::ranges::find(books, hit.id, &BookText::id);
      return other->author == books[i].author && other->genre == books[i].genre;
    }));
    CHECK(std::ranges::none_of(similar, [&](const vector::Hit& hit) { return hit.id == books[i].id; }));
  }
}

TEST_CASE("impressions that led nowhere lower a book, given weights replace the learned ones", "[H15][H8]") {
  const auto history = history_of({100, 104, 108});
  const auto first = shop().list(history).front().book;
  RankRequest request;
  request.damping = [&](std::int64_t id) { return id == first ? 0.1F : 1.0F; };
  CHECK(shop().list(history, request).front().book != first);
  RankRequest popular;
  popular.weights = Weights{};
  popular.weights->at(static_cast<std::size_t>(Part::popularity)) = 1;
  RankRequest named;
  named.strategy = Strategy::popular;
  CHECK(ids_of(shop().list(history, popular)) == ids_of(shop().list(history, named)));
  for (const auto part : {Part::neighbours, Part::content, Part::popularity})
    CHECK(part_named(name_of(part)) == part);
  CHECK_FALSE(strategy_named("best"));
}

TEST_CASE("weights go from row to row without a jump", "[H8]") {
  BlendWeights weights;
  for (std::size_t books = 1; books < 60; ++books) {
    const auto here = weights.at(books);
    const auto next = weights.at(books + 1);
    for (std::size_t part = 0; part < part_count; ++part) CHECK(std::abs(here[part] - next[part]) < 0.1F);
  }
  CHECK(weights.at(0) == weights.rows.front());
  CHECK(weights.at(10'000) == weights.rows.back());
  // Before anything is learned: from content to people as the history grows.
  const auto content = static_cast<std::size_t>(Part::content);
  const auto neighbours = static_cast<std::size_t>(Part::neighbours);
  CHECK(weights.at(1)[content] > weights.at(50)[content]);
  CHECK(weights.at(1)[neighbours] < weights.at(50)[neighbours]);
}

TEST_CASE("popularity halves with every half-life, and the future counts as now", "[H12]") {
  Catalogue catalogue({}, {}, {}, {}, std::chrono::days(10));
  REQUIRE(catalogue.put_all(library()));
  for (int i = 0; i < 3; ++i) catalogue.observe(100, 1, now - std::chrono::days(20), now);
  catalogue.observe(101, 1, now + std::chrono::days(900), now);
  catalogue.observe(102, -5, now, now);
  catalogue.settle();
  const auto popular = catalogue.popular(3);
  CHECK(popular[0].id == 101);
  CHECK(popular[1].id == 100);
  CHECK(popular[1].score == Approx(0.75F));
  CHECK(popular[2].score == 0);
}

}  // namespace
}  // namespace lumina::recs

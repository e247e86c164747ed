// What may stand in a list, whatever a person did: random histories against the rules.
#include "modules/recs/list_maker.hpp"

#include "core/text/fold.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace lumina;
using namespace lumina::recs;

namespace {

constexpr std::int64_t book_count = 120;
const Timestamp now = *parse_rfc3339("2026-11-22T10:00:00Z");
const std::vector<std::string> genres{"Crime", "Poetry", "History", "Fantasy"};

BookText text_of(std::int64_t id) {
  BookText book;
  book.id = id;
  book.title = "Book " + std::to_string(id);
  book.author = "Author " + std::to_string(id % 17);
  book.genre = genres[static_cast<std::size_t>(id) % genres.size()];
  return book;
}
ShelfBook shelved(std::int64_t id, bool available = true) {
  const auto text = text_of(id);
  auto facts = std::make_shared<BookFacts>();
  facts->id = id;
  facts->title = text.title;
  facts->author = text.author;
  facts->author_key = text::fold(text.author);
  facts->genre = text.genre;
  facts->genre_key = text::fold(text.genre);
  facts->language = id % 5 ? "en" : "de";
  facts->branches = {1 + id % 2};
  auto figures = std::make_shared<BookFigures>();
  figures->available = available;
  return {facts, figures};
}

// A library in memory, untrained.
struct Library {
  Shelf shelf;
  Engine engine;

  Library() {
    engine.catalogue = std::make_shared<Catalogue>();
    std::vector<Shelf::Change> changes;
    std::vector<BookText> texts;
    for (std::int64_t id = 1; id <= book_count; ++id) {
      changes.push_back({id, shelved(id, id % 3 != 0), false});
      texts.push_back(text_of(id));
    }
    shelf.apply(std::move(changes));
    REQUIRE(engine.catalogue->put_all(texts));
  }
  void remove(std::int64_t id) {
    engine.catalogue->remove(id);
    shelf.apply({{id, {}, false}});
  }
};

std::vector<std::int64_t> ids(const std::vector<Ranked>& list) {
  std::vector<std::int64_t> all;
  for (const auto& one : list) all.push_back(one.book);
  return all;
}

}  // namespace

TEST_CASE("no list of ten thousand random histories shows what it must not", "[H10]") {
  Library library;
  std::mt19937 random(42);
  const auto some = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most + 1)); };
  const auto any = [&] { return 1 + static_cast<std::int64_t>(random() % book_count); };
  std::set<std::int64_t> deleted;
  std::size_t empty = 0;
  for (int trial = 0; trial < 10'000; ++trial) {
    if (trial % 500 == 499) {
      const auto id = any();
      if (deleted.insert(id).second) library.remove(id);
    }
    std::vector<Deed> deeds;
    std::set<std::int64_t> never = deleted;
    for (int n = some(40); n > 0; --n) {
      const auto kind = static_cast<DeedKind>(random() % deed_names.size());
      const auto at = now - std::chrono::hours(some(5000));
      const Deed deed{kind, any(), kind == DeedKind::review ? 1.0 + some(4) : 1.0, at};
      deeds.push_back(deed);
      if (kind != DeedKind::click && kind != DeedKind::opened && kind != DeedKind::shown &&
          kind != DeedKind::like)
        never.insert(deed.book);
    }
    const auto forgotten =
        trial % 4 == 0 ? std::optional(now - std::chrono::hours(some(5000))) : std::nullopt;
    Wishes wishes;
    if (trial % 3 == 0) wishes.disliked_genre_keys = {"poetry"};
    if (trial % 5 == 0) wishes.genres = {"Crime"}, wishes.genre_keys = {"crime"};
    const auto person = make_person(deeds, wishes, trial % 7 != 0, forgotten);
    Wanted wanted;
    wanted.limit = 1 + static_cast<std::size_t>(some(30));
    wanted.method = static_cast<Method>(random() % method_names.size());
    wanted.diversity = trial % 2 ? 0.5 : 0;
    if (trial % 6 == 0) wanted.filters.available = true;
    for (int n = some(3); n > 0; --n) {
      wanted.filters.exclude.push_back({any()});
      never.insert(wanted.filters.exclude.back().value);
    }
    const auto list = ids(make_list(library.engine, *library.shelf.snapshot(), person, wanted, {}));
    REQUIRE(list.size() <= wanted.limit);
    REQUIRE(std::set(list.begin(), list.end()).size() == list.size());
    std::size_t possible = 0;
    for (std::int64_t id = 1; id <= book_count; ++id) {
      const bool may =
          !never.contains(id) && (trial % 6 != 0 || id % 3 != 0) && (trial % 3 != 0 || id % 4 != 1);
      possible += may ? 1 : 0;
      if (!may && std::ranges::count(list, id) > 0) {
        CAPTURE(trial, id);
        FAIL("a book that must not be there");
      }
    }
    // And it is as long as it can be.
    CAPTURE(trial);
    REQUIRE(list.size() == std::min(wanted.limit, possible));
    empty += list.empty() ? 1 : 0;
  }
  CHECK(empty == 0);
}

TEST_CASE("explanations name a book that the person has to do with", "[H14]") {
  Library library;
  const auto shelf = library.shelf.snapshot();
  const auto person =
      make_person({{DeedKind::borrow, 5, 1, now}, {DeedKind::review, 8, 5, now}}, {}, true, {});
  const auto said = [&](ReasonKind kind, std::int64_t because) {
    Recommended book;
    book.id = {3};
    book.genre = "Fantasy";
    book.author = "Author 3";
    explain(book, {3, 0.5F, {kind, because}}, person, *shelf);
    return book;
  };
  CHECK(said(ReasonKind::author, 5).reason == "Because you borrowed Book 5, by the same author");
  CHECK(said(ReasonKind::author, 5).similar_to->id.value == 5);
  CHECK(said(ReasonKind::readers, 8).reason ==
        "Because you rated highly Book 8, whose readers chose this too");
  CHECK(said(ReasonKind::readers, 8).source == Source::collaborative);
  CHECK(said(ReasonKind::preference, 0).reason == "Because you like Fantasy");
  CHECK(said(ReasonKind::popular, 0).source == Source::undiscovered);
  // A book that is gone is not named.
  library.remove(5);
  Recommended book;
  explain(book, {3, 0.5F, {ReasonKind::author, 5}}, person, *library.shelf.snapshot());
  CHECK(book.reason == "By an author whom you read");
  CHECK(!book.similar_to);
}

TEST_CASE("what was forgotten shapes no list and still does not come again", "[H28]") {
  const auto before = now - std::chrono::hours(2), after = now + std::chrono::hours(2);
  const auto person =
      make_person({{DeedKind::borrow, 1, 1, before}, {DeedKind::borrow, 2, 1, after}}, {}, true, now);
  CHECK(person.history.size() == 1);
  CHECK(person.history.contains(2));
  CHECK(person.had.contains(1));
  const auto private_one = make_person({{DeedKind::borrow, 1, 1, before}}, {}, false, {});
  CHECK(private_one.history.empty());
  CHECK(private_one.had.contains(1));
}

TEST_CASE("windows are hours, days or weeks", "[H12]") {
  CHECK(window_ms("12h") == 12 * 3'600'000LL);
  CHECK(window_ms("30d") == 30 * 86'400'000LL);
  CHECK(window_ms("2w") == 14 * 86'400'000LL);
  for (const auto* wrong : {"", "d", "0d", "-1d", "30", "30m", "30dd", "731d", "9999999999999999999d"})
    CHECK(!window_ms(wrong));
}

TEST_CASE("a shelf's snapshot stays as it is while the shelf changes", "[H24]") {
  Shelf shelf;
  shelf.apply({{3, shelved(3), false}, {1000, shelved(1000), false}});
  const auto before = shelf.snapshot();
  auto figures = std::make_shared<BookFigures>();
  figures->available = false;
  shelf.apply({{3, {nullptr, figures}, true}, {7, {nullptr, figures}, true}});
  CHECK(shelf.snapshot()->content_version() == before->content_version());
  CHECK(shelf.snapshot()->version() > before->version());
  CHECK(before->find(3)->figures->available);
  CHECK(!shelf.snapshot()->find(3)->figures->available);
  CHECK(shelf.snapshot()->find(7) == nullptr);
  shelf.apply({{1000, {}, false}});
  CHECK(shelf.snapshot()->size() == 1);
  CHECK(shelf.snapshot()->find(1000) == nullptr);
  CHECK(before->find(1000) != nullptr);
  CHECK(shelf.snapshot()->content_version() > before->content_version());
  CHECK(shelf.snapshot()->find(-1) == nullptr);
}

TEST_CASE("people in memory are read again when something of theirs changes", "[H13][H22]") {
  People people(2);
  const auto one = std::make_shared<const Person>();
  auto found = people.find({1});
  CHECK(!found.person);
  people.store({1}, found.ticket, one);
  CHECK(people.find({1}).person == one);
  // What was being read while something happened is not kept.
  people.forget({1});
  CHECK(!people.find({1}).person);
  people.store({1}, found.ticket, one);
  CHECK(!people.find({1}).person);
  // The least recently asked for goes.
  people.store({1}, people.find({1}).ticket, one);
  people.store({2}, people.find({2}).ticket, one);
  CHECK(people.find({1}).person);
  people.store({3}, people.find({3}).ticket, one);
  CHECK(people.find({1}).person);
  CHECK(people.find({3}).person);
  CHECK(!people.find({2}).person);
}

// A small library with a plan: clusters of books that the same people read, authors, series and genres.
#pragma once
#include "modules/recs/trainer.hpp"

#include <random>
#include <string>

namespace lumina::recs::fixture {

inline constexpr Moment now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
inline constexpr int clusters = 4;
inline constexpr int books_each = 25;

// A name of its own for each author, as people have.
inline std::string author_name(int cluster, int number) {
  std::string name = "Mara Kel";
  name += static_cast<char>('a' + cluster);
  name += static_cast<char>('a' + number);
  return name + "ski";
}

inline std::vector<BookText> library() {
  const std::vector<std::vector<std::string>> words = {{"dragon", "castle", "sword", "wizard", "quest"},
                                                       {"murder", "detective", "clue", "poison", "alibi"},
                                                       {"garden", "flower", "soil", "seed", "compost"},
                                                       {"rocket", "planet", "orbit", "galaxy", "engine"}};
  const std::vector<std::string> genres = {"Fantasy", "Crime", "Gardening", "Space"};
  std::mt19937_64 random(1);
  std::vector<BookText> books;
  for (int i = 0; i < clusters * books_each; ++i) {
    const auto cluster = static_cast<std::size_t>(i % clusters);
    const auto& own = words[cluster];
    BookText book;
    book.id = 100 + i;
    book.title = "The " + own[random() % own.size()] + " and the " + own[random() % own.size()];
    // The first eight of each cluster are two series of four.
    const auto place = i / clusters;
    if (place < 8)
      book.title += " (Saga " + std::to_string(cluster) + "-" + std::to_string(place / 4) + ", #" +
                    std::to_string(place % 4 + 1) + ")";
    book.author = author_name(static_cast<int>(cluster), place / 4);
    book.genre = genres[cluster];
    for (int j = 0; j < 6; ++j) book.description += own[random() % own.size()] + " ";
    book.language = "en";
    books.push_back(std::move(book));
  }
  return books;
}

inline int cluster_of(std::int64_t book) { return static_cast<int>((book - 100) % clusters); }

// Each person reads in one cluster, and now and then elsewhere.
inline std::vector<Interaction> readings(int people, std::uint64_t seed = 2) {
  std::mt19937_64 random(seed);
  std::vector<Interaction> all;
  for (int person = 1; person <= people; ++person) {
    const auto cluster = person % clusters;
    for (int i = 0; i < 12; ++i) {
      const auto own = random() % 10 != 0;
      const auto in = own ? cluster : static_cast<int>(random() % clusters);
      const auto book = 100 + in + clusters * static_cast<int>(random() % books_each);
      all.push_back({person, book, strength_of(Signal::borrow), now - std::chrono::hours(24 * (40 - i))});
    }
  }
  return all;
}

inline std::vector<std::int64_t> ids() {
  std::vector<std::int64_t> ids;
  for (const auto& book : library()) ids.push_back(book.id);
  return ids;
}

inline TrainingParameters small() {
  TrainingParameters parameters;
  parameters.words.dimensions = 64;
  parameters.people.algorithms = {all_algorithms.begin(), all_algorithms.end()};
  parameters.people.factors = 8;
  parameters.people.factor_steps = 4;
  return parameters;
}

inline History history_of(std::initializer_list<std::int64_t> books) {
  std::vector<History::Entry> entries;
  auto at = now - std::chrono::hours(100);
  for (const auto book : books) entries.push_back({book, 1, at += std::chrono::hours(1)});
  return History(std::move(entries));
}

}  // namespace lumina::recs::fixture

// The books that can be recommended, live: who wrote them, which series they belong to, how popular they are
// now, and their vectors.
//
// Every book has a slot, a small number that stays its own until the process ends; books that a model was
// trained on come first, in the model's order, so that slot and model index are the same number. Books that
// come later get the next slots; removed ones keep theirs, dead. Readers hold the table for one ranking at a
// time (read()), writers change one book in microseconds. Everything is thread-safe.
//
// Popularity is a count of signals by strength in which each halves with every half-life (30 days unless the
// caller says otherwise); moments in the future count as now.
#pragma once
#include "core/vector/embedder.hpp"
#include "core/vector/index.hpp"
#include "modules/recs/interactions.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lumina::recs {

// What is known of a book. Texts as they are in the catalogue.
struct BookText {
  std::int64_t id = 0;
  std::string title;
  std::string author;  // several by commas, semicolons, "&" or "and"
  std::string genre;
  std::vector<std::string> tags;
  std::string description;
  std::string language;
  std::optional<int> year;
};

vector::EmbeddingText embedding_text(const BookText& book);
// Of all of the above: says whether a kept vector is still that of the book.
std::uint64_t digest_of(const BookText& book);

// "The Two Towers (The Lord of the Rings, #2)" and like forms: what stands in brackets before the number, and
// the number. Nothing when the title tells no series.
struct SeriesPlace {
  std::string name;
  float number = 0;
};
std::optional<SeriesPlace> series_of(std::string_view title);
// The people of an author line, each folded: "J.K. Rowling, Mary GrandPré" gives two. The first wrote it.
std::vector<std::string> authors_of(std::string_view line);

// What ranking needs to know of a slot. Keys are hashes of folded names, 0 for none.
struct Item {
  std::int64_t id = 0;
  bool live = false;
  std::uint64_t author = 0;  // the first
  std::vector<std::uint64_t> authors;
  std::uint64_t series = 0;
  float series_number = 0;
  std::uint64_t genre = 0;
  std::vector<std::uint64_t> genres;  // genre and tags
  std::uint64_t digest = 0;
  double popularity = 0;  // as it would be at a fixed moment: only its ratio to others means something
  float fame = 0;         // its logarithm in units of the catalogue's mean, as of the last sort
};

std::uint64_t key_of(std::string_view name);

class Catalogue {
 public:
  struct Table {
    std::vector<Item> items;
    std::unordered_map<std::int64_t, std::uint32_t> slots;
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> by_author, by_series, by_genre;
    std::vector<std::uint32_t> by_popularity;  // slots, most popular first, as of the last sort
    std::size_t living = 0;
    float fame_spread = 0;  // standard deviation of Item::fame over the living

    const Item* find(std::int64_t id) const;  // living ones only
  };
  // Holds the table still while it lives: keep it for one ranking, not longer.
  class Reading {
   public:
    const Table& operator*() const { return *table_; }
    const Table* operator->() const { return table_; }

   private:
    friend class Catalogue;
    explicit Reading(const Catalogue& owner) : lock_(owner.mutex_), table_(&owner.table_) {}
    std::shared_lock<std::shared_mutex> lock_;
    const Table* table_;
  };

  // Without an embedder (before any training) books have no vectors. `first` are the ids of a model,
  // `digests` those of the texts whose vectors the index has.
  explicit Catalogue(std::shared_ptr<const vector::Embedder> embedder = {},
                     std::shared_ptr<vector::Index> index = {}, std::span<const std::int64_t> first = {},
                     std::span<const std::uint64_t> digests = {},
                     std::chrono::days popularity_half_life = std::chrono::days(30));

  // Adds or replaces. A vector is made, which costs about 0.1 ms, unless the index has that of this very
  // text.
  void put(const BookText& book);
  // Many at once, with several threads for the vectors. Error: cancelled (some are in then).
  Status put_all(std::span<const BookText> books, const vector::Work& work = {});
  bool remove(std::int64_t id);
  // Counts a signal for the popularity of its book (negative ones and unknown books do not count).
  void observe(std::int64_t book, float strength, Moment at, Moment now);
  void observe_all(std::span<const Interaction> interactions, Moment now);
  void reset_popularity();
  // Brings the order by popularity up to date; observe() alone does so once in 256 calls.
  void settle();

  Reading read() const { return Reading(*this); }
  std::size_t size() const;
  // Null before any training.
  const vector::Index* index() const { return index_.get(); }
  const vector::Embedder* embedder() const { return embedder_.get(); }

  // By decayed popularity, most popular first; ties by id.
  std::vector<vector::Hit> popular(std::size_t k, const vector::Index::Accept& accept = {}) const;
  // The books nearest to one by vector, author and series; without itself. Works for a book that came after
  // the model; empty for unknown ones. Scores fall, 0..1.
  std::vector<vector::Hit> similar(std::int64_t book, std::size_t k,
                                   const vector::Index::Accept& accept = {}) const;

 private:
  std::uint32_t slot_of(std::int64_t id);
  bool needs_vector(const BookText& book) const;
  void describe(const BookText& book);
  void forget(std::uint32_t slot);
  void count(std::int64_t book, float strength, Moment at, Moment now);
  void sort_by_popularity();

  const std::shared_ptr<const vector::Embedder> embedder_;
  const std::shared_ptr<vector::Index> index_;
  const double half_life_ms_;
  mutable std::shared_mutex mutex_;
  Table table_;
  std::atomic<std::size_t> observed_ = 0;
};

}  // namespace lumina::recs

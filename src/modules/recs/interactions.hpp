// What people did with books, as numbers that models learn from.
//
// A strength says how much a signal speaks for a book: 1 is a loan, an opinion weighs more than a deed, what
// speaks against it is negative. Of several signals of one person about one book the one of the greatest
// magnitude counts, of equal ones the later. Nothing here is thread-safe beyond const.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lumina::recs {

using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

enum class Signal { borrow, hold, list, progress, click, review, like, dislike, dismiss };

// Stars (1..5) matter to a review only; a review without them counts like a loan.
float strength_of(Signal signal, std::optional<int> stars = {});

struct Interaction {
  std::int64_t person = 0;
  std::int64_t book = 0;
  float strength = 0;
  Moment at;
};

// One person's books, oldest first, each once.
class History {
 public:
  struct Entry {
    std::int64_t book = 0;
    float strength = 0;
    Moment at;
    bool operator==(const Entry&) const = default;
  };

  History() = default;
  // In any order, books may repeat. Only the newest `keep` books stay.
  explicit History(std::vector<Entry> entries, std::size_t keep = most);

  // As if it had been among those of the constructor: a signal moves its book to its own moment when that is
  // later. Takes time linear in the length.
  void add(const Entry& entry);

  std::span<const Entry> entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  bool contains(std::int64_t book) const;

  // How much each entry counts now: its strength, halved for every `half_life` newer entries. 0: no decay.
  // Entries that speak against their book do not make others older.
  std::vector<float> weights(float half_life) const;

  static constexpr std::size_t most = 500;

 private:
  std::vector<Entry> entries_;
};

// One history for each person, by person; entries of `strength` 0 are left out.
struct PersonHistory {
  std::int64_t person = 0;
  History history;
};
std::vector<PersonHistory> histories_of(std::span<const Interaction> interactions,
                                        std::size_t keep = History::most);

}  // namespace lumina::recs

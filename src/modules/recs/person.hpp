// What a person did with books and said about them, as lists are made of it, and where it is kept in memory.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "modules/recs/blend.hpp"
#include "modules/recs/interactions.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace lumina::recs {

enum class DeedKind : std::uint8_t {
  borrow,
  review,
  hold,
  listed,
  click,
  like,
  dislike,
  dismiss,
  shown,
  opened
};
constexpr std::array<std::string_view, 10> deed_names{"borrow", "review",  "hold",    "listed", "click",
                                                      "like",   "dislike", "dismiss", "shown",  "opened"};
constexpr auto& enum_names(DeedKind) { return deed_names; }

struct Deed {
  DeedKind kind = DeedKind::borrow;
  std::int64_t book = 0;
  double value = 0;  // of a review the rating, of a hold 1 while it is open, of the rest how often
  Timestamp at;
};

// As models count it; 0: it says nothing about the book.
float strength_of(const Deed& deed);
// "you borrowed", "you rated highly": what stands between "Because" and a title.
std::string_view wording_of(const Deed& deed);

// As the person wrote them, and folded for comparing.
struct Wishes {
  std::vector<std::string> genres, authors, languages;
  std::vector<std::string> genre_keys, author_keys, disliked_genre_keys;
};

// Never changes once it is made.
struct Person {
  History history;
  // The strongest deed by book, for reasons; what was forgotten is not among them.
  std::unordered_map<std::int64_t, Deed> deeds;
  // Books that no list shows again, whatever was forgotten: had (borrowed or reviewed), refused (dismissed or
  // disliked), at hand (an open hold, on a list of one's own).
  std::unordered_set<std::int64_t> had, refused, at_hand;
  std::unordered_map<std::int64_t, double> shown;  // how often without being opened
  Wishes wishes;
  bool personal = true;
};

// From the rows of the tables.
Person make_person(const std::vector<Deed>& deeds, Wishes wishes, bool personal,
                   std::optional<Timestamp> forgotten_at);

Moment moment_of(Timestamp at);

// People in memory, the least recently asked for go first. Any thread.
class People {
 public:
  explicit People(std::size_t most) : most_(most) {}

  // A list that was made, and of what.
  struct Prepared {
    std::int64_t model = 0;
    std::uint64_t books = 0;  // version of the shelf
    std::vector<Ranked> picks;
  };
  struct Found {
    std::shared_ptr<const Person> person;  // null: read it, then store() it with the ticket
    std::shared_ptr<const Prepared> prepared;
    std::uint64_t ticket = 0;  // another one whenever the person changed
  };
  Found find(UserId user);
  // Kept unless something happened since the ticket was given.
  void store(UserId user, std::uint64_t ticket, std::shared_ptr<const Person> person);
  void store(UserId user, std::uint64_t ticket, std::shared_ptr<const Prepared> prepared);
  void forget(UserId user);
  void clear();

 private:
  struct Entry {
    std::uint64_t ticket = 0;
    std::shared_ptr<const Person> person;
    std::shared_ptr<const Prepared> prepared;
    std::list<std::int64_t>::iterator place;
  };
  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::int64_t, Entry> entries_;
  std::list<std::int64_t> order_;  // least recently used first
  std::uint64_t next_ticket_ = 0;
};

}  // namespace lumina::recs

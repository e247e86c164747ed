// The rules of collections: who may see and change which, what a wishlist is, what a link opens.
//
// A private collection is not found by anybody but its owner, those it was granted to, and whoever has its
// link. Curated collections are made and changed by staff (books:write). Public functions are awaited on an
// io thread; each is one unit of work. `reference` is an id or a slug.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "modules/books/model.hpp"
#include "modules/lists/model.hpp"

#include <functional>
#include <string>
#include <vector>

namespace lumina::lists {

constexpr std::int64_t most_collections = 500;  // of one person
constexpr std::int64_t most_items = 10'000;     // in one collection

struct Stored;

// The books that a question finds, read inside a unit of work: the catalogue knows.
using FindBooks =
    std::function<Result<Page<books::Book>>(db::Transaction&, const books::BookFilter&, const PageRequest&)>;

class ListService {
 public:
  ListService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  // Smart lists cannot be made without it. At start-up only.
  void find_books_with(FindBooks find) { find_ = std::move(find); }

  Task<Result<Page<Collection>>> list(CollectionFilter filter, PageRequest page, Caller by);
  Task<Result<Collection>> find(std::string reference, Caller by);
  // Refused: wishlist_exists, too_many_lists.
  Task<Result<Collection>> create(NewCollection made, Caller by);
  Task<Result<Collection>> change(std::string reference, CollectionChanges changes, Precondition seen,
                                  Caller by);
  Task<Status> remove(std::string reference, Precondition seen, Caller by);

  Task<Result<Page<Item>>> items(std::string reference, PageRequest page, Caller by);
  // A book that is there stays where it is; a note replaces the old one. Refused: list_full, smart_list.
  Task<Result<Item>> put(std::string reference, BookId book, NewItem item, Caller by);
  Task<Status> take(std::string reference, BookId book, Caller by);
  // The order must name every book of the list once: conflict when the list changed meanwhile.
  Task<Result<Collection>> reorder(std::string reference, Order order, Caller by);
  Task<Result<Statistics>> statistics(std::string reference, Caller by);

  Task<Result<std::vector<Grant>>> grants(std::string reference, Caller by);
  Task<Result<std::vector<Grant>>> grant(std::string reference, Grant grant, Caller by);
  Task<Status> revoke(std::string reference, UserId user, Caller by);

  // A new link each time; the old one ends.
  Task<Result<Collection>> open_link(std::string reference, Caller by);
  Task<Status> close_link(std::string reference, Caller by);
  Task<Result<SharedCollection>> shared(std::string token, Caller by);

  // "Did I list it": nothing listed for strangers.
  Task<Result<Listed>> listed(BookId book, Caller by);

 private:
  // What shows a list as it is for the caller; of a smart list with the number of books it finds.
  Result<Collection> complete(db::Transaction& tx, Stored list, const Caller& by) const;
  Result<Page<Item>> contents(db::Transaction& tx, const Stored& list, const PageRequest& page) const;
  Result<Statistics> add_up(db::Transaction& tx, const Stored& list) const;

  FindBooks find_;
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

// Inside somebody's leaving: their lists go, but for curated ones.
void forget_lists_of(db::Transaction& tx, UserId user);

}  // namespace lumina::lists

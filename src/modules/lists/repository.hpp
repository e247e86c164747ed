// SQL of collections. Also reads books, book_stats and users. Books that were deleted are passed over
// everywhere.
#pragma once
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/lists/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::lists {

// A collection with what only its owner sees, and what the person who asks was granted.
struct Stored : Collection {
  std::optional<std::string> stored_query;
  std::optional<std::string> link_token;
  std::optional<Access> granted;
};

class CollectionRepository {
 public:
  explicit CollectionRepository(db::Transaction& tx) : tx_(tx) {}

  // `reference` is an id or a slug; `asking` is 0 for strangers.
  std::optional<Stored> find(std::string_view reference, UserId asking);
  // The same without the number of items. In a writing unit nobody else changes it before that ends.
  std::optional<Stored> open(std::string_view reference, UserId asking);
  std::optional<Stored> find_by_link(std::string_view token, UserId asking);
  // What `asking` may see: public ones, own ones, granted ones; newest first.
  Page<Stored> list(const CollectionFilter& filter, UserId asking, const PageRequest& page);
  std::int64_t count_of(UserId owner);

  // Nothing when the slug is taken, or the person has a wishlist already.
  std::optional<CollectionId> insert(const NewCollection& made, std::string_view slug, UserId owner,
                                     Timestamp now);
  void update(const Stored& collection, Timestamp now);
  void set_link(CollectionId id, const std::optional<std::string>& token, Timestamp now);
  // The books in it changed.
  void touch(CollectionId id, Timestamp now);
  void erase(CollectionId id);

  Page<Item> items(CollectionId id, const PageRequest& page);
  std::int64_t size(CollectionId id);
  std::optional<Item> item(CollectionId id, BookId book);
  // At the end; a book that is there keeps its place and takes the note.
  void put(CollectionId id, BookId book, const std::optional<std::string>& note, UserId by, Timestamp now);
  bool take(CollectionId id, BookId book);
  std::vector<BookId> order(CollectionId id);
  void place(CollectionId id, BookId book, std::int64_t position);

  std::vector<Grant> grants(CollectionId id);
  // False when there is no such person.
  bool grant(CollectionId id, UserId user, Access access, Timestamp now);
  bool revoke(CollectionId id, UserId user);

  Statistics statistics(CollectionId id);
  std::int64_t loans_of(BookId book);
  std::vector<ListedIn> holding(BookId book, UserId owner);
  // The lists of somebody who leaves, and what was granted to them; curated lists stay, they are the
  // library's.
  void forget(UserId user);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::lists

#include "modules/lists/service.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "modules/books/service.hpp"
#include "modules/lists/repository.hpp"
#include "modules/lists/smart_query.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::lists {
namespace {

Failure no_list() { return not_found("List not found"); }
Failure not_yours() { return fail(ErrorKind::forbidden, "not_owner", "You can only change your own lists"); }
Failure stale() {
  return fail(ErrorKind::stale, "stale", "The list has been changed since you read it; read it again");
}
Failure bad_cursor() { return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}}); }

Access access_of(const Stored& c, const Caller& by) {
  if (by.signed_in() && c.owner.id == by.id()) return Access::owner;
  if (c.kind == Kind::curated && by.can(Permission::books_write)) return Access::owner;
  if (c.granted) return *c.granted;
  return c.is_public ? Access::view : Access::none;
}

Collection shown(Stored c, const Caller& by) {
  c.access = access_of(c, by);
  if (c.access == Access::owner && c.link_token) c.link = "/api/v1/shared-lists/" + *c.link_token;
  return static_cast<Collection&&>(c);
}

events::Change about(std::string_view type, const Collection& c) {
  return {.type = type, .resource = "collection", .resource_id = c.id.value, .subject = c.owner.id};
}

// The collection when the caller may do that with it.
Result<Stored> checked(std::optional<Stored> found, Access needed, const Caller& by) {
  if (!found) return no_list();
  const auto access = access_of(*found, by);
  if (access == Access::none) return no_list();
  if (access < needed) return not_yours();
  return std::move(*found);
}
Result<Stored> opened(db::Transaction& tx, const std::string& reference, Access needed, const Caller& by) {
  return checked(CollectionRepository(tx).open(reference, by.id()), needed, by);
}

std::string clean(std::string_view text) { return std::string(trim(text)); }

// The name itself, then with a number, then with a chance of one in a million to be taken.
std::optional<CollectionId> insert_somewhere(CollectionRepository& lists, const NewCollection& made,
                                             UserId owner, Timestamp now) {
  const auto slug = slug_of(made.name);
  if (auto id = lists.insert(made, slug, owner, now)) return id;
  for (int n = 2; n <= 5; ++n)
    if (auto id = lists.insert(made, slug + "-" + std::to_string(n), owner, now)) return id;
  return lists.insert(made, slug + "-" + security::sha256_hex(security::random_bytes(16)).substr(0, 10),
                      owner, now);
}

Failure smart() {
  return fail(ErrorKind::refused, "smart_list", "The books of a smart list are those that its query finds");
}

Item item_of(const Stored& list, books::Book&& book, std::int64_t position) {
  Item item;
  item.book = {book.id,
               std::move(book.title),
               std::move(book.author),
               std::move(book.cover_url),
               book.average_rating,
               book.copies_available};
  item.position = position;
  item.added_by = list.owner.id;
  item.added_at = book.created_at;
  return item;
}

}  // namespace

Result<Page<Item>> ListService::contents(db::Transaction& tx, const Stored& list,
                                         const PageRequest& page) const {
  if (!list.query) return CollectionRepository(tx).items(list.id, page);
  auto filter = filter_of(list.query->text);
  if (!filter) return Failure(std::move(filter.error()));
  auto found = find_(tx, *filter, page);
  if (!found) return Failure(std::move(found.error()));
  Page<Item> out;
  out.total = found->total;
  std::int64_t position = page.skip;
  for (auto& book : found->items) out.items.push_back(item_of(list, std::move(book), ++position));
  return out;
}

Result<Collection> ListService::complete(db::Transaction& tx, Stored list, const Caller& by) const {
  if (list.query) {
    PageRequest one;
    one.limit = 1;
    auto found = contents(tx, list, one);
    if (!found) return Failure(std::move(found.error()));
    list.items = found->total;
  }
  return shown(std::move(list), by);
}

// Of a smart list by its pages, up to as many books as a list can hold.
Result<Statistics> ListService::add_up(db::Transaction& tx, const Stored& list) const {
  if (!list.query) return CollectionRepository(tx).statistics(list.id);
  auto filter = filter_of(list.query->text);
  if (!filter) return Failure(std::move(filter.error()));
  Statistics out;
  double ratings = 0;
  std::int64_t rated = 0;
  for (PageRequest page; page.skip < most_items; page.skip += page.limit) {
    auto found = find_(tx, *filter, page);
    if (!found) return Failure(std::move(found.error()));
    out.items = found->total;
    for (const auto& book : found->items) {
      if (book.copies_available > 0) ++out.available;
      out.pages += book.page_count.value_or(0);
      out.loans += CollectionRepository(tx).loans_of(book.id);
      if (book.average_rating) ratings += *book.average_rating, ++rated;
    }
    if (static_cast<std::int64_t>(found->items.size()) < page.limit) break;
  }
  if (rated > 0) out.average_rating = std::round(ratings / static_cast<double>(rated) * 100) / 100;
  return out;
}

Task<Result<Page<Collection>>> ListService::list(CollectionFilter filter, PageRequest page, Caller by) {
  if (page.cursor) co_return bad_cursor();
  auto work = [this, filter = std::move(filter), page = std::move(page),
               by = std::move(by)](db::Transaction& tx) -> Result<Page<Collection>> {
    auto found = CollectionRepository(tx).list(filter, by.id(), page);
    Page<Collection> out;
    out.total = found.total;
    for (auto& c : found.items) {
      auto one = complete(tx, std::move(c), by);
      if (!one) return Failure(std::move(one.error()));
      out.items.push_back(std::move(*one));
    }
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Collection>> ListService::find(std::string reference, Caller by) {
  auto work = [this, reference = std::move(reference),
               by = std::move(by)](db::Transaction& tx) -> Result<Collection> {
    auto found = checked(CollectionRepository(tx).find(reference, by.id()), Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    return complete(tx, std::move(*found), by);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Collection>> ListService::create(NewCollection made, Caller by) {
  if (made.kind == Kind::curated && !by.can(Permission::books_write))
    co_return fail(ErrorKind::forbidden, "staff_only", "Curated lists are made by librarians");
  made.name = clean(made.name);
  if (made.query) {
    if (made.kind == Kind::wishlist)
      co_return invalid({{{"body", "query"}, "a wishlist holds the books that were put in", "conflict"}});
    if (auto filter = filter_of(made.query->text); !filter) co_return Failure(std::move(filter.error()));
  }
  auto work = [this, made = std::move(made), by = std::move(by)](db::Transaction& tx) -> Result<Collection> {
    CollectionRepository lists(tx);
    if (lists.count_of(by.id()) >= most_collections)
      return fail(ErrorKind::refused, "too_many_lists", "You have as many lists as one can have");
    const auto id = insert_somewhere(lists, made, by.id(), clock_.now());
    if (!id && made.kind == Kind::wishlist)
      return fail(ErrorKind::refused, "wishlist_exists", "You have a wishlist already");
    if (!id) return fail(ErrorKind::refused, "name_taken", "This name is taken; choose another");
    auto stored = *lists.find(std::to_string(id->value), by.id());
    journal_.record(tx, by, about("collection.created", stored));
    return complete(tx, std::move(stored), by);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Collection>> ListService::change(std::string reference, CollectionChanges changes,
                                             Precondition seen, Caller by) {
  using State = schema::Patch<std::string>::State;
  if (changes.name.state == State::null) co_return invalid({{{"body", "name"}, "must not be null", "type"}});
  if (changes.is_public.state == schema::Patch<bool>::State::null)
    co_return invalid({{{"body", "is_public"}, "must not be null", "type"}});
  auto work = [this, reference = std::move(reference), changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Collection> {
    auto now = opened(tx, reference, Access::owner, by);
    if (!now) return Failure(std::move(now.error()));
    if (!seen.allows(now->version)) return stale();
    changes.name.apply(now->name);
    now->name = clean(now->name);
    changes.description.apply(now->description);
    changes.is_public.apply(now->is_public);
    if (changes.query.mentioned()) {
      if (!now->query || changes.query.state == schema::Patch<schema::RawJson>::State::null)
        return invalid(
            {{{"body", "query"}, "a list stays smart, or stays one that books are put in", "conflict"}});
      if (auto filter = filter_of(changes.query.value.text); !filter)
        return Failure(std::move(filter.error()));
      now->query = changes.query.value;
    }
    CollectionRepository lists(tx);
    lists.update(*now, clock_.now());
    journal_.record(tx, by, about("collection.updated", *now));
    return complete(tx, *lists.find(std::to_string(now->id.value), by.id()), by);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> ListService::remove(std::string reference, Precondition seen, Caller by) {
  auto work = [this, reference = std::move(reference), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Status {
    auto now = opened(tx, reference, Access::owner, by);
    if (!now) return Failure(std::move(now.error()));
    if (!seen.allows(now->version)) return stale();
    CollectionRepository(tx).erase(now->id);
    journal_.record(tx, by, about("collection.deleted", *now));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Page<Item>>> ListService::items(std::string reference, PageRequest page, Caller by) {
  if (page.cursor) co_return bad_cursor();
  auto work = [this, reference = std::move(reference), page = std::move(page),
               by = std::move(by)](db::Transaction& tx) -> Result<Page<Item>> {
    auto found = opened(tx, reference, Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    return contents(tx, *found, page);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Item>> ListService::put(std::string reference, BookId book, NewItem item, Caller by) {
  auto work = [this, reference = std::move(reference), book, item = std::move(item),
               by = std::move(by)](db::Transaction& tx) -> Result<Item> {
    auto list = opened(tx, reference, Access::edit, by);
    if (!list) return Failure(std::move(list.error()));
    if (list->query) return smart();
    if (!books::book_title(tx, book)) return not_found("Book not found");
    CollectionRepository lists(tx);
    const bool there = lists.item(list->id, book).has_value();
    if (!there && lists.size(list->id) >= most_items)
      return fail(ErrorKind::refused, "list_full", "The list holds as many books as it can");
    const Timestamp now = clock_.now();
    lists.put(list->id, book, item.note, by.id(), now);
    lists.touch(list->id, now);
    auto change = about("collection.book_added", *list);
    change.payload = R"({"book_id":)" + std::to_string(book.value) + "}";
    journal_.record(tx, by, change);
    auto put = lists.item(list->id, book);
    if (!put) return not_found("Book not found");  // deleted just now
    return std::move(*put);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> ListService::take(std::string reference, BookId book, Caller by) {
  auto work = [this, reference = std::move(reference), book,
               by = std::move(by)](db::Transaction& tx) -> Status {
    auto list = opened(tx, reference, Access::edit, by);
    if (!list) return Failure(std::move(list.error()));
    if (list->query) return smart();
    CollectionRepository lists(tx);
    if (!lists.take(list->id, book)) return not_found("The book is not on this list");
    lists.touch(list->id, clock_.now());
    auto change = about("collection.book_removed", *list);
    change.payload = R"({"book_id":)" + std::to_string(book.value) + "}";
    journal_.record(tx, by, change);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Collection>> ListService::reorder(std::string reference, Order order, Caller by) {
  auto work = [this, reference = std::move(reference), order = std::move(order),
               by = std::move(by)](db::Transaction& tx) -> Result<Collection> {
    auto list = opened(tx, reference, Access::edit, by);
    if (!list) return Failure(std::move(list.error()));
    if (list->query) return smart();
    CollectionRepository lists(tx);
    auto now = lists.order(list->id), wanted = order.book_ids;
    std::ranges::sort(now);
    std::ranges::sort(wanted);
    if (std::ranges::adjacent_find(wanted) != wanted.end())
      return invalid({{{"body", "book_ids"}, "names a book twice", "duplicate"}});
    if (now != wanted)
      return fail(ErrorKind::conflict, "list_changed",
                  "The order does not name the books that are on the list now; read it again");
    std::int64_t position = 0;
    for (const auto book : order.book_ids) lists.place(list->id, book, ++position);
    lists.touch(list->id, clock_.now());
    journal_.record(tx, by, about("collection.reordered", *list));
    return shown(*lists.find(std::to_string(list->id.value), by.id()), by);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Statistics>> ListService::statistics(std::string reference, Caller by) {
  auto work = [this, reference = std::move(reference),
               by = std::move(by)](db::Transaction& tx) -> Result<Statistics> {
    auto found = opened(tx, reference, Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    auto out = add_up(tx, *found);
    if (out) out->last_change = found->updated_at;
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<std::vector<Grant>>> ListService::grants(std::string reference, Caller by) {
  auto work = [reference = std::move(reference),
               by = std::move(by)](db::Transaction& tx) -> Result<std::vector<Grant>> {
    auto list = opened(tx, reference, Access::owner, by);
    if (!list) return Failure(std::move(list.error()));
    return CollectionRepository(tx).grants(list->id);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<std::vector<Grant>>> ListService::grant(std::string reference, Grant grant, Caller by) {
  if (grant.access != Access::view && grant.access != Access::edit)
    co_return invalid({{{"body", "access"}, "must be one of view, edit", "one_of"}});
  auto work = [this, reference = std::move(reference), grant,
               by = std::move(by)](db::Transaction& tx) -> Result<std::vector<Grant>> {
    auto list = opened(tx, reference, Access::owner, by);
    if (!list) return Failure(std::move(list.error()));
    if (grant.user_id == list->owner.id)
      return fail(ErrorKind::refused, "own_list", "The owner may do everything already");
    CollectionRepository lists(tx);
    if (!lists.grant(list->id, grant.user_id, grant.access, clock_.now())) return not_found("User not found");
    auto change = about("collection.granted", *list);
    change.payload = R"({"user_id":)" + std::to_string(grant.user_id.value) + "}";
    journal_.record(tx, by, change);
    return lists.grants(list->id);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> ListService::revoke(std::string reference, UserId user, Caller by) {
  auto work = [this, reference = std::move(reference), user,
               by = std::move(by)](db::Transaction& tx) -> Status {
    // Whoever was let in may leave.
    auto list = opened(tx, reference, user == by.id() ? Access::view : Access::owner, by);
    if (!list) return Failure(std::move(list.error()));
    if (!CollectionRepository(tx).revoke(list->id, user))
      return not_found("This person was granted nothing here");
    auto change = about("collection.revoked", *list);
    change.payload = R"({"user_id":)" + std::to_string(user.value) + "}";
    journal_.record(tx, by, change);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Collection>> ListService::open_link(std::string reference, Caller by) {
  auto work = [this, reference = std::move(reference), token = security::opaque_token(),
               by = std::move(by)](db::Transaction& tx) -> Result<Collection> {
    auto list = opened(tx, reference, Access::owner, by);
    if (!list) return Failure(std::move(list.error()));
    CollectionRepository lists(tx);
    lists.set_link(list->id, token, clock_.now());
    journal_.record(tx, by, about("collection.link_opened", *list));
    return complete(tx, *lists.find(std::to_string(list->id.value), by.id()), by);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> ListService::close_link(std::string reference, Caller by) {
  auto work = [this, reference = std::move(reference), by = std::move(by)](db::Transaction& tx) -> Status {
    auto list = opened(tx, reference, Access::owner, by);
    if (!list) return Failure(std::move(list.error()));
    if (!list->link_token) return not_found("The list has no link");
    CollectionRepository(tx).set_link(list->id, std::nullopt, clock_.now());
    journal_.record(tx, by, about("collection.link_closed", *list));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<SharedCollection>> ListService::shared(std::string token, Caller by) {
  auto work = [this, token = std::move(token),
               by = std::move(by)](db::Transaction& tx) -> Result<SharedCollection> {
    CollectionRepository lists(tx);
    auto found = lists.find_by_link(token, by.id());
    if (!found) return no_list();
    SharedCollection out;
    PageRequest first;
    auto books = contents(tx, *found, first);
    if (!books) return Failure(std::move(books.error()));
    out.books = std::move(books->items);
    auto whole = complete(tx, std::move(*found), by);
    if (!whole) return Failure(std::move(whole.error()));
    out.collection = std::move(*whole);
    out.collection.access = std::max(out.collection.access, Access::view);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Listed>> ListService::listed(BookId book, Caller by) {
  auto work = [book, by = std::move(by)](db::Transaction& tx) -> Result<Listed> {
    if (!books::book_title(tx, book)) return not_found("Book not found");
    Listed out;
    if (!by.signed_in()) return out;
    out.collections = CollectionRepository(tx).holding(book, by.id());
    out.listed = !out.collections.empty();
    out.wished =
        std::ranges::any_of(out.collections, [](const ListedIn& c) { return c.kind == Kind::wishlist; });
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

void forget_lists_of(db::Transaction& tx, UserId user) { CollectionRepository(tx).forget(user); }

}  // namespace lumina::lists

#include "modules/books/service.hpp"

#include "modules/books/book_row.hpp"
#include "modules/books/history.hpp"
#include "modules/books/record_repository.hpp"
#include "modules/books/repository.hpp"

namespace lumina::books {
namespace {

constexpr auto no_such_book = "Book not found";

Failure duplicate_isbn() {
  return fail(ErrorKind::refused, "duplicate_isbn", "A book with this ISBN exists already");
}
Failure stale() {
  return fail(ErrorKind::stale, "stale", "The book has been changed since you read it; read it again");
}

events::Change about(std::string_view type, BookId id) {
  return {.type = type, .resource = "book", .resource_id = id.value, .book = id};
}

auto listing(BookFilter filter, PageRequest page) {
  return [filter = std::move(filter), page = std::move(page)](db::Transaction& tx) -> Result<Page<Book>> {
    BookRepository books(tx);
    auto found = books.list(filter, page);
    if (found.bad_cursor)
      return invalid({{{"query", "cursor"}, "is not a cursor of this list and order", "cursor"}});
    Page<Book> out;
    out.total = books.count(filter);
    out.items = std::move(found.books);
    out.next_cursor = std::move(found.next_cursor);
    return out;
  };
}

template <class T>
Task<Result<T>> ready(Failure failure) {
  co_return std::move(failure);
}

}  // namespace

Task<Result<Book>> BookService::find(BookId id) {
  auto work = [id](db::Transaction& tx) -> Result<Book> {
    if (auto book = BookRepository(tx).find(id)) return std::move(*book);
    return not_found(no_such_book);
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Book>>> BookService::between(BookId first, BookId last) {
  auto work = [first, last](db::Transaction& tx) { return BookRepository(tx).between(first, last); };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Book>>> BookService::after(BookId id, int most) {
  auto work = [id, most](db::Transaction& tx) { return BookRepository(tx).after(id, most); };
  return database_.read(std::move(work));
}
Result<std::vector<Book>> BookService::after_now(BookId id, int most) {
  auto work = [id, most](db::Transaction& tx) { return BookRepository(tx).after(id, most); };
  return database_.read_now(std::move(work));
}

Task<Result<std::vector<Book>>> BookService::some(std::vector<BookId> ids) {
  auto work = [ids = std::move(ids)](db::Transaction& tx) {
    BookRepository books(tx);
    std::vector<Book> found;
    for (const BookId id : ids)
      if (auto book = books.find(id)) found.push_back(std::move(*book));
    return found;
  };
  return database_.read(std::move(work));
}

Task<Result<BookId>> BookService::newest() {
  auto work = [](db::Transaction& tx) {
    const auto row =
        tx.one<std::optional<std::int64_t>>("SELECT max(id) FROM books WHERE deleted_at IS NULL");
    return BookId{row ? std::get<0>(*row).value_or(0) : 0};
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Book>>> BookService::list(BookFilter filter, PageRequest page) {
  return database_.read(listing(std::move(filter), std::move(page)));
}
Result<Page<Book>> BookService::list_now(BookFilter filter, PageRequest page) {
  return database_.read_now(listing(std::move(filter), std::move(page)));
}

Task<Result<Facets>> BookService::facets(BookFilter filter, int most_values) {
  auto work = [filter = std::move(filter), most_values](db::Transaction& tx) -> Result<Facets> {
    return BookRepository(tx).facets(filter, most_values);
  };
  return database_.read(std::move(work));
}

Result<Book> BookService::updated(db::Transaction& tx, const Book& now, const BookRow& row,
                                  const Caller& by) {
  BookRepository books(tx);
  switch (books.update(now.id, now.version, row, clock_.now())) {
    case BookRepository::Change::absent:
      return not_found(no_such_book);
    case BookRepository::Change::stale:
      return stale();
    case BookRepository::Change::duplicate_isbn:
      return duplicate_isbn();
    case BookRepository::Change::done:
      break;
  }
  auto after = *books.find(now.id);
  remember(tx, now.id, after.version, HistoryAction::updated, by, clock_.now(), changed_fields(now, after));
  journal_.record(tx, by, about("book.updated", now.id));
  return after;
}

Task<Result<Book>> BookService::create(NewBook book, Caller by) {
  if (auto fault = metadata_fault(book.metadata)) return ready<Book>(invalid({std::move(*fault)}));
  auto work = [this, row = stored(std::move(book)), by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto id = books.insert(row, clock_.now());
    if (!id) return duplicate_isbn();
    remember(tx, *id, 1, HistoryAction::created, by, clock_.now());
    journal_.record(tx, by, about("book.created", *id));
    return *books.find(*id);
  };
  return database_.write(std::move(work));
}

Task<Result<Book>> BookService::replace(BookId id, NewBook book, Precondition seen, Caller by) {
  if (auto fault = metadata_fault(book.metadata)) return ready<Book>(invalid({std::move(*fault)}));
  auto work = [this, id, row = stored(std::move(book)), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    return updated(tx, *now, row, by);
  };
  return database_.write(std::move(work));
}

Task<Result<Book>> BookService::change(BookId id, BookChanges changes, Precondition seen, Caller by) {
  std::vector<FieldError> faults;
  const auto must_stay = [&](const schema::Patch<std::string>& field, std::string_view name) {
    if (field.state == schema::Patch<std::string>::State::null)
      faults.push_back({{"body", std::string(name)}, "must not be null", "type"});
  };
  must_stay(changes.title, "title");
  must_stay(changes.author, "author");
  if (!faults.empty()) return ready<Book>(invalid(std::move(faults)));
  auto work = [this, id, changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    NewBook next = editable(*now);
    changes.title.apply(next.title);
    changes.author.apply(next.author);
    changes.isbn.apply(next.isbn);
    changes.genre.apply(next.genre);
    changes.year_published.apply(next.year_published);
    changes.description.apply(next.description);
    changes.language.apply(next.language);
    changes.publisher.apply(next.publisher);
    changes.page_count.apply(next.page_count);
    if (changes.tags.mentioned()) next.tags = changes.tags.value;
    changes.cover_url.apply(next.cover_url);
    changes.series.apply(next.series);
    changes.series_index.apply(next.series_index);
    if (changes.subjects.mentioned()) next.subjects = changes.subjects.value;
    changes.ddc.apply(next.ddc);
    changes.lcc.apply(next.lcc);
    if (changes.metadata.state == schema::Patch<schema::RawJson>::State::null) next.metadata.text = "{}";
    if (changes.metadata.state == schema::Patch<schema::RawJson>::State::value)
      next.metadata.text = merge_patched(next.metadata.text, changes.metadata.value.text);
    if (auto fault = metadata_fault(next.metadata)) return invalid({std::move(*fault)});
    return updated(tx, *now, stored(std::move(next)), by);
  };
  return database_.write(std::move(work));
}

Task<Status> BookService::remove(BookId id, Precondition seen, Caller by) {
  auto work = [this, id, seen = std::move(seen), by = std::move(by)](db::Transaction& tx) -> Status {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    std::vector<ErasedCopy> copies;
    switch (books.erase(id, clock_.now(), &copies)) {
      case BookRepository::Removal::absent:
        return not_found(no_such_book);
      case BookRepository::Removal::on_loan:
        return fail(ErrorKind::refused, "on_loan", "The book cannot be deleted while a copy is on loan");
      case BookRepository::Removal::on_hold:
        return fail(ErrorKind::refused, "on_hold", "The book cannot be deleted while somebody waits for it");
      case BookRepository::Removal::done:
        break;
    }
    const auto set = RecordRepository(tx).open(ChangeKind::deletion, id, by, clock_.now());
    RecordRepository(tx).removed(id, set, {});
    RecordRepository(tx).note(set, id, copies_part, copies_note(copies));
    remember(tx, id, now->version + 1, HistoryAction::deleted, by, clock_.now());
    journal_.record(tx, by, about("book.deleted", id));
    return {};
  };
  return database_.write(std::move(work));
}

namespace {

std::optional<BookId> match_of(BookRepository& books, const BookRow& row) {
  auto match = row.book.isbn ? books.find_by_isbn(*row.book.isbn) : std::nullopt;
  if (match) return match;
  match = books.find_by_match_key(row.match_key);
  // The same title and author under another ISBN is another edition, not the same book.
  if (match && row.book.isbn && books.find(*match)->isbn) match.reset();
  return match;
}

}  // namespace

std::optional<BookId> BookService::match(db::Transaction& tx, const NewBook& book) {
  BookRepository books(tx);
  return match_of(books, stored(book));
}

BookService::Upserted BookService::upsert(db::Transaction& tx, const NewBook& book, const Caller& by,
                                          bool bulk) {
  BookRepository books(tx);
  const BookRow row = stored(book);
  const auto told = [bulk](std::string_view type, BookId id) {
    auto change = about(type, id);
    if (bulk) change.payload = R"({"bulk":true})";
    return change;
  };
  auto match = match_of(books, row);
  if (!match) {
    const auto id = books.insert(row, clock_.now());
    if (id) {
      remember(tx, *id, 1, HistoryAction::created, by, clock_.now());
      journal_.record(tx, by, told("book.created", *id));
      return {Outcome::created, *id};
    }
    match = books.find_by_isbn(*row.book.isbn);
    if (!match) throw std::runtime_error("an ISBN is taken and free at once");
  }
  const auto now = books.find(*match);
  NewBook next = editable(*now);
  bool changed = false;
  const auto merge = [&](auto& target, const auto& given) {
    if (given && target != given) target = given, changed = true;
  };
  merge(next.isbn, row.book.isbn);
  merge(next.genre, row.book.genre);
  merge(next.year_published, row.book.year_published);
  merge(next.description, row.book.description);
  merge(next.language, row.book.language);
  merge(next.publisher, row.book.publisher);
  merge(next.page_count, row.book.page_count);
  merge(next.cover_url, row.book.cover_url);
  merge(next.series, row.book.series);
  merge(next.series_index, row.book.series_index);
  merge(next.ddc, row.book.ddc);
  merge(next.lcc, row.book.lcc);
  if (!row.book.subjects.empty() && next.subjects != row.book.subjects)
    next.subjects = row.book.subjects, changed = true;
  if (auto merged = merge_patched(next.metadata.text, row.book.metadata.text); merged != next.metadata.text)
    next.metadata.text = std::move(merged), changed = true;
  if (!row.book.tags.empty() && next.tags != row.book.tags) next.tags = row.book.tags, changed = true;
  if (!changed) return {Outcome::unchanged, *match};
  if (books.update(*match, now->version, stored(std::move(next)), clock_.now()) !=
      BookRepository::Change::done)
    return {Outcome::unchanged, *match};
  const auto after = books.find(*match);
  remember(tx, *match, after->version, HistoryAction::updated, by, clock_.now(),
           changed_fields(*now, *after));
  journal_.record(tx, by, told("book.updated", *match));
  return {Outcome::updated, *match};
}

std::optional<std::string> book_title(db::Transaction& tx, BookId id) {
  const auto row = tx.one<std::string>("SELECT title FROM books WHERE id = $1 AND deleted_at IS NULL", id);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

void set_book_summary(db::Transaction& tx, BookId id, const std::string& summary) {
  tx.execute("UPDATE books SET summary = $2 WHERE id = $1", id, summary);
}

}  // namespace lumina::books

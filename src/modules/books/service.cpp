#include "modules/books/service.hpp"

#include "core/text/fold.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/language_tag.hpp"
#include "modules/books/normalize.hpp"
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

std::optional<std::string> cleaned(const std::optional<std::string>& text,
                                   std::string (*clean)(std::string_view)) {
  if (!text) return {};
  auto out = clean(*text);
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

// As it is stored. The fields were validated before; what remains is one spelling for each meaning.
BookRow stored(NewBook b) {
  b.title = clean_line(b.title);
  b.author = clean_line(b.author);
  b.genre = cleaned(b.genre, &clean_line);
  b.publisher = cleaned(b.publisher, &clean_line);
  b.description = cleaned(b.description, &clean_paragraphs);
  if (b.isbn) {
    auto isbn = parse_isbn(*b.isbn);
    b.isbn = isbn ? std::optional(*isbn) : std::nullopt;
  }
  if (b.language) b.language = parse_language_tag(*b.language);
  std::vector<std::string> tags;
  for (const auto& tag : b.tags) {
    auto clean = clean_line(tag);
    if (!clean.empty() && std::find(tags.begin(), tags.end(), clean) == tags.end())
      tags.push_back(std::move(clean));
  }
  b.tags = std::move(tags);
  BookRow row{std::move(b), {}, {}, {}};
  row.title_key = text::fold(row.book.title);
  row.author_key = text::fold(row.book.author);
  row.match_key = match_key(row.book.title, row.book.author);
  return row;
}

NewBook editable(const Book& b) {
  return {b.title,    b.author,    b.isbn,       b.genre, b.year_published, b.description,
          b.language, b.publisher, b.page_count, b.tags,  b.cover_url,      std::nullopt};
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

Task<Result<Book>> BookService::create(NewBook book, Caller by) {
  auto work = [this, row = stored(std::move(book)), by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto id = books.insert(row, clock_.now());
    if (!id) return duplicate_isbn();
    journal_.record(tx, by, about("book.created", *id));
    return *books.find(*id);
  };
  return database_.write(std::move(work));
}

Task<Result<Book>> BookService::replace(BookId id, NewBook book, Precondition seen, Caller by) {
  auto work = [this, id, row = stored(std::move(book)), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Book> {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    switch (books.update(id, now->version, row, clock_.now())) {
      case BookRepository::Change::absent:
        return not_found(no_such_book);
      case BookRepository::Change::stale:
        return stale();
      case BookRepository::Change::duplicate_isbn:
        return duplicate_isbn();
      case BookRepository::Change::done:
        break;
    }
    journal_.record(tx, by, about("book.updated", id));
    return *books.find(id);
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
    switch (books.update(id, now->version, stored(std::move(next)), clock_.now())) {
      case BookRepository::Change::absent:
        return not_found(no_such_book);
      case BookRepository::Change::stale:
        return stale();
      case BookRepository::Change::duplicate_isbn:
        return duplicate_isbn();
      case BookRepository::Change::done:
        break;
    }
    journal_.record(tx, by, about("book.updated", id));
    return *books.find(id);
  };
  return database_.write(std::move(work));
}

Task<Status> BookService::remove(BookId id, Precondition seen, Caller by) {
  auto work = [this, id, seen = std::move(seen), by = std::move(by)](db::Transaction& tx) -> Status {
    BookRepository books(tx);
    const auto now = books.find(id);
    if (!now) return not_found(no_such_book);
    if (!seen.allows(now->version)) return stale();
    switch (books.erase(id, clock_.now())) {
      case BookRepository::Removal::absent:
        return not_found(no_such_book);
      case BookRepository::Removal::on_loan:
        return fail(ErrorKind::refused, "on_loan", "The book cannot be deleted while a copy is on loan");
      case BookRepository::Removal::on_hold:
        return fail(ErrorKind::refused, "on_hold", "The book cannot be deleted while somebody waits for it");
      case BookRepository::Removal::done:
        break;
    }
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

BookService::Upserted BookService::upsert(db::Transaction& tx, const NewBook& book, const Caller& by) {
  BookRepository books(tx);
  const BookRow row = stored(book);
  auto match = match_of(books, row);
  if (!match) {
    const auto id = books.insert(row, clock_.now());
    if (id) {
      journal_.record(tx, by, about("book.created", *id));
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
  if (!row.book.tags.empty() && next.tags != row.book.tags) next.tags = row.book.tags, changed = true;
  if (!changed) return {Outcome::unchanged, *match};
  if (books.update(*match, now->version, stored(std::move(next)), clock_.now()) !=
      BookRepository::Change::done)
    return {Outcome::unchanged, *match};
  journal_.record(tx, by, about("book.updated", *match));
  return {Outcome::updated, *match};
}

std::optional<std::string> book_title(db::Transaction& tx, BookId id) {
  const auto row = tx.one<std::string>("SELECT title FROM books WHERE id = $1 AND deleted_at IS NULL", id);
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

}  // namespace lumina::books

#include "modules/books/author_service.hpp"

#include "modules/books/author_repository.hpp"
#include "modules/books/book_row.hpp"
#include "modules/books/history.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/normalize.hpp"
#include "modules/books/repository.hpp"

#include <algorithm>

namespace lumina::books {
namespace {

constexpr auto no_such_author = "Author not found";

Failure stale() {
  return fail(ErrorKind::stale, "stale", "The author has been changed since you read it; read it again");
}

events::Change about(std::string_view type, AuthorId id) {
  return {.type = type, .resource = "author", .resource_id = id.value};
}

std::vector<std::string> cleaned(const std::vector<std::string>& names, const std::string& but) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (auto clean = clean_line(name);
        !clean.empty() && clean != but && std::ranges::find(out, clean) == out.end())
      out.push_back(std::move(clean));
  return out;
}

}  // namespace

Task<Result<Page<Author>>> AuthorService::list(AuthorFilter filter, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [filter = std::move(filter), page](db::Transaction& tx) {
    return AuthorRepository(tx).list(filter, page);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Author>> AuthorService::find(AuthorId id) {
  auto work = [id](db::Transaction& tx) -> Result<Author> {
    auto author = AuthorRepository(tx).find(id);
    if (!author) return not_found(no_such_author);
    return std::move(*author);
  };
  return database_.read(std::move(work));
}

Task<Result<Page<Book>>> AuthorService::titles(AuthorId id, PageRequest page) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [id, page](db::Transaction& tx) -> Result<Page<Book>> {
    if (!AuthorRepository(tx).find(id)) return not_found(no_such_author);
    Conditions c;
    const auto author = c.bind(db::to_value(id));
    c.where +=
        " AND b.author_match IN (SELECT n.name_key FROM author_names n WHERE n.author_id = " + author + ")";
    BookRepository books(tx);
    Page<Book> out;
    out.total = books.count(c);
    out.items = books.page(std::move(c), "b.title_key, b.id", page.skip, page.limit);
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

// In place of the names it had.
Status AuthorService::name(db::Transaction& tx, AuthorId id, const std::string& name,
                           const std::vector<std::string>& variants) {
  AuthorRepository authors(tx);
  authors.erase_names(id);
  std::vector<std::string> keys;
  const auto add = [&](const std::string& text) -> Status {
    auto key = author_key(text);
    if (std::ranges::find(keys, key) != keys.end()) return {};  // another spelling of a name that is there
    if (key.empty() || !authors.add_name(id, text, key))
      return fail(ErrorKind::refused, "name_taken", "\"" + text + "\" is the name of another author");
    keys.push_back(std::move(key));
    return {};
  };
  if (auto done = add(name); !done) return done;
  for (const auto& variant : variants)
    if (auto done = add(variant); !done) return done;
  return {};
}

void AuthorService::rename(db::Transaction& tx, BookId title, const std::string& name, const Caller& by) {
  BookRepository books(tx);
  const auto now = books.find(title);
  if (!now || now->author == name) return;
  auto next = editable(*now);
  next.author = name;
  if (books.update(title, now->version, stored(std::move(next)), clock_.now()) !=
      BookRepository::Change::done)
    throw db::TryAgain("a title was changed while its author was renamed");
  const auto after = books.find(title);
  remember(tx, title, after->version, HistoryAction::author_renamed, by, clock_.now(),
           changed_fields(*now, *after));
}

// Search finds them by other names now.
void AuthorService::touch(db::Transaction& tx, const std::vector<BookId>& titles, const Caller& by) {
  for (const auto title : titles)
    journal_.record(
        tx, by,
        {.type = "book.author_changed", .resource = "book", .resource_id = title.value, .book = title});
}

Task<Result<Author>> AuthorService::create(NewAuthor author, Caller by) {
  author.name = clean_line(author.name);
  author.variants = cleaned(author.variants, author.name);
  auto work = [this, author = std::move(author), by = std::move(by)](db::Transaction& tx) -> Result<Author> {
    AuthorRepository authors(tx);
    const auto id = authors.insert(author, clock_.now());
    if (auto named = name(tx, id, author.name, author.variants); !named)
      return Failure(std::move(named.error()));
    journal_.record(tx, by, about("author.created", id));
    touch(tx, authors.titles(id), by);
    return *authors.find(id);
  };
  return database_.write(std::move(work));
}

Task<Result<Author>> AuthorService::change(AuthorId id, AuthorChanges changes, Precondition seen, Caller by) {
  if (changes.name.state == schema::Patch<std::string>::State::null)
    co_return invalid({{{"body", "name"}, "must not be null", "type"}});
  auto work = [this, id, changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Author> {
    AuthorRepository authors(tx);
    auto author = authors.find_locked(id);
    if (!author) return not_found(no_such_author);
    if (!seen.allows(author->version)) return stale();
    auto touched = authors.titles(id);
    const std::string old = author->name;
    changes.name.apply(author->name);
    author->name = clean_line(author->name);
    changes.note.apply(author->note);
    changes.viaf.apply(author->viaf);
    if (changes.variants.mentioned()) author->variants = changes.variants.value;
    author->variants = cleaned(author->variants, author->name);
    std::vector<BookId> renamed;
    if (old != author->name || changes.all_titles.value_or(false)) {
      renamed = changes.all_titles.value_or(false) ? touched : authors.titles_of(author_key(old));
      if (old != author->name && std::ranges::find(author->variants, old) == author->variants.end())
        author->variants.push_back(old);
    }
    if (auto named = name(tx, id, author->name, author->variants); !named)
      return Failure(std::move(named.error()));
    authors.update(*author, clock_.now());
    for (const auto title : renamed) rename(tx, title, author->name, by);
    std::ranges::copy(authors.titles(id), std::back_inserter(touched));
    std::ranges::sort(touched);
    touched.erase(std::ranges::unique(touched).begin(), touched.end());
    journal_.record(tx, by, about("author.updated", id));
    touch(tx, touched, by);
    return *authors.find(id);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> AuthorService::remove(AuthorId id, Precondition seen, Caller by) {
  auto work = [this, id, seen = std::move(seen), by = std::move(by)](db::Transaction& tx) -> Status {
    AuthorRepository authors(tx);
    const auto author = authors.find_locked(id);
    if (!author) return not_found(no_such_author);
    if (!seen.allows(author->version)) return stale();
    const auto titles = authors.titles(id);
    authors.erase(id);
    journal_.record(tx, by, about("author.deleted", id));
    touch(tx, titles, by);
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::books

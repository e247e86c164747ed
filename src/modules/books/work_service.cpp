#include "modules/books/work_service.hpp"

#include "core/schema/distinct.hpp"
#include "modules/books/listing_query.hpp"
#include "modules/books/normalize.hpp"
#include "modules/books/repository.hpp"

namespace lumina::books {
namespace {

using schema::Field;

constexpr std::int64_t most_editions = 500;
constexpr auto no_such_work = "Work not found";

const db::Columns<Work> columns{{"w.id", &Work::id},
                                {"w.title", &Work::title},
                                {"w.author", &Work::author},
                                {"w.created_at", &Work::created_at},
                                {"count(b.id)", &Work::editions},
                                {"coalesce(sum(s.copies_total), 0)", &Work::copies_total},
                                {"coalesce(sum(s.copies_available), 0)", &Work::copies_available},
                                {"coalesce(sum(s.review_count), 0)", &Work::review_count},
                                {"CASE WHEN sum(s.review_count) > 0 THEN round(sum(s.rating_halves) * 50.0 / "
                                 "sum(s.review_count)) / 100.0 END",
                                 &Work::average_rating}};

std::vector<Book> editions_of(db::Transaction& tx, WorkId id) {
  Conditions c;
  const auto work = c.bind(db::to_value(id));
  c.where += " AND b.work_id = " + work;
  return BookRepository(tx).page(std::move(c), "b.year_published NULLS LAST, b.id", 0, most_editions);
}

// A work is there as long as one of its editions is; it is there again when one comes back.
std::optional<Work> find_work(db::Transaction& tx, WorkId id) {
  static const std::string sql =
      "SELECT " + columns.list() +
      " FROM works w LEFT JOIN books b ON b.work_id = w.id AND b.deleted_at IS NULL LEFT "
      "JOIN book_stats s ON s.book_id = b.id WHERE w.id = $1 GROUP BY w.id, w.title, "
      "w.author, w.created_at HAVING count(b.id) > 0";
  auto work = tx.find(columns, sql, id);
  if (work) work->books = editions_of(tx, id);
  return work;
}

events::Change about(std::string_view type, WorkId id) {
  return {.type = type, .resource = "work", .resource_id = id.value};
}
// Its answers show the work.
events::Change joined(BookId book) {
  return {.type = "book.work_changed", .resource = "book", .resource_id = book.value, .book = book};
}

}  // namespace

std::vector<Field> Work::fields() {
  return {{"id", &Work::id, "Identifier"},
          {"title", &Work::title, "Title of the work"},
          {"author", &Work::author, "Its author"},
          {"editions", &Work::editions, "Number of editions"},
          {"copies_total", &Work::copies_total, "Copies of all editions"},
          {"copies_available", &Work::copies_available, "Copies of any edition free to borrow now"},
          {"review_count", &Work::review_count, "Reviews of all editions"},
          {"average_rating", &Work::average_rating, "Mean of all their ratings"},
          {"books", &Work::books, "The editions, the oldest publication first"},
          {"created_at", &Work::created_at, "When the work was recorded"}};
}
std::vector<Field> NewWork::fields() {
  return {
      Field("books", &NewWork::books, "The editions", {schema::items(1, 100), schema::distinct()}).needed(),
      {"title", &NewWork::title, "Title of the work (default: the first book's)", {schema::length(1, 500)}},
      {"author", &NewWork::author, "Its author (default: the first book's)", {schema::length(1, 255)}}};
}

Task<Result<Work>> WorkService::find(WorkId id) {
  auto work = [id](db::Transaction& tx) -> Result<Work> {
    auto found = find_work(tx, id);
    if (!found) return not_found(no_such_work);
    return std::move(*found);
  };
  return database_.read(std::move(work));
}

Task<Result<std::vector<Book>>> WorkService::other_editions(BookId book) {
  auto work = [book](db::Transaction& tx) -> Result<std::vector<Book>> {
    const auto found = BookRepository(tx).find(book);
    if (!found) return not_found("Book not found");
    if (!found->work_id) return std::vector<Book>{};
    auto all = editions_of(tx, *found->work_id);
    std::erase_if(all, [&](const Book& b) { return b.id == book; });
    return all;
  };
  return database_.read(std::move(work));
}

Status WorkService::join(db::Transaction& tx, WorkId id, BookId book, const Caller& by) {
  const auto now = BookRepository(tx).find(book);
  if (!now) return not_found("Book not found");
  if (now->work_id == id) return {};
  if (now->work_id)
    return fail(ErrorKind::refused, "in_another_work",
                "The book is an edition of another work; take it out there first");
  if (tx.execute("UPDATE books SET work_id = $2 WHERE id = $1 AND work_id IS NULL AND deleted_at IS NULL",
                 book, id) == 0)
    return fail(ErrorKind::refused, "in_another_work",
                "The book is an edition of another work; take it out there first");
  journal_.record(tx, by, joined(book));
  return {};
}

WorkId WorkService::insert(db::Transaction& tx, std::string_view title, std::string_view author) {
  return std::get<0>(
      *tx.one<WorkId>("INSERT INTO works (title, author, created_at) VALUES ($1, $2, $3) RETURNING id", title,
                      author, clock_.now()));
}

void WorkService::unite(db::Transaction& tx, BookId first, BookId second, const Caller& by) {
  const auto one = BookRepository(tx).find(first), other = BookRepository(tx).find(second);
  if (!one || !other || first == second || (one->work_id && other->work_id)) return;
  auto work = one->work_id ? one->work_id : other->work_id;
  if (!work) {
    work = insert(tx, one->title, one->author);
    journal_.record(tx, by, about("work.created", *work));
  }
  // What another took meanwhile stays with it.
  (void)join(tx, *work, first, by);
  (void)join(tx, *work, second, by);
}

Task<Result<Work>> WorkService::create(NewWork given, Caller by) {
  auto work = [this, given = std::move(given), by = std::move(by)](db::Transaction& tx) -> Result<Work> {
    const auto first = BookRepository(tx).find(given.books.front());
    if (!first) return not_found("Book not found");
    auto title = clean_line(given.title.value_or(first->title)),
         author = clean_line(given.author.value_or(first->author));
    if (title.empty()) title = first->title;
    if (author.empty()) author = first->author;
    const auto id = insert(tx, title, author);
    for (const auto book : given.books)
      if (auto done = join(tx, id, book, by); !done) return Failure(std::move(done.error()));
    journal_.record(tx, by, about("work.created", id));
    return *find_work(tx, id);
  };
  return database_.write(std::move(work));
}

Task<Result<Work>> WorkService::add(WorkId id, BookId book, Caller by) {
  auto work = [this, id, book, by = std::move(by)](db::Transaction& tx) -> Result<Work> {
    if (!find_work(tx, id)) return not_found(no_such_work);
    if (auto done = join(tx, id, book, by); !done) return Failure(std::move(done.error()));
    journal_.record(tx, by, about("work.updated", id));
    return *find_work(tx, id);
  };
  return database_.write(std::move(work));
}

Task<Status> WorkService::remove(WorkId id, BookId book, Caller by) {
  auto work = [this, id, book, by = std::move(by)](db::Transaction& tx) -> Status {
    if (tx.execute("UPDATE books SET work_id = NULL WHERE id = $1 AND work_id = $2", book, id) == 0)
      return not_found("The book is no edition of this work");
    journal_.record(tx, by, joined(book));
    journal_.record(tx, by, about("work.updated", id));
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::books

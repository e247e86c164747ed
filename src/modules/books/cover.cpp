#include "modules/books/cover.hpp"

#include "core/base/text.hpp"
#include "core/runtime/run_on.hpp"
#include "core/security/random.hpp"
#include "modules/books/picture.hpp"
#include "modules/books/service.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

events::Change about(std::string_view type, BookId id) {
  return {.type = type, .resource = "book", .resource_id = id.value, .book = id};
}

// A picture as it is kept.
struct Packed {
  std::string media_type, text, digest;
};

struct Row {
  std::string media_type, bytes, digest;
  Timestamp updated_at;
};
const db::Columns<Row> columns{{"c.media_type", &Row::media_type},
                               {"c.bytes", &Row::bytes},
                               {"c.digest", &Row::digest},
                               {"c.updated_at", &Row::updated_at}};

}  // namespace

std::vector<schema::Field> CoverInfo::fields() {
  return {{"book_id", &CoverInfo::book_id, "The book"},
          {"media_type", &CoverInfo::media_type, "image/png, image/jpeg or image/webp"},
          {"size", &CoverInfo::size, "Bytes"},
          {"url", &CoverInfo::url, "Where the picture is read"}};
}

Task<Result<CoverInfo>> CoverService::put(BookId book, std::string bytes, Caller by) {
  if (bytes.size() > most_cover_bytes)
    co_return fail(ErrorKind::too_large, "too_large", "A cover has at most 5 MB");
  auto look = [&bytes]() -> Result<Packed> {
    const auto picture = look_at_picture(bytes);
    if (!picture)
      return fail(ErrorKind::refused, "wrong_kind",
                  "A cover is a whole PNG, JPEG or WebP picture of at most 10,000 pixels a side; these bytes "
                  "are none");
    return Packed{std::string(picture->media_type), base64_encode(bytes),
                  security::sha256_hex(bytes).substr(0, 32)};
  };
  auto packing = runtime::run_on(pool_, std::move(look));
  auto packed = co_await std::move(packing);
  if (!packed) co_return Failure(std::move(packed.error()));
  CoverInfo info{book, packed->media_type, static_cast<std::int64_t>(bytes.size()),
                 fmt::format("/api/v1/books/{}/cover", book.value)};
  auto work = [this, book, &info, &packed = *packed, &by](db::Transaction& tx) -> Result<CoverInfo> {
    if (!book_title(tx, book)) return not_found("Book not found");
    tx.execute(
        "INSERT INTO book_covers (book_id, media_type, bytes, digest, size, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (book_id) DO UPDATE SET media_type = $2, bytes = $3, "
        "digest = $4, size = $5, updated_at = $6",
        book, info.media_type, packed.text, packed.digest, info.size, clock_.now());
    journal_.record(tx, by, about("book.cover_changed", book));
    return info;
  };
  auto writing = database_.write(std::move(work));
  auto written = co_await std::move(writing);
  co_return std::move(written);
}

Task<Result<CoverPicture>> CoverService::find(BookId book) {
  auto work = [book](db::Transaction& tx) -> Result<CoverPicture> {
    static const std::string sql =
        "SELECT " + columns.list() +
        " FROM book_covers c JOIN books b ON b.id = c.book_id WHERE c.book_id = $1 AND "
        "b.deleted_at IS NULL";
    auto row = tx.find(columns, sql, book);
    if (!row) return not_found("The book has no cover here");
    auto bytes = base64_decode(row->bytes);
    if (!bytes) throw std::runtime_error("the cover of a book is not base64");
    return CoverPicture{std::move(row->media_type), std::move(*bytes), std::move(row->digest),
                        row->updated_at};
  };
  return database_.read(std::move(work));
}

Task<Status> CoverService::remove(BookId book, Caller by) {
  auto work = [this, book, by = std::move(by)](db::Transaction& tx) -> Status {
    if (tx.execute("DELETE FROM book_covers WHERE book_id = $1", book) == 0)
      return not_found("The book has no cover here");
    journal_.record(tx, by, about("book.cover_removed", book));
    return {};
  };
  return database_.write(std::move(work));
}

}  // namespace lumina::books

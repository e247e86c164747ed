// The pictures of books: kept in the database, served with an ETag.
//
// A picture is PNG, JPEG or WebP by its own structure (picture.hpp), at most 5 MB; nothing is decoded. Public
// functions are awaited on an io thread; each is one unit of work. Looking at a picture and packing it are
// done on the pool.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/runtime/pool.hpp"
#include "modules/books/model.hpp"

#include <string>

namespace lumina::books {

constexpr std::size_t most_cover_bytes = std::size_t{5} << 20;

struct CoverInfo {
  BookId book_id;
  std::string media_type;
  std::int64_t size = 0;
  std::string url;
  static constexpr std::string_view type_name = "Cover";
  static std::vector<schema::Field> fields();
};
struct CoverPicture {
  std::string media_type, bytes, digest;
  Timestamp updated_at;
};

class CoverService {
 public:
  CoverService(db::Database& database, const Clock& clock, events::Journal& journal, runtime::Pool& pool)
      : database_(database), clock_(clock), journal_(journal), pool_(pool) {}

  // Refused: wrong_kind; too_large.
  Task<Result<CoverInfo>> put(BookId book, std::string bytes, Caller by);
  Task<Result<CoverPicture>> find(BookId book);
  Task<Status> remove(BookId book, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  runtime::Pool& pool_;
};

}  // namespace lumina::books

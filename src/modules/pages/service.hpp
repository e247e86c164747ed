// Pages that several modules fill. A fixed number of units of work, however much there is to show.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/books/service.hpp"
#include "modules/borrows/service.hpp"
#include "modules/pages/model.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace lumina::pages {

// What a module that this one does not know gives, as JSON; the member is left out where there is none.
using Part = std::function<Task<Result<std::string>>(Caller)>;

class PageService {
 public:
  PageService(db::Database& database, const Clock& clock, books::BookService& books,
              borrows::BorrowService& borrows)
      : database_(database), clock_(clock), books_(books), borrows_(borrows) {}

  // Before the first request.
  void show_holds(Part part) { holds_ = std::move(part); }
  void show_recommendations(Part part) { recommendations_ = std::move(part); }

  // The totals of the library may be ten seconds old.
  Task<Result<Dashboard>> dashboard(Caller by);

 private:
  Task<Result<Totals>> totals();

  db::Database& database_;
  const Clock& clock_;
  books::BookService& books_;
  borrows::BorrowService& borrows_;
  Part holds_, recommendations_;
  std::mutex mutex_;  // of the two below
  std::optional<Totals> totals_;
  Timestamp counted_at_;
};

}  // namespace lumina::pages

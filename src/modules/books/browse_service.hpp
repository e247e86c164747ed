// Reading the drawers of the catalogue, and judging its records.
//
// Headings come from indexes in the order of their keys; a page costs what it shows. The report reads all
// books a dozen times: some 300 ms for 100,000 of them.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "modules/books/browse_model.hpp"

#include <string>

namespace lumina::books {

class BrowseService {
 public:
  BrowseService(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Task<Result<Headings>> headings(Drawer drawer, BrowseRequest request);
  // The titles under one heading.
  Task<Result<Page<Book>>> under(Drawer drawer, std::string key, PageRequest page);
  Task<Result<DataQuality>> quality();
  // The books with one of the report's problems; not_found for a problem that it does not know.
  Task<Result<Page<Book>>> with_problem(std::string kind, PageRequest page);

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace lumina::books

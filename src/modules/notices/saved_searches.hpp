// Questions that people keep: filters of the catalogue under a name, that tell of new books if they want.
//
// One's own only: nobody else's is found. Public functions of the service are awaited on an io thread; each
// is one unit of work. The looking for new books is Notifier::announce().
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/http/route.hpp"
#include "core/schema/type.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::notices {

using SavedSearchId = Id<struct SavedSearchTag>;

constexpr std::int64_t most_saved_searches = 100;  // of one person

struct SavedSearch {
  SavedSearchId id;
  std::string name;
  schema::RawJson query;  // filters and order of GET /books
  bool alert = true;
  Timestamp created_at;
  Timestamp checked_at;  // books added before were looked at; not shown
  UserId user;           // not shown
  static constexpr std::string_view type_name = "SavedSearch";
  static std::vector<schema::Field> fields();
};
struct NewSavedSearch {
  std::string name;
  schema::RawJson query;
  std::optional<bool> alert;  // default true
  static constexpr std::string_view type_name = "NewSavedSearch";
  static std::vector<schema::Field> fields();
};
struct SavedSearchChanges {
  std::optional<std::string> name;
  std::optional<schema::RawJson> query;
  std::optional<bool> alert;
  static constexpr std::string_view type_name = "SavedSearchChanges";
  static std::vector<schema::Field> fields();
};

class SavedSearchRepository {
 public:
  explicit SavedSearchRepository(db::Transaction& tx) : tx_(tx) {}

  Page<SavedSearch> list(UserId user, const PageRequest& page);
  std::optional<SavedSearch> find(SavedSearchId id, UserId user);
  std::int64_t count(UserId user);
  SavedSearchId insert(UserId user, const NewSavedSearch& search, Timestamp now);
  void update(const SavedSearch& search);
  bool erase(SavedSearchId id, UserId user);
  // Those that tell, of active accounts, behind that one; nobody else looks through them before this unit of
  // work ends.
  std::vector<SavedSearch> alerting(std::int64_t behind, int most);
  void checked(SavedSearchId id, Timestamp now);

 private:
  std::string query_of(SavedSearchId id);
  db::Transaction& tx_;
};

class SavedSearches {
 public:
  SavedSearches(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  Task<Result<Page<SavedSearch>>> list(PageRequest page, Caller by);
  Task<Result<SavedSearch>> find(SavedSearchId id, Caller by);
  // Refused: too_many_searches.
  Task<Result<SavedSearch>> create(NewSavedSearch search, Caller by);
  Task<Result<SavedSearch>> change(SavedSearchId id, SavedSearchChanges changes, Caller by);
  Task<Status> remove(SavedSearchId id, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

std::vector<http::Route> saved_search_routes(SavedSearches& searches);

}  // namespace lumina::notices

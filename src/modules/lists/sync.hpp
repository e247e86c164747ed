// Reading devices keep their place here: KOReader's progress sync.
//
// The device sends a name and the MD5 of a password with each request; it is an account of this service
// alone, made by the device, and opens nothing else. Only a digest of it is kept. The last writer wins, as
// the device expects: it asks before it jumps. Public functions are awaited on an io thread; each is one unit
// of work. Source: KOReader's sync server API (users/create, users/auth, syncs/progress).
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/schema/type.hpp"

#include <optional>
#include <string>

namespace lumina::lists {

struct SyncAccount {
  std::string username;  // 1..100 bytes
  std::string password;  // MD5 as the device sends it
  static constexpr std::string_view type_name = "SyncAccount";
  static std::vector<schema::Field> fields();
};
struct SyncPlace {
  std::string document;   // the device's digest of the file
  std::string progress;   // a place only the device understands
  double percentage = 0;  // 0 to 1
  std::optional<std::string> device, device_id;
  static constexpr std::string_view type_name = "SyncPlace";
  static std::vector<schema::Field> fields();
};
struct StoredPlace {
  std::string document, progress;
  double percentage = 0;
  std::string device, device_id;
  std::int64_t timestamp = 0;  // seconds since 1970
  static constexpr std::string_view type_name = "StoredSyncPlace";
  static std::vector<schema::Field> fields();
};

class SyncService {
 public:
  SyncService(db::Database& database, const Clock& clock, events::Journal& journal)
      : database_(database), clock_(clock), journal_(journal) {}

  // False: the name is taken.
  Task<Result<bool>> create(SyncAccount account, Caller by);
  // Whether the name and key belong together.
  Task<Result<bool>> known(SyncAccount account);
  // Nothing: they do not.
  Task<Result<std::optional<StoredPlace>>> put(SyncAccount account, SyncPlace place, Caller by);
  // The outer nothing: they do not; the inner: no place is kept.
  Task<Result<std::optional<std::optional<StoredPlace>>>> find(SyncAccount account, std::string document);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
};

}  // namespace lumina::lists

// API keys: long-lived credentials for programs, made and ended by their owner, restricted to scopes if
// wanted.
//
// A key is shown once; its SHA-256 is stored. It can do what its owner may do at the moment of use, and no
// more than its scopes. Keys cannot make keys.
#pragma once
#include "core/auth/model.hpp"
#include "core/auth/settings.hpp"
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"

#include <vector>

namespace lumina::auth {

class ApiKeyService {
 public:
  ApiKeyService(db::Database& database, const Clock& clock, events::Journal& journal,
                const LiveAuthSettings& settings)
      : database_(database), clock_(clock), journal_(journal), settings_(settings) {}

  // Errors: invalid for an expiry that has passed; refused "too_many_api_keys".
  Task<Result<ApiKey>> create(NewApiKey key, Caller by);
  Task<Result<std::vector<ApiKey>>> list(Caller by);
  Task<Status> remove(ApiKeyId id, Caller by);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  const LiveAuthSettings& settings_;
};

}  // namespace lumina::auth

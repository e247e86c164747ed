#include "core/auth/api_key_service.hpp"

#include "core/auth/account_rules.hpp"
#include "core/auth/session_repository.hpp"
#include "core/security/random.hpp"

#include <utility>

namespace lumina::auth {
namespace {

events::Change about_key(std::string_view type, ApiKeyId key, UserId owner) {
  return {.type = type, .resource = "api_key", .resource_id = key.value, .subject = owner};
}

}  // namespace

Task<Result<ApiKey>> ApiKeyService::create(NewApiKey key, Caller by) {
  if (auto person = check_signed_in_person(by); !person) co_return Failure(std::move(person.error()));
  if (key.expires_at && *key.expires_at <= clock_.now())
    co_return invalid({{{"body", "expires_at"}, "must be in the future", "range"}});
  key.name = clean_name(key.name);
  const auto made = security::make_api_key();
  auto work = [this, key = std::move(key), prefix = made.prefix, hash = security::sha256_hex(made.text),
               most = settings_.get()->most_api_keys,
               by = std::move(by)](db::Transaction& tx) -> Result<ApiKey> {
    if (!UserRepository(tx).find_locked(by.id())) return no_such_user();
    SessionRepository keys(tx);
    if (keys.keys(by.id()).size() >= static_cast<std::size_t>(most))
      return fail(ErrorKind::refused, "too_many_api_keys",
                  "You have as many API keys as one may have; delete one first");
    const ApiKeyId id = keys.insert_key(by.id(), key, prefix, hash, clock_.now());
    journal_.record(tx, by, about_key("api_key.created", id, by.id()));
    return ApiKey(*keys.find_key(id, by.id()));
  };
  auto stored = co_await database_.write(std::move(work));
  if (stored) stored->key = made.text;
  co_return stored;
}

Task<Result<std::vector<ApiKey>>> ApiKeyService::list(Caller by) {
  auto work = [user = by.id()](db::Transaction& tx) {
    std::vector<ApiKey> all;
    for (auto& key : SessionRepository(tx).keys(user)) all.push_back(std::move(key));
    return all;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Status> ApiKeyService::remove(ApiKeyId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    if (!SessionRepository(tx).erase_key(id, by.id())) return not_found("API key not found");
    journal_.record(tx, by, about_key("api_key.deleted", id, by.id()));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

}  // namespace lumina::auth

#include "modules/lists/sync.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"

namespace lumina::lists {
namespace {

// Anybody may make an account, and an account writes what it likes: both have an end.
constexpr std::int64_t most_accounts = 100'000, most_places = 2'000;

constexpr std::string_view purpose = "luminalib sync account";

std::string digest_of(const SyncAccount& account) {
  return hex_encode(security::hmac_sha256(purpose, account.username + '\n' + account.password));
}

std::optional<std::int64_t> id_of(db::Transaction& tx, const SyncAccount& account) {
  const auto row = tx.one<std::int64_t>("SELECT id FROM sync_accounts WHERE name = $1 AND key_digest = $2",
                                        account.username, digest_of(account));
  return row ? std::optional(std::get<0>(*row)) : std::nullopt;
}

const db::Columns<StoredPlace> columns{
    {"document", &StoredPlace::document},     {"progress", &StoredPlace::progress},
    {"percentage", &StoredPlace::percentage}, {"device", &StoredPlace::device},
    {"device_id", &StoredPlace::device_id},   {"updated_at / 1000", &StoredPlace::timestamp}};

}  // namespace

std::vector<schema::Field> SyncAccount::fields() {
  return {{"username", &SyncAccount::username, "Name", {schema::length(1, 100)}},
          {"password",
           &SyncAccount::password,
           "MD5 of the password, as the device sends it",
           {schema::length(1, 200)}}};
}
std::vector<schema::Field> SyncPlace::fields() {
  return {{"document", &SyncPlace::document, "The device's digest of the file", {schema::length(1, 200)}},
          {"progress", &SyncPlace::progress, "Place, as the device writes it", {schema::length(0, 2000)}},
          {"percentage", &SyncPlace::percentage, "Part that was read", {schema::range(0, 1)}},
          {"device", &SyncPlace::device, "Name of the device", {schema::length(0, 200)}},
          {"device_id", &SyncPlace::device_id, "Identifier of the device", {schema::length(0, 200)}}};
}
std::vector<schema::Field> StoredPlace::fields() {
  return {{"document", &StoredPlace::document, "The device's digest of the file"},
          {"progress", &StoredPlace::progress, "Place, as the device writes it"},
          {"percentage", &StoredPlace::percentage, "Part that was read"},
          {"device", &StoredPlace::device, "Name of the device"},
          {"device_id", &StoredPlace::device_id, "Identifier of the device"},
          {"timestamp", &StoredPlace::timestamp, "When, in seconds since 1970"}};
}

Task<Result<bool>> SyncService::create(SyncAccount account, Caller by) {
  auto work = [this, account = std::move(account), by = std::move(by)](db::Transaction& tx) -> Result<bool> {
    if (std::get<0>(*tx.one<std::int64_t>("SELECT count(*) FROM sync_accounts")) >= most_accounts)
      return fail(ErrorKind::refused, "too_many_accounts", "The library keeps places for no more devices");
    const auto made = tx.one<std::int64_t>(
        "INSERT INTO sync_accounts (name, key_digest, created_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO NOTHING RETURNING id",
        account.username, digest_of(account), clock_.now());
    if (!made) return false;
    journal_.record(
        tx, by,
        {.type = "sync_account.created", .resource = "sync_account", .resource_id = std::get<0>(*made)});
    return true;
  };
  return database_.write(std::move(work));
}

Task<Result<bool>> SyncService::known(SyncAccount account) {
  auto work = [account = std::move(account)](db::Transaction& tx) { return id_of(tx, account).has_value(); };
  return database_.read(std::move(work));
}

Task<Result<std::optional<StoredPlace>>> SyncService::put(SyncAccount account, SyncPlace place, Caller by) {
  auto work = [this, account = std::move(account), place = std::move(place),
               by = std::move(by)](db::Transaction& tx) -> Result<std::optional<StoredPlace>> {
    const auto id = id_of(tx, account);
    if (!id) return std::optional<StoredPlace>{};
    const auto now = clock_.now();
    tx.execute(
        "INSERT INTO sync_places (account_id, document, progress, percentage, device, device_id, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, document) DO UPDATE SET progress = $3, "
        "percentage = $4, device = $5, device_id = $6, updated_at = $7",
        *id, place.document, place.progress, place.percentage, place.device.value_or(""),
        place.device_id.value_or(""), now);
    // The places that were not moved for longest make room.
    tx.execute(
        "DELETE FROM sync_places WHERE account_id = $1 AND document NOT IN (SELECT p.document FROM "
        "sync_places p "
        "WHERE p.account_id = $1 ORDER BY p.updated_at DESC, p.document LIMIT CAST($2 AS BIGINT))",
        *id, most_places);
    journal_.record(tx, by, {.type = "sync_place.stored", .resource = "sync_account", .resource_id = *id});
    return std::optional(StoredPlace{place.document, place.progress, place.percentage,
                                     place.device.value_or(""), place.device_id.value_or(""), now.ms / 1000});
  };
  return database_.write(std::move(work));
}

Task<Result<std::optional<std::optional<StoredPlace>>>> SyncService::find(SyncAccount account,
                                                                          std::string document) {
  auto work = [account = std::move(account), document = std::move(document)](
                  db::Transaction& tx) -> Result<std::optional<std::optional<StoredPlace>>> {
    const auto id = id_of(tx, account);
    if (!id) return std::optional<std::optional<StoredPlace>>{};
    static const std::string sql =
        "SELECT " + columns.list() + " FROM sync_places WHERE account_id = $1 AND document = $2";
    return std::optional(tx.find(columns, sql, *id, document));
  };
  return database_.read(std::move(work));
}

}  // namespace lumina::lists

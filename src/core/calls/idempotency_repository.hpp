// SQL of kept answers. A row is found by who asked and the key; one that has expired counts as absent.
#pragma once
#include "core/base/clock.hpp"
#include "core/db/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lumina::calls {

struct KeptAnswer {
  std::string owner, key, fingerprint, claimed_by;
  Timestamp created_at, expires_at;
  std::optional<int> status;  // nothing: begun and not finished
  std::optional<std::string> content_type, etag, headers, body;
};

class IdempotencyRepository {
 public:
  explicit IdempotencyRepository(db::Transaction& tx) : tx_(tx) {}

  // False when another process is serving this key at this moment; until the end of the transaction nobody
  // else gets true.
  bool hold(std::string_view owner, std::string_view key);
  std::optional<KeptAnswer> find(std::string_view owner, std::string_view key, Timestamp now);
  // In the place of an expired one; for who holds the key and found none.
  void insert(const KeptAnswer& answer);
  void finish(const KeptAnswer& answer);
  void erase(std::string_view owner, std::string_view key, std::string_view claimed_by);
  void erase_of(std::string_view owner);
  std::int64_t purge(Timestamp now);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::calls

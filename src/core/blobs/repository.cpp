#include "core/blobs/repository.hpp"

namespace lumina::blobs {

void BlobRepository::reserve(std::string_view sha256, std::int64_t size, Timestamp now) {
  tx_.execute(
      "INSERT INTO blobs (sha256, size, refs, touched_at) VALUES ($1, $2, 0, $3) "
      "ON CONFLICT (sha256) DO UPDATE SET touched_at = excluded.touched_at",
      sha256, size, now);
}

void BlobRepository::hold(std::string_view sha256) {
  tx_.execute("UPDATE blobs SET refs = refs + 1 WHERE sha256 = $1", sha256);
}

void BlobRepository::release(std::string_view sha256, Timestamp now) {
  tx_.execute("UPDATE blobs SET refs = refs - 1, touched_at = $2 WHERE sha256 = $1", sha256, now);
}

std::vector<std::string> BlobRepository::take_unused(Timestamp before, std::int64_t most) {
  std::vector<std::string> taken;
  tx_.each<std::string>([&](std::string sha256) { taken.push_back(std::move(sha256)); },
                        "DELETE FROM blobs WHERE sha256 IN (SELECT sha256 FROM blobs WHERE refs = 0 "
                        "AND touched_at < $1 ORDER BY sha256 LIMIT $2) AND refs = 0 RETURNING sha256",
                        before, most);
  return taken;
}

std::vector<BlobRow> BlobRepository::list(std::string_view after, std::int64_t most) {
  std::vector<BlobRow> rows;
  tx_.each<std::string, std::int64_t, std::int64_t>(
      [&](std::string sha256, std::int64_t size, std::int64_t refs) {
        rows.push_back({std::move(sha256), size, refs});
      },
      "SELECT sha256, size, refs FROM blobs WHERE sha256 > $1 ORDER BY sha256 LIMIT $2", after, most);
  return rows;
}

std::int64_t BlobRepository::bytes() {
  return std::get<0>(tx_.one<std::int64_t>("SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM blobs")
                         .value_or(std::tuple(0)));
}

}  // namespace lumina::blobs

#include "modules/recs/model_store.hpp"

#include "core/base/text.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"
#include "core/vector/archive.hpp"
#include "modules/recs/repository.hpp"

#include <algorithm>
#include <system_error>

namespace lumina::recs {
namespace {

constexpr std::size_t part_bytes = 384 * 1024;

Failure damaged() {
  return fail(ErrorKind::refused, "model_damaged", "The file of this model is missing or damaged");
}

}  // namespace

Result<ModelStore::Kept> ModelStore::keep(const TrainedModel& model, const std::function<bool()>& cancelled) {
  const std::string bytes = model.to_bytes();
  Kept kept;
  kept.sha256 = security::sha256_hex(bytes);
  kept.size = static_cast<std::int64_t>(bytes.size());
  kept.file = "recommendations-" + kept.sha256.substr(0, 16) + ".model";
  std::error_code fault;
  std::filesystem::create_directories(folder_, fault);
  if (fault) return fail(ErrorKind::storage_full, "no_folder", "The folder of models cannot be made");
  if (auto written = vector::write_file(folder_ / kept.file, bytes); !written)
    return Failure(std::move(written.error()));
  if (database_.dialect() == db::Dialect::sqlite) return kept;  // nobody else reads this database
  for (std::size_t from = 0, part = 0; from < bytes.size(); from += part_bytes, ++part) {
    if (cancelled()) return vector::cancelled_failure();
    const auto body = base64_encode(std::string_view(bytes).substr(from, part_bytes));
    auto work = [&kept, &body, part](db::Transaction& tx) -> Status {
      RecommendationRepository(tx).put_part(kept.sha256, static_cast<std::int64_t>(part), body);
      return {};
    };
    if (auto put = database_.write_now(std::move(work)); !put) return Failure(std::move(put.error()));
  }
  return kept;
}

Result<std::string> ModelStore::from_database(const ModelVersion& version) {
  std::string bytes;
  for (std::int64_t part = 0; static_cast<std::int64_t>(bytes.size()) < version.size; ++part) {
    auto look = [&version, part](db::Transaction& tx) {
      return RecommendationRepository(tx).part(version.sha256, part);
    };
    auto body = database_.read_now(std::move(look));
    if (!body) return Failure(std::move(body.error()));
    const auto piece = *body ? base64_decode(**body) : std::nullopt;
    if (!piece || piece->empty()) return damaged();
    bytes += *piece;
  }
  if (security::sha256_hex(bytes) != version.sha256) return damaged();
  return bytes;
}

Result<TrainedModel> ModelStore::load(const ModelVersion& version) {
  const auto path = folder_ / version.file;
  auto bytes = vector::read_file(path);
  if (!bytes || security::sha256_hex(*bytes) != version.sha256) {
    auto again = from_database(version);
    if (!again) return damaged();
    std::error_code fault;
    std::filesystem::create_directories(folder_, fault);
    if (auto written = vector::write_file(path, *again); !written)
      log::warn("a model from the database could not be kept as a file", {{"why", written.error().detail}});
    bytes = std::move(*again);
  }
  return TrainedModel::from_bytes(*bytes);
}

void ModelStore::drop(const std::vector<std::string>& files) const {
  for (const auto& file : files) {
    std::error_code fault;
    std::filesystem::remove(folder_ / file, fault);
    if (fault) log::warn("an old model could not be removed", {{"file", file}, {"why", fault.message()}});
  }
}

}  // namespace lumina::recs

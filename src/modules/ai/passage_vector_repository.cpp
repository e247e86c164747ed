#include "modules/ai/passage_vector_repository.hpp"

#include "core/base/text.hpp"

#include <bit>
#include <cstring>

namespace lumina::ai {
namespace {

static_assert(std::endian::native == std::endian::little);

const std::string of_ready_versions =
    " FROM document_chunks c JOIN document_versions v ON v.id = c.version_id "
    "JOIN documents d ON d.id = v.document_id AND d.current = v.number ";

const db::Columns<PassageModel> model_columns{
    {"id", &PassageModel::id}, {"name", &PassageModel::name}, {"dimensions", &PassageModel::dimensions}};
const db::Columns<BarePassage> bare_columns{{"c.id", &BarePassage::id},
                                            {"d.id", &BarePassage::document},
                                            {"d.user_id", &BarePassage::owner},
                                            {"c.text", &BarePassage::text}};

std::string packed(const std::vector<float>& vector) {
  return base64_encode({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
}

std::vector<float> unpacked(std::string_view text) {
  const auto bytes = base64_decode(text);
  if (!bytes) return {};
  std::vector<float> vector(bytes->size() / sizeof(float));
  if (!vector.empty()) std::memcpy(vector.data(), bytes->data(), vector.size() * sizeof(float));
  return vector;
}

}  // namespace

std::int64_t digest_of_passage(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return std::bit_cast<std::int64_t>(h);
}

std::optional<PassageModel> PassageVectorRepository::model(std::string_view name) {
  static const std::string sql =
      "SELECT " + model_columns.list() +
      " FROM embedding_models WHERE name = $1 ORDER BY chosen DESC, id DESC LIMIT 1";
  return tx_.find(model_columns, sql, name);
}

PassageModel PassageVectorRepository::choose(std::string_view name, std::int64_t dimensions) {
  static const std::string sql =
      "INSERT INTO embedding_models (name, dimensions, chosen) "
      "SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), coalesce(max(chosen), 0) + 1 FROM embedding_models "
      "WHERE true "
      "ON CONFLICT (name, dimensions) DO UPDATE SET chosen = excluded.chosen RETURNING " +
      model_columns.list();
  return *tx_.find(model_columns, sql, name, dimensions);
}

std::vector<BarePassage> PassageVectorRepository::missing(std::int64_t model, std::int64_t version,
                                                          std::int64_t after, std::int64_t most) {
  static const std::string sql =
      "SELECT " + bare_columns.list() + of_ready_versions +
      "WHERE c.id > $3 AND (CAST($2 AS BIGINT) = 0 OR v.id = CAST($2 AS BIGINT)) AND v.status = 'ready' "
      "AND NOT EXISTS (SELECT 1 FROM passage_vectors p WHERE p.chunk_id = c.id AND p.model_id = $1) "
      "ORDER BY c.id LIMIT $4";
  return tx_.list(bare_columns, sql, model, version, after, most);
}

void PassageVectorRepository::put(const PassageModel& model, const BarePassage& passage,
                                  const std::vector<float>& vector) {
  tx_.execute(
      "INSERT INTO passage_vectors (chunk_id, model_id, digest, vector) "
      "SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT) FROM document_chunks WHERE id = "
      "$1 "
      "ON CONFLICT (chunk_id) DO UPDATE SET model_id = excluded.model_id, digest = excluded.digest, "
      "vector = excluded.vector",
      passage.id, model.id, digest_of_passage(passage.text), packed(vector));
}

std::vector<PassageMark> PassageVectorRepository::marks(std::int64_t model) {
  std::vector<PassageMark> out;
  tx_.each<std::int64_t, std::int64_t, std::int64_t>(
      [&](std::int64_t id, std::int64_t document, std::int64_t digest) {
        out.push_back({id, document, digest});
      },
      "SELECT p.chunk_id, v.document_id, p.digest FROM passage_vectors p "
      "JOIN document_chunks c ON c.id = p.chunk_id JOIN document_versions v ON v.id = c.version_id "
      "WHERE p.model_id = $1 ORDER BY p.chunk_id",
      model);
  return out;
}

namespace {

const std::string vectors_from =
    "SELECT p.chunk_id, v.document_id, p.digest, p.vector FROM passage_vectors p "
    "JOIN document_chunks c ON c.id = p.chunk_id JOIN document_versions v ON v.id = c.version_id "
    "WHERE p.model_id = $1 ";

std::vector<PassageVector> listed(db::Transaction& tx, std::string_view of_sqlite,
                                  std::string_view of_postgresql, std::int64_t model, const auto& ids) {
  std::vector<std::string> wanted;
  for (const auto id : ids) wanted.push_back(std::to_string(id));
  std::vector<PassageVector> out;
  tx.each<std::int64_t, DocumentId, std::int64_t, std::string>(
      [&](std::int64_t id, DocumentId document, std::int64_t digest, const std::string& vector) {
        out.push_back({id, document, digest, unpacked(vector)});
      },
      tx.postgresql() ? of_postgresql : of_sqlite, model, wanted);
  return out;
}

}  // namespace

std::vector<PassageVector> PassageVectorRepository::of_passages(std::int64_t model,
                                                                const std::vector<std::int64_t>& ids) {
  static const std::string of_sqlite =
      vectors_from + "AND p.chunk_id IN (SELECT CAST(value AS BIGINT) FROM json_each($2))";
  static const std::string of_postgresql =
      vectors_from + "AND p.chunk_id IN (SELECT jsonb_array_elements_text($2::text::jsonb)::bigint)";
  return listed(tx_, of_sqlite, of_postgresql, model, ids);
}

std::vector<PassageVector> PassageVectorRepository::of_documents(std::int64_t model,
                                                                 const std::set<std::int64_t>& ids) {
  static const std::string of_sqlite =
      vectors_from + "AND v.document_id IN (SELECT CAST(value AS BIGINT) FROM json_each($2))";
  static const std::string of_postgresql =
      vectors_from + "AND v.document_id IN (SELECT jsonb_array_elements_text($2::text::jsonb)::bigint)";
  return listed(tx_, of_sqlite, of_postgresql, model, ids);
}

PassageVectorRepository::Counts PassageVectorRepository::counts(std::int64_t model) {
  static const std::string sql =
      "SELECT count(*), count(p.chunk_id)" + of_ready_versions +
      "LEFT JOIN passage_vectors p ON p.chunk_id = c.id AND p.model_id = $1 WHERE v.status = 'ready'";
  const auto row = tx_.one<std::int64_t, std::int64_t>(sql, model);
  if (!row) return {};
  return {std::get<0>(*row), std::get<1>(*row)};
}

}  // namespace lumina::ai

#include "modules/ai/vector_rows.hpp"

#include "core/base/text.hpp"

#include <bit>
#include <cstring>

namespace lumina::ai {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t most_text = 8'000;  // bytes of a book's text; models read a few hundred words

const db::Columns<VectorModel> model_columns{
    {"id", &VectorModel::id}, {"name", &VectorModel::name}, {"dimensions", &VectorModel::dimensions}};

const std::string of_ready_versions =
    " FROM document_chunks c JOIN document_versions v ON v.id = c.version_id "
    "JOIN documents d ON d.id = v.document_id AND d.current = v.number ";
const std::string passages_kept =
    " FROM passage_vectors p JOIN document_chunks c ON c.id = p.chunk_id "
    "JOIN document_versions v ON v.id = c.version_id WHERE p.model_id = $1 ";
const std::string books_kept =
    " FROM book_vectors p JOIN books b ON b.id = p.book_id AND b.deleted_at IS NULL WHERE p.model_id = $1 ";
const std::string mark_of_passage = "SELECT p.chunk_id, v.document_id, p.digest";
const std::string mark_of_book = "SELECT p.book_id, p.book_id, p.digest";

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

std::int64_t digest_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return std::bit_cast<std::int64_t>(h);
}

// The same statement for each database: they read a list in $2 differently.
struct Statements {
  std::string of_sqlite, of_postgresql;
};
const std::string in_list_of_sqlite = "IN (SELECT CAST(value AS BIGINT) FROM json_each($2))";
const std::string in_list_of_postgresql = "IN (SELECT jsonb_array_elements_text($2::text::jsonb)::bigint)";
const std::string passages_by_id = mark_of_passage + ", p.vector" + passages_kept + "AND p.chunk_id ";
const std::string passages_by_document =
    mark_of_passage + ", p.vector" + passages_kept + "AND v.document_id ";
const std::string books_by_id = mark_of_book + ", p.vector" + books_kept + "AND p.book_id ";

std::vector<KeptVector> listed(db::Transaction& tx, const Statements& statements, std::int64_t model,
                               const auto& ids) {
  std::vector<std::string> wanted;
  for (const auto id : ids) wanted.push_back(std::to_string(id));
  std::vector<KeptVector> out;
  tx.each<std::int64_t, std::int64_t, std::int64_t, std::string>(
      [&](std::int64_t id, std::int64_t owner, std::int64_t digest, const std::string& vector) {
        out.push_back({id, owner, digest, unpacked(vector)});
      },
      tx.postgresql() ? statements.of_postgresql : statements.of_sqlite, model, wanted);
  return out;
}

}  // namespace

std::optional<VectorModel> VectorRows::model(std::string_view name) {
  static const std::string sql = "SELECT " + model_columns.list() +
                                 " FROM embedding_models WHERE name = $1 "
                                 "ORDER BY chosen DESC, id DESC LIMIT 1";
  return tx_.find(model_columns, sql, name);
}

VectorModel VectorRows::choose(std::string_view name, std::int64_t dimensions) {
  static const std::string sql =
      "INSERT INTO embedding_models (name, dimensions, chosen) "
      "SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), coalesce(max(chosen), 0) + 1 FROM embedding_models "
      "WHERE true "
      "ON CONFLICT (name, dimensions) DO UPDATE SET chosen = excluded.chosen RETURNING " +
      model_columns.list();
  return *tx_.find(model_columns, sql, name, dimensions);
}

std::vector<BareText> VectorRows::missing(std::int64_t model, std::int64_t version, std::int64_t after,
                                          std::int64_t most) {
  static const std::string passages =
      "SELECT c.id, d.id, d.user_id, c.text" + of_ready_versions +
      "WHERE c.id > $3 AND (CAST($2 AS BIGINT) = 0 OR v.id = CAST($2 AS BIGINT)) AND v.status = 'ready' "
      "AND NOT EXISTS (SELECT 1 FROM passage_vectors p WHERE p.chunk_id = c.id AND p.model_id = $1) "
      "ORDER BY c.id LIMIT $4";
  static const std::string books =
      "SELECT b.id, b.version, b.title, b.author, coalesce(b.genre, ''), coalesce(b.description, '') "
      "FROM books b WHERE b.id > $2 AND b.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM book_vectors p "
      "WHERE p.book_id = b.id AND p.model_id = $1 AND p.digest = b.version) ORDER BY b.id LIMIT $3";
  std::vector<BareText> out;
  if (what_ == Embedded::passages)
    tx_.each<std::int64_t, std::int64_t, std::optional<UserId>, std::string>(
        [&](std::int64_t id, std::int64_t document, std::optional<UserId> user, std::string text) {
          const auto digest = digest_of(text);
          out.push_back({id, document, user, std::move(text), digest});
        },
        passages, model, version, after, most);
  else
    // A book's version rises with every change of what librarians edit, and with nothing else.
    tx_.each<std::int64_t, std::int64_t, std::string, std::string, std::string, std::string>(
        [&](std::int64_t id, std::int64_t digest, const std::string& title, const std::string& author,
            const std::string& genre, const std::string& description) {
          std::string text = title + " by " + author;
          for (const auto* more : {&genre, &description})
            if (!more->empty()) text += "\n" + *more;
          out.push_back({id, id, {}, std::string(utf8_prefix(text, most_text)), digest});
        },
        books, model, after, most);
  return out;
}

void VectorRows::put(const VectorModel& model, const BareText& of, const std::vector<float>& vector) {
  if (what_ == Embedded::passages)
    tx_.execute(
        "INSERT INTO passage_vectors (chunk_id, model_id, digest, vector) "
        "SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT) FROM document_chunks "
        "WHERE id = $1 ON CONFLICT (chunk_id) DO UPDATE SET model_id = excluded.model_id, "
        "digest = excluded.digest, vector = excluded.vector",
        of.id, model.id, of.digest, packed(vector));
  else
    tx_.execute(
        "INSERT INTO book_vectors (book_id, model_id, digest, vector) "
        "SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT) FROM books "
        "WHERE id = $1 ON CONFLICT (book_id) DO UPDATE SET model_id = excluded.model_id, "
        "digest = excluded.digest, vector = excluded.vector",
        of.id, model.id, of.digest, packed(vector));
}

std::vector<VectorMark> VectorRows::marks(std::int64_t model) {
  static const std::string passages = mark_of_passage + passages_kept;
  static const std::string books = mark_of_book + books_kept;
  std::vector<VectorMark> out;
  tx_.each<std::int64_t, std::int64_t, std::int64_t>(
      [&](std::int64_t id, std::int64_t owner, std::int64_t digest) { out.push_back({id, owner, digest}); },
      what_ == Embedded::passages ? passages : books, model);
  return out;
}

std::vector<KeptVector> VectorRows::by_id(std::int64_t model, const std::vector<std::int64_t>& ids) {
  static const Statements passages{passages_by_id + in_list_of_sqlite,
                                   passages_by_id + in_list_of_postgresql};
  static const Statements books{books_by_id + in_list_of_sqlite, books_by_id + in_list_of_postgresql};
  return listed(tx_, what_ == Embedded::passages ? passages : books, model, ids);
}

std::vector<KeptVector> VectorRows::by_owner(std::int64_t model, const std::set<std::int64_t>& owners) {
  static const Statements passages{passages_by_document + in_list_of_sqlite,
                                   passages_by_document + in_list_of_postgresql};
  static const Statements books{books_by_id + in_list_of_sqlite, books_by_id + in_list_of_postgresql};
  return listed(tx_, what_ == Embedded::passages ? passages : books, model, owners);
}

VectorRows::Counts VectorRows::counts(std::int64_t model) {
  static const std::string passages =
      "SELECT count(*), count(p.chunk_id)" + of_ready_versions +
      "LEFT JOIN passage_vectors p ON p.chunk_id = c.id AND p.model_id = $1 WHERE v.status = 'ready'";
  static const std::string books =
      "SELECT count(*), count(p.book_id) FROM books b LEFT JOIN book_vectors p ON p.book_id = b.id "
      "AND p.model_id = $1 AND p.digest = b.version WHERE b.deleted_at IS NULL";
  const auto row = tx_.one<std::int64_t, std::int64_t>(what_ == Embedded::passages ? passages : books, model);
  if (!row) return {};
  return {std::get<0>(*row), std::get<1>(*row)};
}

}  // namespace lumina::ai

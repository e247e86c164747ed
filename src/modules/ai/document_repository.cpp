#include "modules/ai/document_repository.hpp"

#include "core/text/fold.hpp"

#include <algorithm>
#include <unordered_map>

namespace lumina::ai {
namespace {

// Scanned pages are kept as failed, and shown as what they need.
constexpr auto shown_status = "CASE WHEN v.error_code = 'needs_ocr' THEN 'needs_ocr' ELSE v.status END";

const db::Columns<StoredDocument> columns{
    {"d.id", &StoredDocument::id},
    {"v.filename", &StoredDocument::filename},
    {"d.title", &StoredDocument::title},
    {"v.kind", &StoredDocument::kind},
    {"v.size", &StoredDocument::size},
    {"v.sha256", &StoredDocument::sha256},
    {"v.page_count", &StoredDocument::page_count},
    {shown_status, &StoredDocument::status},
    {"v.error_code", &StoredDocument::error_code},
    {"v.error", &StoredDocument::error},
    {"v.chunks", &StoredDocument::chunks},
    {"v.author", &StoredDocument::author},
    {"v.language", &StoredDocument::language},
    {"v.produced", &StoredDocument::produced},
    {"d.book_id", &StoredDocument::book_id},
    {"d.user_id", &StoredDocument::user_id},
    {"d.visibility", &StoredDocument::visibility},
    {"d.current", &StoredDocument::current},
    {"d.views", &StoredDocument::views},
    {"d.downloads", &StoredDocument::downloads},
    {"v.task_id", &StoredDocument::task_id},
    {"d.created_at", &StoredDocument::created_at},
    {"d.updated_at", &StoredDocument::updated_at},
    {"d.version", &StoredDocument::version},
    {"v.id", &StoredDocument::version_id},
    {"v.thumbnail", &StoredDocument::thumbnail},
    {"v.thumbnail_type", &StoredDocument::thumbnail_type},
    {"g.access", &StoredDocument::granted},
    {"CASE WHEN l.id IS NULL THEN 0 ELSE 1 END", &StoredDocument::on_loan}};

const db::Columns<StoredVersion> version_columns{{"v.id", &StoredVersion::id},
                                                 {"v.document_id", &StoredVersion::document},
                                                 {"v.number", &StoredVersion::number},
                                                 {"v.sha256", &StoredVersion::sha256},
                                                 {"v.filename", &StoredVersion::filename},
                                                 {"v.kind", &StoredVersion::kind},
                                                 {"v.size", &StoredVersion::size},
                                                 {"v.status", &StoredVersion::status},
                                                 {"v.thumbnail", &StoredVersion::thumbnail},
                                                 {"v.thumbnail_type", &StoredVersion::thumbnail_type},
                                                 {"d.user_id", &StoredVersion::user},
                                                 {"d.book_id", &StoredVersion::book},
                                                 {"d.current", &StoredVersion::current},
                                                 {"d.title", &StoredVersion::title}};

const db::Columns<IndexedChunk> chunk_columns{{"c.id", &IndexedChunk::id},
                                              {"d.id", &IndexedChunk::document},
                                              {"d.title", &IndexedChunk::title},
                                              {"c.text", &IndexedChunk::text},
                                              {"v.language", &IndexedChunk::language},
                                              {"d.visibility", &IndexedChunk::visibility},
                                              {"d.user_id", &IndexedChunk::owner},
                                              {"d.book_id", &IndexedChunk::book}};

const db::Columns<StoredPassage> passage_columns{
    {"c.id", &StoredPassage::id},
    {"d.id", &StoredPassage::document},
    {"v.filename", &StoredPassage::filename},
    {"d.title", &StoredPassage::title},
    {"v.language", &StoredPassage::language},
    {"c.ordinal", &StoredPassage::ordinal},
    {"c.page", &StoredPassage::page},
    {"c.begin_at", &StoredPassage::begin_at},
    {"c.end_at", &StoredPassage::end_at},
    {"c.text", &StoredPassage::text},
    {"CASE WHEN v.page_count IS NULL THEN 0 ELSE 1 END", &StoredPassage::paged}};

// $1 is who asks.
const std::string from_documents =
    " FROM documents d JOIN document_versions v ON v.document_id = d.id AND v.number = d.current "
    "LEFT JOIN document_grants g ON g.document_id = d.id AND g.user_id = $1 "
    "LEFT JOIN borrows l ON l.book_id = d.book_id AND l.user_id = $1 AND l.status <> 'returned' "
    "AND d.visibility = 'borrowers' ";
// $2 is 1 for staff.
const std::string readable =
    "($2 = 1 OR d.visibility = 'public' OR d.user_id = $1 OR g.user_id IS NOT NULL OR l.id IS NOT NULL) ";
const std::string from_chunks =
    " FROM document_chunks c JOIN document_versions v ON v.id = c.version_id "
    "JOIN documents d ON d.id = v.document_id AND d.current = v.number ";
const std::string from_versions = " FROM document_versions v JOIN documents d ON d.id = v.document_id ";

std::int64_t staff(const Caller& by) { return by.can(Permission::books_write) ? 1 : 0; }

std::string containing(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text::fold(text))
    if (c != '%' && c != '_' && c != '\\') pattern += c;
  return pattern + "%";
}

StoredDocument finished(StoredDocument d) {
  d.media_type = extract::media_type(d.kind);
  d.processed = d.status == DocumentStatus::ready;
  d.upload_date = d.created_at;
  if (d.thumbnail) d.thumbnail_url = "/api/v1/documents/" + std::to_string(d.id.value) + "/thumbnail";
  return d;
}

}  // namespace

std::optional<StoredDocument> DocumentRepository::find(DocumentId id, const Caller& asking) {
  static const std::string sql = "SELECT " + columns.list() + from_documents + "WHERE d.id = $2";
  auto found = tx_.find(columns, sql, asking.id(), id);
  if (found) found = finished(std::move(*found));
  return found;
}

std::optional<StoredDocument> DocumentRepository::lock(DocumentId id, const Caller& asking) {
  if (tx_.postgresql()) tx_.one<std::int64_t>("SELECT id FROM documents WHERE id = $1 FOR UPDATE", id);
  return find(id, asking);
}

std::optional<DocumentId> DocumentRepository::same(UserId user, std::string_view sha256) {
  auto row = tx_.one<DocumentId>("SELECT id FROM documents WHERE user_id = $1 AND sha256 = $2", user, sha256);
  if (!row) return {};
  return std::get<0>(*row);
}

Page<StoredDocument> DocumentRepository::list(const DocumentFilter& filter, const Caller& asking,
                                              const PageRequest& page) {
  constexpr auto narrowed =
      "AND (CAST($3 AS TEXT) IS NULL OR CAST($3 AS TEXT) = "
      "CASE WHEN v.error_code = 'needs_ocr' THEN 'needs_ocr' ELSE v.status END) "
      "AND (CAST($4 AS BIGINT) IS NULL OR d.book_id = CAST($4 AS BIGINT)) "
      "AND (CAST($5 AS BIGINT) = 0 OR d.user_id = $1) "
      "AND (CAST($6 AS TEXT) IS NULL OR lower(d.title) LIKE CAST($6 AS TEXT) "
      "OR lower(v.filename) LIKE CAST($6 AS TEXT) OR lower(v.author) LIKE CAST($6 AS TEXT)) ";
  static const std::string items = "SELECT " + columns.list() + from_documents + "WHERE " + readable +
                                   narrowed + "ORDER BY d.id DESC LIMIT $7 OFFSET $8";
  static const std::string total = "SELECT count(*)" + from_documents + "WHERE " + readable + narrowed;
  std::optional<std::string> like;
  if (filter.q) like = containing(*filter.q);
  const std::int64_t mine = filter.mine.value_or(false) ? 1 : 0;
  Page<StoredDocument> out;
  for (auto& d : tx_.list(columns, items, asking.id(), staff(asking), filter.status, filter.book_id, mine,
                          like, page.limit, page.skip))
    out.items.push_back(finished(std::move(d)));
  out.total = std::get<0>(
      tx_.one<std::int64_t>(total, asking.id(), staff(asking), filter.status, filter.book_id, mine, like)
          .value_or(std::tuple(0)));
  return out;
}

std::vector<StoredDocument> DocumentRepository::popular(const Caller& asking, std::int64_t most) {
  static const std::string sql = "SELECT " + columns.list() + from_documents + "WHERE " + readable +
                                 "AND d.views + d.downloads > 0 "
                                 "ORDER BY d.views + 2 * d.downloads DESC, d.id DESC LIMIT $3";
  std::vector<StoredDocument> out;
  for (auto& d : tx_.list(columns, sql, asking.id(), staff(asking), most))
    out.push_back(finished(std::move(d)));
  return out;
}

std::int64_t DocumentRepository::count_of(UserId user) {
  return std::get<0>(tx_.one<std::int64_t>("SELECT count(*) FROM documents WHERE user_id = $1", user)
                         .value_or(std::tuple(0)));
}

std::optional<DocumentId> DocumentRepository::insert(const NewDocument& made, const NewVersion& version,
                                                     Timestamp now) {
  auto row = tx_.one<DocumentId>(
      "INSERT INTO documents (user_id, book_id, title, visibility, sha256, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING RETURNING id",
      made.user, made.book, made.title, visibility_names.at(static_cast<std::size_t>(made.visibility)),
      version.sha256, now);
  if (!row) return {};
  return std::get<0>(*row);
}

std::int64_t DocumentRepository::add_version(DocumentId id, std::int64_t number, const NewVersion& version,
                                             Timestamp now) {
  return std::get<0>(*tx_.one<std::int64_t>(
      "INSERT INTO document_versions (document_id, number, sha256, filename, kind, size, created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
      id, number, version.sha256, version.filename,
      extract::kind_names.at(static_cast<std::size_t>(version.kind)), version.size, now));
}

void DocumentRepository::set_task(std::int64_t version_id, std::string_view task) {
  tx_.execute("UPDATE document_versions SET task_id = $2 WHERE id = $1", version_id, task);
}

bool DocumentRepository::set_current(DocumentId id, std::int64_t number, std::string_view sha256,
                                     Timestamp now) {
  return tx_.execute(
             "UPDATE documents SET current = $2, sha256 = $3, updated_at = $4, version = version + 1 "
             "WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM documents o WHERE o.user_id = documents.user_id "
             "AND o.sha256 = $3 AND o.id <> $1)",
             id, number, sha256, now) > 0;
}

void DocumentRepository::update(const StoredDocument& d, Timestamp now) {
  tx_.execute(
      "UPDATE documents SET title = $2, visibility = $3, book_id = $4, updated_at = $5, version = version + "
      "1 "
      "WHERE id = $1",
      d.id, d.title, visibility_names.at(static_cast<std::size_t>(d.visibility)), d.book_id, now);
}

void DocumentRepository::erase(DocumentId id) {
  tx_.execute("DELETE FROM document_grants WHERE document_id = $1", id);
  tx_.execute("DELETE FROM document_versions WHERE document_id = $1", id);
  tx_.execute("DELETE FROM documents WHERE id = $1", id);
}

void DocumentRepository::count(DocumentId id, bool download) {
  tx_.execute("UPDATE documents SET views = views + $2, downloads = downloads + $3 WHERE id = $1", id,
              download ? 0 : 1, download ? 1 : 0);
}

std::optional<StoredVersion> DocumentRepository::version(std::int64_t version_id) {
  static const std::string sql = "SELECT " + version_columns.list() + from_versions + "WHERE v.id = $1";
  return tx_.find(version_columns, sql, version_id);
}

std::optional<StoredVersion> DocumentRepository::version(DocumentId id, std::int64_t number) {
  static const std::string sql =
      "SELECT " + version_columns.list() + from_versions + "WHERE v.document_id = $1 AND v.number = $2";
  return tx_.find(version_columns, sql, id, number);
}

std::vector<StoredVersion> DocumentRepository::stored_versions(DocumentId id) {
  static const std::string sql =
      "SELECT " + version_columns.list() + from_versions + "WHERE v.document_id = $1 ORDER BY v.number";
  return tx_.list(version_columns, sql, id);
}

std::vector<DocumentVersion> DocumentRepository::versions(DocumentId id) {
  static const db::Columns<DocumentVersion> shown{
      {"v.number", &DocumentVersion::version},
      {"v.filename", &DocumentVersion::filename},
      {"v.kind", &DocumentVersion::media_type},
      {"v.sha256", &DocumentVersion::sha256},
      {"v.size", &DocumentVersion::size},
      {shown_status, &DocumentVersion::status},
      {"CASE WHEN v.number = d.current THEN 1 ELSE 0 END", &DocumentVersion::current},
      {"v.created_at", &DocumentVersion::created_at}};
  static const std::string sql =
      "SELECT " + shown.list() + from_versions + "WHERE v.document_id = $1 ORDER BY v.number DESC";
  auto all = tx_.list(shown, sql, id);
  for (auto& one : all)
    for (std::size_t k = 0; k < extract::kind_names.size(); ++k)
      if (one.media_type == extract::kind_names.at(k)) {
        one.media_type = extract::media_type(static_cast<extract::Kind>(k));
        break;
      }
  return all;
}

void DocumentRepository::set_processing(std::int64_t version_id) {
  tx_.execute("UPDATE document_versions SET status = 'processing' WHERE id = $1 AND status = 'pending'",
              version_id);
}

void DocumentRepository::set_failed(std::int64_t version_id, std::string_view code, std::string_view detail,
                                    Timestamp now) {
  tx_.execute(
      "UPDATE document_versions SET status = 'failed', error_code = $2, error = $3, ended_at = $4 "
      "WHERE id = $1",
      version_id, code, detail, now);
}

void DocumentRepository::set_ready(const StoredVersion& version, const Findings& found, std::int64_t chunks,
                                   Timestamp now) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::optional<std::string>() : std::optional(text);
  };
  tx_.execute(
      "UPDATE document_versions SET status = 'ready', page_count = $2, author = $3, language = $4, "
      "produced = $5, chunks = $6, thumbnail = $7, thumbnail_type = $8, ended_at = $9 WHERE id = $1",
      version.id, found.page_count, or_null(found.author), or_null(found.language), or_null(found.produced),
      chunks, found.thumbnail, found.thumbnail_type, now);
}

void DocumentRepository::set_title(DocumentId id, std::string_view title) {
  tx_.execute("UPDATE documents SET title = $2 WHERE id = $1", id, title);
}

void DocumentRepository::put_text(const StoredVersion& version, const std::vector<std::string>& pages,
                                  const std::vector<Chunk>& chunks) {
  tx_.execute(
      "DELETE FROM document_pages WHERE version_id IN (SELECT id FROM document_versions WHERE document_id = "
      "$1)",
      version.document);
  tx_.execute(
      "DELETE FROM document_chunks WHERE version_id IN (SELECT id FROM document_versions WHERE document_id = "
      "$1)",
      version.document);
  for (std::size_t i = 0; i < pages.size(); ++i)
    tx_.execute("INSERT INTO document_pages (version_id, page, text) VALUES ($1, $2, $3)", version.id,
                static_cast<std::int64_t>(i) + 1, pages[i]);
  std::int64_t ordinal = 0;
  for (const auto& chunk : chunks)
    tx_.execute(
        "INSERT INTO document_chunks (version_id, ordinal, page, begin_at, end_at, text) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        version.id, ordinal++, chunk.page, chunk.begin_at, chunk.end_at, chunk.text);
}

DocumentText DocumentRepository::text(DocumentId id, std::int64_t version_id, std::int64_t first,
                                      std::int64_t most) {
  DocumentText out;
  out.document_id = id;
  out.total_pages = std::get<0>(
      tx_.one<std::int64_t>("SELECT count(*) FROM document_pages WHERE version_id = $1", version_id)
          .value_or(std::tuple(0)));
  tx_.each<std::int64_t, std::string>(
      [&](std::int64_t page, std::string text) { out.pages.push_back({page, std::move(text)}); },
      "SELECT page, text FROM document_pages WHERE version_id = $1 AND page >= $2 ORDER BY page LIMIT $3",
      version_id, first, most);
  return out;
}

std::string DocumentRepository::page_text(std::int64_t version_id, std::int64_t page) {
  auto row = tx_.one<std::string>("SELECT text FROM document_pages WHERE version_id = $1 AND page = $2",
                                  version_id, page);
  return row ? std::move(std::get<0>(*row)) : std::string();
}

std::vector<DocumentGrant> DocumentRepository::grants(DocumentId id) {
  static const db::Columns<DocumentGrant> shown{{"g.user_id", &DocumentGrant::user_id},
                                                {"u.full_name", &DocumentGrant::full_name},
                                                {"g.access", &DocumentGrant::access},
                                                {"g.granted_at", &DocumentGrant::granted_at}};
  static const std::string sql = "SELECT " + shown.list() +
                                 " FROM document_grants g JOIN users u ON u.id = g.user_id "
                                 "WHERE g.document_id = $1 ORDER BY g.granted_at, g.user_id";
  return tx_.list(shown, sql, id);
}

bool DocumentRepository::grant(DocumentId id, UserId user, GrantedAccess access, Timestamp now) {
  return tx_.execute(
             "INSERT INTO document_grants (document_id, user_id, access, granted_at) "
             "SELECT CAST($1 AS BIGINT), id, CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM users WHERE id = $2 "
             "AND deleted_at IS NULL "
             "ON CONFLICT (document_id, user_id) DO UPDATE SET access = excluded.access",
             id, user, granted_access_names.at(static_cast<std::size_t>(access)), now) > 0;
}

bool DocumentRepository::revoke(DocumentId id, UserId user) {
  return tx_.execute("DELETE FROM document_grants WHERE document_id = $1 AND user_id = $2", id, user) > 0;
}

std::vector<UserId> DocumentRepository::viewers(DocumentId id) {
  std::vector<UserId> out;
  tx_.each<UserId>([&](UserId user) { out.push_back(user); },
                   "SELECT user_id FROM document_grants WHERE document_id = $1", id);
  return out;
}

std::vector<IndexedChunk> DocumentRepository::chunks_after(std::int64_t id, std::int64_t most) {
  static const std::string sql = "SELECT " + chunk_columns.list() + from_chunks +
                                 "WHERE c.id > $1 AND v.status = 'ready' ORDER BY c.id LIMIT $2";
  return tx_.list(chunk_columns, sql, id, most);
}

std::vector<IndexedChunk> DocumentRepository::chunks_of(DocumentId id) {
  static const std::string sql =
      "SELECT " + chunk_columns.list() + from_chunks + "WHERE d.id = $1 AND v.status = 'ready' ORDER BY c.id";
  return tx_.list(chunk_columns, sql, id);
}

std::vector<std::pair<DocumentId, UserId>> DocumentRepository::all_grants() {
  std::vector<std::pair<DocumentId, UserId>> out;
  tx_.each<DocumentId, UserId>([&](DocumentId id, UserId user) { out.emplace_back(id, user); },
                               "SELECT document_id, user_id FROM document_grants");
  return out;
}

std::vector<BookId> DocumentRepository::on_loan(UserId user) {
  std::vector<BookId> out;
  tx_.each<BookId>([&](BookId book) { out.push_back(book); },
                   "SELECT book_id FROM borrows WHERE user_id = $1 AND status <> 'returned'", user);
  return out;
}

std::optional<std::vector<BookId>> DocumentRepository::collected(std::int64_t collection, UserId user) {
  const auto seen = tx_.one<std::int64_t>(
      "SELECT c.id FROM collections c WHERE c.id = $1 AND (c.is_public = 1 OR c.owner_id = $2 OR EXISTS "
      "(SELECT 1 FROM collection_permissions p WHERE p.collection_id = c.id AND p.user_id = $2))",
      collection, user);
  if (!seen) return {};
  std::vector<BookId> out;
  tx_.each<BookId>([&](BookId book) { out.push_back(book); },
                   "SELECT book_id FROM collection_books WHERE collection_id = $1", collection);
  return out;
}

std::vector<StoredPassage> DocumentRepository::passages(const std::vector<std::int64_t>& ids,
                                                        const Caller& asking) {
  static const std::string from =
      "SELECT " + passage_columns.list() +
      " FROM document_chunks c JOIN document_versions v ON v.id = c.version_id "
      "JOIN documents d ON d.id = v.document_id AND d.current = v.number "
      "LEFT JOIN document_grants g ON g.document_id = d.id AND g.user_id = $1 "
      "LEFT JOIN borrows l ON l.book_id = d.book_id AND l.user_id = $1 AND l.status <> 'returned' "
      "AND d.visibility = 'borrowers' WHERE " +
      readable;
  static const std::string of_sqlite = from + "AND c.id IN (SELECT CAST(value AS BIGINT) FROM json_each($3))";
  static const std::string of_postgresql =
      from + "AND c.id IN (SELECT jsonb_array_elements_text($3::text::jsonb)::bigint)";
  std::vector<std::string> wanted;
  for (const auto id : ids) wanted.push_back(std::to_string(id));
  auto found = tx_.list(passage_columns, tx_.postgresql() ? of_postgresql : of_sqlite, asking.id(),
                        staff(asking), wanted);
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  std::ranges::sort(found, {}, [&](const StoredPassage& one) { return places.at(one.id); });
  return found;
}

std::vector<StoredPassage> DocumentRepository::beside(const StoredPassage& passage) {
  static const std::string sql = "SELECT " + passage_columns.list() + from_chunks +
                                 "WHERE d.id = $1 AND c.ordinal BETWEEN $2 AND $3 ORDER BY c.ordinal";
  return tx_.list(passage_columns, sql, passage.document, passage.ordinal - 1, passage.ordinal + 1);
}

void DocumentRepository::forget(UserId user) {
  tx_.execute("DELETE FROM document_grants WHERE user_id = $1", user);
  tx_.execute("DELETE FROM qa_turns WHERE session_id IN (SELECT id FROM qa_sessions WHERE user_id = $1)",
              user);
  tx_.execute("DELETE FROM qa_sessions WHERE user_id = $1", user);
  tx_.execute("UPDATE documents SET user_id = NULL, version = version + 1 WHERE user_id = $1", user);
}

std::int64_t DocumentRepository::blob_size(std::string_view sha256) {
  const auto row = tx_.one<std::int64_t>("SELECT size FROM blobs WHERE sha256 = $1", sha256);
  return row ? std::get<0>(*row) : 0;
}

bool DocumentRepository::book_exists(BookId book) {
  return tx_.one<std::int64_t>("SELECT id FROM books WHERE id = $1 AND deleted_at IS NULL", book).has_value();
}

std::int64_t DocumentRepository::bytes() {
  return std::get<0>(
      tx_.one<std::int64_t>("SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM document_versions")
          .value_or(std::tuple(0)));
}

}  // namespace lumina::ai

// Documents that people upload: what the API takes and shows of them. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/extract/kind.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

using DocumentId = Id<struct DocumentTag>;

// `borrowers`: whoever has the document's book on loan.
enum class Visibility : std::uint8_t { personal, everyone, borrowers };
constexpr std::array<std::string_view, 3> visibility_names{"private", "public", "borrowers"};
constexpr auto& enum_names(Visibility) { return visibility_names; }

// `needs_ocr` is kept as failed with that code: pages that are pictures, and nobody here reads pictures.
enum class DocumentStatus : std::uint8_t { pending, processing, ready, failed, needs_ocr };
constexpr std::array<std::string_view, 5> document_status_names{"pending", "processing", "ready", "failed",
                                                                "needs_ocr"};
constexpr auto& enum_names(DocumentStatus) { return document_status_names; }

enum class GrantedAccess : std::uint8_t { view, edit };
constexpr std::array<std::string_view, 2> granted_access_names{"view", "edit"};
constexpr auto& enum_names(GrantedAccess) { return granted_access_names; }

struct Document {
  DocumentId id;
  std::string filename, title, media_type;
  extract::Kind kind = extract::Kind::pdf;
  std::int64_t size = 0;
  std::string sha256;
  std::optional<std::int64_t> page_count;
  DocumentStatus status = DocumentStatus::pending;
  bool processed = false;
  std::optional<std::string> error_code, error;
  std::int64_t chunks = 0;
  std::optional<std::string> author, language, produced;
  std::optional<BookId> book_id;
  std::optional<UserId> user_id;
  Visibility visibility = Visibility::personal;
  std::int64_t current = 1, views = 0, downloads = 0;
  std::optional<std::string> thumbnail_url;
  std::string task_id;
  std::optional<DocumentId> duplicate_of;
  Timestamp created_at, upload_date, updated_at;
  std::int64_t version = 1;  // of the row: in the ETag
  static constexpr std::string_view type_name = "Document";
  static std::vector<schema::Field> fields();
};

struct DocumentFilter {
  std::optional<DocumentStatus> status;
  std::optional<BookId> book_id;
  std::optional<bool> mine;
  std::optional<std::string> q;
  static constexpr std::string_view type_name = "DocumentFilter";
  static std::vector<schema::Field> fields();
};

struct DocumentChanges {
  schema::Patch<std::string> title;
  schema::Patch<Visibility> visibility;
  schema::Patch<BookId> book_id;
  static constexpr std::string_view type_name = "DocumentChanges";
  static std::vector<schema::Field> fields();
};

// The fields beside the file in a form.
struct UploadFields {
  std::optional<std::string> title;
  std::optional<BookId> book_id;
  std::optional<Visibility> visibility;
  static constexpr std::string_view type_name = "DocumentUpload";
  static std::vector<schema::Field> fields();
};

struct DocumentVersion {
  std::int64_t version = 1;
  std::string filename, media_type, sha256;
  std::int64_t size = 0;
  DocumentStatus status = DocumentStatus::pending;
  bool current = false;
  Timestamp created_at;
  static constexpr std::string_view type_name = "DocumentVersion";
  static std::vector<schema::Field> fields();
};

struct PageText {
  std::int64_t page = 1;
  std::string text;
  static constexpr std::string_view type_name = "DocumentPage";
  static std::vector<schema::Field> fields();
};
struct DocumentText {
  DocumentId document_id;
  std::int64_t total_pages = 0;
  std::vector<PageText> pages;
  static constexpr std::string_view type_name = "DocumentText";
  static std::vector<schema::Field> fields();
};
struct TextQuery {
  std::optional<std::int64_t> page, pages;
  static constexpr std::string_view type_name = "DocumentTextQuery";
  static std::vector<schema::Field> fields();
};

struct NewGrant {
  GrantedAccess access = GrantedAccess::view;
  static constexpr std::string_view type_name = "NewDocumentGrant";
  static std::vector<schema::Field> fields();
};
struct DocumentGrant {
  UserId user_id;
  std::string full_name;
  GrantedAccess access = GrantedAccess::view;
  Timestamp granted_at;
  static constexpr std::string_view type_name = "DocumentGrant";
  static std::vector<schema::Field> fields();
};

// What became of one file of a batch.
struct BatchResult {
  std::string filename;
  std::optional<DocumentId> document_id;
  bool duplicate = false;
  std::optional<std::string> error_code, error;
  static constexpr std::string_view type_name = "DocumentBatchResult";
  static std::vector<schema::Field> fields();
};

// A name that can stand in a header and in a listing: its last part, at most 255 characters, never empty.
std::string safe_filename(std::string_view given, extract::Kind kind);

}  // namespace lumina::ai

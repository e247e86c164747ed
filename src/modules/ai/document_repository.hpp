// SQL of documents: rows, versions, text, passages and grants. Also reads users, books and open loans.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/page.hpp"
#include "core/db/transaction.hpp"
#include "modules/ai/chunks.hpp"
#include "modules/ai/document_model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

// A document with what decides who may do what with it.
struct StoredDocument : Document {
  std::int64_t version_id = 0;  // of the current version
  std::optional<std::string> thumbnail, thumbnail_type;
  std::optional<GrantedAccess> granted;
  bool on_loan = false;  // the person who asks has its book
};

struct StoredVersion {
  std::int64_t id = 0;
  DocumentId document;
  std::int64_t number = 1;
  std::string sha256, filename;
  extract::Kind kind = extract::Kind::pdf;
  std::int64_t size = 0;
  DocumentStatus status = DocumentStatus::pending;
  std::optional<std::string> thumbnail, thumbnail_type;
  std::optional<UserId> user;  // of the document
  std::optional<BookId> book;
  std::int64_t current = 1;
  std::string title;
};

struct NewDocument {
  std::optional<UserId> user;
  std::optional<BookId> book;
  std::string title;
  Visibility visibility = Visibility::personal;
};
struct NewVersion {
  std::string sha256, filename;
  extract::Kind kind = extract::Kind::pdf;
  std::int64_t size = 0;
};

// What was taken out of a file.
struct Findings {
  std::string author, language, produced;
  std::optional<std::int64_t> page_count;
  std::optional<std::string> thumbnail, thumbnail_type;
};

// A passage as the index keeps it.
struct IndexedChunk {
  std::int64_t id = 0;
  DocumentId document;
  std::string title, text;
  std::optional<std::string> language;
  Visibility visibility = Visibility::personal;
  std::optional<UserId> owner;
  std::optional<BookId> book;
};
// A passage as it is shown.
struct StoredPassage {
  std::int64_t id = 0;
  DocumentId document;
  std::string filename, title;
  std::optional<std::string> language;
  std::int64_t ordinal = 0, page = 1, begin_at = 0, end_at = 0;
  std::string text;
  bool paged = false;
};

class DocumentRepository {
 public:
  explicit DocumentRepository(db::Transaction& tx) : tx_(tx) {}

  std::optional<StoredDocument> find(DocumentId id, const Caller& asking);
  // The same, and nobody else changes it before the unit of work ends.
  std::optional<StoredDocument> lock(DocumentId id, const Caller& asking);
  std::optional<DocumentId> same(UserId user, std::string_view sha256);
  // What the person may see, newest first.
  Page<StoredDocument> list(const DocumentFilter& filter, const Caller& asking, const PageRequest& page);
  // Public ones by how often others opened them.
  std::vector<StoredDocument> popular(const Caller& asking, std::int64_t most);
  std::int64_t count_of(UserId user);

  // Nothing when the person has the same bytes already.
  std::optional<DocumentId> insert(const NewDocument& made, const NewVersion& version, Timestamp now);
  std::int64_t add_version(DocumentId id, std::int64_t number, const NewVersion& version, Timestamp now);
  void set_task(std::int64_t version_id, std::string_view task);
  // False when another document of the owner has the same bytes.
  bool set_current(DocumentId id, std::int64_t number, std::string_view sha256, Timestamp now);
  void update(const StoredDocument& document, Timestamp now);
  void erase(DocumentId id);
  void count(DocumentId id, bool download);

  std::optional<StoredVersion> version(std::int64_t version_id);
  std::optional<StoredVersion> version(DocumentId id, std::int64_t number);
  std::vector<DocumentVersion> versions(DocumentId id);
  std::vector<StoredVersion> stored_versions(DocumentId id);
  void set_processing(std::int64_t version_id);
  void set_failed(std::int64_t version_id, std::string_view code, std::string_view detail, Timestamp now);
  void set_ready(const StoredVersion& version, const Findings& found, std::int64_t chunks, Timestamp now);
  void set_title(DocumentId id, std::string_view title);
  // In the place of all text and passages of the document.
  void put_text(const StoredVersion& version, const std::vector<std::string>& pages,
                const std::vector<Chunk>& chunks);

  DocumentText text(DocumentId id, std::int64_t version_id, std::int64_t first, std::int64_t most);
  std::string page_text(std::int64_t version_id, std::int64_t page);

  std::vector<DocumentGrant> grants(DocumentId id);
  bool grant(DocumentId id, UserId user, GrantedAccess access, Timestamp now);  // false: no such person
  bool revoke(DocumentId id, UserId user);
  std::vector<UserId> viewers(DocumentId id);

  std::vector<IndexedChunk> chunks_after(std::int64_t id, std::int64_t most);
  std::vector<IndexedChunk> chunks_of(DocumentId id);
  std::vector<std::pair<DocumentId, UserId>> all_grants();
  std::vector<BookId> on_loan(UserId user);
  // The books of a collection that the person may see; nothing when there is none.
  std::optional<std::vector<BookId>> collected(std::int64_t collection, UserId user);
  // The passage, when its document is one that the person may read.
  // Those of them that may be read, in the order asked for.
  std::vector<StoredPassage> passages(const std::vector<std::int64_t>& ids, const Caller& asking);
  // Those that stand beside it in the same version.
  std::vector<StoredPassage> beside(const StoredPassage& passage);

  // Somebody leaves: what is theirs stays without them; what they were granted and what they asked goes.
  void forget(UserId user);
  std::int64_t blob_size(std::string_view sha256);
  bool book_exists(BookId book);
  std::int64_t bytes();

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::ai

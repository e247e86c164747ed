// Documents: taken in, shown, changed, shared and deleted. What is in them is taken out by a job
// (document_job.hpp) and searched by retrieval.hpp.
//
// Who may what: the owner and staff everything; whoever was granted `view` reads, `edit` also changes and
// replaces the file; everybody reads public ones; those for borrowers are read by who has the book on loan,
// others are told so (403). To all others a document is not there (404). Public functions are awaited on an
// io thread. Files come as drafts of the blob store; they are checked and kept on the pool of the store, and
// shown to the virus scanner on one of its own, so that a scanner that hangs holds up nothing else.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/base/precondition.hpp"
#include "core/base/task.hpp"
#include "core/blobs/store.hpp"
#include "core/db/database.hpp"
#include "core/events/journal.hpp"
#include "core/jobs/queue.hpp"
#include "core/runtime/pool.hpp"
#include "modules/ai/document_model.hpp"
#include "modules/ai/document_repository.hpp"
#include "modules/ai/document_scanner.hpp"
#include "modules/ai/document_staged.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lumina::ai {

constexpr const char* document_job_kind = "documents.process";
constexpr const char* document_batch_kind = "documents.batch";
constexpr std::int64_t most_documents = 5'000;  // of a person who is not staff

struct DocumentRules {
  std::int64_t most_bytes = 10 << 20;
  std::vector<extract::Kind> kinds{extract::Kind::pdf, extract::Kind::docx};
};

struct Uploaded {
  Document document;
  bool fresh = true;  // false: the same bytes were there already
};
// A file to send.
struct OpenFile {
  std::string sha256, filename, media_type;
  std::int64_t size = 0;
  extract::Kind kind = extract::Kind::pdf;
  Timestamp at;
};
enum class Purpose : std::uint8_t { view, download };

class DocumentService {
 public:
  DocumentService(db::Database& database, const Clock& clock, events::Journal& journal, jobs::Queue& queue,
                  blobs::Store& store, runtime::Pool& pool, runtime::Pool& scans, DocumentRules rules,
                  ScanRules scan)
      : database_(database),
        clock_(clock),
        journal_(journal),
        queue_(queue),
        store_(store),
        pool_(pool),
        scans_(scans),
        rules_(std::move(rules)),
        scanner_(std::move(scan)) {}

  // Refused: wrong_kind, file_too_large, empty_file, infected, no_such_book, too_many_documents.
  Task<Result<Uploaded>> upload(StagedFile file, UploadFields fields, Caller by);
  // The same for a file that is in the store already; blocking, for jobs.
  Result<Uploaded> adopt(const blobs::Blob& blob, const std::string& filename, extract::Kind kind,
                         const UploadFields& fields, const Caller& by);
  Task<Result<jobs::TaskAccepted>> upload_many(std::vector<StagedFile> files, UploadFields fields, Caller by);

  Task<Result<Page<Document>>> list(DocumentFilter filter, PageRequest page, Caller by);
  Task<Result<std::vector<Document>>> popular(Caller by);
  Task<Result<Document>> find(DocumentId id, Caller by);
  Task<Result<Document>> change(DocumentId id, DocumentChanges changes, Precondition seen, Caller by);
  Task<Status> remove(DocumentId id, Caller by);
  Task<Result<DocumentText>> text(DocumentId id, TextQuery query, Caller by);

  // The file of a version (0: the current one). `counts` for people who are not its owner.
  Task<Result<OpenFile>> open(DocumentId id, std::int64_t version, Purpose purpose, bool counts, Caller by);
  Task<Result<OpenFile>> thumbnail(DocumentId id, Caller by);

  Task<Result<std::vector<DocumentVersion>>> versions(DocumentId id, Caller by);
  Task<Result<Document>> replace(DocumentId id, StagedFile file, Caller by);
  Task<Result<Document>> restore(DocumentId id, std::int64_t version, Caller by);

  Task<Result<std::vector<DocumentGrant>>> grants(DocumentId id, Caller by);
  Task<Result<std::vector<DocumentGrant>>> grant(DocumentId id, UserId user, NewGrant made, Caller by);
  Task<Status> revoke(DocumentId id, UserId user, Caller by);

  const DocumentRules& rules() const { return rules_; }
  blobs::Store& store() { return store_; }
  runtime::Pool& pool() { return pool_; }

 private:
  struct Kept {
    blobs::Blob blob;
    std::string filename;
    extract::Kind kind;
  };
  // Checks, and takes into the store.
  Task<Result<Kept>> keep(StagedFile file);
  Result<extract::Kind> checked_kind(const StagedFile& file) const;
  Status scanned(const StagedFile& file) const;
  Result<Uploaded> insert(db::Transaction& tx, const Kept& kept, const UploadFields& fields,
                          const Caller& by);
  void process(db::Transaction& tx, std::int64_t version_id, const Caller& by);

  db::Database& database_;
  const Clock& clock_;
  events::Journal& journal_;
  jobs::Queue& queue_;
  blobs::Store& store_;
  runtime::Pool& pool_;
  runtime::Pool& scans_;
  const DocumentRules rules_;
  const Scanner scanner_;
};

// A step of erasing an account: documents stay without their owner.
void forget_documents_of(db::Transaction& tx, UserId user);

}  // namespace lumina::ai

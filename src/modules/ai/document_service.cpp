#include "modules/ai/document_service.hpp"

#include "core/base/mapped_file.hpp"
#include "core/base/text.hpp"
#include "core/blobs/repository.hpp"
#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"
#include "modules/ai/document_batch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::ai {
namespace {

constexpr std::int64_t usual_pages = 20, most_popular = 20;

Failure no_document() { return not_found("Document not found"); }
Failure not_yours() {
  return fail(ErrorKind::forbidden, "not_owner", "You can only change your own documents");
}
Failure needs_loan() {
  return fail(ErrorKind::forbidden, "loan_needed", "Borrow the book to read this document");
}
Failure unreadable() {
  return fail(ErrorKind::storage_full, "storage_full",
              "The file cannot be kept; the library's storage may be full");
}
Failure same_bytes() {
  return fail(ErrorKind::conflict, "duplicate_file", "Another document of yours has the same content");
}

enum class Access : std::uint8_t { none, told, view, edit, owner };

Access access_of(const StoredDocument& d, const Caller& by) {
  if (by.can(Permission::books_write) || (d.user_id && d.user_id == by.user)) return Access::owner;
  if (d.granted) return *d.granted == GrantedAccess::edit ? Access::edit : Access::view;
  if (d.visibility == Visibility::everyone) return Access::view;
  if (d.visibility == Visibility::borrowers) return d.on_loan ? Access::view : Access::told;
  return Access::none;
}

Result<StoredDocument> checked(std::optional<StoredDocument> found, Access needed, const Caller& by) {
  if (!found) return no_document();
  const auto access = access_of(*found, by);
  if (access == Access::none) return no_document();
  if (access == Access::told) return needs_loan();
  if (access < needed) return not_yours();
  return std::move(*found);
}

Document shown(StoredDocument&& stored) { return static_cast<Document&&>(stored); }

events::Change about(std::string_view type, DocumentId id, std::optional<UserId> owner,
                     std::optional<BookId> book) {
  return {.type = type, .resource = "document", .resource_id = id.value, .subject = owner, .book = book};
}

std::string allowed_text(const std::vector<extract::Kind>& kinds) {
  std::string names;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (i > 0) names += i + 1 == kinds.size() ? " and " : ", ";
    names += extract::shown_name(kinds[i]);
  }
  return "Only " + names + " files allowed";
}

std::string title_of(const UploadFields& fields, const std::string& filename) {
  if (fields.title) return std::string(trim(*fields.title));
  const auto dot = filename.rfind('.');
  const auto stem = trim(std::string_view(filename).substr(0, dot == 0 ? std::string::npos : dot));
  return std::string(stem.empty() ? std::string_view(filename) : stem);
}

}  // namespace

Result<extract::Kind> DocumentService::checked_kind(const StagedFile& file) const {
  if (file.size > rules_.most_bytes) return fail(ErrorKind::refused, "file_too_large", "File too large");
  if (file.size == 0) return fail(ErrorKind::refused, "empty_file", "The file is empty");
  const MappedFile mapped(file.draft->path());
  if (!mapped.open()) return unreadable();
  const auto kind = extract::kind_of(mapped.bytes(), file.filename);
  if (!kind || std::ranges::find(rules_.kinds, *kind) == rules_.kinds.end())
    return fail(ErrorKind::refused, "wrong_kind", allowed_text(rules_.kinds));
  return *kind;
}

Status DocumentService::scanned(const StagedFile& file) const {
  const MappedFile mapped(file.draft->path());
  if (!mapped.open()) return unreadable();
  return scanner_.check(mapped.bytes());
}

// The draft goes on the pool too, whatever became of it.
Task<Result<DocumentService::Kept>> DocumentService::keep(StagedFile file) {
  auto look = [this, &file] {
    auto kind = checked_kind(file);
    if (!kind) file.draft.reset();
    return kind;
  };
  auto looking = runtime::run_on(pool_, std::move(look));
  auto kind = co_await std::move(looking);
  if (!kind) co_return Failure(std::move(kind.error()));
  if (scanner_.configured()) {
    auto scan = [this, &file] {
      auto clean = scanned(file);
      if (!clean) file.draft.reset();
      return clean;
    };
    auto scanning = runtime::run_on(scans_, std::move(scan));
    auto clean = co_await std::move(scanning);
    if (!clean) co_return Failure(std::move(clean.error()));
  }
  auto work = [this, &file] {
    const auto draft = std::move(file.draft);
    return store_.keep_now(*draft);
  };
  auto keeping = runtime::run_on(pool_, std::move(work));
  auto blob = co_await std::move(keeping);
  if (!blob) co_return Failure(std::move(blob.error()));
  co_return Kept{std::move(*blob), safe_filename(file.filename, *kind), *kind};
}

void DocumentService::process(db::Transaction& tx, std::int64_t version_id, const Caller& by) {
  jobs::NewJob job;
  job.kind = document_job_kind;
  job.payload = fmt::format(R"({{"version":{}}})", version_id);
  job.priority = jobs::Priority::interactive;
  // A server that was killed is not the file's fault; the job itself counts the tries that are.
  job.max_attempts = 1'000;
  job.user = by.user;
  DocumentRepository(tx).set_task(version_id, queue_.enqueue(tx, job));
}

Result<Uploaded> DocumentService::insert(db::Transaction& tx, const Kept& kept, const UploadFields& fields,
                                         const Caller& by) {
  DocumentRepository documents(tx);
  const auto again = [&](DocumentId id) -> Result<Uploaded> {
    auto stored = documents.find(id, by);
    if (!stored) return no_document();
    Uploaded out{shown(std::move(*stored)), false};
    out.document.duplicate_of = id;
    return out;
  };
  if (const auto same = documents.same(by.id(), kept.blob.sha256)) return again(*same);
  if (fields.book_id && !documents.book_exists(*fields.book_id))
    return fail(ErrorKind::refused, "no_such_book", "The book does not exist");
  const auto visibility = fields.visibility.value_or(Visibility::personal);
  if (visibility == Visibility::borrowers && !fields.book_id)
    return fail(ErrorKind::refused, "book_needed", "A document for borrowers belongs to a book");
  if (!by.can(Permission::books_write) && documents.count_of(by.id()) >= most_documents)
    return fail(ErrorKind::refused, "too_many_documents", "You have as many documents as one can have");
  const NewVersion version{kept.blob.sha256, kept.filename, kept.kind, kept.blob.size};
  const auto now = clock_.now();
  const auto id =
      documents.insert({by.user, fields.book_id, title_of(fields, kept.filename), visibility}, version, now);
  if (!id) {  // somebody was quicker
    if (const auto same = documents.same(by.id(), kept.blob.sha256)) return again(*same);
    return same_bytes();
  }
  const auto version_id = documents.add_version(*id, 1, version, now);
  blobs::BlobRepository(tx).hold(kept.blob.sha256);
  process(tx, version_id, by);
  journal_.record(tx, by, about("document.created", *id, by.user, fields.book_id));
  auto stored = documents.find(*id, by);
  return Uploaded{shown(std::move(*stored)), true};
}

Task<Result<Uploaded>> DocumentService::upload(StagedFile file, UploadFields fields, Caller by) {
  auto kept = co_await keep(std::move(file));
  if (!kept) co_return Failure(std::move(kept.error()));
  auto work = [this, kept = std::move(*kept), fields = std::move(fields),
               by = std::move(by)](db::Transaction& tx) { return insert(tx, kept, fields, by); };
  co_return co_await database_.write(std::move(work));
}

Result<Uploaded> DocumentService::adopt(const blobs::Blob& blob, const std::string& filename,
                                        extract::Kind kind, const UploadFields& fields, const Caller& by) {
  auto work = [&](db::Transaction& tx) { return insert(tx, {blob, filename, kind}, fields, by); };
  return database_.write_now(std::move(work));
}

Task<Result<jobs::TaskAccepted>> DocumentService::upload_many(std::vector<StagedFile> files,
                                                              UploadFields fields, Caller by) {
  DocumentBatch batch;
  batch.book_id = fields.book_id;
  batch.visibility = fields.visibility;
  batch.staff = by.can(Permission::books_write);
  for (auto& file : files) {
    BatchFile one;
    one.filename = file.filename.empty() ? "document" : file.filename;
    auto kept = co_await keep(std::move(file));
    if (kept) {
      one.filename = kept->filename;
      one.sha256 = kept->blob.sha256;
      one.size = kept->blob.size;
      one.kind = kept->kind;
    } else if (kept.error().kind == ErrorKind::refused) {
      one.error_code = kept.error().code;
      one.error = kept.error().detail;
    } else {
      co_return Failure(std::move(kept.error()));
    }
    batch.files.push_back(std::move(one));
  }
  jobs::NewJob job;
  job.kind = document_batch_kind;
  job.payload = json::encode(batch);
  job.priority = jobs::Priority::interactive;
  job.user = by.user;
  co_return co_await queue_.submit(std::move(job));
}

Task<Result<Page<Document>>> DocumentService::list(DocumentFilter filter, PageRequest page, Caller by) {
  if (page.cursor) co_return invalid({{{"query", "cursor"}, "is not a cursor of this list", "cursor"}});
  auto work = [filter = std::move(filter), page = std::move(page), by = std::move(by)](db::Transaction& tx) {
    auto found = DocumentRepository(tx).list(filter, by, page);
    Page<Document> out;
    out.total = found.total;
    for (auto& d : found.items) out.items.push_back(shown(std::move(d)));
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<std::vector<Document>>> DocumentService::popular(Caller by) {
  auto work = [by = std::move(by)](db::Transaction& tx) {
    std::vector<Document> out;
    for (auto& d : DocumentRepository(tx).popular(by, most_popular)) out.push_back(shown(std::move(d)));
    return out;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Document>> DocumentService::find(DocumentId id, Caller by) {
  auto work = [id, by = std::move(by)](db::Transaction& tx) -> Result<Document> {
    auto found = checked(DocumentRepository(tx).find(id, by), Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    return shown(std::move(*found));
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Document>> DocumentService::change(DocumentId id, DocumentChanges changes, Precondition seen,
                                               Caller by) {
  if (changes.title.state == schema::Patch<std::string>::State::null)
    co_return invalid({{{"body", "title"}, "must not be null", "type"}});
  if (changes.visibility.state == schema::Patch<Visibility>::State::null)
    co_return invalid({{{"body", "visibility"}, "must not be null", "type"}});
  auto work = [this, id, changes = std::move(changes), seen = std::move(seen),
               by = std::move(by)](db::Transaction& tx) -> Result<Document> {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::edit, by);
    if (!found) return Failure(std::move(found.error()));
    if (!seen.allows(found->version))
      return fail(ErrorKind::stale, "stale",
                  "The document has been changed since you read it; read it again");
    // Who may see it is the owner's decision.
    if (changes.visibility.mentioned() && access_of(*found, by) < Access::owner) return not_yours();
    changes.title.apply(found->title);
    found->title = trim(found->title);
    changes.visibility.apply(found->visibility);
    changes.book_id.apply(found->book_id);
    if (found->book_id && changes.book_id.mentioned() && !documents.book_exists(*found->book_id))
      return fail(ErrorKind::refused, "no_such_book", "The book does not exist");
    if (found->visibility == Visibility::borrowers && !found->book_id)
      return fail(ErrorKind::refused, "book_needed", "A document for borrowers belongs to a book");
    documents.update(*found, clock_.now());
    journal_.record(tx, by, about("document.updated", id, found->user_id, found->book_id));
    auto stored = documents.find(id, by);
    return shown(std::move(*stored));
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> DocumentService::remove(DocumentId id, Caller by) {
  auto work = [this, id, by = std::move(by)](db::Transaction& tx) -> Status {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::owner, by);
    if (!found) return Failure(std::move(found.error()));
    blobs::BlobRepository blobs(tx);
    const auto now = clock_.now();
    const auto versions = documents.stored_versions(id);
    documents.erase(id);
    for (const auto& version : versions) {
      blobs.release(version.sha256, now);
      if (version.thumbnail) blobs.release(*version.thumbnail, now);
    }
    journal_.record(tx, by, about("document.deleted", id, found->user_id, found->book_id));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<DocumentText>> DocumentService::text(DocumentId id, TextQuery query, Caller by) {
  auto work = [id, query, by = std::move(by)](db::Transaction& tx) -> Result<DocumentText> {
    DocumentRepository documents(tx);
    auto found = checked(documents.find(id, by), Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    return documents.text(id, found->version_id, query.page.value_or(1), query.pages.value_or(usual_pages));
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<OpenFile>> DocumentService::open(DocumentId id, std::int64_t number, Purpose purpose, bool counts,
                                             Caller by) {
  bool others = false;
  auto work = [id, number, &others, &by](db::Transaction& tx) -> Result<OpenFile> {
    DocumentRepository documents(tx);
    auto found = checked(documents.find(id, by), Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    // Earlier versions may hold what was taken out since.
    if (number != 0 && number != found->current && access_of(*found, by) < Access::edit) return not_yours();
    auto version = documents.version(id, number == 0 ? found->current : number);
    if (!version) return not_found("There is no such version");
    others = found->user_id != by.user || !by.signed_in();
    return OpenFile{version->sha256, version->filename, std::string(extract::media_type(version->kind)),
                    version->size,   version->kind,     found->updated_at};
  };
  auto file = co_await database_.read(std::move(work));
  if (file && counts && others) {
    auto count = [id, purpose](db::Transaction& tx) -> Status {
      DocumentRepository(tx).count(id, purpose == Purpose::download);
      return {};
    };
    if (auto counted = co_await database_.write(std::move(count)); !counted)
      co_return Failure(std::move(counted.error()));
  }
  co_return file;
}

Task<Result<OpenFile>> DocumentService::thumbnail(DocumentId id, Caller by) {
  auto work = [id, by = std::move(by)](db::Transaction& tx) -> Result<OpenFile> {
    DocumentRepository documents(tx);
    auto found = checked(documents.find(id, by), Access::view, by);
    if (!found) return Failure(std::move(found.error()));
    if (!found->thumbnail) return not_found("The document has no picture");
    OpenFile file;
    file.sha256 = *found->thumbnail;
    file.media_type = *found->thumbnail_type;
    file.at = found->created_at;
    file.size = documents.blob_size(file.sha256);
    return file;
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<std::vector<DocumentVersion>>> DocumentService::versions(DocumentId id, Caller by) {
  auto work = [id, by = std::move(by)](db::Transaction& tx) -> Result<std::vector<DocumentVersion>> {
    DocumentRepository documents(tx);
    auto found = checked(documents.find(id, by), Access::edit, by);
    if (!found) return Failure(std::move(found.error()));
    return documents.versions(id);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<Document>> DocumentService::replace(DocumentId id, StagedFile file, Caller by) {
  // Nobody's disk is filled by who may not replace it.
  auto allowed = [id, &by](db::Transaction& tx) -> Status {
    auto found = checked(DocumentRepository(tx).find(id, by), Access::edit, by);
    if (!found) return Failure(std::move(found.error()));
    return {};
  };
  if (auto may = co_await database_.read(std::move(allowed)); !may) co_return Failure(std::move(may.error()));
  auto kept = co_await keep(std::move(file));
  if (!kept) co_return Failure(std::move(kept.error()));
  auto work = [this, id, kept = std::move(*kept),
               by = std::move(by)](db::Transaction& tx) -> Result<Document> {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::edit, by);
    if (!found) return Failure(std::move(found.error()));
    const auto all = documents.stored_versions(id);
    const auto number = all.back().number + 1;
    const auto now = clock_.now();
    if (!documents.set_current(id, number, kept.blob.sha256, now)) return same_bytes();
    const auto version =
        documents.add_version(id, number, {kept.blob.sha256, kept.filename, kept.kind, kept.blob.size}, now);
    blobs::BlobRepository(tx).hold(kept.blob.sha256);
    process(tx, version, by);
    journal_.record(tx, by, about("document.replaced", id, found->user_id, found->book_id));
    auto stored = documents.find(id, by);
    return shown(std::move(*stored));
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<Document>> DocumentService::restore(DocumentId id, std::int64_t number, Caller by) {
  auto work = [this, id, number, by = std::move(by)](db::Transaction& tx) -> Result<Document> {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::edit, by);
    if (!found) return Failure(std::move(found.error()));
    const auto old = documents.version(id, number);
    if (!old) return not_found("There is no such version");
    const auto next = documents.stored_versions(id).back().number + 1;
    const auto now = clock_.now();
    if (!documents.set_current(id, next, old->sha256, now)) return same_bytes();
    const auto version =
        documents.add_version(id, next, {old->sha256, old->filename, old->kind, old->size}, now);
    blobs::BlobRepository(tx).hold(old->sha256);
    process(tx, version, by);
    journal_.record(tx, by, about("document.restored", id, found->user_id, found->book_id));
    auto stored = documents.find(id, by);
    return shown(std::move(*stored));
  };
  co_return co_await database_.write(std::move(work));
}

Task<Result<std::vector<DocumentGrant>>> DocumentService::grants(DocumentId id, Caller by) {
  auto work = [id, by = std::move(by)](db::Transaction& tx) -> Result<std::vector<DocumentGrant>> {
    DocumentRepository documents(tx);
    auto found = checked(documents.find(id, by), Access::owner, by);
    if (!found) return Failure(std::move(found.error()));
    return documents.grants(id);
  };
  co_return co_await database_.read(std::move(work));
}

Task<Result<std::vector<DocumentGrant>>> DocumentService::grant(DocumentId id, UserId user, NewGrant made,
                                                                Caller by) {
  auto work = [this, id, user, made,
               by = std::move(by)](db::Transaction& tx) -> Result<std::vector<DocumentGrant>> {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::owner, by);
    if (!found) return Failure(std::move(found.error()));
    if (!documents.grant(id, user, made.access, clock_.now())) return not_found("There is no such person");
    auto change = about("document.shared", id, found->user_id, found->book_id);
    change.payload = fmt::format(R"({{"user_id":{}}})", user.value);
    journal_.record(tx, by, change);
    return documents.grants(id);
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> DocumentService::revoke(DocumentId id, UserId user, Caller by) {
  auto work = [this, id, user, by = std::move(by)](db::Transaction& tx) -> Status {
    DocumentRepository documents(tx);
    auto found = checked(documents.lock(id, by), Access::owner, by);
    if (!found) return Failure(std::move(found.error()));
    if (!documents.revoke(id, user)) return not_found("Nothing was granted to this person");
    auto change = about("document.unshared", id, found->user_id, found->book_id);
    change.payload = fmt::format(R"({{"user_id":{}}})", user.value);
    journal_.record(tx, by, change);
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

void forget_documents_of(db::Transaction& tx, UserId user) { DocumentRepository(tx).forget(user); }

}  // namespace lumina::ai

#include "modules/ai/document_job.hpp"

#include "core/base/text.hpp"
#include "core/blobs/repository.hpp"
#include "core/json/codec.hpp"
#include "core/text/guess_language.hpp"
#include "modules/ai/document_batch.hpp"

#include <fmt/format.h>

namespace lumina::ai {
namespace {

using schema::Field;

struct Payload {
  std::int64_t version = 0;
  static constexpr std::string_view type_name = "DocumentPayload";
  static std::vector<Field> fields() { return {{"version", &Payload::version, "Row of the version"}}; }
};

std::string language_of(const extract::Extracted& found) {
  std::string sample;
  for (const auto& page : found.pages) {
    sample += page;
    if (sample.size() > 4000) break;
    sample += ' ';
  }
  auto guessed = text::guess_language(sample);
  return guessed.empty() ? ascii_lower(found.language.substr(0, 2)) : guessed;
}

// Whether the title is still the one that was made of the file's name.
bool is_of_name(const StoredVersion& version) {
  return version.filename.starts_with(version.title) && version.filename.size() <= version.title.size() + 6;
}

Result<std::string> take_in(jobs::JobContext& job, DocumentService& documents) {
  const auto batch = json::decode<DocumentBatch>(job.payload());
  if (!batch) return Failure(batch.error());
  auto by = job.caller();
  // The role it was asked under; it decides on the number of documents only.
  if (batch->staff) by.role = Role::librarian;
  std::vector<BatchResult> results;
  for (const auto& file : batch->files) {
    if (job.cancelled()) return jobs::JobContext::interrupted();
    BatchResult one;
    one.filename = file.filename;
    one.error_code = file.error_code;
    one.error = file.error;
    if (!file.error_code) {
      UploadFields fields;
      fields.book_id = batch->book_id;
      fields.visibility = batch->visibility;
      auto made = documents.adopt({file.sha256, file.size}, file.filename, file.kind, fields, by);
      if (made) {
        one.document_id = made->document.id;
        one.duplicate = !made->fresh;
      } else if (made.error().kind == ErrorKind::refused) {
        one.error_code = made.error().code;
        one.error = made.error().detail;
      } else {
        return Failure(std::move(made.error()));
      }
    }
    results.push_back(std::move(one));
    job.progress(static_cast<double>(results.size()) / static_cast<double>(batch->files.size()));
  }
  return json::encode(results);
}

}  // namespace

std::vector<Field> BatchFile::fields() {
  return {{"filename", &BatchFile::filename, "Name"},
          {"sha256", &BatchFile::sha256, "Digest"},
          {"size", &BatchFile::size, "Bytes"},
          {"kind", &BatchFile::kind, "Kind"},
          {"error_code", &BatchFile::error_code, "Code"},
          {"error", &BatchFile::error, "Why it was refused"}};
}
std::vector<Field> DocumentBatch::fields() {
  return {{"book_id", &DocumentBatch::book_id, "Book"},
          {"visibility", &DocumentBatch::visibility, "Visibility"},
          {"staff", &DocumentBatch::staff, "Whether staff asked"},
          {"files", &DocumentBatch::files, "Files"}};
}

Result<std::string> DocumentProcessor::finish(jobs::JobContext& job, const StoredVersion& version,
                                              const Result<extract::Extracted>& extracted) {
  Findings found;
  std::vector<Chunk> chunks;
  std::vector<std::string> pages;
  if (extracted) {
    pages = extracted->pages;
    chunks = chunks_of(pages);
    found.author = extracted->author;
    found.language = language_of(*extracted);
    found.produced = extracted->produced;
    found.page_count = extracted->page_count;
    if (const auto picture = extractor_.picture(version.kind, store_.path(version.sha256))) {
      auto kept = store_.keep_now(picture->bytes);
      if (!kept) return Failure(std::move(kept.error()));
      found.thumbnail = kept->sha256;
      found.thumbnail_type = picture->media_type;
    }
  }
  if (job.cancelled()) return jobs::JobContext::interrupted();
  const auto by = job.caller();
  std::string result;
  auto end = [&](db::Transaction& tx) -> Status {
    DocumentRepository documents(tx);
    const auto now = documents.version(version.id);
    const auto at = clock_.now();
    std::string_view status = "gone";
    // Deleted, replaced or done meanwhile: only the job ends.
    const bool wanted = now && now->current == now->number && now->status != DocumentStatus::ready;
    if (wanted && extracted) {
      status = "ready";
      documents.put_text(*now, pages, chunks);
      documents.set_ready(*now, found, static_cast<std::int64_t>(chunks.size()), at);
      if (found.thumbnail) blobs::BlobRepository(tx).hold(*found.thumbnail);
      if (!extracted->title.empty() && is_of_name(*now)) documents.set_title(now->document, extracted->title);
      if (ready_) ready_(tx, now->id);
    } else if (wanted) {
      status = "failed";
      documents.put_text(*now, {}, {});
      documents.set_failed(now->id, extracted.error().code, extracted.error().detail, at);
    }
    result = fmt::format(R"({{"document_id":{},"status":"{}","chunks":{}}})", version.document.value, status,
                         chunks.size());
    if (wanted) {
      events::Change change{.type = "document.processed",
                            .resource = "document",
                            .resource_id = version.document.value,
                            .subject = now->user,
                            .book = now->book,
                            .payload = result};
      journal_.record(tx, by, change);
    }
    return job.complete(tx, result);
  };
  if (auto ended = job.database().write_now(std::move(end)); !ended) return Failure(std::move(ended.error()));
  return result;
}

Result<std::string> DocumentProcessor::process(jobs::JobContext& job) {
  const auto payload = json::decode<Payload>(job.payload());
  if (!payload) return Failure(payload.error());
  auto begin = [&](db::Transaction& tx) -> Result<std::optional<StoredVersion>> {
    if (auto ours = job.guard(tx); !ours) return Failure(std::move(ours.error()));
    DocumentRepository documents(tx);
    documents.set_processing(payload->version);
    return documents.version(payload->version);
  };
  auto version = job.database().write_now(std::move(begin));
  if (!version) return Failure(std::move(version.error()));
  if (!*version) return std::string(R"({"status":"gone"})");
  const auto extracted = extractor_.text((*version)->kind, store_.path((*version)->sha256));
  // What is missing here may be there at the next try, or on another machine.
  if (!extracted && extracted.error().kind != ErrorKind::refused && job.attempt() < jobs::default_attempts)
    return Failure(extracted.error());
  return finish(job, **version, extracted);
}

void DocumentProcessor::handle_jobs(jobs::Runner& runner, DocumentService& documents) {
  // One place is always left for whoever else comes: a file may take half a minute.
  runner.handle(document_job_kind, {.concurrency = 3, .per_person = 2},
                [this](jobs::JobContext& job) { return process(job); });
  runner.handle(document_batch_kind, {.concurrency = 1},
                [&documents](jobs::JobContext& job) { return take_in(job, documents); });
}

}  // namespace lumina::ai

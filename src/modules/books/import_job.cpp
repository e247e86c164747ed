#include "modules/books/import_job.hpp"

#include "core/json/codec.hpp"

#include <algorithm>
#include <fstream>

namespace lumina::books {
namespace {

struct Payload {
  std::string file, name;            // in the spool; what the person called it
  std::optional<bool> match, notes;  // only match books; keep what the reader said of them
  static constexpr std::string_view type_name = "ImportPayload";
  static std::vector<schema::Field> fields() {
    return {{"file", &Payload::file, "Name in the spool"},
            {"name", &Payload::name, "Name or media type as sent"},
            {"match", &Payload::match, "Only match books that are there"},
            {"notes", &Payload::notes, "Keep shelves, ratings and reviews"}};
  }
};

Result<std::string> import(jobs::JobContext& job, const jobs::Spool& spool, Importer& importer) {
  const auto payload = json::decode<Payload>(job.payload());
  if (!payload) return Failure(payload.error());
  const auto path = spool.find(payload->file);
  if (!path) return Failure(path.error());
  std::ifstream in(*path, std::ios::binary);
  const auto size = static_cast<double>(std::max<std::uintmax_t>(1, std::filesystem::file_size(*path)));
  const auto step = [&](std::size_t read) {
    job.progress(std::min(1.0, static_cast<double>(read) / size));
    return !job.cancelled();
  };
  Importer::Options options;
  options.create = !payload->match.value_or(false);
  options.notes = payload->notes.value_or(false);
  options.job = job.id();
  const Caller by = job.caller();
  auto report = importer.run(in, payload->name, options, by, step);
  if (!report) return Failure(std::move(report.error()));
  if (report->cancelled) return jobs::JobContext::interrupted();
  auto result = json::encode(*report);
  auto end = [&](db::Transaction& tx) -> Status { return job.complete(tx, result); };
  if (auto ended = job.database().write_now(std::move(end)); !ended) return Failure(std::move(ended.error()));
  // Only now: a job that could not end needs its file again.
  spool.drop(payload->file);
  return result;
}

}  // namespace

Task<Result<jobs::TaskAccepted>> start_import(jobs::Queue& queue, jobs::Spool& spool, http::Upload file,
                                              Caller by, bool notes) {
  Payload payload;
  payload.match = !by.can(Permission::books_write);
  payload.notes = notes;
  payload.name = file.filename.empty() ? file.media_type : file.filename;
  auto kept = co_await spool.keep(std::move(file.bytes));
  if (!kept) co_return Failure(std::move(kept.error()));
  payload.file = *kept;
  jobs::NewJob job;
  job.kind = import_job_kind;
  job.payload = json::encode(payload);
  job.priority = jobs::Priority::interactive;
  job.user = by.user;
  auto accepted = co_await queue.submit(std::move(job));
  if (!accepted) {
    auto dropping = spool.discard(payload.file);
    (void)co_await std::move(dropping);  // what is left is swept
  }
  co_return accepted;
}

void handle_imports(jobs::Runner& runner, jobs::Spool& spool, Importer& importer) {
  runner.handle(import_job_kind, {.concurrency = 2},
                [&spool, &importer](jobs::JobContext& job) { return import(job, spool, importer); });
}

}  // namespace lumina::books

// The import of an uploaded file as a job: the file is spooled, so the import outlives the request and the
// process.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/task.hpp"
#include "core/http/extract.hpp"
#include "core/jobs/runner.hpp"
#include "core/jobs/spool.hpp"
#include "modules/books/importer.hpp"

namespace lumina::books {

constexpr auto import_job_kind = "books.import";

// `notes`: the file is the caller's own; shelves, ratings and reviews in it are kept. Who may not add books
// only matches those that are there.
Task<Result<jobs::TaskAccepted>> start_import(jobs::Queue& queue, jobs::Spool& spool, http::Upload file,
                                              Caller by, bool notes = false);
// The handler of the kind. Doing an import again from the start does no harm.
void handle_imports(jobs::Runner& runner, jobs::Spool& spool, Importer& importer);

}  // namespace lumina::books

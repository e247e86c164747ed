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

Task<Result<jobs::TaskAccepted>> start_import(jobs::Queue& queue, jobs::Spool& spool, http::Upload file,
                                              Caller by);
// The handler of the kind. Doing an import again from the start does no harm.
void handle_imports(jobs::Runner& runner, jobs::Spool& spool, Importer& importer);

}  // namespace lumina::books

// Files that jobs work on: what a request brought, kept until its job is done. Durable: a file is on the disk
// before its name is given. Where several instances share a database, it is in the database as well, in
// pieces of 192 KiB, so that whichever instance runs the job can read it; there it becomes a file when it is
// asked for.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/runtime/pool.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace lumina::jobs {

class Spool {
 public:
  // Makes the folder at the first file. Writing happens on the pool. `shared`: the database of several
  // instances, if there are any.
  Spool(std::filesystem::path folder, runtime::Pool& pool, db::Database* shared = nullptr)
      : folder_(std::move(folder)), pool_(pool), shared_(shared) {}

  // The name to put into the payload.
  Task<Result<std::string>> keep(std::string bytes);
  // drop() for coroutines.
  Task<Status> discard(std::string name);

  // These three block.
  // Where a kept file is; not_found when it is gone.
  Result<std::filesystem::path> find(std::string_view name) const;
  // Here and in the database; what another instance has of it is swept there.
  void drop(std::string_view name) const;
  // Removes files that are older than that: their jobs ended without dropping them. Gives the number.
  std::size_t sweep(std::chrono::hours age) const;

 private:
  Task<Status> share(const std::string& name, const std::string& bytes);
  Status fetch(const std::string& name) const;

  std::filesystem::path folder_;
  runtime::Pool& pool_;
  db::Database* shared_;
};

}  // namespace lumina::jobs

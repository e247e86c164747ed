// Files that jobs work on: what a request brought, kept until its job is done. Durable: a file is on the disk
// before its name is given. Instances that share a PostgreSQL share this folder as well.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/runtime/pool.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace lumina::jobs {

class Spool {
 public:
  // Makes the folder at the first file. Writing happens on the pool.
  Spool(std::filesystem::path folder, runtime::Pool& pool) : folder_(std::move(folder)), pool_(pool) {}

  // The name to put into the payload.
  Task<Result<std::string>> keep(std::string bytes);
  // Where a kept file is; not_found when it is gone.
  Result<std::filesystem::path> find(std::string_view name) const;
  void drop(std::string_view name) const;
  // Removes files that are older than that: their jobs ended without dropping them. Gives the number.
  std::size_t sweep(std::chrono::hours age) const;

 private:
  std::filesystem::path folder_;
  runtime::Pool& pool_;
};

}  // namespace lumina::jobs

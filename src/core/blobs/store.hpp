// Files by what they hold: one file for equal bytes, its name the SHA-256 of them, under `folder`/ab/cd.
//
// The table `blobs` counts the rows that refer to each file. keep() writes a row, then a temporary file,
// syncs it, renames it and syncs the folder, so whoever has the digest finds all of the bytes after any
// crash. The caller takes a reference (BlobRepository::hold) in the transaction of its own change, and gives
// it back with release(); what nobody refers to is removed by sweep() an hour later. Instances that share a
// database share the folder. keep() and pieces() hop to the pool; everything else blocks and is for jobs and
// the command line. Errors: storage_full (507) when the disk takes no more; not_found for a file that is
// gone.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/blobs/draft.hpp"
#include "core/db/database.hpp"
#include "core/runtime/pool.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::blobs {

struct Blob {
  std::string sha256;
  std::int64_t size = 0;
};

// A fault that verify() found.
struct Damage {
  std::string sha256, what;  // missing, size, content, unknown_file
};
struct Inspection {
  std::int64_t blobs = 0, bytes = 0;
  std::vector<Damage> damages;
};

class Store {
 public:
  Store(db::Database& database, const Clock& clock, std::filesystem::path folder, runtime::Pool& pool)
      : database_(database), clock_(clock), folder_(std::move(folder)), pool_(pool) {}

  Task<Result<Blob>> keep(std::string bytes);
  Result<Blob> keep_now(std::string_view bytes);
  // For what comes in pieces; then keep_now() takes it in. One that is dropped leaves nothing.
  std::unique_ptr<Draft> draft() const;
  Result<Blob> keep_now(Draft& draft);
  std::filesystem::path path(std::string_view sha256) const;
  // `length` bytes from `begin` on.
  Task<Result<std::string>> piece(std::string sha256, std::uint64_t begin, std::uint64_t length) const;
  Result<std::string> read_now(std::string_view sha256, std::uint64_t begin, std::uint64_t length) const;
  // Removes files that nobody has referred to for an hour, and temporary ones of that age. Gives the number.
  Result<std::int64_t> sweep();
  // Reads every file and compares it with its name. `go_on` false ends it early.
  Result<Inspection> verify(const std::function<bool()>& go_on = {});

 private:
  db::Database& database_;
  const Clock& clock_;
  const std::filesystem::path folder_;
  runtime::Pool& pool_;
};

}  // namespace lumina::blobs

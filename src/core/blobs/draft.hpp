// A file on its way into the store: written and hashed piece by piece, removed with the object unless the
// store kept it. Blocks; for pools, jobs and the command line. One thread at a time.
#pragma once
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/security/digest.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace lumina::blobs {

class Draft {
 public:
  // A new file of a name that nobody guesses; whether it could be made, write() says.
  explicit Draft(const std::filesystem::path& folder);
  ~Draft();
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // storage_full (507) when the disk takes no more; the draft is of no use then.
  Status write(std::string_view bytes);
  std::int64_t size() const { return size_; }
  // May be read while it is a draft.
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Store;
  std::filesystem::path path_;  // empty once it was kept
  File file_;
  security::Sha256 hash_;
  std::int64_t size_ = 0;
};

}  // namespace lumina::blobs

// SQL of the blob store: which files there are, and how many rows elsewhere refer to each.
#pragma once
#include "core/base/clock.hpp"
#include "core/db/transaction.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::blobs {

struct BlobRow {
  std::string sha256;
  std::int64_t size = 0, refs = 0;
};

class BlobRepository {
 public:
  explicit BlobRepository(db::Transaction& tx) : tx_(tx) {}

  // Before the file is written: the row is there, and young enough to be left alone by sweep().
  void reserve(std::string_view sha256, std::int64_t size, Timestamp now);
  // One reference more, or one less. A blob nobody refers to is swept an hour after `now`.
  void hold(std::string_view sha256);
  void release(std::string_view sha256, Timestamp now);
  // Takes up to `most` unreferenced rows that were left alone since `before` out of the table; the files
  // have to go before the commit, while the rows are locked.
  std::vector<std::string> take_unused(Timestamp before, std::int64_t most);
  // In the order of their digests, behind `after`.
  std::vector<BlobRow> list(std::string_view after, std::int64_t most);
  std::int64_t bytes();

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::blobs

#include "core/blobs/store.hpp"

#include "core/base/file.hpp"
#include "core/blobs/repository.hpp"
#include "core/runtime/run_on.hpp"
#include "core/security/digest.hpp"
#include "core/security/random.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace lumina::blobs {
namespace {

namespace fs = std::filesystem;
constexpr auto left_alone = std::chrono::hours(1);
constexpr std::int64_t rows_at_once = 500;
constexpr const char* drafts = "drafts";

Failure no_room() {
  return fail(ErrorKind::storage_full, "storage_full",
              "The file cannot be kept; the library's storage may be full");
}

bool is_digest(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

fs::path Store::path(std::string_view sha256) const {
  return folder_ / sha256.substr(0, 2) / sha256.substr(2, 2) / sha256;
}

Task<Result<Blob>> Store::keep(std::string bytes) {
  auto work = [this, &bytes] { return keep_now(bytes); };
  co_return co_await runtime::run_on(pool_, std::move(work));
}

std::unique_ptr<Draft> Store::draft() const { return std::make_unique<Draft>(folder_ / drafts); }

Result<Blob> Store::keep_now(std::string_view bytes) {
  Draft draft(folder_ / drafts);
  if (auto written = draft.write(bytes); !written) return Failure(std::move(written.error()));
  return keep_now(draft);
}

Result<Blob> Store::keep_now(Draft& draft) {
  if (!draft.file_.open() || !draft.file_.sync()) return no_room();
  std::error_code error;
  Blob blob{draft.hash_.finish_hex(), draft.size()};
  auto reserve = [&](db::Transaction& tx) -> Status {
    BlobRepository(tx).reserve(blob.sha256, blob.size, clock_.now());
    return {};
  };
  if (auto reserved = database_.write_now(std::move(reserve)); !reserved)
    return Failure(std::move(reserved.error()));
  const auto target = path(blob.sha256);
  fs::create_directories(target.parent_path(), error);
  // A new folder is an entry of the one above it.
  const auto above = target.parent_path().parent_path();
  if (::rename(draft.path_.c_str(), target.c_str()) != 0) return no_room();
  draft.path_.clear();
  if (!sync_folder(target.parent_path()) || !sync_folder(above) || !sync_folder(folder_)) return no_room();
  return blob;
}

Task<Result<std::string>> Store::piece(std::string sha256, std::uint64_t begin, std::uint64_t length) const {
  auto work = [this, &sha256, begin, length] { return read_now(sha256, begin, length); };
  co_return co_await runtime::run_on(pool_, std::move(work));
}

Result<std::string> Store::read_now(std::string_view sha256, std::uint64_t begin,
                                    std::uint64_t length) const {
  const File file(path(sha256), O_RDONLY);
  if (!file.open()) return not_found("The file is gone from the library's storage");
  std::string bytes(length, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const auto n =
        ::pread(file.number(), bytes.data() + have, bytes.size() - have, static_cast<off_t>(begin + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return not_found("The file is damaged in the library's storage");
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

Result<std::int64_t> Store::sweep() {
  const auto before = clock_.now() - left_alone;
  std::int64_t removed = 0;
  for (std::int64_t taken = rows_at_once; taken == rows_at_once;) {
    auto work = [&](db::Transaction& tx) -> Result<std::int64_t> {
      std::error_code error;
      const auto unused = BlobRepository(tx).take_unused(before, rows_at_once);
      for (const auto& sha256 : unused) fs::remove(path(sha256), error);
      return static_cast<std::int64_t>(unused.size());
    };
    auto done = database_.write_now(std::move(work));
    if (!done) return Failure(std::move(done.error()));
    removed += taken = *done;
  }
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - left_alone;
  for (const auto& entry : fs::directory_iterator(folder_ / drafts, error)) {
    const auto written = entry.last_write_time(error);
    if (!error && written < oldest) fs::remove(entry.path(), error);
  }
  return removed;
}

Result<Inspection> Store::verify(const std::function<bool()>& go_on) {
  Inspection seen;
  // Files that came while the rows were read are not in them.
  const auto begun = fs::file_time_type::clock::now() - std::chrono::seconds(1);
  std::set<std::string> known;
  std::string after;
  while (true) {
    auto look = [&](db::Transaction& tx) { return BlobRepository(tx).list(after, rows_at_once); };
    auto rows = database_.read_now(std::move(look));
    if (!rows) return Failure(std::move(rows.error()));
    for (const auto& row : *rows) {
      if (go_on && !go_on()) return seen;
      known.insert(row.sha256);
      std::error_code error;
      if (!fs::is_regular_file(path(row.sha256), error)) {
        // A row without references may be ahead of its file.
        if (row.refs > 0) seen.damages.push_back({row.sha256, "missing"});
        continue;
      }
      const auto file = security::sha256_of_file(path(row.sha256));
      if (!file || file->bytes != row.size)
        seen.damages.push_back({row.sha256, "size"});
      else if (file->hex != row.sha256)
        seen.damages.push_back({row.sha256, "content"});
      ++seen.blobs;
      seen.bytes += file ? file->bytes : 0;
    }
    if (rows->empty()) break;
    after = rows->back().sha256;
  }
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder_, error)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file(error) && is_digest(name) && !known.contains(name) &&
        entry.last_write_time(error) < begun)
      seen.damages.push_back({name, "unknown_file"});
  }
  return seen;
}

}  // namespace lumina::blobs

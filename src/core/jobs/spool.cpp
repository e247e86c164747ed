#include "core/jobs/spool.hpp"

#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "core/runtime/run_on.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"

#include <fcntl.h>
#include <system_error>

namespace lumina::jobs {
namespace {

constexpr std::size_t piece_size = 192 * 1024;  // a multiple of 3, so that base64 needs no padding within

bool is_plain(std::string_view name) {
  return !name.empty() && name.find_first_not_of(
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                              "0123456789-_") == std::string_view::npos;
}

Status store(const std::filesystem::path& folder, const std::string& name, std::string_view bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto path = folder / name;
  const File file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.open() && file.write(bytes) && file.sync() && sync_folder(folder)) return {};
  std::filesystem::remove(path, error);
  return fail(ErrorKind::storage_full, "storage_full",
              "The file cannot be kept; the library's storage may be full");
}

}  // namespace

Task<Result<std::string>> Spool::keep(std::string bytes) {
  const std::string name = security::opaque_token();
  auto work = [this, &name, &bytes] { return store(folder_, name, bytes); };
  auto kept = co_await runtime::run_on(pool_, std::move(work));
  if (!kept) co_return Failure(std::move(kept.error()));
  if (shared_ != nullptr) {
    auto sharing = share(name, bytes);
    auto shared = co_await std::move(sharing);
    if (!shared) {
      auto dropping = discard(name);
      (void)co_await std::move(dropping);  // what is left is swept
      co_return Failure(std::move(shared.error()));
    }
  }
  co_return name;
}

Task<Status> Spool::share(const std::string& name, const std::string& bytes) {
  const auto pieces = static_cast<std::int64_t>((bytes.size() + piece_size - 1) / piece_size);
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    auto work = [&name, &bytes, piece](db::Transaction& tx) -> Status {
      if (piece == 0)
        tx.execute("INSERT INTO spool_files (name, created_at) VALUES ($1, $2)", name, SystemClock().now());
      const auto part =
          std::string_view(bytes).substr(static_cast<std::size_t>(piece) * piece_size, piece_size);
      tx.execute("INSERT INTO spool_pieces (name, piece, bytes) VALUES ($1, $2, $3)", name, piece,
                 base64_encode(part));
      return {};
    };
    auto writing = shared_->write(std::move(work));
    auto written = co_await std::move(writing);
    if (!written) co_return Failure(std::move(written.error()));
  }
  auto work = [&name, pieces](db::Transaction& tx) -> Status {
    tx.execute(
        "INSERT INTO spool_files (name, pieces, created_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET pieces = excluded.pieces",
        name, pieces, SystemClock().now());
    return {};
  };
  auto writing = shared_->write(std::move(work));
  auto written = co_await std::move(writing);
  co_return std::move(written);
}

Task<Status> Spool::discard(std::string name) {
  auto work = [this, &name]() -> Status {
    drop(name);
    return {};
  };
  auto dropped = co_await runtime::run_on(pool_, std::move(work));
  co_return std::move(dropped);
}

Status Spool::fetch(const std::string& name) const {
  auto look = [&name](db::Transaction& tx) {
    return tx.one<std::int64_t>("SELECT pieces FROM spool_files WHERE name = $1 AND pieces IS NOT NULL",
                                name);
  };
  const auto pieces = shared_->read_now(std::move(look));
  if (!pieces) return Failure(pieces.error());
  if (!*pieces) return not_found("The file of the task is gone");
  std::string bytes;
  for (std::int64_t piece = 0; piece < std::get<0>(**pieces); ++piece) {
    auto read = [&name, piece](db::Transaction& tx) {
      return tx.one<std::string>("SELECT bytes FROM spool_pieces WHERE name = $1 AND piece = $2", name,
                                 piece);
    };
    const auto row = shared_->read_now(std::move(read));
    if (!row) return Failure(row.error());
    const auto part = *row ? base64_decode(std::get<0>(**row)) : std::nullopt;
    if (!part) return not_found("The file of the task is gone");
    bytes += *part;
  }
  const auto unfinished = "." + name + "." + security::opaque_token();
  if (auto stored = store(folder_, unfinished, bytes); !stored) return stored;
  std::error_code error;
  std::filesystem::rename(folder_ / unfinished, folder_ / name, error);
  if (error)
    return fail(ErrorKind::storage_full, "storage_full", "The file cannot be kept: " + error.message());
  return {};
}

Result<std::filesystem::path> Spool::find(std::string_view name) const {
  if (!is_plain(name)) return not_found("The file of the task is gone");
  auto path = folder_ / name;
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path;
  if (shared_ == nullptr) return not_found("The file of the task is gone");
  if (auto fetched = fetch(std::string(name)); !fetched) return Failure(std::move(fetched.error()));
  return path;
}

void Spool::drop(std::string_view name) const {
  if (!is_plain(name)) return;
  std::error_code error;
  std::filesystem::remove(folder_ / name, error);
  if (shared_ == nullptr) return;
  auto forget = [name](db::Transaction& tx) -> Status {
    tx.execute("DELETE FROM spool_files WHERE name = $1", name);
    tx.execute("DELETE FROM spool_pieces WHERE name = $1", name);
    return {};
  };
  if (auto done = shared_->write_now(std::move(forget)); !done)
    log::warn("a spooled file stays in the database until it is swept", {{"why", done.error().detail}});
}

std::size_t Spool::sweep(std::chrono::hours age) const {
  std::error_code error;
  std::size_t removed = 0;
  const auto oldest = std::filesystem::file_time_type::clock::now() - age;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const auto written = entry.last_write_time(error);
    if (!error && written < oldest && std::filesystem::remove(entry.path(), error)) ++removed;
  }
  if (shared_ == nullptr) return removed;
  auto forget = [before = SystemClock().now() - age](db::Transaction& tx) -> std::int64_t {
    tx.execute("DELETE FROM spool_pieces WHERE name IN (SELECT name FROM spool_files WHERE created_at < $1)",
               before);
    return tx.execute("DELETE FROM spool_files WHERE created_at < $1", before);
  };
  if (const auto gone = shared_->write_now(std::move(forget)))
    removed += static_cast<std::size_t>(*gone);
  else
    log::warn("old files stay in the database", {{"why", gone.error().detail}});
  return removed;
}

}  // namespace lumina::jobs

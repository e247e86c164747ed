#include "core/jobs/spool.hpp"

#include "core/runtime/run_on.hpp"
#include "core/security/random.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace lumina::jobs {
namespace {

// Closed when it goes.
class File {
 public:
  File(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool open() const { return number_ >= 0; }
  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto n = ::write(number_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  bool sync() const { return ::fsync(number_) == 0; }

 private:
  int number_;
};

Status store(const std::filesystem::path& folder, const std::string& name, std::string_view bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const auto path = folder / name;
  const File file(path, O_WRONLY | O_CREAT | O_EXCL);
  const File directory(folder, O_RDONLY | O_DIRECTORY);
  if (file.open() && file.write(bytes) && file.sync() && directory.open() && directory.sync()) return {};
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
  co_return name;
}

Result<std::filesystem::path> Spool::find(std::string_view name) const {
  const bool plain = !name.empty() && name.find_first_not_of(
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789-_") == std::string_view::npos;
  auto path = folder_ / name;
  std::error_code error;
  if (!plain || !std::filesystem::is_regular_file(path, error))
    return not_found("The file of the task is gone");
  return path;
}

void Spool::drop(std::string_view name) const {
  std::error_code error;
  if (const auto path = find(name)) std::filesystem::remove(*path, error);
}

std::size_t Spool::sweep(std::chrono::hours age) const {
  std::error_code error;
  std::size_t removed = 0;
  const auto oldest = std::filesystem::file_time_type::clock::now() - age;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const auto written = entry.last_write_time(error);
    if (!error && written < oldest && std::filesystem::remove(entry.path(), error)) ++removed;
  }
  return removed;
}

}  // namespace lumina::jobs

#include "core/vector/archive.hpp"

#include "core/base/file.hpp"
#include "core/security/random.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace lumina::vector {
namespace {

constexpr std::size_t magic_size = 8;
constexpr std::size_t digest_size = 32;
constexpr std::size_t head_size = magic_size + sizeof(std::uint32_t);

Failure damaged(std::string_view why) {
  return fail(ErrorKind::refused, "model_damaged", "The file is damaged: " + std::string(why));
}

Failure disk_failure(const std::filesystem::path& path, int error) {
  const auto kind = error == ENOENT                      ? ErrorKind::not_found
                    : error == ENOSPC || error == EDQUOT ? ErrorKind::storage_full
                                                         : ErrorKind::unavailable;
  return fail(kind, kind == ErrorKind::not_found ? "not_found" : "file_failed",
              path.filename().string() + ": " + std::generic_category().message(error));
}

}  // namespace

ArchiveWriter::ArchiveWriter(std::string_view magic, std::uint32_t version) {
  bytes_.assign(magic);
  bytes_.resize(magic_size, ' ');
  put(version);
}

void ArchiveWriter::put_text(std::string_view text) {
  put<std::uint64_t>(text.size());
  bytes_.append(text);
}

std::string ArchiveWriter::finish() && {
  bytes_ += security::sha256(bytes_);
  return std::exchange(bytes_, {});
}

Result<ArchiveReader> ArchiveReader::open(std::string_view bytes, std::string_view magic,
                                          std::uint32_t newest) {
  if (bytes.size() < head_size + digest_size) return damaged("it is cut off");
  if (!bytes.starts_with(magic)) return damaged("it is of another kind");
  const auto contents = bytes.substr(0, bytes.size() - digest_size);
  if (security::sha256(contents) != bytes.substr(contents.size())) return damaged("its checksum is wrong");
  std::uint32_t version = 0;
  std::memcpy(&version, contents.data() + magic_size, sizeof version);
  if (version > newest)
    return fail(ErrorKind::refused, "model_newer", "The file was made by a newer release of the program");
  return ArchiveReader(contents.substr(head_size), version);
}

std::string_view ArchiveReader::take_text() {
  const auto size = take<std::uint64_t>();
  if (size > rest_.size()) {
    spoil("a text is longer than the file");
    return {};
  }
  return raw(static_cast<std::size_t>(size));
}

void ArchiveReader::spoil(std::string_view why) {
  if (fault_.empty()) fault_ = why;
  rest_ = {};
}

Status ArchiveReader::status() const {
  if (!fault_.empty()) return damaged(fault_);
  if (!rest_.empty()) return damaged("it is longer than its contents");
  return {};
}

std::string_view ArchiveReader::raw(std::size_t count) {
  if (count > rest_.size()) {
    spoil("it ends too early");
    return {};
  }
  const auto piece = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return piece;
}

Status write_file(const std::filesystem::path& path, std::string_view bytes) {
  auto beside = path;
  beside += ".part" + std::to_string(::getpid());
  const auto give_up = [&](int error) -> Status {
    ::unlink(beside.c_str());
    return disk_failure(path, error);
  };
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.open()) return disk_failure(path, errno);
    if (!file.write(bytes) || !file.sync()) return give_up(errno);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return give_up(errno);
  // The new name itself must last, too.
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!sync_folder(folder)) return disk_failure(path, errno);
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const File file(path, O_RDONLY);
  if (!file.open()) return disk_failure(path, errno);
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0) return disk_failure(path, errno);
  if (!S_ISREG(facts.st_mode)) return disk_failure(path, EISDIR);
  std::string bytes(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const auto count = ::read(file.number(), bytes.data() + got, bytes.size() - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return disk_failure(path, errno);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace lumina::vector

#include "core/blobs/draft.hpp"

#include "core/security/random.hpp"

#include <fcntl.h>
#include <system_error>

namespace lumina::blobs {
namespace {

std::filesystem::path name_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return folder / security::opaque_token();
}

}  // namespace

Draft::Draft(const std::filesystem::path& folder)
    : path_(name_in(folder)), file_(path_, O_WRONLY | O_CREAT | O_EXCL) {}

Draft::~Draft() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove(path_, error);
}

Status Draft::write(std::string_view bytes) {
  constexpr std::size_t step = 256 * 1024;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto piece = bytes.substr(at, step);
    hash_.add(piece);
    if (!file_.open() || !file_.write(piece))
      return fail(ErrorKind::storage_full, "storage_full",
                  "The file cannot be kept; the library's storage may be full");
    size_ += static_cast<std::int64_t>(piece.size());
  }
  return {};
}

}  // namespace lumina::blobs

#include "core/base/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace lumina {

File::File(const std::filesystem::path& path, int flags)
    : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}

File::~File() {
  if (number_ >= 0) ::close(number_);
}

bool File::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto written = ::write(number_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool File::sync() const { return ::fsync(number_) == 0; }

bool sync_folder(const std::filesystem::path& folder) {
  const File directory(folder, O_RDONLY | O_DIRECTORY);
  return directory.open() && directory.sync();
}

}  // namespace lumina

#include "core/base/mapped_file.hpp"

#include "core/base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace lumina {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const File file(path, O_RDONLY);
  struct stat about{};
  if (!file.open() || ::fstat(file.number(), &about) != 0) return;
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > 0) {
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (at == MAP_FAILED) return;
    bytes_ = {static_cast<const char*>(at), size};
  }
  open_ = true;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace lumina

// The bytes of a whole file, mapped and not copied: for readers that want one view of what is on the disk.
//
// Only for files that nobody shortens meanwhile. Pages that the kernel cannot read end the process, as
// mmap(2) says; so only for files that this process has just written or checked.
#pragma once
#include <filesystem>
#include <string_view>

namespace lumina {

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  bool open() const { return open_; }
  std::string_view bytes() const { return bytes_; }

 private:
  bool open_ = false;
  std::string_view bytes_;
};

}  // namespace lumina

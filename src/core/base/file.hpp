// A file by its descriptor, closed when the object goes; errno says what failed.
#pragma once
#include <filesystem>
#include <string_view>

namespace lumina {

class File {
 public:
  // Flags of open(2); close-on-exec is added, and what is made is for the owner alone.
  File(const std::filesystem::path& path, int flags);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }
  bool write(std::string_view bytes) const;  // all of them
  bool sync() const;

 private:
  int number_;
};

// So that a new name in it lasts.
bool sync_folder(const std::filesystem::path& folder);

}  // namespace lumina

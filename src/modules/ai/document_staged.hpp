// A file that somebody uploads, on the disk as it came: checked and kept, or gone with the object.
#pragma once
#include "core/blobs/draft.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace lumina::ai {

struct StagedFile {
  std::string filename;
  std::int64_t size = 0;                // as it came
  std::unique_ptr<blobs::Draft> draft;  // none when nothing came, or more than is allowed
};

}  // namespace lumina::ai

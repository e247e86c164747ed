// The payload of the job that takes in many files at once: files in the blob store, or why one was refused.
#pragma once
#include "modules/ai/document_model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lumina::ai {

struct BatchFile {
  std::string filename, sha256;
  std::int64_t size = 0;
  extract::Kind kind = extract::Kind::pdf;
  std::optional<std::string> error_code, error;
  static constexpr std::string_view type_name = "DocumentBatchFile";
  static std::vector<schema::Field> fields();
};
struct DocumentBatch {
  std::optional<BookId> book_id;
  std::optional<Visibility> visibility;
  bool staff = false;  // the job's caller carries no role
  std::vector<BatchFile> files;
  static constexpr std::string_view type_name = "DocumentBatch";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::ai

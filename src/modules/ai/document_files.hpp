// Files of documents as responses: whole or in part (RFC 9110, section 14), as attachments or, in a sandbox,
// inline.
#pragma once
#include "core/http/extract.hpp"
#include "modules/ai/document_service.hpp"

#include <string>

namespace lumina::ai {

struct FileWishes {
  std::string range, if_range;
  bool robot = false;  // by its own word; not counted as a reader
};
FileWishes file_wishes(const http::RawRequest& request);

Task<Result<http::Response>> send_file(DocumentService& documents, DocumentId id, std::int64_t version,
                                       Purpose purpose, FileWishes wishes, Caller by);
Task<Result<http::Response>> send_thumbnail(DocumentService& documents, DocumentId id, Caller by);

}  // namespace lumina::ai

// Takes the body of an upload while it arrives: files go to drafts in the blob store and are hashed on the
// way, fields are kept in memory.
//
// The body is multipart/form-data with parts named `file` (or `files`) and the fields of UploadFields, or the
// bytes of one file. Reading the form, hashing and writing happen on the pool; while it is full, the client
// waits. What is larger than `most_bytes` is counted and not kept. Whatever is not taken out by form() goes
// with the object, on the pool too. One for each request; used by one coroutine at a time.
#pragma once
#include "core/blobs/store.hpp"
#include "core/http/body_sink.hpp"
#include "core/http/form_digest.hpp"
#include "core/http/multipart.hpp"
#include "core/runtime/pool.hpp"
#include "core/security/digest.hpp"
#include "modules/ai/document_model.hpp"
#include "modules/ai/document_staged.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::ai {

struct UploadForm {
  std::vector<StagedFile> files;
  UploadFields fields;
};

struct UploadRules {
  std::string content_type;
  std::int64_t most_bytes = 0;  // of a file
  bool repeatable = false;      // the digest of the whole body is asked for
};

class UploadSink final : public http::BodySink {
 public:
  UploadSink(const blobs::Store& store, runtime::Pool& pool, UploadRules rules);
  ~UploadSink() override;

  Task<bool> take(std::string bytes) override;
  std::string digest() const override;
  // After the last piece, once. malformed_multipart, missing fields, storage_full, overloaded.
  Result<UploadForm> form();

 private:
  void add(std::string_view bytes);
  void begin(http::Part&& part);
  void more(std::string_view bytes);
  void add_to_file(std::string_view bytes);

  const blobs::Store& store_;
  runtime::Pool& pool_;
  const UploadRules rules_;
  mutable std::optional<http::MultipartReader> reader_;  // none: the body is the file
  std::vector<StagedFile> files_;
  std::vector<std::pair<std::string, std::string>> pairs_;
  bool in_file_ = false;
  // For digest(): the body as it came, and what a form says, which counts when it could be read.
  mutable std::optional<security::Sha256> whole_;
  mutable std::optional<http::FormDigest> said_;
  mutable std::string digest_;
  std::optional<Error> failed_;
};

}  // namespace lumina::ai

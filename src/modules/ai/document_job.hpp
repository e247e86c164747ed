// The jobs of documents: taking the text, the passages and a picture out of a file, and taking in batches.
//
// A job reads the file anew whenever it runs, and its last transaction writes text, passages, state and the
// end of the job together, so one that was cut off anywhere is simply done again. A file that cannot be read
// makes the document `failed` with the reason, and the job ends well.
#pragma once
#include "core/events/journal.hpp"
#include "core/extract/extractor.hpp"
#include "core/jobs/runner.hpp"
#include "modules/ai/document_service.hpp"

#include <functional>

namespace lumina::ai {

class DocumentProcessor {
 public:
  DocumentProcessor(const Clock& clock, events::Journal& journal, blobs::Store& store,
                    const extract::Extractor& extractor)
      : clock_(clock), journal_(journal), store_(store), extractor_(extractor) {}
  void handle_jobs(jobs::Runner& runner, DocumentService& documents);
  // Called in the transaction that makes a version ready. At start-up only.
  void when_ready(std::function<void(db::Transaction&, std::int64_t version)> then) {
    ready_ = std::move(then);
  }

 private:
  Result<std::string> process(jobs::JobContext& job);
  Result<std::string> finish(jobs::JobContext& job, const StoredVersion& version,
                             const Result<extract::Extracted>& extracted);

  const Clock& clock_;
  events::Journal& journal_;
  blobs::Store& store_;
  const extract::Extractor& extractor_;
  std::function<void(db::Transaction&, std::int64_t)> ready_;
};

}  // namespace lumina::ai

// SQL of the vectors of passages. Also reads documents, their versions and passages.
#pragma once
#include "core/db/transaction.hpp"
#include "modules/ai/document_model.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

// Who made vectors, and how long they are.
struct PassageModel {
  std::int64_t id = 0;
  std::string name;
  std::int64_t dimensions = 0;
};
// A passage without a vector of the model.
struct BarePassage {
  std::int64_t id = 0;
  DocumentId document;
  std::optional<UserId> owner;
  std::string text;
};
struct PassageVector {
  std::int64_t id = 0;  // of the passage
  DocumentId document;
  std::int64_t digest = 0;
  std::vector<float> vector;  // empty: the model refuses the text
};
struct PassageMark {
  std::int64_t id = 0;
  std::int64_t document = 0, digest = 0;
};

// Says whether a vector is still that of a text.
std::int64_t digest_of_passage(std::string_view text);

class PassageVectorRepository {
 public:
  explicit PassageVectorRepository(db::Transaction& tx) : tx_(tx) {}

  // The one of that name that was chosen last.
  std::optional<PassageModel> model(std::string_view name);
  // From now on its vectors are of that length; gives the row, and nobody else chooses meanwhile.
  PassageModel choose(std::string_view name, std::int64_t dimensions);

  // Passages of current, ready versions, by id from `after` on; `version` 0: of all.
  std::vector<BarePassage> missing(std::int64_t model, std::int64_t version, std::int64_t after,
                                   std::int64_t most);
  // In the place of one by another model; nothing when the passage is gone.
  void put(const PassageModel& model, const BarePassage& passage, const std::vector<float>& vector);

  std::vector<PassageMark> marks(std::int64_t model);
  // Those of the passages named, or of the documents.
  std::vector<PassageVector> of_passages(std::int64_t model, const std::vector<std::int64_t>& ids);
  std::vector<PassageVector> of_documents(std::int64_t model, const std::set<std::int64_t>& ids);

  struct Counts {
    std::int64_t passages = 0, embedded = 0;
  };
  Counts counts(std::int64_t model);

 private:
  db::Transaction& tx_;
};

}  // namespace lumina::ai

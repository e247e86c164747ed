// SQL of vectors: of passages of documents, and of books. Also reads documents, their versions and passages,
// and books.
#pragma once
#include "core/base/ids.hpp"
#include "core/db/transaction.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

enum class Embedded : std::uint8_t { passages, books };

// Who made vectors, and how long they are.
struct VectorModel {
  std::int64_t id = 0;
  std::string name;
  std::int64_t dimensions = 0;
};
// A text without a vector of the model.
struct BareText {
  std::int64_t id = 0;     // of the passage, or of the book
  std::int64_t owner = 0;  // the document, or the book itself
  std::optional<UserId> user;
  std::string text;
  std::int64_t digest = 0;  // says whether a vector is still that of the text
};
struct KeptVector {
  std::int64_t id = 0, owner = 0, digest = 0;
  std::vector<float> vector;  // empty: the model refuses the text
};
struct VectorMark {
  std::int64_t id = 0, owner = 0, digest = 0;
};

class VectorRows {
 public:
  VectorRows(db::Transaction& tx, Embedded what) : tx_(tx), what_(what) {}

  // The one of that name that was chosen last.
  std::optional<VectorModel> model(std::string_view name);
  // From now on its vectors are of that length; gives the row.
  VectorModel choose(std::string_view name, std::int64_t dimensions);

  // Passages of current, ready versions, or books, by id from `after` on; `version` of a document, 0: of all.
  std::vector<BareText> missing(std::int64_t model, std::int64_t version, std::int64_t after,
                                std::int64_t most);
  // In the place of one by another model, or of another text; nothing when the thing is gone.
  void put(const VectorModel& model, const BareText& of, const std::vector<float>& vector);

  std::vector<VectorMark> marks(std::int64_t model);
  std::vector<KeptVector> by_id(std::int64_t model, const std::vector<std::int64_t>& ids);
  std::vector<KeptVector> by_owner(std::int64_t model, const std::set<std::int64_t>& owners);

  struct Counts {
    std::int64_t all = 0, embedded = 0;
  };
  Counts counts(std::int64_t model);

 private:
  db::Transaction& tx_;
  const Embedded what_;
};

}  // namespace lumina::ai

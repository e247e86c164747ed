// Where trained models are kept: a file in the data folder, and, on a database that several instances share,
// its bytes in the database, for the instances that did not train it.
//
// Files are named by their digest and checked against it whenever they are read; a file that is missing or
// damaged is written anew from the database when its bytes are there. Blocking; any thread but io threads.
#pragma once
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "modules/recs/model.hpp"
#include "modules/recs/trainer.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::recs {

class ModelStore {
 public:
  ModelStore(db::Database& database, std::filesystem::path folder)
      : database_(database), folder_(std::move(folder)) {}

  struct Kept {
    std::string file, sha256;
    std::int64_t size = 0;
  };
  // `cancelled` is asked between pieces; what was written of the bytes goes with the next pruning.
  Result<Kept> keep(const TrainedModel& model, const std::function<bool()>& cancelled);
  // Kind refused: "model_damaged" or "model_newer".
  Result<TrainedModel> load(const ModelVersion& version);
  void drop(const std::vector<std::string>& files) const;

 private:
  Result<std::string> from_database(const ModelVersion& version);

  db::Database& database_;
  const std::filesystem::path folder_;
};

}  // namespace lumina::recs

// Vectors of things in memory, of the one model that is in use, and on the disk as an archive: those of
// passages or those of books.
//
// Each instance keeps its own. They are loaded when it starts: from the archive when that is whole and of
// this model, then made true to the table (a list of numbers), so that nothing is embedded again and no graph
// is built again; a file that is damaged, older, or of another model is not used, and the table alone fills
// the index. Then what is marked is read again. A change of the model, or of its length, empties it: what was
// made by another is never compared. What may be found is not known here: give nearest() an `accept`.
//
// nearest() first brings in what was committed before it; it blocks and belongs on a pool. save() writes the
// archive when something changed. Any thread.
#pragma once
#include "core/base/error.hpp"
#include "core/db/database.hpp"
#include "core/vector/index.hpp"
#include "modules/ai/vector_rows.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace lumina::ai {

class KeptVectors {
 public:
  // `file` is where the archive is.
  KeptVectors(db::Database& database, Embedded what, std::filesystem::path file);
  ~KeptVectors();
  KeptVectors(const KeptVectors&) = delete;
  KeptVectors& operator=(const KeptVectors&) = delete;

  // Begins to load in a thread of its own; the first search does it too.
  void start(std::string model);
  // Waits for that thread and keeps what is there for the next start. Idempotent.
  void stop();
  // Loads the vectors of that model, when they are not there yet. unavailable when the database is.
  Status load(const std::string& model);
  // Those nearest to a vector of that model, best first; none when there are none of its length, or when
  // fewer than nine tenths of `all` have one yet: half a list would push aside what it lacks.
  Result<std::vector<vector::Hit>> nearest(const std::string& model, std::span<const float> query,
                                           std::size_t most, std::int64_t all,
                                           const vector::Index::Accept& accept);
  // The same for one of them, without itself.
  Result<std::vector<vector::Hit>> nearest_to(const std::string& model, std::int64_t id, std::size_t most,
                                              std::int64_t all);
  // Brings in what was made of these owners, and the model, anew before the next search.
  void mark(std::int64_t owner);
  void mark_model();
  Status save();

  struct Figures {
    std::int64_t vectors = 0, dimensions = 0;
    std::int64_t restored = 0;  // of them, from the archive
  };
  Figures figures() const;

 private:
  struct Kept {
    std::int64_t owner = 0, digest = 0;
    bool refused = false;
  };
  Status catch_up(const std::string& model);
  Status reload(const std::string& model);
  bool restore();
  Status fetch(const std::vector<std::int64_t>& ids);
  Status refresh(const std::set<std::int64_t>& owners);
  void put(const std::vector<KeptVector>& rows);
  void drop(std::int64_t id);

  db::Database& database_;
  const Embedded what_;
  const std::filesystem::path file_;
  std::mutex marks_mutex_;
  std::set<std::int64_t> marked_;  // owners
  bool model_marked_ = false;

  std::mutex working_;  // the rest, but the figures
  std::string wanted_;  // name of the model that was loaded
  bool loaded_ = false, changed_ = false;
  VectorModel model_;
  std::shared_ptr<vector::Index> index_;
  std::unordered_map<std::int64_t, Kept> kept_;
  std::unordered_map<std::int64_t, std::unordered_set<std::int64_t>> of_owner_;
  std::mutex starting_;
  bool stopped_ = false;
  std::thread loader_;
  std::atomic<std::int64_t> vectors_{0}, dimensions_{0}, restored_{0};
};

}  // namespace lumina::ai

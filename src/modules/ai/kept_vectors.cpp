#include "modules/ai/kept_vectors.hpp"

#include "core/telemetry/log.hpp"
#include "core/vector/archive.hpp"

#include <algorithm>

namespace lumina::ai {
namespace {

constexpr std::uint32_t format = 1;
std::string_view magic_of(Embedded what) { return what == Embedded::passages ? "LUMIPASV" : "LUMIBOKV"; }
constexpr std::size_t rows_at_once = 2'000;

}  // namespace

KeptVectors::KeptVectors(db::Database& database, Embedded what, std::filesystem::path file)
    : database_(database), what_(what), file_(std::move(file)) {}

void KeptVectors::mark(std::int64_t owner) {
  const std::lock_guard lock(marks_mutex_);
  marked_.insert(owner);
}

void KeptVectors::mark_model() {
  const std::lock_guard lock(marks_mutex_);
  model_marked_ = true;
}

KeptVectors::~KeptVectors() { stop(); }

void KeptVectors::start(std::string model) {
  const std::lock_guard lock(starting_);
  if (stopped_ || loader_.joinable() || model.empty()) return;
  loader_ = std::thread([this, model = std::move(model)] {
    if (auto there = load(model); !there)
      log::warn("the vectors are not loaded yet", {{"why", there.error().detail}});
  });
}

void KeptVectors::stop() {
  const std::lock_guard lock(starting_);
  if (std::exchange(stopped_, true)) return;
  if (loader_.joinable()) loader_.join();
  if (auto saved = save(); !saved)
    log::warn("the vectors are not kept for the next start", {{"why", saved.error().detail}});
}

KeptVectors::Figures KeptVectors::figures() const { return {vectors_, dimensions_, restored_}; }

Status KeptVectors::load(const std::string& model) {
  const std::lock_guard lock(working_);
  return catch_up(model);
}

Result<std::vector<vector::Hit>> KeptVectors::nearest(const std::string& model, std::span<const float> query,
                                                      std::size_t most, std::int64_t all,
                                                      const vector::Index::Accept& accept) {
  std::shared_ptr<vector::Index> index;
  {
    const std::lock_guard lock(working_);
    if (auto there = catch_up(model); !there) return Failure(std::move(there.error()));
    if (static_cast<std::int64_t>(kept_.size()) * 10 >= all * 9) index = index_;
  }
  if (!index || index->dimensions() != query.size()) return std::vector<vector::Hit>{};
  return index->search(query, most, accept);
}

Result<std::vector<vector::Hit>> KeptVectors::nearest_to(const std::string& model, std::int64_t id,
                                                         std::size_t most, std::int64_t all) {
  std::vector<float> vector;
  {
    const std::lock_guard lock(working_);
    if (auto there = catch_up(model); !there) return Failure(std::move(there.error()));
    if (index_) vector = index_->vector_of(id).value_or(std::vector<float>{});
  }
  if (vector.empty()) return std::vector<vector::Hit>{};
  return nearest(model, vector, most, all, [id](std::int64_t other) { return other != id; });
}

Status KeptVectors::catch_up(const std::string& model) {
  std::set<std::int64_t> marked;
  bool again = false;
  {
    const std::lock_guard marks(marks_mutex_);
    marked.swap(marked_);
    again = std::exchange(model_marked_, false);
  }
  const auto give_back = [&](Status failed) {
    const std::lock_guard marks(marks_mutex_);
    marked_.merge(marked);
    model_marked_ = model_marked_ || again;
    return failed;
  };
  if (!loaded_ || again || wanted_ != model) {
    loaded_ = false;
    if (auto done = reload(model); !done) return give_back(std::move(done));
    loaded_ = true;
    return {};
  }
  if (marked.empty() || !index_) return {};
  if (auto done = refresh(marked); !done) return give_back(std::move(done));
  return {};
}

Status KeptVectors::reload(const std::string& model) {
  struct Now {
    std::optional<VectorModel> model;
    std::vector<VectorMark> marks;
  };
  auto look = [this, &model](db::Transaction& tx) {
    Now now;
    VectorRows rows(tx, what_);
    now.model = rows.model(model);
    if (now.model) now.marks = rows.marks(now.model->id);
    return now;
  };
  auto now = database_.read_now(std::move(look));
  if (!now) return Failure(std::move(now.error()));
  wanted_ = model;
  kept_.clear();
  of_owner_.clear();
  index_.reset();
  vectors_ = dimensions_ = restored_ = 0;
  if (!now->model) return {};
  model_ = *now->model;
  dimensions_ = model_.dimensions;
  const bool restored = restore();
  if (!restored) {
    kept_.clear();
    index_ = std::make_shared<vector::Index>(static_cast<std::size_t>(model_.dimensions));
  }
  std::vector<std::int64_t> missing;
  std::unordered_set<std::int64_t> there;
  for (const auto& mark : now->marks) {
    there.insert(mark.id);
    const auto kept = kept_.find(mark.id);
    if (kept == kept_.end() || kept->second.digest != mark.digest)
      missing.push_back(mark.id);
    else
      of_owner_[mark.owner].insert(mark.id);
  }
  std::vector<std::int64_t> gone;
  for (const auto& [id, kept] : kept_)
    if (!there.contains(id)) gone.push_back(id);
  for (const auto id : gone) drop(id);
  restored_ = restored ? static_cast<std::int64_t>(kept_.size()) : 0;
  changed_ = !restored || !gone.empty() || !missing.empty();
  return fetch(missing);
}

// Whether the archive is of use; what it holds is in place then.
bool KeptVectors::restore() {
  const auto bytes = vector::read_file(file_);
  if (!bytes) return false;
  auto reader = vector::ArchiveReader::open(*bytes, magic_of(what_), format);
  if (!reader) {
    log::warn("the archive of vectors is not used", {{"why", reader.error().detail}});
    return false;
  }
  if (reader->take_text() != model_.name || reader->take<std::int64_t>() != model_.id ||
      reader->take<std::int64_t>() != model_.dimensions)
    return false;
  const auto ids = reader->take_all<std::int64_t>();
  const auto owners = reader->take_all<std::int64_t>();
  const auto digests = reader->take_all<std::int64_t>();
  const auto refused = reader->take_all<std::uint8_t>();
  const auto graph = reader->take_text();
  if (owners.size() != ids.size() || digests.size() != ids.size() || refused.size() != ids.size())
    reader->spoil("its lists differ in length");
  auto status = reader->status();
  auto index = status ? vector::Index::load(graph) : Failure(status.error());
  if (!index || static_cast<std::int64_t>((*index)->dimensions()) != model_.dimensions) {
    log::warn("the archive of vectors is not used",
              {{"why", index ? std::string("its vectors have another length") : index.error().detail}});
    return false;
  }
  index_ = std::move(*index);
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (refused[i] != 0 || index_->contains(ids[i])) kept_[ids[i]] = {owners[i], digests[i], refused[i] != 0};
  vectors_ = static_cast<std::int64_t>(index_->size());
  return true;
}

Status KeptVectors::fetch(const std::vector<std::int64_t>& ids) {
  for (std::size_t from = 0; from < ids.size(); from += rows_at_once) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(from);
    const std::vector<std::int64_t> some(
        first, first + static_cast<std::ptrdiff_t>(std::min(rows_at_once, ids.size() - from)));
    auto look = [&](db::Transaction& tx) { return VectorRows(tx, what_).by_id(model_.id, some); };
    const auto rows = database_.read_now(std::move(look));
    if (!rows) return Failure(rows.error());
    put(*rows);
  }
  return {};
}

void KeptVectors::put(const std::vector<KeptVector>& rows) {
  std::vector<std::int64_t> ids;
  std::vector<float> numbers;
  for (const auto& row : rows) {
    const bool fits = row.vector.size() == index_->dimensions();
    if (!fits && !row.vector.empty()) continue;
    if (!fits) index_->remove(row.id);
    if (fits) {
      ids.push_back(row.id);
      numbers.insert(numbers.end(), row.vector.begin(), row.vector.end());
    }
    kept_[row.id] = {row.owner, row.digest, !fits};
    of_owner_[row.owner].insert(row.id);
    changed_ = true;
  }
  // Only a cancelled work fails, and nobody cancels this one.
  if (!ids.empty()) (void)index_->put_all(ids, numbers);
  vectors_ = static_cast<std::int64_t>(index_->size());
}

void KeptVectors::drop(std::int64_t id) {
  index_->remove(id);
  kept_.erase(id);
  changed_ = true;
  vectors_ = static_cast<std::int64_t>(index_->size());
}

Status KeptVectors::refresh(const std::set<std::int64_t>& owners) {
  auto look = [&](db::Transaction& tx) { return VectorRows(tx, what_).by_owner(model_.id, owners); };
  const auto rows = database_.read_now(std::move(look));
  if (!rows) return Failure(rows.error());
  std::unordered_set<std::int64_t> there;
  for (const auto& row : *rows) there.insert(row.id);
  for (const auto owner : owners) {
    const auto of = of_owner_.find(owner);
    if (of == of_owner_.end()) continue;
    for (const auto id : of->second)
      if (!there.contains(id)) drop(id);
    of_owner_.erase(of);
  }
  put(*rows);
  return {};
}

Status KeptVectors::save() {
  std::string bytes;
  {
    const std::lock_guard lock(working_);
    if (!loaded_ || !changed_ || !index_) return {};
    vector::ArchiveWriter writer(magic_of(what_), format);
    writer.put_text(model_.name);
    writer.put<std::int64_t>(model_.id);
    writer.put<std::int64_t>(model_.dimensions);
    std::vector<std::int64_t> ids, owners, digests;
    std::vector<std::uint8_t> refused;
    for (const auto& [id, kept] : kept_) {
      ids.push_back(id);
      owners.push_back(kept.owner);
      digests.push_back(kept.digest);
      refused.push_back(kept.refused ? 1 : 0);
    }
    writer.put_all(ids);
    writer.put_all(owners);
    writer.put_all(digests);
    writer.put_all(refused);
    writer.put_text(index_->save());
    bytes = std::move(writer).finish();
    changed_ = false;
  }
  std::error_code ignored;
  std::filesystem::create_directories(file_.parent_path(), ignored);
  auto written = vector::write_file(file_, bytes);
  if (!written) {
    const std::lock_guard lock(working_);
    changed_ = true;
  }
  return written;
}

}  // namespace lumina::ai

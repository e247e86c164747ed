#include "core/vector/index.hpp"

#include "core/vector/graph.hpp"
#include "core/vector/kernels.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::vector {
namespace {

constexpr std::string_view magic = "LUMINDEX";
constexpr std::uint32_t format = 1;
constexpr std::size_t most_dimensions = 8'192;
// Dead vectors are bridges of the graph; when they are as many as the living, it is built anew.
constexpr std::size_t few_dead = 1'000;

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) {
  return dot_product(a.data(), b.data(), std::min(a.size(), b.size()));
}

bool normalise(std::span<float> vector) {
  double square = 0;
  for (const auto value : vector) square += static_cast<double>(value) * static_cast<double>(value);
  const auto length = std::sqrt(square);
  if (!(length > 1e-20) || !std::isfinite(length)) {
    std::ranges::fill(vector, 0.0F);
    return false;
  }
  for (auto& value : vector) value = static_cast<float>(static_cast<double>(value) / length);
  return true;
}

Index::Index(std::size_t dimensions, IndexParameters parameters)
    : dimensions_(std::clamp<std::size_t>(dimensions, 1, most_dimensions)),
      parameters_(parameters),
      graph_(std::make_shared<Graph>(dimensions_, parameters_)) {}

Index::~Index() = default;

std::shared_ptr<Graph> Index::current() const {
  const std::lock_guard lock(swapping_);
  return graph_;
}

void Index::replace(std::shared_ptr<Graph> next) {
  const std::lock_guard lock(swapping_);
  graph_.swap(next);
}

std::size_t Index::size() const { return current()->living(); }

IndexStats Index::stats() const {
  const auto graph = current();
  const auto living = graph->living();
  const auto filled = graph->filled();
  return {living, filled > living ? filled - living : 0, graph->linked(), graph->memory()};
}

bool Index::put(std::int64_t id, std::span<const float> vector) {
  if (vector.size() != dimensions_) return false;
  std::vector<float> row(vector.begin(), vector.end());
  if (!normalise(row)) return false;
  const std::lock_guard lock(writing_);
  const auto graph = current();
  if (const auto slot = graph->find(id);
      slot && std::ranges::equal(row, std::span(graph->vector(*slot), dimensions_)))
    return true;
  Work alone;
  alone.threads = 1;
  graph->add(std::span(&id, 1), row, alone);
  tidy(*graph);
  return true;
}

Status Index::put_all(std::span<const std::int64_t> ids, std::span<const float> rows, const Work& work) {
  std::vector<std::int64_t> good;
  std::vector<float> normal;
  good.reserve(ids.size());
  normal.reserve(rows.size());
  const auto count = std::min(ids.size(), rows.size() / dimensions_);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = rows.subspan(i * dimensions_, dimensions_);
    normal.insert(normal.end(), row.begin(), row.end());
    if (normalise(std::span(normal).last(dimensions_)))
      good.push_back(ids[i]);
    else
      normal.resize(normal.size() - dimensions_);
  }
  const std::lock_guard lock(writing_);
  const auto graph = current();
  const bool growing = !graph->linked() && graph->living() + good.size() >= parameters_.exact_below;
  if (!graph->add(good, normal, growing ? work.part(0, 0.1) : work)) return cancelled_failure();
  if (growing && !graph->link_all(work.part(0.1, 1))) {
    // Half a graph cannot be gone on with: the vectors stay, without any.
    auto fresh = std::make_shared<Graph>(dimensions_, parameters_);
    for (Graph::Slot slot = 0; slot < graph->filled(); ++slot) {
      const auto id = graph->id(slot);
      if (!graph->dead(slot)) fresh->add(std::span(&id, 1), std::span(graph->vector(slot), dimensions_), {});
    }
    replace(std::move(fresh));
    return cancelled_failure();
  }
  tidy(*graph);
  return {};
}

// Called by the writer: links a graph that has grown, builds anew one that is half dead.
void Index::tidy(Graph& graph) {
  const auto living = graph.living();
  const auto dead = graph.filled() - living;
  if (!graph.linked() && living >= parameters_.exact_below) graph.link_all({});
  if (dead < few_dead || dead < living) return;
  auto fresh = std::make_shared<Graph>(dimensions_, parameters_);
  std::vector<std::int64_t> ids;
  std::vector<float> rows;
  for (Graph::Slot slot = 0; slot < graph.filled(); ++slot) {
    if (graph.dead(slot)) continue;
    ids.push_back(graph.id(slot));
    rows.insert(rows.end(), graph.vector(slot), graph.vector(slot) + dimensions_);
  }
  fresh->add(ids, rows, {});
  if (living >= parameters_.exact_below) fresh->link_all({});
  replace(std::move(fresh));
}

bool Index::remove(std::int64_t id) {
  const std::lock_guard lock(writing_);
  const auto graph = current();
  if (!graph->kill(id)) return false;
  tidy(*graph);
  return true;
}

std::vector<Hit> Index::search(std::span<const float> query, std::size_t k, const Accept& accept) const {
  if (query.size() != dimensions_ || k == 0) return {};
  const auto graph = current();
  k = std::min(k, graph->filled());
  if (k == 0) return {};
  if (graph->linked())
    if (auto hits = graph->search(query.data(), k, parameters_.breadth_searching, accept)) return *hits;
  return graph->scan(query.data(), k, accept);
}

std::vector<Hit> Index::search_exact(std::span<const float> query, std::size_t k,
                                     const Accept& accept) const {
  if (query.size() != dimensions_ || k == 0) return {};
  const auto graph = current();
  return graph->scan(query.data(), std::min(k, graph->filled()), accept);
}

bool Index::contains(std::int64_t id) const { return current()->find(id).has_value(); }

std::optional<std::vector<float>> Index::vector_of(std::int64_t id) const {
  const auto graph = current();
  const auto slot = graph->find(id);
  if (!slot) return {};
  const auto* row = graph->vector(*slot);
  return std::vector<float>(row, row + dimensions_);
}

void Index::scores(std::span<const float> query, std::span<const std::int64_t> ids,
                   std::span<float> into) const {
  std::ranges::fill(into, 0.0F);
  if (query.size() != dimensions_) return;
  const auto graph = current();
  std::vector<Graph::Slot> slots(ids.size());
  std::vector<bool> known(ids.size());
  graph->find_all(ids, [&](std::size_t i, std::optional<Graph::Slot> slot) {
    known[i] = slot.has_value();
    slots[i] = slot.value_or(0);
  });
  for (std::size_t i = 0; i < std::min(ids.size(), into.size()); ++i)
    if (known[i]) into[i] = dot_product(query.data(), graph->vector(slots[i]), dimensions_);
}

std::string Index::save() const {
  const std::lock_guard lock(writing_);
  const auto graph = current();
  ArchiveWriter writer(magic, format);
  writer.put<std::uint64_t>(dimensions_);
  graph->save(writer);
  return std::move(writer).finish();
}

Result<std::unique_ptr<Index>> Index::load(std::string_view bytes, IndexParameters parameters) {
  auto reader = ArchiveReader::open(bytes, magic, format);
  if (!reader) return Failure(reader.error());
  const auto dimensions = reader->take<std::uint64_t>();
  if (dimensions == 0 || dimensions > most_dimensions) reader->spoil("its vectors have no size");
  auto index = std::make_unique<Index>(static_cast<std::size_t>(dimensions), parameters);
  if (reader->good()) index->graph_->load(*reader);
  if (const auto status = reader->status(); !status) return Failure(status.error());
  // Saved by parameters that kept no graph for so many.
  if (!index->graph_->linked() && index->graph_->living() >= parameters.exact_below)
    index->graph_->link_all({});
  return index;
}

}  // namespace lumina::vector

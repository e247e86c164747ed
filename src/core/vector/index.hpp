// A live index of vectors by id: nearest neighbours by inner product of normalised vectors (cosine).
//
// Below `exact_below` vectors every search compares all of them; from there on a navigable graph (HNSW) is
// kept and searched. Reads and writes run at the same time: a search takes no lock that a writer holds while
// it computes, sees each vector whole, and finds what was put before it began. Writers take turns. Nothing is
// ever moved: storage grows by blocks; a replaced or removed vector stays as a bridge of the graph until half
// of it is dead, then a new graph is built beside the old and swapped. Given the same calls in the same
// order, contents and answers are the same.
//
// Sources: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical
// navigable small world graphs", IEEE TPAMI 42, 2020, algorithms 1 to 5.
#pragma once
#include "core/vector/work.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::vector {

struct Hit {
  std::int64_t id = 0;
  float score = 0;  // inner product, -1..1
  bool operator==(const Hit&) const = default;
};

struct IndexParameters {
  std::size_t exact_below = 5'000;
  unsigned links = 16;               // of a vector in the graph, twice as many at the bottom; 4..64
  unsigned breadth_building = 120;   // candidates looked at when a vector is linked
  unsigned breadth_searching = 100;  // and when one is searched; at least k is used
};

struct IndexStats {
  std::size_t vectors = 0;
  std::size_t dead = 0;
  bool graph = false;
  std::size_t memory = 0;  // bytes, about
};

// The inner product by the widest instructions that the processor has.
float dot(std::span<const float> a, std::span<const float> b);
// To length 1; false and zeros when the length is not a positive number.
bool normalise(std::span<float> vector);

class Graph;

class Index {
 public:
  // True for ids that may be found. Called in the thread that searches; must not call the index.
  using Accept = std::function<bool(std::int64_t)>;

  explicit Index(std::size_t dimensions, IndexParameters parameters = {});
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  std::size_t dimensions() const { return dimensions_; }
  std::size_t size() const;
  IndexStats stats() const;

  // Adds or replaces; the vector is normalised. False, and nothing changes, for a vector of another length of
  // dimensions, with a number that is not finite, or of zeros.
  bool put(std::int64_t id, std::span<const float> vector);
  // Many at once, rows of dimensions() each, by several threads; rows that put() would refuse are passed
  // over. Error: cancelled (some are in then).
  Status put_all(std::span<const std::int64_t> ids, std::span<const float> rows, const Work& work = {});
  // False when there was none.
  bool remove(std::int64_t id);

  // The best k, best first; equal scores by id. Fewer only when fewer are accepted; a narrow filter costs up
  // to a comparison with all.
  std::vector<Hit> search(std::span<const float> query, std::size_t k, const Accept& accept = {}) const;
  // The same by comparing all.
  std::vector<Hit> search_exact(std::span<const float> query, std::size_t k, const Accept& accept = {}) const;

  bool contains(std::int64_t id) const;
  std::optional<std::vector<float>> vector_of(std::int64_t id) const;
  // The inner product of the query with each; zero for ids that are not there.
  void scores(std::span<const float> query, std::span<const std::int64_t> ids, std::span<float> into) const;

  // A checked archive (archive.hpp) with the graph, so that loading builds nothing. Damaged bytes are an
  // error; the caller then builds anew from its source.
  std::string save() const;
  static Result<std::unique_ptr<Index>> load(std::string_view bytes, IndexParameters parameters = {});

 private:
  std::shared_ptr<Graph> current() const;
  void replace(std::shared_ptr<Graph> next);
  void tidy(Graph& graph);

  const std::size_t dimensions_;
  const IndexParameters parameters_;
  mutable std::mutex writing_;
  mutable std::mutex swapping_;  // held for a pointer's copy
  std::shared_ptr<Graph> graph_;
};

}  // namespace lumina::vector

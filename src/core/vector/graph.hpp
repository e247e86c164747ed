// The vectors of an index and the graph between them: slots that are filled once and never move.
//
// One thread writes at a time (Index sees to it); any number read meanwhile. What a reader can reach was
// written before it became reachable: numbers of slots are stored with release and read with acquire. A
// slot's vector, id and level never change; its links do, one number at a time, each always the number of a
// whole slot. See index.hpp for sources.
#pragma once
#include "core/vector/archive.hpp"
#include "core/vector/index.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace lumina::vector {

class Graph {
 public:
  using Slot = std::uint32_t;

  Graph(std::size_t dimensions, const IndexParameters& parameters);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Readers.
  std::size_t filled() const { return filled_.load(std::memory_order_acquire); }
  std::size_t living() const;
  bool linked() const { return linked_.load(std::memory_order_acquire); }
  std::optional<Slot> find(std::int64_t id) const;
  // Calls with each id's slot, or nothing, under one lock.
  void find_all(std::span<const std::int64_t> ids,
                const std::function<void(std::size_t, std::optional<Slot>)>& each) const;
  const float* vector(Slot slot) const;
  std::int64_t id(Slot slot) const;
  bool dead(Slot slot) const;
  // Nothing when the filter leaves so little that comparing all is cheaper.
  std::optional<std::vector<Hit>> search(const float* query, std::size_t k, std::size_t breadth,
                                         const Index::Accept& accept) const;
  std::vector<Hit> scan(const float* query, std::size_t k, const Index::Accept& accept) const;
  std::size_t memory() const;

  // Writers.
  // Fills slots with normalised rows and links them when there is a graph; false when cancelled.
  bool add(std::span<const std::int64_t> ids, std::span<const float> rows, const Work& work);
  bool kill(std::int64_t id);
  // Links what has been filled so far, from then on everything; false when cancelled.
  bool link_all(const Work& work);
  void save(ArchiveWriter& to) const;
  // Faults are left in the reader.
  void load(ArchiveReader& from);

 private:
  static constexpr std::size_t block_size = 1'024;
  static constexpr std::size_t most_blocks = 1U << 15U;  // 33 million slots
  static constexpr std::size_t batch_size = 128;
  static constexpr Slot none = ~Slot{0};

  struct Near {
    float score = 0;
    Slot slot = 0;
  };
  // A slot's links on one level: a count, then numbers of slots.
  using Links = std::atomic<Slot>*;
  struct Block;
  struct Planned;  // of a new slot: its links, level by level

  Block& block_of(Slot slot) const;
  unsigned level_of(Slot slot) const;
  Links links(Slot slot, unsigned level) const;
  std::size_t capacity(unsigned level) const { return level == 0 ? 2 * links_ : links_; }
  float closeness(Slot a, Slot b) const;
  bool before(const Near& a, const Near& b) const;

  Slot fill(std::int64_t id, const float* row);
  bool link(Slot first, std::size_t count, const Work& work);
  Planned plan(Slot slot, Slot batch_first, std::uint64_t entry) const;
  void connect(Slot target, unsigned level, std::span<const Slot> fresh);
  std::vector<Near> choose(std::vector<Near> candidates, std::size_t most) const;
  std::vector<Near> walk(const float* query, Slot from, unsigned level, std::size_t breadth) const;
  Slot descend(const float* query, std::uint64_t entry, unsigned down_to) const;
  static void store(Links list, std::span<const Near> chosen);

  const std::size_t dimensions_;
  const std::size_t links_;
  const std::size_t breadth_building_;
  std::unique_ptr<std::atomic<Block*>[]> blocks_;
  std::atomic<std::size_t> filled_ = 0;
  std::atomic<bool> linked_ = false;
  std::atomic<std::uint64_t> entry_;  // level in the high half, slot in the low; all ones: none
  mutable std::shared_mutex names_guard_;
  std::unordered_map<std::int64_t, Slot> names_;  // of living slots
};

}  // namespace lumina::vector

#include "core/vector/graph.hpp"

#include "core/vector/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_set>

namespace lumina::vector {
namespace {

constexpr std::uint64_t no_entry = ~std::uint64_t{0};
constexpr unsigned highest_level = 15;

std::uint64_t entry_of(unsigned level, std::uint32_t slot) {
  return (static_cast<std::uint64_t>(level) << 32U) | slot;
}
unsigned level_in(std::uint64_t entry) { return static_cast<unsigned>(entry >> 32U); }
std::uint32_t slot_in(std::uint64_t entry) { return static_cast<std::uint32_t>(entry); }

// By the id alone, so that the same contents have the same levels whatever their order.
unsigned drawn_level(std::int64_t id, std::size_t links) {
  auto x = static_cast<std::uint64_t>(id) + 0x9e3779b97f4a7c15ULL;  // splitmix64
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  x ^= x >> 31U;
  const double share = (static_cast<double>(x >> 11U) + 1) / 9'007'199'254'740'993.0;
  const auto level = -std::log(share) / std::log(static_cast<double>(links));
  return std::min(highest_level, static_cast<unsigned>(level));
}

// Marks of the slots a search has seen, kept by each thread: a mark is valid in the search that set it.
class Seen {
 public:
  explicit Seen(std::size_t slots) {
    if (marks().size() < slots) marks().resize(slots + slots / 4, 0);
    if (++turn() == 0) {
      std::ranges::fill(marks(), 0U);
      turn() = 1;
    }
  }
  // Slots that were filled after the search began are none of its business.
  bool first_time(std::uint32_t slot) {
    if (slot >= marks().size() || marks()[slot] == turn()) return false;
    marks()[slot] = turn();
    return true;
  }

 private:
  static std::vector<std::uint32_t>& marks() {
    thread_local std::vector<std::uint32_t> kept;
    return kept;
  }
  static std::uint32_t& turn() {
    thread_local std::uint32_t kept = 0;
    return kept;
  }
};

bool hit_before(const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; }

// The k best so far; the worst of them on top of a heap.
class Best {
 public:
  explicit Best(std::size_t k) : k_(k) { hits_.reserve(k + 1); }
  bool full() const { return hits_.size() == k_; }
  bool welcomes(float score) const { return !full() || score >= hits_.front().score; }
  void add(Hit hit) {
    if (full() && !hit_before(hit, hits_.front())) return;
    hits_.push_back(hit);
    std::ranges::push_heap(hits_, hit_before);
    if (hits_.size() > k_) {
      std::ranges::pop_heap(hits_, hit_before);
      hits_.pop_back();
    }
  }
  std::vector<Hit> sorted() && {
    std::ranges::sort(hits_, hit_before);
    return std::move(hits_);
  }

 private:
  std::size_t k_;
  std::vector<Hit> hits_;
};

// While a vector is replaced, its old and its new one may both be found: the better one stays.
std::vector<Hit> without_repeats(std::vector<Hit> hits, std::size_t k) {
  std::unordered_set<std::int64_t> had;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hits.size() && kept < k; ++i)
    if (had.insert(hits[i].id).second) hits[kept++] = hits[i];
  hits.resize(kept);
  return hits;
}

}  // namespace

struct Graph::Block {
  Block(std::size_t dimensions, std::size_t bottom)
      : vectors(block_size * dimensions),
        ids(block_size),
        levels(block_size),
        dead(block_size),
        bottom_links(block_size * (bottom + 1)),
        upper_links(block_size) {}

  std::vector<float> vectors;
  std::vector<std::int64_t> ids;
  std::vector<std::uint8_t> levels;
  std::vector<std::atomic<bool>> dead;
  std::vector<std::atomic<Slot>> bottom_links;
  std::vector<std::unique_ptr<std::atomic<Slot>[]>> upper_links;
};

struct Graph::Planned {
  std::vector<std::vector<Near>> levels;
};

Graph::Graph(std::size_t dimensions, const IndexParameters& parameters)
    : dimensions_(dimensions),
      links_(std::clamp(parameters.links, 4U, 64U)),
      breadth_building_(std::max<std::size_t>(parameters.breadth_building, links_)),
      blocks_(std::make_unique<std::atomic<Block*>[]>(most_blocks)),
      entry_(no_entry) {}

Graph::~Graph() {
  for (std::size_t i = 0; i < most_blocks; ++i) delete blocks_[i].load(std::memory_order_relaxed);
}

std::size_t Graph::living() const {
  const std::shared_lock lock(names_guard_);
  return names_.size();
}

std::optional<Graph::Slot> Graph::find(std::int64_t id) const {
  const std::shared_lock lock(names_guard_);
  const auto found = names_.find(id);
  if (found == names_.end()) return {};
  return found->second;
}

void Graph::find_all(std::span<const std::int64_t> ids,
                     const std::function<void(std::size_t, std::optional<Slot>)>& each) const {
  const std::shared_lock lock(names_guard_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = names_.find(ids[i]);
    each(i, found == names_.end() ? std::optional<Slot>{} : std::optional(found->second));
  }
}

Graph::Block& Graph::block_of(Slot slot) const {
  return *blocks_[slot / block_size].load(std::memory_order_acquire);
}
const float* Graph::vector(Slot slot) const {
  return block_of(slot).vectors.data() + (slot % block_size) * dimensions_;
}
std::int64_t Graph::id(Slot slot) const { return block_of(slot).ids[slot % block_size]; }
bool Graph::dead(Slot slot) const {
  return block_of(slot).dead[slot % block_size].load(std::memory_order_acquire);
}
unsigned Graph::level_of(Slot slot) const { return block_of(slot).levels[slot % block_size]; }

Graph::Links Graph::links(Slot slot, unsigned level) const {
  auto& block = block_of(slot);
  if (level == 0) return block.bottom_links.data() + (slot % block_size) * (capacity(0) + 1);
  return block.upper_links[slot % block_size].get() + (level - 1) * (capacity(1) + 1);
}

float Graph::closeness(Slot a, Slot b) const { return dot_product(vector(a), vector(b), dimensions_); }
bool Graph::before(const Near& a, const Near& b) const {
  return a.score != b.score ? a.score > b.score : a.slot < b.slot;
}

std::size_t Graph::memory() const {
  const auto blocks = (filled() + block_size - 1) / block_size;
  const auto a_slot = dimensions_ * sizeof(float) + (capacity(0) + 1) * sizeof(Slot) + 48;
  return blocks * block_size * a_slot;
}

Graph::Slot Graph::fill(std::int64_t id, const float* row) {
  const auto slot = static_cast<Slot>(filled_.load(std::memory_order_relaxed));
  auto& place = blocks_[slot / block_size];
  if (place.load(std::memory_order_relaxed) == nullptr)
    place.store(new Block(dimensions_, capacity(0)), std::memory_order_release);
  auto& block = block_of(slot);
  const auto at = slot % block_size;
  std::copy_n(row, dimensions_, block.vectors.begin() + static_cast<std::ptrdiff_t>(at * dimensions_));
  block.ids[at] = id;
  const auto level = drawn_level(id, links_);
  block.levels[at] = static_cast<std::uint8_t>(level);
  if (level > 0) block.upper_links[at] = std::make_unique<std::atomic<Slot>[]>(level * (capacity(1) + 1));
  return slot;
}

bool Graph::add(std::span<const std::int64_t> ids, std::span<const float> rows, const Work& work) {
  for (std::size_t from = 0; from < ids.size(); from += batch_size) {
    if (work.stopped()) return false;
    const auto count = std::min(batch_size, ids.size() - from);
    const auto first = static_cast<Slot>(filled_.load(std::memory_order_relaxed));
    for (std::size_t i = 0; i < count; ++i) {
      fill(ids[from + i], rows.data() + (from + i) * dimensions_);
      // Found by comparing all from here on; by the graph when it is linked.
      filled_.store(first + i + 1, std::memory_order_release);
    }
    // What is begun is finished: half a batch in the graph would never be found.
    Work whole = work;
    whole.cancelled = {};
    whole.progress = {};
    if (linked_.load(std::memory_order_relaxed)) link(first, count, whole);
    {
      const std::unique_lock lock(names_guard_);
      for (std::size_t i = 0; i < count; ++i) {
        const auto slot = static_cast<Slot>(first + i);
        const auto [at, fresh] = names_.try_emplace(ids[from + i], slot);
        if (fresh) continue;
        auto& old = block_of(at->second).dead[at->second % block_size];
        old.store(true, std::memory_order_release);
        at->second = slot;
      }
    }
    work.report(static_cast<double>(from + count) / static_cast<double>(ids.size()));
  }
  return true;
}

bool Graph::kill(std::int64_t id) {
  const std::unique_lock lock(names_guard_);
  const auto found = names_.find(id);
  if (found == names_.end()) return false;
  block_of(found->second).dead[found->second % block_size].store(true, std::memory_order_release);
  names_.erase(found);
  return true;
}

bool Graph::link_all(const Work& work) {
  const auto count = filled_.load(std::memory_order_relaxed);
  Work quiet = work;
  quiet.progress = {};
  for (std::size_t from = 0; from < count; from += batch_size) {
    if (!link(static_cast<Slot>(from), std::min(batch_size, count - from), quiet)) return false;
    work.report(static_cast<double>(from) / static_cast<double>(count));
  }
  linked_.store(true, std::memory_order_release);
  return true;
}

// Links a batch of filled slots: first each one's own links are chosen, against the graph as it was and the
// batch itself, then the slots they chose link back. Both steps touch nothing that another piece of the same
// step reads, so they run in parallel and the outcome is the same for any number of threads.
bool Graph::link(Slot first, std::size_t count, const Work& work) {
  auto entry = entry_.load(std::memory_order_relaxed);
  std::vector<Planned> plans(count);
  const auto planned = for_pieces(count, 8, work, [&](std::size_t from, std::size_t to) {
    for (auto i = from; i < to; ++i) plans[i] = plan(static_cast<Slot>(first + i), first, entry);
  });
  if (!planned) return false;

  struct Back {
    Slot target;
    unsigned level;
    Slot fresh;
  };
  std::vector<Back> backs;
  for (std::size_t i = 0; i < count; ++i) {
    const auto slot = static_cast<Slot>(first + i);
    for (unsigned level = 0; level < plans[i].levels.size(); ++level) {
      store(links(slot, level), plans[i].levels[level]);
      for (const auto& near : plans[i].levels[level]) backs.push_back({near.slot, level, slot});
    }
  }
  std::ranges::sort(backs, [](const Back& a, const Back& b) {
    return std::tie(a.target, a.level, a.fresh) < std::tie(b.target, b.level, b.fresh);
  });
  std::vector<std::size_t> groups;
  for (std::size_t i = 0; i < backs.size(); ++i)
    if (i == 0 || backs[i].target != backs[i - 1].target || backs[i].level != backs[i - 1].level)
      groups.push_back(i);
  groups.push_back(backs.size());
  // Not to be cancelled: own links without those back would lead nowhere.
  Work whole = work;
  whole.cancelled = {};
  for_pieces(groups.size() - 1, 32, whole, [&](std::size_t from, std::size_t to) {
    std::vector<Slot> fresh;
    for (auto group = from; group < to; ++group) {
      fresh.clear();
      for (auto i = groups[group]; i < groups[group + 1]; ++i) fresh.push_back(backs[i].fresh);
      connect(backs[groups[group]].target, backs[groups[group]].level, fresh);
    }
  });

  for (std::size_t i = 0; i < count; ++i) {
    const auto slot = static_cast<Slot>(first + i);
    if (entry == no_entry || level_of(slot) > level_in(entry)) entry = entry_of(level_of(slot), slot);
  }
  entry_.store(entry, std::memory_order_release);
  return true;
}

Graph::Planned Graph::plan(Slot slot, Slot batch_first, std::uint64_t entry) const {
  const auto* query = vector(slot);
  const auto own = level_of(slot);
  Planned planned;
  planned.levels.resize(own + 1);
  Slot from = entry == no_entry ? none : descend(query, entry, own);
  for (auto level = own + 1; level-- > 0;) {
    std::vector<Near> candidates;
    if (from != none && level <= level_in(entry)) {
      candidates = walk(query, from, level, breadth_building_);
      if (!candidates.empty()) from = candidates.front().slot;
    }
    for (auto mate = batch_first; mate < slot; ++mate)
      if (level_of(mate) >= level) candidates.push_back({closeness(slot, mate), mate});
    planned.levels[level] = choose(std::move(candidates), links_);
  }
  return planned;
}

// Algorithm 4: a candidate is kept when no kept one is closer to it than the slot itself; what is left fills
// the rest, nearest first, so that many equal vectors stay in reach.
std::vector<Graph::Near> Graph::choose(std::vector<Near> candidates, std::size_t most) const {
  std::ranges::sort(candidates, [this](const Near& a, const Near& b) { return before(a, b); });
  if (candidates.size() <= most) return candidates;
  std::vector<Near> kept;
  std::vector<Near> passed;
  kept.reserve(most);
  for (const auto& candidate : candidates) {
    if (kept.size() == most) break;
    const bool apart = std::ranges::all_of(
        kept, [&](const Near& other) { return closeness(candidate.slot, other.slot) < candidate.score; });
    (apart ? kept : passed).push_back(candidate);
  }
  for (std::size_t i = 0; i < passed.size() && kept.size() < most; ++i) kept.push_back(passed[i]);
  return kept;
}

void Graph::connect(Slot target, unsigned level, std::span<const Slot> fresh) {
  const auto list = links(target, level);
  const auto count = list[0].load(std::memory_order_relaxed);
  if (count + fresh.size() <= capacity(level)) {
    for (std::size_t i = 0; i < fresh.size(); ++i)
      list[count + 1 + i].store(fresh[i], std::memory_order_release);
    list[0].store(static_cast<Slot>(count + fresh.size()), std::memory_order_release);
    return;
  }
  std::vector<Near> candidates;
  for (Slot i = 1; i <= count; ++i) {
    const auto slot = list[i].load(std::memory_order_relaxed);
    candidates.push_back({closeness(target, slot), slot});
  }
  for (const auto slot : fresh) candidates.push_back({closeness(target, slot), slot});
  store(list, choose(std::move(candidates), capacity(level)));
}

// A reader that comes in between sees some old and some new links, each of them good.
void Graph::store(Links list, std::span<const Near> chosen) {
  for (std::size_t i = 0; i < chosen.size(); ++i)
    list[i + 1].store(chosen[i].slot, std::memory_order_release);
  list[0].store(static_cast<Slot>(chosen.size()), std::memory_order_release);
}

Graph::Slot Graph::descend(const float* query, std::uint64_t entry, unsigned down_to) const {
  auto at = slot_in(entry);
  auto score = dot_product(query, vector(at), dimensions_);
  for (auto level = level_in(entry); level > down_to; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      const auto list = links(at, level);
      const auto count = list[0].load(std::memory_order_acquire);
      for (Slot i = 1; i <= count; ++i) {
        const auto next = list[i].load(std::memory_order_acquire);
        const auto closer = dot_product(query, vector(next), dimensions_);
        if (closer > score) {
          score = closer;
          at = next;
          moved = true;
        }
      }
    }
  }
  return at;
}

// Algorithm 2, over living and dead alike: for linking.
std::vector<Graph::Near> Graph::walk(const float* query, Slot from, unsigned level,
                                     std::size_t breadth) const {
  Seen seen(filled());
  const auto better = [this](const Near& a, const Near& b) { return before(a, b); };
  const auto worse = [this](const Near& a, const Near& b) { return before(b, a); };
  std::vector<Near> open;   // best on top
  std::vector<Near> found;  // worst on top
  const auto take = [&](Slot slot) {
    const Near near{dot_product(query, vector(slot), dimensions_), slot};
    if (found.size() >= breadth && !better(near, found.front())) return;
    open.push_back(near);
    std::ranges::push_heap(open, worse);
    found.push_back(near);
    std::ranges::push_heap(found, better);
    if (found.size() > breadth) {
      std::ranges::pop_heap(found, better);
      found.pop_back();
    }
  };
  seen.first_time(from);
  take(from);
  while (!open.empty()) {
    std::ranges::pop_heap(open, worse);
    const auto nearest = open.back();
    open.pop_back();
    if (found.size() >= breadth && better(found.front(), nearest)) break;
    const auto list = links(nearest.slot, level);
    const auto count = list[0].load(std::memory_order_acquire);
    for (Slot i = 1; i <= count; ++i) __builtin_prefetch(vector(list[i].load(std::memory_order_relaxed)));
    for (Slot i = 1; i <= count; ++i) {
      const auto next = list[i].load(std::memory_order_acquire);
      if (seen.first_time(next)) take(next);
    }
  }
  std::ranges::sort(found, better);
  return found;
}

std::optional<std::vector<Hit>> Graph::search(const float* query, std::size_t k, std::size_t breadth,
                                              const Index::Accept& accept) const {
  const auto entry = entry_.load(std::memory_order_acquire);
  if (entry == no_entry) return std::vector<Hit>{};
  const auto slots = filled();
  Seen seen(slots);
  const auto worse = [this](const Near& a, const Near& b) { return before(b, a); };
  std::vector<Near> open;
  open.reserve(4 * breadth);
  Best best(std::max(breadth, k));
  // A filter that accepts little makes the walk go on and on: then comparing all is cheaper.
  std::size_t budget = std::max<std::size_t>(slots / 4, 40 * breadth);
  const auto take = [&](Slot slot) {
    const Near near{dot_product(query, vector(slot), dimensions_), slot};
    if (budget > 0) --budget;
    if (!best.welcomes(near.score)) return;
    open.push_back(near);
    std::ranges::push_heap(open, worse);
    if (!dead(slot) && (!accept || accept(id(slot)))) best.add({id(slot), near.score});
  };
  const auto start = descend(query, entry, 0);
  seen.first_time(start);
  take(start);
  while (!open.empty()) {
    std::ranges::pop_heap(open, worse);
    const auto nearest = open.back();
    open.pop_back();
    if (!best.welcomes(nearest.score)) break;
    if (budget == 0) return {};
    const auto list = links(nearest.slot, 0);
    const auto count = list[0].load(std::memory_order_acquire);
    for (Slot i = 1; i <= count; ++i) __builtin_prefetch(vector(list[i].load(std::memory_order_relaxed)));
    for (Slot i = 1; i <= count; ++i) {
      const auto next = list[i].load(std::memory_order_acquire);
      if (seen.first_time(next)) take(next);
    }
  }
  auto hits = std::move(best).sorted();
  auto once = without_repeats(std::move(hits), k);
  // A corner of the graph that holds fewer than were asked for.
  if (once.size() < k && once.size() < living()) return {};
  return once;
}

std::vector<Hit> Graph::scan(const float* query, std::size_t k, const Index::Accept& accept) const {
  const auto slots = filled();
  Best best(k + 1);  // one more: a vector may be there twice while it is replaced
  for (Slot slot = 0; slot < slots; ++slot) {
    if (dead(slot)) continue;
    const auto score = dot_product(query, vector(slot), dimensions_);
    if (best.welcomes(score) && (!accept || accept(id(slot)))) best.add({id(slot), score});
  }
  return without_repeats(std::move(best).sorted(), k);
}

void Graph::save(ArchiveWriter& to) const {
  const auto slots = static_cast<Slot>(filled());
  std::vector<std::int64_t> ids(slots);
  std::vector<std::uint8_t> dead_ones(slots);
  for (Slot slot = 0; slot < slots; ++slot) {
    ids[slot] = id(slot);
    dead_ones[slot] = dead(slot) ? 1 : 0;
  }
  to.put<std::uint64_t>(links_);
  to.put_all(ids);
  to.put_all(dead_ones);
  for (Slot slot = 0; slot < slots; ++slot) to.put_all(std::span(vector(slot), dimensions_));
  to.put<std::uint8_t>(linked() ? 1 : 0);
  if (!linked()) return;
  to.put<std::uint64_t>(entry_.load());
  std::vector<Slot> numbers;
  for (Slot slot = 0; slot < slots; ++slot)
    for (unsigned level = 0; level <= level_of(slot); ++level) {
      const auto list = links(slot, level);
      const auto count = list[0].load();
      numbers.push_back(count);
      for (Slot i = 1; i <= count; ++i) numbers.push_back(list[i].load());
    }
  to.put_all(numbers);
}

void Graph::load(ArchiveReader& from) {
  if (from.take<std::uint64_t>() != links_) {
    from.spoil("its graph has another width");
    return;
  }
  const auto ids = from.take_all<std::int64_t>();
  const auto dead_ones = from.take_all<std::uint8_t>();
  if (!from.good() || dead_ones.size() != ids.size() || ids.size() > block_size * most_blocks) {
    from.spoil("its tables do not fit each other");
    return;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto row = from.take_all<float>();
    if (row.size() != dimensions_) {
      from.spoil("a vector has another size");
      return;
    }
    const auto slot = fill(ids[i], row.data());
    filled_.store(slot + 1);
    if (dead_ones[i] != 0)
      block_of(slot).dead[slot % block_size] = true;
    else if (!names_.try_emplace(ids[i], slot).second)
      from.spoil("an id is there twice");
  }
  if (from.take<std::uint8_t>() == 0) return;
  const auto entry = from.take<std::uint64_t>();
  const auto numbers = from.take_all<Slot>();
  if (!from.good()) return;
  std::size_t next = 0;
  for (Slot slot = 0; slot < ids.size(); ++slot)
    for (unsigned level = 0; level <= level_of(slot); ++level) {
      const std::size_t count = next < numbers.size() ? numbers[next++] : capacity(level) + 1;
      if (count > capacity(level) || count > numbers.size() - next) {
        from.spoil("a list of links is too long");
        return;
      }
      const auto list = links(slot, level);
      for (std::size_t i = 0; i < count; ++i) {
        const auto to = numbers[next++];
        if (to >= ids.size() || level_of(to) < level) {
          from.spoil("a link leads nowhere");
          return;
        }
        list[i + 1].store(to);
      }
      list[0].store(static_cast<Slot>(count));
    }
  const bool sound = ids.empty() ? entry == no_entry
                                 : slot_in(entry) < ids.size() && level_in(entry) == level_of(slot_in(entry));
  if (next != numbers.size() || !sound) {
    from.spoil("its graph has no entry");
    return;
  }
  entry_.store(entry);
  linked_.store(true);
}

}  // namespace lumina::vector

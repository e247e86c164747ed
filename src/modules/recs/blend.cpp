#include "modules/recs/blend.hpp"

#include "core/vector/kernels.hpp"
#include "modules/recs/candidates.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::recs {
namespace {

constexpr std::array part_names = {"neighbours", "sequence", "linear", "factors",   "content",
                                   "author",     "series",   "genre",  "popularity"};
static_assert(part_names.size() == part_count);
constexpr std::array strategy_names = {"hybrid", "collaborative", "content", "popular"};

constexpr std::size_t at(Part part) { return static_cast<std::size_t>(part); }

// A stated preference as a share of the best score: it decides for somebody unknown, and is never nothing.
float preference_share(std::size_t books) { return 0.5F + 1.5F / (1.0F + static_cast<float>(books)); }

Weights masked(Weights weights, Strategy strategy) {
  constexpr auto first_of_content = at(Part::content);
  for (std::size_t part = 0; part < part_count; ++part) {
    const bool collaborative = part < first_of_content;
    const bool popularity = part == at(Part::popularity);
    const bool wanted = strategy == Strategy::hybrid ||
                        (strategy == Strategy::collaborative && collaborative) ||
                        (strategy == Strategy::content && !collaborative && !popularity) ||
                        (strategy == Strategy::popular && popularity);
    if (!wanted) weights[part] = 0;
  }
  if (strategy == Strategy::popular) weights[at(Part::popularity)] = 1;
  return weights;
}

struct Scored {
  std::uint32_t slot = 0;
  float score = 0;
  bool preferred = false;
};

bool better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.slot < b.slot;
}

// Greedy maximal marginal relevance: each next one is good and unlike those before it.
class Variety {
 public:
  Variety(const Catalogue::Table& table, const vector::Index* index, std::span<const Scored> pool)
      : table_(table) {
    if (index == nullptr) return;
    for (const auto& one : pool) vectors_.push_back(index->vector_of(table.items[one.slot].id));
  }

  std::vector<std::size_t> choose(std::span<const Scored> pool, std::size_t limit, float diversity) const {
    std::vector<std::size_t> chosen;
    std::vector<float> likeness(pool.size(), 0.0F);
    std::vector<bool> taken(pool.size());
    const float top = pool.empty() ? 1 : std::max(pool.front().score, 1e-6F);
    while (chosen.size() < std::min(limit, pool.size())) {
      std::size_t best = pool.size();
      float best_value = 0;
      for (std::size_t i = 0; i < pool.size(); ++i) {
        if (taken[i]) continue;
        // At full variety the order is by likeness first: one author's second book comes when all else is
        // gone.
        const float value = (1 - 0.5F * diversity) * std::max(pool[i].score, 0.0F) / top -
                            diversity * likeness[i] * (diversity >= 1 && likeness[i] >= 1 ? 100 : 1);
        if (best == pool.size() || value > best_value) {
          best = i;
          best_value = value;
        }
      }
      taken[best] = true;
      chosen.push_back(best);
      for (std::size_t i = 0; i < pool.size(); ++i)
        if (!taken[i]) likeness[i] = std::max(likeness[i], alike(pool, best, i));
    }
    return chosen;
  }

 private:
  float alike(std::span<const Scored> pool, std::size_t a, std::size_t b) const {
    const auto& left = table_.items[pool[a].slot];
    const auto& right = table_.items[pool[b].slot];
    for (const auto author : left.authors)
      if (std::ranges::find(right.authors, author) != right.authors.end()) return 1;
    if (a < vectors_.size() && vectors_[a] && vectors_[b])
      return std::clamp(vector::dot(*vectors_[a], *vectors_[b]), 0.0F, 0.99F);
    return left.genre != 0 && left.genre == right.genre ? 0.5F : 0.0F;
  }

  const Catalogue::Table& table_;
  std::vector<std::optional<std::vector<float>>> vectors_;
};

// Which book of the history spoke most for this one, and how: by the same sums that ranked it.
Reason reason_for(const CollaborativeModel* model, const Catalogue& catalogue, const Catalogue::Table& table,
                  const History& history, const Candidates& candidates, const Weights& weights,
                  const Scored& chosen, float bonus) {
  const auto& item = table.items[chosen.slot];
  Reason best{chosen.preferred ? ReasonKind::preference : ReasonKind::popular, 0};
  float most = chosen.preferred ? bonus : 0;
  const auto scaled = [&](Part part) {
    const auto spread = candidates.spread[at(part)];
    return spread > 0 ? weights[at(part)] / spread : 0;
  };
  if (!chosen.preferred) most = scaled(Part::popularity) * item.fame;

  const auto entries = history.entries();
  std::vector<float> readers(entries.size(), 0.0F);
  if (model != nullptr)
    for (const auto algorithm : all_algorithms) {
      const auto factor = scaled(static_cast<Part>(algorithm));
      if (factor <= 0) continue;
      const auto shares = model->contributions(algorithm, history, item.id);
      for (std::size_t i = 0; i < shares.size(); ++i) readers[i] += factor * shares[i];
    }
  std::vector<std::int64_t> ids;
  for (const auto& entry : entries) ids.push_back(entry.book);
  std::vector<float> likeness(ids.size(), 0.0F);
  if (const auto* index = catalogue.index())
    if (const auto vector = index->vector_of(item.id)) index->scores(*vector, ids, likeness);
  const auto weight_of = history.weights(candidates.half_life);
  const auto offer = [&](ReasonKind kind, std::int64_t book, float value) {
    if (value <= most) return;
    most = value;
    best = {kind, book};
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].strength <= 0) continue;
    offer(ReasonKind::readers, entries[i].book, readers[i]);
    offer(ReasonKind::content, entries[i].book, scaled(Part::content) * weight_of[i] * likeness[i]);
    const auto found = table.slots.find(entries[i].book);
    if (found == table.slots.end()) continue;
    const auto& read = table.items[found->second];
    offer(ReasonKind::author, entries[i].book,
          scaled(Part::author) * weight_of[i] * author_match(read, item));
    offer(ReasonKind::genre, entries[i].book, scaled(Part::genre) * weight_of[i] * genre_match(read, item));
    const auto place = series_match(read, item);
    const bool next =
        place > 0 && item.series_number > read.series_number && item.series_number <= read.series_number + 1;
    offer(next ? ReasonKind::next : ReasonKind::series, entries[i].book,
          scaled(Part::series) * weight_of[i] * place);
  }
  return best;
}

}  // namespace

std::string_view name_of(Part part) { return part_names[at(part)]; }
std::optional<Part> part_named(std::string_view name) {
  for (std::size_t i = 0; i < part_count; ++i)
    if (part_names[i] == name) return static_cast<Part>(i);
  return {};
}
std::string_view name_of(Strategy strategy) { return strategy_names[static_cast<std::size_t>(strategy)]; }
std::optional<Strategy> strategy_named(std::string_view name) {
  for (std::size_t i = 0; i < strategy_names.size(); ++i)
    if (strategy_names[i] == name) return static_cast<Strategy>(i);
  return {};
}
std::string_view name_of(ReasonKind kind) {
  static constexpr std::array names = {"readers", "next",  "series",     "author",
                                       "content", "genre", "preference", "popular"};
  return names[static_cast<std::size_t>(kind)];
}

BlendWeights::BlendWeights() : rows() {
  rows[0] = {0.5F, 0.5F, 0.2F, 0.1F, 0.5F, 0.3F, 0.4F, 0.2F, 0.4F};
  rows[1] = {0.6F, 0.6F, 0.3F, 0.1F, 0.4F, 0.3F, 0.4F, 0.2F, 0.3F};
  rows[2] = {0.7F, 0.7F, 0.4F, 0.2F, 0.3F, 0.2F, 0.4F, 0.1F, 0.2F};
  rows[3] = {0.8F, 0.8F, 0.5F, 0.2F, 0.2F, 0.2F, 0.4F, 0.1F, 0.2F};
}

Weights BlendWeights::at(std::size_t books) const {
  const auto above = std::ranges::lower_bound(lengths, books);
  if (above == lengths.begin()) return rows.front();
  if (above == lengths.end()) return rows.back();
  const auto high = static_cast<std::size_t>(above - lengths.begin());
  const auto low = high - 1;
  const auto log = [](std::size_t value) { return std::log(static_cast<float>(value)); };
  const auto share = (log(books) - log(lengths[low])) / (log(lengths[high]) - log(lengths[low]));
  Weights weights{};
  for (std::size_t part = 0; part < part_count; ++part)
    weights[part] = (1 - share) * rows[low][part] + share * rows[high][part];
  return weights;
}

void BlendWeights::save(vector::ArchiveWriter& to) const {
  for (const auto& row : rows) to.put_all(std::span<const float>(row));
}

BlendWeights BlendWeights::load(vector::ArchiveReader& from) {
  BlendWeights weights;
  for (auto& row : weights.rows) {
    const auto values = from.take_all<float>();
    if (values.size() == row.size() && std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
      std::ranges::copy(values, row.begin());
    else
      from.spoil("its weights are of other parts");
  }
  return weights;
}

std::vector<Ranked> rank(const CollaborativeModel* model, const BlendWeights& weights,
                         const Catalogue& catalogue, const History& history, const RankRequest& request) {
  std::vector<Ranked> ranked;
  if (request.limit == 0) return ranked;
  const auto table = catalogue.read();
  const auto used = masked(request.weights.value_or(weights.at(history.size())), request.strategy);

  std::vector<std::uint64_t> genres;
  std::vector<std::uint64_t> authors;
  for (const auto& genre : request.genres)
    if (const auto key = key_of(genre); key != 0) genres.push_back(key);
  for (const auto& line : request.authors)
    for (const auto& author : authors_of(line)) authors.push_back(author_key(author));
  const auto preferred = [&](const Item& item) {
    const auto in = [](const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
      return std::ranges::find_first_of(a, b) != a.end();
    };
    return in(item.genres, genres) || in(item.authors, authors);
  };
  const bool prefers = request.strategy != Strategy::popular && (!genres.empty() || !authors.empty());

  const auto welcome = [&](const Item& item) {
    return item.live && !(request.exclude_history && history.contains(item.id)) &&
           (!request.accept || request.accept(item.id));
  };
  CandidateRequest wanted;
  wanted.weights = used;
  wanted.welcome = welcome;
  wanted.popular = std::max<std::size_t>(200, 10 * request.limit);
  if (prefers) {
    wanted.genres = genres;
    wanted.authors = authors;
  }
  const auto candidates = candidates_for(model, catalogue, *table, history, wanted);

  std::vector<Scored> pool;
  pool.reserve(candidates.slots.size());
  for (std::size_t i = 0; i < candidates.slots.size(); ++i) {
    Scored one{candidates.slots[i], 0, false};
    for (std::size_t part = 0; part < part_count; ++part)
      one.score += used[part] * candidates.values[i][part];
    pool.push_back(one);
  }
  float bonus = 0;
  for (const auto& one : pool) bonus = std::max(bonus, one.score);
  bonus = (bonus > 0 ? bonus : 1) * preference_share(history.size());
  for (auto& one : pool) {
    const auto& item = table->items[one.slot];
    one.preferred = prefers && preferred(item);
    if (one.preferred) one.score += bonus;
    if (request.damping && one.score > 0) one.score *= std::clamp(request.damping(item.id), 0.0F, 1.0F);
  }
  const auto kept = std::min(
      pool.size(), request.diversity > 0 ? std::max<std::size_t>(200, 20 * request.limit) : request.limit);
  std::ranges::partial_sort(pool, pool.begin() + static_cast<std::ptrdiff_t>(kept), better);
  pool.resize(kept);

  std::vector<std::size_t> order;
  if (request.diversity > 0) {
    order = Variety(*table, catalogue.index(), pool)
                .choose(pool, request.limit, std::clamp(request.diversity, 0.0F, 1.0F));
  } else {
    for (std::size_t i = 0; i < pool.size(); ++i) order.push_back(i);
  }
  const float top = pool.empty() ? 1 : std::max(pool.front().score, 1e-6F);
  for (const auto place : order)
    ranked.push_back({table->items[pool[place].slot].id, std::max(pool[place].score, 0.0F) / top,
                      reason_for(model, catalogue, *table, history, candidates, used, pool[place], bonus)});
  return ranked;
}

}  // namespace lumina::recs

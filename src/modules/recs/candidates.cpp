#include "modules/recs/candidates.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::recs {
namespace {

constexpr std::size_t by_content = 200;
constexpr std::size_t by_an_algorithm = 500;
constexpr std::size_t sampled = 512;
constexpr std::size_t of_an_author = 100;
constexpr std::size_t of_a_genre = 200;
// What is older changes nothing: by then its weight is below a thousandth at any useful half-life.
constexpr std::size_t entries_of_content = 60;

constexpr std::size_t at(Part part) { return static_cast<std::size_t>(part); }

float deviation(double sum, double squares, double count) {
  if (count < 1) return 0;
  const auto mean = sum / count;
  return static_cast<float>(std::sqrt(std::max(0.0, squares / count - mean * mean)));
}

class Gathering {
 public:
  Gathering(const Catalogue::Table& table, const CandidateRequest& request)
      : table_(table), request_(request), state_(table.items.size(), State::unseen) {}

  void offer(std::uint32_t slot) {
    auto& state = state_[slot];
    if (state != State::unseen) return;
    state = request_.welcome(table_.items[slot]) ? State::taken : State::refused;
    if (state == State::taken) slots.push_back(slot);
  }
  // The `most` highest that are welcome. Rearranges `from`.
  void offer_best(std::vector<std::uint32_t>& from, const std::vector<float>& scores, std::size_t most) {
    const auto higher = [&](std::uint32_t a, std::uint32_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
    };
    std::size_t had = 0;
    auto begin = from.begin();
    // Where few are welcome, each step looks at twice as many.
    for (auto step = static_cast<std::ptrdiff_t>(most); begin != from.end() && had < most; step *= 2) {
      const auto end = begin + std::min(step, from.end() - begin);
      if (end != from.end()) std::ranges::nth_element(begin, end, from.end(), higher);
      for (; begin != end; ++begin) {
        offer(*begin);
        if (state_[*begin] == State::taken) ++had;
      }
    }
  }
  void offer_popular(std::size_t most) {
    std::size_t had = 0;
    for (const auto slot : table_.by_popularity) {
      if (had >= most) return;
      offer(slot);
      if (state_[slot] == State::taken) ++had;
    }
  }
  // Of a list, the `most` most popular that are welcome.
  void offer_list(const std::unordered_map<std::uint64_t, std::vector<std::uint32_t>>& lists,
                  std::uint64_t key, std::size_t most) {
    const auto found = lists.find(key);
    if (key == 0 || found == lists.end()) return;
    auto list = found->second;
    std::ranges::sort(list, [&](std::uint32_t a, std::uint32_t b) {
      const auto left = table_.items[a].popularity;
      const auto right = table_.items[b].popularity;
      return left != right ? left > right : a < b;
    });
    std::size_t had = 0;
    for (const auto slot : list) {
      if (had >= most) return;
      offer(slot);
      if (state_[slot] == State::taken) ++had;
    }
  }

  std::vector<std::uint32_t> slots;

 private:
  enum class State : std::uint8_t { unseen, taken, refused };
  const Catalogue::Table& table_;
  const CandidateRequest& request_;
  std::vector<State> state_;
};

// What the history says by names: authors, genres and series that were read, with weights.
class Names {
 public:
  Names(const Catalogue::Table& table, const History& history, const std::vector<float>& weights) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto found = table.slots.find(history.entries()[i].book);
      if (found == table.slots.end() || weights[i] == 0) continue;
      const auto& item = table.items[found->second];
      read_.push_back({&item, weights[i]});
      if (item.author != 0) authors_[item.author] += weights[i];
      for (const auto genre : item.genres)
        genres_[genre] += weights[i] / std::sqrt(static_cast<float>(item.genres.size()));
      if (item.series != 0) series_[item.series].push_back(read_.size() - 1);
    }
  }

  const std::unordered_map<std::uint64_t, float>& authors() const { return authors_; }
  const std::unordered_map<std::uint64_t, std::vector<std::size_t>>& series() const { return series_; }

  float author(const Item& item) const { return found(authors_, item.author); }
  float genre(const Item& item) const {
    float sum = 0;
    for (const auto genre : item.genres) sum += found(genres_, genre);
    return item.genres.empty() ? 0 : sum / std::sqrt(static_cast<float>(item.genres.size()));
  }
  float series(const Item& item) const {
    const auto list = series_.find(item.series);
    if (item.series == 0 || list == series_.end()) return 0;
    float sum = 0;
    for (const auto place : list->second) sum += read_[place].weight * series_match(*read_[place].item, item);
    return sum;
  }

 private:
  struct Read {
    const Item* item;
    float weight;
  };
  static float found(const std::unordered_map<std::uint64_t, float>& map, std::uint64_t key) {
    const auto at = map.find(key);
    return key == 0 || at == map.end() ? 0 : at->second;
  }

  std::vector<Read> read_;
  std::unordered_map<std::uint64_t, float> authors_, genres_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> series_;
};

// The direction of what was read; empty when nothing of it has a vector.
std::vector<float> taste(const vector::Index& index, const History& history,
                         const std::vector<float>& weights) {
  std::vector<float> sum(index.dimensions(), 0.0F);
  const auto first = weights.size() > entries_of_content ? weights.size() - entries_of_content : 0;
  for (auto i = first; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    const auto vector = index.vector_of(history.entries()[i].book);
    if (!vector) continue;
    for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += weights[i] * (*vector)[d];
  }
  if (!vector::normalise(sum)) sum.clear();
  return sum;
}

}  // namespace

std::uint64_t author_key(std::string_view author) { return key_of(author); }

float author_match(const Item& read, const Item& other) {
  return read.author != 0 && read.author == other.author ? 1.0F : 0.0F;
}

// The next one above all, then those after it; what came before the one that was read least.
float series_match(const Item& read, const Item& other) {
  if (read.series == 0 || read.series != other.series) return 0;
  const auto ahead = other.series_number - read.series_number;
  if (ahead > 0 && ahead <= 1) return 1;
  if (ahead > 1) return std::max(0.25F, 0.6F / ahead);
  return 0.25F;
}

float genre_match(const Item& read, const Item& other) {
  if (read.genres.empty() || other.genres.empty()) return 0;
  float shared = 0;
  for (const auto genre : read.genres)
    if (std::ranges::find(other.genres, genre) != other.genres.end()) ++shared;
  return shared / std::sqrt(static_cast<float>(read.genres.size() * other.genres.size()));
}

Candidates candidates_for(const CollaborativeModel* model, const Catalogue& catalogue,
                          const Catalogue::Table& table, const History& history,
                          const CandidateRequest& request) {
  Candidates result;
  const auto asked = [&](Part part) { return request.weights[at(part)] > 0; };
  const auto total = static_cast<double>(std::max<std::size_t>(1, table.living));
  result.half_life = model != nullptr ? model->parameters().half_life : CollaborativeParameters{}.half_life;
  const auto weights = history.weights(result.half_life);
  Gathering gathering(table, request);

  // What people say. Model indexes are slots (catalogue.hpp).
  thread_local std::array<Scores, all_algorithms.size()> said;
  thread_local std::vector<std::uint32_t> spoken_for;
  for (const auto algorithm : all_algorithms) {
    auto& scores = said[static_cast<std::size_t>(algorithm)];
    scores.reset(model != nullptr ? std::max(model->books().size(), table.items.size()) : 0);
    if (model == nullptr || !asked(static_cast<Part>(algorithm))) continue;
    model->score(algorithm, history, scores);
    double sum = 0;
    double squares = 0;
    spoken_for.clear();
    for (const auto index : scores.touched) {
      const auto value = static_cast<double>(scores.values[index]);
      sum += value;
      squares += value * value;
      if (value > 0 && index < table.items.size()) spoken_for.push_back(index);
    }
    gathering.offer_best(spoken_for, scores.values, by_an_algorithm);
    result.spread[static_cast<std::size_t>(algorithm)] = deviation(sum, squares, total);
  }

  const Names names(table, history, weights);
  if (asked(Part::author))
    for (const auto& [author, weight] : names.authors())
      if (weight > 0) gathering.offer_list(table.by_author, author, of_an_author);
  if (asked(Part::series))
    for (const auto& [series, places] : names.series())
      gathering.offer_list(table.by_series, series, of_an_author);
  for (const auto author : request.authors) gathering.offer_list(table.by_author, author, of_an_author);
  for (const auto genre : request.genres) gathering.offer_list(table.by_genre, genre, of_a_genre);

  std::vector<float> direction;
  if (const auto* index = catalogue.index(); index != nullptr && asked(Part::content)) {
    direction = taste(*index, history, weights);
    if (!direction.empty()) {
      const auto welcome = [&](std::int64_t id) {
        const auto* item = table.find(id);
        return item != nullptr && request.welcome(*item);
      };
      for (const auto& hit : index->search(direction, by_content, welcome))
        if (const auto found = table.slots.find(hit.id); found != table.slots.end())
          gathering.offer(found->second);
    }
  }
  gathering.offer_popular(request.popular);
  result.slots = std::move(gathering.slots);

  // Spreads of the dense parts, by a sample; of the sparse ones, by their lists.
  std::vector<std::uint32_t> sample;
  const auto stride = std::max<std::size_t>(1, table.items.size() / sampled);
  for (std::size_t slot = 0; slot < table.items.size(); slot += stride)
    if (table.items[slot].live) sample.push_back(static_cast<std::uint32_t>(slot));
  const auto content_of = [&](const std::vector<std::uint32_t>& slots) {
    std::vector<float> values(slots.size(), 0.0F);
    if (direction.empty()) return values;
    std::vector<std::int64_t> ids;
    ids.reserve(slots.size());
    for (const auto slot : slots) ids.push_back(table.items[slot].id);
    catalogue.index()->scores(direction, ids, values);
    return values;
  };
  const auto spread_by_sample = [&](Part part, const auto& value_of) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const auto value = static_cast<double>(value_of(i));
      sum += value;
      squares += value * value;
    }
    result.spread[at(part)] = deviation(sum, squares, static_cast<double>(sample.size()));
  };
  const auto sample_content = content_of(sample);
  if (!direction.empty()) spread_by_sample(Part::content, [&](std::size_t i) { return sample_content[i]; });
  if (asked(Part::genre) && !weights.empty())
    spread_by_sample(Part::genre, [&](std::size_t i) { return names.genre(table.items[sample[i]]); });
  if (asked(Part::popularity)) result.spread[at(Part::popularity)] = table.fame_spread;
  if (asked(Part::author)) {
    double sum = 0;
    double squares = 0;
    for (const auto& [author, weight] : names.authors())
      if (const auto list = table.by_author.find(author); list != table.by_author.end()) {
        const auto books = static_cast<double>(list->second.size());
        sum += books * static_cast<double>(weight);
        squares += books * static_cast<double>(weight) * static_cast<double>(weight);
      }
    result.spread[at(Part::author)] = deviation(sum, squares, total);
  }
  if (asked(Part::series)) {
    double sum = 0;
    double squares = 0;
    for (const auto& [series, places] : names.series())
      if (const auto list = table.by_series.find(series); list != table.by_series.end())
        for (const auto slot : list->second) {
          const auto value = static_cast<double>(names.series(table.items[slot]));
          sum += value;
          squares += value * value;
        }
    result.spread[at(Part::series)] = deviation(sum, squares, total);
  }

  const auto content = content_of(result.slots);
  result.values.resize(result.slots.size());
  for (std::size_t i = 0; i < result.slots.size(); ++i) {
    const auto slot = result.slots[i];
    const auto& item = table.items[slot];
    auto& values = result.values[i];
    values = {};
    for (const auto algorithm : all_algorithms) {
      const auto& scores = said[static_cast<std::size_t>(algorithm)];
      if (slot < scores.values.size()) values[static_cast<std::size_t>(algorithm)] = scores.values[slot];
    }
    values[at(Part::content)] = content[i];
    values[at(Part::author)] = names.author(item);
    values[at(Part::series)] = names.series(item);
    values[at(Part::genre)] = names.genre(item);
    values[at(Part::popularity)] = item.fame;
    for (std::size_t part = 0; part < part_count; ++part)
      values[part] = result.spread[part] > 0 ? values[part] / result.spread[part] : 0;
  }
  return result;
}

}  // namespace lumina::recs

#include "core/vector/lsa.hpp"

#include "core/security/random.hpp"
#include "core/text/words.hpp"
#include "core/vector/algebra.hpp"
#include "core/vector/archive.hpp"
#include "core/vector/index.hpp"
#include "core/vector/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <unordered_map>

namespace lumina::vector {

// Terms are kept as 64-bit hashes: at 60,000 of them two meet with a chance of one in ten thousand million.
struct LsaEmbedder::State {
  std::vector<std::uint64_t> terms;  // ascending
  std::vector<float> rarity;         // inverse document frequency, by term
  std::vector<float> directions;     // a row of `dimensions` for each term
  std::size_t dimensions = 0;
  bool pairs = true;
  std::string id;
};

namespace {

constexpr std::string_view magic = "LUMILSA ";
constexpr std::uint32_t format = 1;
constexpr std::size_t oversampling = 12;
// Neighbouring words say something in titles and names; in prose they are too many and too rare.
constexpr std::size_t longest_field_of_pairs = 16;
constexpr float weight_of_pairs = 0.5F;

struct Weighted {
  std::uint64_t term = 0;
  float weight = 0;
};
using Bag = std::vector<Weighted>;  // by term, each once

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 14695981039346656037ULL) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  seed ^= seed >> 33U;
  seed *= 0xff51afd7ed558ccdULL;
  return seed ^ (seed >> 33U);
}

Bag bag_of(const EmbeddingText& text, bool pairs) {
  Bag bag;
  const std::string_view language = text.language.empty() ? std::string_view("en") : text.language;
  for (const auto& [weight, field] : text.fields) {
    const auto terms = text::terms(field, language);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      const auto term = hash_of(terms[i].text);
      bag.push_back({term, weight});
      if (pairs && i > 0 && terms.size() <= longest_field_of_pairs)
        bag.push_back({hash_of(terms[i].text, before), weight * weight_of_pairs});
      before = term;
    }
  }
  std::ranges::sort(bag, {}, &Weighted::term);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < bag.size(); ++i) {
    if (kept > 0 && bag[kept - 1].term == bag[i].term)
      bag[kept - 1].weight += bag[i].weight;
    else
      bag[kept++] = bag[i];
  }
  bag.resize(kept);
  return bag;
}

// Sparse rows, scaled to length 1.
struct Sparse {
  std::size_t columns = 0;
  std::vector<std::size_t> starts = {0};
  std::vector<std::uint32_t> indexes;
  std::vector<float> values;

  std::size_t rows() const { return starts.size() - 1; }

  Sparse transposed() const {
    Sparse other;
    other.columns = rows();
    other.starts.assign(columns + 1, 0);
    for (const auto index : indexes) ++other.starts[index + 1];
    for (std::size_t i = 0; i < columns; ++i) other.starts[i + 1] += other.starts[i];
    other.indexes.resize(indexes.size());
    other.values.resize(values.size());
    auto next = other.starts;
    for (std::size_t row = 0; row < rows(); ++row)
      for (auto i = starts[row]; i < starts[row + 1]; ++i) {
        const auto to = next[indexes[i]]++;
        other.indexes[to] = static_cast<std::uint32_t>(row);
        other.values[to] = values[i];
      }
    return other;
  }

  // Times a dense matrix of `width` columns in row order; empty when cancelled.
  std::vector<float> times(const std::vector<float>& dense, std::size_t width, const Work& work) const {
    std::vector<float> out(rows() * width, 0.0F);
    const auto all = for_pieces(rows(), 512, work, [&](std::size_t from, std::size_t to) {
      for (auto row = from; row < to; ++row)
        for (auto i = starts[row]; i < starts[row + 1]; ++i)
          add_scaled(values[i], dense.data() + indexes[i] * width, out.data() + row * width, width);
    });
    if (!all) out.clear();
    return out;
  }
};

void append_row(Sparse& matrix, const Bag& bag, const std::vector<std::uint64_t>& terms,
                const std::vector<float>& rarity) {
  const auto first = matrix.values.size();
  for (const auto& word : bag) {
    const auto at = std::ranges::lower_bound(terms, word.term);
    if (at == terms.end() || *at != word.term) continue;
    const auto index = static_cast<std::size_t>(at - terms.begin());
    matrix.indexes.push_back(static_cast<std::uint32_t>(index));
    matrix.values.push_back(std::log1p(word.weight) * rarity[index]);
  }
  normalise(std::span(matrix.values).subspan(first));
  matrix.starts.push_back(matrix.values.size());
}

// The strongest right directions of the matrix, as rows of terms: Halko et al., algorithms 4.4 and 5.1.
struct Directions {
  std::vector<float> rows;
  std::size_t count = 0;
  bool cancelled = false;
};
Directions strongest(const Sparse& matrix, std::size_t wanted, std::uint64_t seed, unsigned power_steps,
                     const Work& work) {
  Directions found;
  auto width = std::min({wanted + oversampling, matrix.rows(), matrix.columns});
  if (width == 0) return found;
  const auto transposed = matrix.transposed();
  const auto step = 1.0 / (2.0 * power_steps + 3.0);
  double done = 0;
  const auto quiet = [&] {
    Work inner = work;
    inner.progress = {};
    work.report(done);
    done += step;
    return inner;
  };

  std::mt19937_64 random(seed);
  // Uniform numbers by hand: the distributions of the standard library differ from one to another.
  std::vector<float> guess(matrix.columns * width);
  for (auto& value : guess) value = static_cast<float>(random() >> 40U) / 8'388'608.0F - 1.0F;

  auto left = matrix.times(guess, width, quiet());
  std::vector<float> right;
  for (unsigned i = 0; i <= power_steps; ++i) {
    if (left.empty()) {
      found.cancelled = true;
      return found;
    }
    width = orthonormalise(left, matrix.rows(), width);
    if (width == 0) return found;
    right = transposed.times(left, width, quiet());
    if (right.empty()) {
      found.cancelled = true;
      return found;
    }
    if (i == power_steps) break;
    width = orthonormalise(right, matrix.columns, width);
    if (width == 0) return found;
    left = matrix.times(right, width, quiet());
  }
  const auto spectrum = symmetric_eigen(gram(right, matrix.columns, width), width);
  std::size_t rank = 0;
  while (rank < std::min(width, wanted) && spectrum.values[rank] > 1e-6F * spectrum.values[0]) ++rank;
  std::vector<float> turn(width * rank);
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t j = 0; j < rank; ++j)
      turn[i * rank + j] = spectrum.vectors[i * width + j] / std::sqrt(spectrum.values[j]);
  found.rows = product(right, turn, matrix.columns, width, rank);
  found.count = rank;
  return found;
}

std::string name_of(const std::vector<float>& directions, const std::vector<std::uint64_t>& terms,
                    std::size_t dimensions) {
  std::string bytes(reinterpret_cast<const char*>(terms.data()), terms.size() * sizeof(std::uint64_t));
  bytes.append(reinterpret_cast<const char*>(directions.data()), directions.size() * sizeof(float));
  return "lsa-" + std::to_string(dimensions) + "-" + security::sha256_hex(bytes).substr(0, 12);
}

}  // namespace

LsaEmbedder::LsaEmbedder(std::unique_ptr<const State> state) : state_(std::move(state)) {}
LsaEmbedder::~LsaEmbedder() = default;
std::string LsaEmbedder::id() const { return state_->id; }
std::size_t LsaEmbedder::dimensions() const { return state_->dimensions; }
std::size_t LsaEmbedder::terms() const { return state_->terms.size(); }

Result<LsaEmbedder::Fitted> LsaEmbedder::fit(std::span<const EmbeddingText> documents,
                                             const LsaParameters& parameters, const Work& work) {
  auto state = std::make_unique<State>();
  state->pairs = parameters.pairs;

  std::vector<Bag> bags(documents.size());
  const bool counted =
      for_pieces(documents.size(), 256, work.part(0, 0.3), [&](std::size_t from, std::size_t to) {
        for (auto i = from; i < to; ++i) bags[i] = bag_of(documents[i], parameters.pairs);
      });
  if (!counted) return cancelled_failure();

  {
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    for (const auto& bag : bags)
      for (const auto& word : bag) ++seen[word.term];
    std::vector<std::pair<std::uint32_t, std::uint64_t>> frequent;
    for (const auto& [term, count] : seen)
      if (count >= parameters.min_documents) frequent.emplace_back(count, term);
    if (frequent.size() > parameters.max_terms) {
      std::ranges::sort(frequent, std::greater());
      frequent.resize(parameters.max_terms);
    }
    std::ranges::sort(frequent, {}, &std::pair<std::uint32_t, std::uint64_t>::second);
    const auto total = static_cast<float>(documents.size());
    for (const auto& [count, term] : frequent) {
      state->terms.push_back(term);
      state->rarity.push_back(std::log((total + 1) / (static_cast<float>(count) + 0.5F)));
    }
  }

  Sparse matrix;
  matrix.columns = state->terms.size();
  for (auto& bag : bags) {
    append_row(matrix, bag, state->terms, state->rarity);
    bag = {};
  }
  work.report(0.4);

  const auto wanted = std::clamp<std::size_t>(parameters.dimensions, 2, 1'024);
  auto directions = strongest(matrix, wanted, parameters.seed, parameters.power_steps, work.part(0.4, 0.95));
  if (directions.cancelled) return cancelled_failure();
  // An embedder that knows no word still has a size: everything it makes is zeros.
  if (directions.count == 0) {
    directions.count = wanted;
    directions.rows.assign(state->terms.size() * wanted, 0.0F);
  }
  state->dimensions = directions.count;
  state->directions = std::move(directions.rows);
  state->id = name_of(state->directions, state->terms, state->dimensions);

  Fitted fitted;
  fitted.vectors = matrix.times(state->directions, state->dimensions, work.part(0.95, 1));
  if (fitted.vectors.empty() && !documents.empty()) return cancelled_failure();
  for (std::size_t i = 0; i < documents.size(); ++i)
    normalise(std::span(fitted.vectors).subspan(i * state->dimensions, state->dimensions));
  fitted.embedder.reset(new LsaEmbedder(std::move(state)));
  return fitted;
}

std::vector<float> LsaEmbedder::embed(const EmbeddingText& text) const {
  Sparse row;
  append_row(row, bag_of(text, state_->pairs), state_->terms, state_->rarity);
  std::vector<float> vector(state_->dimensions, 0.0F);
  for (std::size_t i = 0; i < row.values.size(); ++i)
    add_scaled(row.values[i], state_->directions.data() + row.indexes[i] * state_->dimensions, vector.data(),
               state_->dimensions);
  normalise(vector);
  return vector;
}

std::string LsaEmbedder::save() const {
  ArchiveWriter writer(magic, format);
  writer.put<std::uint64_t>(state_->dimensions);
  writer.put<std::uint8_t>(state_->pairs ? 1 : 0);
  writer.put_all(state_->terms);
  writer.put_all(state_->rarity);
  writer.put_all(state_->directions);
  return std::move(writer).finish();
}

Result<std::shared_ptr<const LsaEmbedder>> LsaEmbedder::load(std::string_view bytes) {
  auto reader = ArchiveReader::open(bytes, magic, format);
  if (!reader) return Failure(reader.error());
  auto state = std::make_unique<State>();
  state->dimensions = reader->take<std::uint64_t>();
  state->pairs = reader->take<std::uint8_t>() != 0;
  state->terms = reader->take_all<std::uint64_t>();
  state->rarity = reader->take_all<float>();
  state->directions = reader->take_all<float>();
  if (state->dimensions == 0 || state->dimensions > 1'024 || state->rarity.size() != state->terms.size() ||
      state->directions.size() != state->terms.size() * state->dimensions ||
      !std::ranges::is_sorted(state->terms))
    reader->spoil("its tables do not fit each other");
  if (const auto status = reader->status(); !status) return Failure(status.error());
  state->id = name_of(state->directions, state->terms, state->dimensions);
  return std::shared_ptr<const LsaEmbedder>(new LsaEmbedder(std::move(state)));
}

}  // namespace lumina::vector

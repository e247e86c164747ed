#include "modules/recs/collaborative_model.hpp"

#include "core/vector/algebra.hpp"
#include "core/vector/kernels.hpp"
#include "modules/recs/factors.hpp"

#include <algorithm>
#include <cmath>

namespace lumina::recs {
namespace {

// Pairs further apart than this many half-distances add next to nothing to `sequence`.
constexpr float farthest = 5;
constexpr std::size_t most_neighbours = 100'000;
constexpr std::size_t most_factors = 256;

// People's positive histories by model index, oldest first, and for each book who read it and when.
struct Readings {
  std::vector<std::uint64_t> starts = {0};  // by person
  std::vector<std::uint32_t> books;
  std::vector<float> strengths;
  struct Reader {
    std::uint32_t person = 0;
    std::uint32_t place = 0;  // in `books`
  };
  std::vector<std::uint64_t> book_starts;
  std::vector<Reader> readers;
  std::size_t book_count = 0;

  std::size_t people() const { return starts.size() - 1; }
  std::span<const Reader> readers_of(std::size_t book) const {
    return std::span(readers).subspan(book_starts[book], book_starts[book + 1] - book_starts[book]);
  }
};

std::optional<std::uint32_t> place_in(const std::vector<std::int64_t>& books, std::int64_t book) {
  const auto at = std::ranges::lower_bound(books, book);
  if (at == books.end() || *at != book) return {};
  return static_cast<std::uint32_t>(at - books.begin());
}

Readings readings_of(const std::vector<std::int64_t>& books, std::span<const Interaction> interactions) {
  Readings readings;
  readings.book_count = books.size();
  for (const auto& person : histories_of(interactions)) {
    for (const auto& entry : person.history.entries()) {
      if (entry.strength <= 0) continue;
      if (const auto index = place_in(books, entry.book)) {
        readings.books.push_back(*index);
        readings.strengths.push_back(entry.strength);
      }
    }
    if (readings.books.size() > readings.starts.back()) readings.starts.push_back(readings.books.size());
  }
  readings.book_starts.assign(books.size() + 1, 0);
  for (const auto book : readings.books) ++readings.book_starts[book + 1];
  for (std::size_t i = 0; i < books.size(); ++i) readings.book_starts[i + 1] += readings.book_starts[i];
  readings.readers.resize(readings.books.size());
  auto next = readings.book_starts;
  for (std::size_t person = 0; person < readings.people(); ++person)
    for (auto i = readings.starts[person]; i < readings.starts[person + 1]; ++i)
      readings.readers[next[readings.books[i]]++] = {static_cast<std::uint32_t>(person),
                                                     static_cast<std::uint32_t>(i)};
  return readings;
}

using Row = std::vector<CollaborativeModel::Neighbour>;

// The strongest `most`, the strongest first; of equal magnitude, the lower index.
void cut(Row& row, std::size_t most) {
  const auto stronger = [](const auto& a, const auto& b) {
    const auto left = std::abs(a.weight);
    const auto right = std::abs(b.weight);
    return left != right ? left > right : a.index < b.index;
  };
  if (row.size() > most) {
    std::ranges::nth_element(row, row.begin() + static_cast<std::ptrdiff_t>(most), stronger);
    row.resize(most);
  }
  std::ranges::sort(row, stronger);
}

// Sums over everybody who read a book.
struct Sums {
  std::vector<float> values;
  std::vector<float> counts;
  std::vector<std::uint32_t> touched;

  void reset(std::size_t size) {
    if (values.size() != size) {
      values.assign(size, 0);
      counts.assign(size, 0);
      touched.clear();
    }
    for (const auto index : touched) values[index] = counts[index] = 0;
    touched.clear();
  }
  void add(std::uint32_t index, float value) {
    if (counts[index] == 0) touched.push_back(index);
    values[index] += value;
    ++counts[index];
  }
};

bool each_book(const Readings& readings, std::vector<Row>& rows, const vector::Work& work,
               const std::function<void(std::size_t, Sums&, Row&)>& make) {
  rows.resize(readings.book_count);
  return vector::for_pieces(readings.book_count, 256, work, [&](std::size_t from, std::size_t to) {
    Sums sums;
    for (auto book = from; book < to; ++book) {
      if (readings.readers_of(book).empty()) continue;
      sums.reset(readings.book_count);
      make(book, sums, rows[book]);
    }
  });
}

}  // namespace

struct CollaborativeTraining {
  using Links = CollaborativeModel::Links;

  static Links pack(std::vector<Row>& rows) {
    Links links;
    links.starts.reserve(rows.size() + 1);
    links.starts.push_back(0);
    for (auto& row : rows) {
      for (const auto& neighbour : row) {
        links.indexes.push_back(neighbour.index);
        links.weights.push_back(neighbour.weight);
      }
      links.starts.push_back(links.indexes.size());
      row = {};
    }
    return links;
  }

  static bool neighbours(const Readings& readings, const CollaborativeParameters& parameters, Links& into,
                         const vector::Work& work) {
    std::vector<Row> rows;
    const auto all = each_book(readings, rows, work, [&](std::size_t book, Sums& sums, Row& row) {
      for (const auto& reader : readings.readers_of(book))
        for (auto i = readings.starts[reader.person]; i < readings.starts[reader.person + 1]; ++i)
          if (readings.books[i] != book) sums.add(readings.books[i], 1);
      const auto own = static_cast<float>(readings.readers_of(book).size());
      for (const auto other : sums.touched) {
        const auto shared = sums.counts[other];
        const auto theirs = static_cast<float>(readings.readers_of(other).size());
        row.push_back({other, shared / std::sqrt(own * theirs) * shared / (shared + parameters.shrinkage)});
      }
      cut(row, parameters.neighbours);
    });
    into = pack(rows);
    return all;
  }

  static bool sequence(const Readings& readings, const CollaborativeParameters& parameters, Links& into,
                       const vector::Work& work) {
    const auto reach = std::max(parameters.sequence_reach, 0.1F);
    const auto window = static_cast<std::uint64_t>(reach * farthest) + 1;
    std::vector<float> fading(window + 1);
    for (std::size_t gap = 0; gap <= window; ++gap)
      fading[gap] = std::exp2(-(static_cast<float>(gap) - 1) / reach);
    std::vector<Row> rows;
    const auto all = each_book(readings, rows, work, [&](std::size_t book, Sums& sums, Row& row) {
      for (const auto& reader : readings.readers_of(book)) {
        const auto place = static_cast<std::uint64_t>(reader.place);
        const auto first = std::max(readings.starts[reader.person], place > window ? place - window : 0);
        const auto last = std::min(readings.starts[reader.person + 1], place + window + 1);
        for (auto i = first; i < last; ++i)
          if (i != place) sums.add(readings.books[i], fading[i > place ? i - place : place - i]);
      }
      const auto own = static_cast<float>(readings.readers_of(book).size());
      for (const auto other : sums.touched) {
        const auto theirs = static_cast<float>(readings.readers_of(other).size());
        const auto near = sums.values[other];
        row.push_back({other, near / std::sqrt(own * theirs) * near / (near + parameters.shrinkage / 10)});
      }
      cut(row, parameters.neighbours);
    });
    into = pack(rows);
    return all;
  }

  // B = I - P / diag(P) with P the inverse of the books' co-occurrences plus lambda: Steck, equation 8.
  static bool linear(const Readings& readings, const CollaborativeParameters& parameters, Links& into,
                     const vector::Work& work) {
    std::vector<std::uint32_t> chosen;
    for (std::uint32_t book = 0; book < readings.book_count; ++book)
      if (!readings.readers_of(book).empty()) chosen.push_back(book);
    if (chosen.size() > parameters.linear_books) {
      std::ranges::sort(chosen, [&](std::uint32_t a, std::uint32_t b) {
        const auto left = readings.readers_of(a).size();
        const auto right = readings.readers_of(b).size();
        return left != right ? left > right : a < b;
      });
      chosen.resize(parameters.linear_books);
      std::ranges::sort(chosen);
    }
    const auto size = chosen.size();
    std::vector<std::uint32_t> place(readings.book_count, ~0U);
    for (std::size_t i = 0; i < size; ++i) place[chosen[i]] = static_cast<std::uint32_t>(i);

    std::vector<float> matrix(size * size, 0.0F);
    const auto counted =
        vector::for_pieces(size, 32, work.part(0, 0.2), [&](std::size_t from, std::size_t to) {
          for (auto row = from; row < to; ++row) {
            for (const auto& reader : readings.readers_of(chosen[row]))
              for (auto i = readings.starts[reader.person]; i < readings.starts[reader.person + 1]; ++i)
                if (const auto column = place[readings.books[i]]; column != ~0U)
                  ++matrix[row * size + column];
            matrix[row * size + row] += parameters.linear_regularisation;
          }
        });
    if (!counted) return false;
    std::vector<Row> rows(readings.book_count);
    // A regularisation of nothing leaves books alike in everything: then there is no such part.
    if (vector::invert(matrix, size, work.part(0.2, 0.9))) {
      std::vector<float> own(size);
      for (std::size_t i = 0; i < size; ++i) own[i] = matrix[i * size + i];
      const auto made =
          vector::for_pieces(size, 32, work.part(0.9, 1), [&](std::size_t from, std::size_t to) {
            for (auto row = from; row < to; ++row) {
              auto& kept = rows[chosen[row]];
              kept.reserve(size);
              for (std::size_t column = 0; column < size; ++column)
                if (column != row)
                  kept.push_back({chosen[column], -matrix[row * size + column] / own[column]});
              cut(kept, 2 * parameters.neighbours);
              kept.shrink_to_fit();
            }
          });
      if (!made) return false;
    } else if (work.stopped()) {
      return false;
    }
    into = pack(rows);
    return true;
  }

  static bool factors(const Readings& readings, CollaborativeModel& model, const vector::Work& work) {
    SparseRows people;
    people.starts = readings.starts;
    people.columns = readings.books;
    people.weights = readings.strengths;
    const auto made = train_factors(people, readings.book_count, of(model.parameters_), work);
    if (made.empty() && readings.book_count > 0) return false;
    model.book_factors_ = made;
    model.gram_ = vector::gram(made, readings.book_count, model.parameters_.factors);
    return true;
  }

  static FactorParameters of(const CollaborativeParameters& parameters) {
    return {parameters.factors, parameters.factor_steps, parameters.factor_confidence,
            parameters.factor_regularisation, parameters.seed};
  }
};

std::string_view name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::neighbours:
      return "neighbours";
    case Algorithm::sequence:
      return "sequence";
    case Algorithm::linear:
      return "linear";
    case Algorithm::factors:
      return "factors";
  }
  return "";
}

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (const auto algorithm : all_algorithms)
    if (name_of(algorithm) == name) return algorithm;
  return {};
}

void Scores::reset(std::size_t size) {
  if (values.size() != size) {
    values.assign(size, 0);
    touched.clear();
  }
  for (const auto index : touched) values[index] = 0;
  touched.clear();
}

Result<CollaborativeModel> CollaborativeModel::train(std::vector<std::int64_t> books,
                                                     std::span<const Interaction> interactions,
                                                     const CollaborativeParameters& parameters,
                                                     const vector::Work& work) {
  CollaborativeModel model;
  std::ranges::sort(books);
  books.erase(std::ranges::unique(books).begin(), books.end());
  model.books_ = std::move(books);
  model.parameters_ = parameters;
  model.parameters_.neighbours = std::clamp<std::size_t>(parameters.neighbours, 1, most_neighbours);
  model.parameters_.factors = std::clamp<std::size_t>(parameters.factors, 1, most_factors);
  const auto readings = readings_of(model.books_, interactions);

  const auto step = 1.0 / static_cast<double>(std::max<std::size_t>(1, parameters.algorithms.size()));
  double done = 0;
  for (const auto algorithm : parameters.algorithms) {
    const auto part = work.part(done, done + step);
    done += step;
    bool finished = true;
    auto& links = model.links_[std::min<std::size_t>(static_cast<std::size_t>(algorithm), 2)];
    switch (algorithm) {
      case Algorithm::neighbours:
        finished = CollaborativeTraining::neighbours(readings, model.parameters_, links, part);
        break;
      case Algorithm::sequence:
        finished = CollaborativeTraining::sequence(readings, model.parameters_, links, part);
        break;
      case Algorithm::linear:
        finished = CollaborativeTraining::linear(readings, model.parameters_, links, part);
        break;
      case Algorithm::factors:
        finished = CollaborativeTraining::factors(readings, model, part);
        break;
    }
    if (!finished) return vector::cancelled_failure();
  }
  return model;
}

std::optional<std::uint32_t> CollaborativeModel::index_of(std::int64_t book) const {
  return place_in(books_, book);
}

bool CollaborativeModel::has(Algorithm algorithm) const {
  if (algorithm == Algorithm::factors) return !book_factors_.empty();
  return !links_[static_cast<std::size_t>(algorithm)].starts.empty();
}

void CollaborativeModel::score(Algorithm algorithm, const History& history, Scores& into) const {
  if (!has(algorithm)) return;
  if (algorithm == Algorithm::factors) {
    const auto person = fold_in(history);
    if (std::ranges::all_of(person, [](float value) { return value == 0; })) return;
    for (std::uint32_t book = 0; book < books_.size(); ++book)
      into.add(book, vector::dot_product(person.data(), book_factors_.data() + book * parameters_.factors,
                                         parameters_.factors));
    return;
  }
  const auto& links = links_[static_cast<std::size_t>(algorithm)];
  const auto weights = history.weights(parameters_.half_life);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto index = index_of(history.entries()[i].book);
    if (!index || weights[i] == 0) continue;
    for (auto at = links.starts[*index]; at < links.starts[*index + 1]; ++at)
      into.add(links.indexes[at], weights[i] * links.weights[at]);
  }
}

std::vector<float> CollaborativeModel::contributions(Algorithm algorithm, const History& history,
                                                     std::int64_t book) const {
  std::vector<float> shares(history.size(), 0.0F);
  const auto wanted = index_of(book);
  if (!has(algorithm) || !wanted) return shares;
  const auto weights = history.weights(parameters_.half_life);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto index = index_of(history.entries()[i].book);
    if (!index) continue;
    if (algorithm == Algorithm::factors) {
      // Not a sum over the history; the inner products tell which books of it point the same way.
      shares[i] = weights[i] * vector::dot_product(book_factors_.data() + *index * parameters_.factors,
                                                   book_factors_.data() + *wanted * parameters_.factors,
                                                   parameters_.factors);
      continue;
    }
    const auto& links = links_[static_cast<std::size_t>(algorithm)];
    const auto row = std::span(links.indexes)
                         .subspan(links.starts[*index], links.starts[*index + 1] - links.starts[*index]);
    const auto at = std::ranges::find(row, *wanted);
    if (at != row.end())
      shares[i] =
          weights[i] * links.weights[links.starts[*index] + static_cast<std::size_t>(at - row.begin())];
  }
  return shares;
}

std::vector<CollaborativeModel::Neighbour> CollaborativeModel::neighbours(Algorithm algorithm,
                                                                          std::int64_t book) const {
  std::vector<Neighbour> found;
  const auto index = index_of(book);
  if (algorithm == Algorithm::factors || !has(algorithm) || !index) return found;
  const auto& links = links_[static_cast<std::size_t>(algorithm)];
  for (auto at = links.starts[*index]; at < links.starts[*index + 1]; ++at)
    found.push_back({links.indexes[at], links.weights[at]});
  return found;
}

std::vector<float> CollaborativeModel::fold_in(const History& history) const {
  std::vector<Wanted> wanted;
  const auto weights = history.weights(parameters_.half_life);
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (const auto index = index_of(history.entries()[i].book)) wanted.push_back({*index, weights[i]});
  return recs::fold_in(wanted, book_factors_, gram_, CollaborativeTraining::of(parameters_));
}

void CollaborativeModel::save(vector::ArchiveWriter& to) const {
  to.put_all(books_);
  to.put<std::uint32_t>(static_cast<std::uint32_t>(parameters_.algorithms.size()));
  for (const auto algorithm : parameters_.algorithms) to.put_text(name_of(algorithm));
  to.put(parameters_.half_life);
  to.put<std::uint64_t>(parameters_.neighbours);
  to.put(parameters_.shrinkage);
  to.put(parameters_.sequence_reach);
  to.put<std::uint64_t>(parameters_.linear_books);
  to.put(parameters_.linear_regularisation);
  to.put<std::uint64_t>(parameters_.factors);
  to.put<std::uint64_t>(parameters_.factor_steps);
  to.put(parameters_.factor_confidence);
  to.put(parameters_.factor_regularisation);
  to.put(parameters_.seed);
  for (const auto& links : links_) {
    to.put_all(links.starts);
    to.put_all(links.indexes);
    to.put_all(links.weights);
  }
  to.put_all(book_factors_);
  to.put_all(gram_);
}

CollaborativeModel CollaborativeModel::load(vector::ArchiveReader& from) {
  CollaborativeModel model;
  auto& parameters = model.parameters_;
  model.books_ = from.take_all<std::int64_t>();
  const auto count = from.take<std::uint32_t>();
  parameters.algorithms.clear();
  for (std::uint32_t i = 0; i < count && from.good(); ++i)
    if (const auto algorithm = algorithm_named(from.take_text()))
      parameters.algorithms.push_back(*algorithm);
    else
      from.spoil("an algorithm is not known");
  parameters.half_life = from.take<float>();
  parameters.neighbours = from.take<std::uint64_t>();
  parameters.shrinkage = from.take<float>();
  parameters.sequence_reach = from.take<float>();
  parameters.linear_books = from.take<std::uint64_t>();
  parameters.linear_regularisation = from.take<float>();
  parameters.factors = from.take<std::uint64_t>();
  parameters.factor_steps = from.take<std::uint64_t>();
  parameters.factor_confidence = from.take<float>();
  parameters.factor_regularisation = from.take<float>();
  parameters.seed = from.take<std::uint64_t>();
  const auto books = model.books_.size();
  for (auto& links : model.links_) {
    links.starts = from.take_all<std::uint64_t>();
    links.indexes = from.take_all<std::uint32_t>();
    links.weights = from.take_all<float>();
    const bool trained = !links.starts.empty();
    if ((trained && (links.starts.size() != books + 1 || links.starts.front() != 0 ||
                     links.starts.back() != links.indexes.size() || !std::ranges::is_sorted(links.starts))) ||
        links.indexes.size() != links.weights.size() ||
        std::ranges::any_of(links.indexes, [&](std::uint32_t index) { return index >= books; }))
      from.spoil("its neighbours do not fit its books");
  }
  model.book_factors_ = from.take_all<float>();
  model.gram_ = from.take_all<float>();
  if (parameters.factors == 0 || parameters.factors > most_factors ||
      (!model.book_factors_.empty() && (model.book_factors_.size() != books * parameters.factors ||
                                        model.gram_.size() != parameters.factors * parameters.factors)))
    from.spoil("its factors do not fit its books");
  if (!std::ranges::is_sorted(model.books_)) from.spoil("its books are in no order");
  return model;
}

}  // namespace lumina::recs

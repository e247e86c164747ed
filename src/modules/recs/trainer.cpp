#include "modules/recs/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace lumina::recs {
namespace {

constexpr std::string_view magic = "LUMIRECS";
constexpr std::uint32_t format = 1;

class Stopwatch {
 public:
  explicit Stopwatch(std::vector<StepTime>& into) : into_(into) {}
  void lap(std::string step) {
    const auto now = std::chrono::steady_clock::now();
    into_.push_back({std::move(step), std::chrono::duration_cast<std::chrono::milliseconds>(now - began_)});
    began_ = now;
  }

 private:
  std::vector<StepTime>& into_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Every n-th, so that at most `most` stay: people in the order of their ids are no order of taste.
template <class T>
void thin(std::vector<T>& list, std::size_t most) {
  if (list.size() <= most || most == 0) return;
  std::vector<T> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(std::move(list[i * list.size() / most]));
  list = std::move(kept);
}

std::vector<Lesson> lessons_of(const Split& split, std::size_t most) {
  std::unordered_map<std::int64_t, History> histories;
  for (auto& person : histories_of(split.learning))
    histories.emplace(person.person, std::move(person.history));
  std::vector<Lesson> lessons;
  for (const auto& trial : split.trials)
    if (const auto found = histories.find(trial.person); found != histories.end())
      lessons.push_back({found->second, trial.wanted});
  thin(lessons, most);
  return lessons;
}

std::vector<std::int64_t> ids_in(const std::vector<Ranked>& ranked) {
  std::vector<std::int64_t> ids;
  ids.reserve(ranked.size());
  for (const auto& one : ranked) ids.push_back(one.book);
  return ids;
}

Metrics measure_blend(const Split& split, const CollaborativeModel& model, const BlendWeights& weights,
                      const Catalogue& catalogue, Strategy strategy, unsigned threads) {
  return measure(
      split, catalogue.size(),
      [&](std::int64_t, const History& history) {
        RankRequest request;
        request.strategy = strategy;
        return ids_in(rank(&model, weights, catalogue, history, request));
      },
      threads);
}

void save_metrics(vector::ArchiveWriter& to, const Metrics& metrics) {
  for (const auto value :
       {metrics.hit_rate, metrics.ndcg, metrics.recall, metrics.precision, metrics.coverage, metrics.novelty})
    to.put(value);
  to.put<std::uint64_t>(metrics.people);
}

Metrics load_metrics(vector::ArchiveReader& from) {
  Metrics metrics;
  for (auto* value : {&metrics.hit_rate, &metrics.ndcg, &metrics.recall, &metrics.precision,
                      &metrics.coverage, &metrics.novelty})
    *value = from.take<double>();
  metrics.people = from.take<std::uint64_t>();
  return metrics;
}

// The counts of a report, in the order of the file.
std::vector<std::size_t*> counts_of(DataReport& report) {
  return {&report.interactions,     &report.people,         &report.books,       &report.duplicates,
          &report.future,           &report.unknown_books,  &report.not_numbers, &report.bots,
          &report.bot_interactions, &report.constant_raters};
}

}  // namespace

// What the steps of a training share: the books with their vectors, and a catalogue to measure in.
struct Training {
  const TrainingParameters& parameters;
  Moment now;
  TrainedModel model;
  std::vector<std::int64_t> ids;
  std::shared_ptr<vector::Index> index;
  std::unique_ptr<Catalogue> catalogue;
  CleanData data;

  // Books by id, each once.
  Status read(std::span<const BookText> books, std::span<const Interaction> interactions,
              const vector::Work& work, Stopwatch& watch) {
    std::vector<std::size_t> order(books.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      return books[a].id != books[b].id ? books[a].id < books[b].id : a < b;
    });
    const auto same = [&](std::size_t a, std::size_t b) { return books[a].id == books[b].id; };
    order.erase(std::ranges::unique(order, same).begin(), order.end());
    for (const auto i : order) {
      ids.push_back(books[i].id);
      model.digests_.push_back(digest_of(books[i]));
    }
    data = clean(interactions, ids, now, parameters.most_per_day);
    model.report = data.report;
    watch.lap("check");

    std::vector<vector::EmbeddingText> texts(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) texts[i] = embedding_text(books[order[i]]);
    auto fitted = vector::LsaEmbedder::fit(texts, parameters.words, work.part(0, 0.6));
    if (!fitted) return Failure(fitted.error());
    texts = {};
    model.embedder = fitted->embedder;
    watch.lap("embed");

    index = std::make_shared<vector::Index>(fitted->embedder->dimensions());
    if (auto status = index->put_all(ids, fitted->vectors, work.part(0.6, 0.95)); !status) return status;
    model.index_ = index->save();
    watch.lap("index");

    catalogue = std::make_unique<Catalogue>(fitted->embedder, index, ids, model.digests_,
                                            parameters.popularity_half_life);
    std::vector<BookText> sorted;
    sorted.reserve(order.size());
    for (const auto i : order) sorted.push_back(books[i]);
    auto status = catalogue->put_all(sorted, {});
    watch.lap("catalogue");
    return status;
  }

  void popularity_of(std::span<const Interaction> interactions) {
    catalogue->reset_popularity();
    catalogue->observe_all(interactions, now);
  }

  // Learns weights from what comes after `split.learning`.
  Result<BlendWeights> weigh(const Split& split, const CollaborativeModel& collaborative,
                             const vector::Work& work) {
    popularity_of(split.learning);
    return learn_weights(&collaborative, *catalogue, lessons_of(split, parameters.lessons), work);
  }
};

Result<TrainedModel> train_all(std::span<const BookText> books, std::span<const Interaction> interactions,
                               const TrainingParameters& parameters, Moment now, const vector::Work& work) {
  Training training{parameters, now, {}, {}, {}, {}, {}};
  auto& model = training.model;
  model.parameters = parameters;
  model.trained_at = now;
  Stopwatch watch(model.steps);
  if (auto status = training.read(books, interactions, work.part(0, 0.4), watch); !status)
    return Failure(status.error());

  auto outer = leave_last_out(training.data.interactions, parameters.found_from);
  const auto inner = leave_last_out(outer.learning, parameters.found_from);
  const auto people = [&](std::span<const Interaction> learning, double from, double to) {
    return CollaborativeModel::train(training.ids, learning, parameters.people, work.part(from, to));
  };

  auto for_weights = people(inner.learning, 0.4, 0.5);
  if (!for_weights) return Failure(for_weights.error());
  auto weights = training.weigh(inner, *for_weights, work.part(0.5, 0.65));
  if (!weights) return Failure(weights.error());
  model.weights = *weights;
  watch.lap("weigh");

  auto for_measure = people(outer.learning, 0.65, 0.75);
  if (!for_measure) return Failure(for_measure.error());
  thin(outer.trials, parameters.measured_people);
  training.popularity_of(outer.learning);
  for (const auto strategy : {Strategy::hybrid, Strategy::popular}) {
    if (work.stopped()) return vector::cancelled_failure();
    (strategy == Strategy::hybrid ? model.metrics : model.popularity) =
        measure_blend(outer, *for_measure, model.weights, *training.catalogue, strategy, work.thread_count());
  }
  watch.lap("measure");

  auto whole = people(training.data.interactions, 0.8, 1);
  if (!whole) return Failure(whole.error());
  model.collaborative = std::make_shared<const CollaborativeModel>(std::move(*whole));
  watch.lap("learn");
  work.report(1);
  return std::move(model);
}

Result<std::vector<Trial>> search_parameters(std::span<const BookText> books,
                                             std::span<const Interaction> interactions,
                                             const TrainingParameters& base, const Grid& grid, Moment now,
                                             const vector::Work& work) {
  Training training{base, now, {}, {}, {}, {}, {}};
  std::vector<StepTime> steps;
  Stopwatch watch(steps);
  if (auto status = training.read(books, interactions, work.part(0, 0.2), watch); !status)
    return Failure(status.error());
  // The last books are for the measuring of the model that is trained in the end, not for choosing it.
  const auto outer = leave_last_out(training.data.interactions, base.found_from);
  auto split = leave_last_out(outer.learning, base.found_from);
  thin(split.trials, base.measured_people);

  std::vector<CollaborativeParameters> sets = {base.people};
  const auto vary = [&](const auto& values, auto member) {
    if (values.empty()) return;
    std::vector<CollaborativeParameters> more;
    for (const auto& set : sets)
      for (const auto& value : values) {
        more.push_back(set);
        more.back().*member = value;
      }
    sets = std::move(more);
  };
  vary(grid.half_life, &CollaborativeParameters::half_life);
  vary(grid.shrinkage, &CollaborativeParameters::shrinkage);
  vary(grid.sequence_reach, &CollaborativeParameters::sequence_reach);
  vary(grid.linear_regularisation, &CollaborativeParameters::linear_regularisation);
  vary(grid.neighbours, &CollaborativeParameters::neighbours);

  std::vector<Trial> trials;
  for (const auto& set : sets) {
    const auto began = std::chrono::steady_clock::now();
    const auto share = static_cast<double>(trials.size()) / static_cast<double>(sets.size());
    work.report(0.2 + 0.8 * share);
    vector::Work quiet = work;
    quiet.progress = {};
    auto model = CollaborativeModel::train(training.ids, split.learning, set, quiet);
    if (!model) return Failure(model.error());
    auto weights = training.weigh(split, *model, quiet);
    if (!weights) return Failure(weights.error());
    const auto metrics =
        measure_blend(split, *model, *weights, *training.catalogue, Strategy::hybrid, work.thread_count());
    trials.push_back(
        {set, metrics,
         std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began)});
  }
  std::ranges::sort(trials, [](const Trial& a, const Trial& b) {
    return a.metrics.ndcg != b.metrics.ndcg ? a.metrics.ndcg > b.metrics.ndcg : a.took < b.took;
  });
  work.report(1);
  return trials;
}

std::unique_ptr<Catalogue> TrainedModel::make_catalogue() const {
  // The bytes were checked when this model was loaded or made by it.
  auto index = vector::Index::load(index_);
  return std::make_unique<Catalogue>(
      embedder, index ? std::shared_ptr<vector::Index>(std::move(*index)) : nullptr, collaborative->books(),
      index ? std::span<const std::uint64_t>(digests_) : std::span<const std::uint64_t>(),
      parameters.popularity_half_life);
}

std::string TrainedModel::to_bytes() const {
  vector::ArchiveWriter writer(magic, format);
  const auto* lsa = dynamic_cast<const vector::LsaEmbedder*>(embedder.get());
  writer.put_text(lsa != nullptr ? lsa->save() : std::string());
  writer.put_text(index_);
  writer.put_all(digests_);
  collaborative->save(writer);
  weights.save(writer);
  save_metrics(writer, metrics);
  save_metrics(writer, popularity);
  auto counts = report;
  for (const auto* count : counts_of(counts)) writer.put<std::uint64_t>(*count);
  writer.put(report.sparsity);
  writer.put<std::uint32_t>(static_cast<std::uint32_t>(report.findings.size()));
  for (const auto& finding : report.findings) writer.put_text(finding);
  writer.put<std::uint64_t>(parameters.words.dimensions);
  writer.put<std::uint64_t>(parameters.words.seed);
  writer.put<std::uint64_t>(parameters.lessons);
  writer.put<std::uint64_t>(parameters.measured_people);
  writer.put(parameters.found_from);
  writer.put<std::uint64_t>(parameters.most_per_day);
  writer.put<std::int64_t>(parameters.popularity_half_life.count());
  writer.put<std::int64_t>(trained_at.time_since_epoch().count());
  writer.put<std::uint32_t>(static_cast<std::uint32_t>(steps.size()));
  for (const auto& step : steps) {
    writer.put_text(step.step);
    writer.put<std::int64_t>(step.took.count());
  }
  return std::move(writer).finish();
}

Result<TrainedModel> TrainedModel::from_bytes(std::string_view bytes) {
  auto reader = vector::ArchiveReader::open(bytes, magic, format);
  if (!reader) return Failure(reader.error());
  TrainedModel model;
  auto embedder = vector::LsaEmbedder::load(reader->take_text());
  if (!embedder) return Failure(embedder.error());
  model.embedder = *embedder;
  model.index_ = reader->take_text();
  const auto index = vector::Index::load(model.index_);
  if (!index) return Failure(index.error());
  if ((*index)->dimensions() != model.embedder->dimensions())
    reader->spoil("its vectors are of another embedder");
  model.digests_ = reader->take_all<std::uint64_t>();
  model.collaborative = std::make_shared<const CollaborativeModel>(CollaborativeModel::load(*reader));
  if (model.digests_.size() != model.collaborative->books().size())
    reader->spoil("its digests do not fit its books");
  model.weights = BlendWeights::load(*reader);
  model.metrics = load_metrics(*reader);
  model.popularity = load_metrics(*reader);
  for (auto* count : counts_of(model.report)) *count = reader->take<std::uint64_t>();
  model.report.sparsity = reader->take<double>();
  const auto findings = reader->take<std::uint32_t>();
  for (std::uint32_t i = 0; i < findings && reader->good(); ++i)
    model.report.findings.emplace_back(reader->take_text());
  model.parameters.people = model.collaborative->parameters();
  model.parameters.words.dimensions = reader->take<std::uint64_t>();
  model.parameters.words.seed = reader->take<std::uint64_t>();
  model.parameters.lessons = reader->take<std::uint64_t>();
  model.parameters.measured_people = reader->take<std::uint64_t>();
  model.parameters.found_from = reader->take<float>();
  model.parameters.most_per_day = reader->take<std::uint64_t>();
  model.parameters.popularity_half_life = std::chrono::days(reader->take<std::int64_t>());
  model.trained_at = Moment(std::chrono::milliseconds(reader->take<std::int64_t>()));
  const auto steps = reader->take<std::uint32_t>();
  for (std::uint32_t i = 0; i < steps && reader->good(); ++i) {
    std::string step(reader->take_text());
    model.steps.push_back({std::move(step), std::chrono::milliseconds(reader->take<std::int64_t>())});
  }
  if (const auto status = reader->status(); !status) return Failure(status.error());
  return model;
}

Status TrainedModel::save(const std::filesystem::path& path) const {
  return vector::write_file(path, to_bytes());
}

Result<TrainedModel> TrainedModel::load(const std::filesystem::path& path) {
  const auto bytes = vector::read_file(path);
  if (!bytes) return Failure(bytes.error());
  return from_bytes(*bytes);
}

}  // namespace lumina::recs

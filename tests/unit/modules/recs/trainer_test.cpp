#include "core/security/random.hpp"
#include "unit/modules/recs/fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>

namespace lumina::recs {
namespace {

using namespace fixture;

TEST_CASE("the blend beats popularity on planted clusters, and the model says so", "[H7][H20]") {
  const auto model = train_all(library(), readings(400), small(), now).value();
  CHECK(model.metrics.people > 300);
  CHECK(model.metrics.ndcg > 2 * model.popularity.ndcg);
  CHECK(model.metrics.recall > 2 * model.popularity.recall);
  CHECK(model.report.people == 400);
  CHECK(model.steps.size() >= 5);
}

TEST_CASE("a model comes back from its file with the same lists", "[H18][H24]") {
  const auto model = train_all(library(), readings(150), small(), now).value();
  const auto folder = std::filesystem::temp_directory_path() / ("lumina-model-" + security::opaque_token());
  std::filesystem::create_directories(folder);
  REQUIRE(model.save(folder / "1"));
  const auto loaded = TrainedModel::load(folder / "1").value();
  CHECK(loaded.to_bytes() == model.to_bytes());
  CHECK(loaded.embedder->id() == model.embedder->id());
  CHECK(loaded.metrics.ndcg == model.metrics.ndcg);
  const auto lists = [](const TrainedModel& one) {
    const auto catalogue = one.make_catalogue();
    REQUIRE(catalogue->put_all(library()));
    std::vector<std::int64_t> ids;
    for (const auto& ranked :
         rank(one.collaborative.get(), one.weights, *catalogue, history_of({100, 105, 110}), {}))
      ids.push_back(ranked.book);
    return ids;
  };
  CHECK(lists(loaded) == lists(model));
  CHECK(TrainedModel::load(folder / "none").error().kind == ErrorKind::not_found);
  std::filesystem::remove_all(folder);
}

TEST_CASE("damaged, cut off and newer model files are errors", "[H18]") {
  const auto bytes = train_all(library(), readings(40), small(), now).value().to_bytes();
  std::mt19937_64 random(9);
  for (int i = 0; i < 40; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    CHECK_FALSE(TrainedModel::from_bytes(damaged));
    CHECK(TrainedModel::from_bytes(std::string_view(bytes).substr(0, random() % bytes.size())).error().code ==
          "model_damaged");
  }
  auto newer = bytes.substr(0, bytes.size() - 32);
  newer[8] = 99;
  newer += security::sha256(newer);
  CHECK(TrainedModel::from_bytes(newer).error().code == "model_newer");
}

TEST_CASE("the same input makes the same model, in any order and by any number of threads", "[H18]") {
  auto books = library();
  auto rows = readings(80);
  vector::Work one;
  one.threads = 1;
  auto first = train_all(books, rows, small(), now, one).value();
  std::mt19937_64 random(5);
  std::ranges::shuffle(books, random);
  std::ranges::shuffle(rows, random);
  vector::Work four;
  four.threads = 4;
  auto second = train_all(books, rows, small(), now, four).value();
  first.steps.clear();
  second.steps.clear();
  CHECK(first.to_bytes() == second.to_bytes());
}

TEST_CASE("an empty library, one person, equal ratings, a bot: a model that serves all the same", "[H4]") {
  const auto serves = [](const std::vector<BookText>& books, const std::vector<Interaction>& rows) {
    const auto model = train_all(books, rows, small(), now).value();
    const auto again = TrainedModel::from_bytes(model.to_bytes()).value();
    const auto catalogue = again.make_catalogue();
    REQUIRE(catalogue->put_all(books));
    catalogue->observe_all(rows, now);
    const auto list = rank(again.collaborative.get(), again.weights, *catalogue, history_of({100}), {});
    CHECK(list.size() == std::min<std::size_t>(10, books.size() - std::min<std::size_t>(1, books.size())));
    return model.report;
  };
  serves({}, {});
  serves({}, readings(5));
  serves({library().front()}, {});
  serves(library(), {});
  std::vector<Interaction> one_person;
  for (int i = 0; i < 10; ++i) one_person.push_back({1, 100 + i, 1, now - std::chrono::hours(i)});
  serves(library(), one_person);
  std::vector<Interaction> equal;
  for (int person = 0; person < 30; ++person)
    for (int i = 0; i < 25; ++i) equal.push_back({person, 100 + i, 1.5F, now - std::chrono::hours(i)});
  CHECK(serves(library(), equal).constant_raters == 30);
  auto bot = readings(60);
  for (int i = 0; i < 50'000; ++i) bot.push_back({666, 103, 1, now - std::chrono::milliseconds(i)});
  CHECK(serves(library(), bot).bots == 1);
}

TEST_CASE("training can be cancelled at any moment", "[H3]") {
  for (const int calls : {0, 1, 5, 20, 60, 150}) {
    std::atomic<int> left = calls;
    vector::Work work;
    work.threads = 2;
    work.cancelled = [&] { return left-- <= 0; };
    const auto model = train_all(library(), readings(60), small(), now, work);
    if (!model) CHECK(model.error().code == "cancelled");
    if (calls == 0) CHECK_FALSE(model);
  }
}

TEST_CASE("progress rises to 1", "[H3]") {
  double last = 0;
  bool rising = true;
  vector::Work work;
  work.threads = 1;
  work.progress = [&](double share) {
    rising = rising && share >= last - 1e-9;
    last = share;
  };
  REQUIRE(train_all(library(), readings(60), small(), now, work));
  CHECK(rising);
  CHECK(last == Approx(1));
}

TEST_CASE("a search over parameters tries each and puts the best first", "[H19]") {
  Grid grid;
  grid.half_life = {1, 5, 20};
  grid.shrinkage = {0, 10};
  const auto trials = search_parameters(library(), readings(150), small(), grid, now).value();
  REQUIRE(trials.size() == 6);
  for (std::size_t i = 1; i < trials.size(); ++i) CHECK(trials[i - 1].metrics.ndcg >= trials[i].metrics.ndcg);
}

}  // namespace
}  // namespace lumina::recs

#include "modules/recs/service.hpp"

#include "core/base/text.hpp"
#include "core/runtime/run_on.hpp"
#include "modules/recs/repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace lumina::recs {
namespace {

constexpr std::size_t default_limit = 10, prepared_books = 60, spare_books = 10, most_books = 2000;
constexpr std::string_view default_window = "30d";

Failure no_book() { return not_found("Book not found"); }

std::size_t limit_of(const std::optional<int>& limit) {
  return limit ? static_cast<std::size_t>(*limit) : default_limit;
}
std::string_view name_of(Method method) { return method_names[static_cast<std::size_t>(method)]; }

// Sure of what the database says, and not only the shelf.
bool fits(const books::Book& book, const Filters& filters) {
  return !filters.available.value_or(false) || book.copies_available > 0;
}

events::Change about(std::string_view type, UserId user, std::string payload = "{}") {
  return {.type = type,
          .resource = "recommendation",
          .resource_id = user.value,
          .subject = user,
          .payload = std::move(payload)};
}

}  // namespace

void RecommendationService::set_options(ListOptions options) {
  auto fresh = std::make_shared<const ListOptions>(std::move(options));
  std::lock_guard lock(mutex_);
  options_ = std::move(fresh);
}
std::shared_ptr<const ListOptions> RecommendationService::options() const {
  std::lock_guard lock(mutex_);
  return options_;
}

// The same variant for a person always: a hash of the number, so that neighbours fall apart.
std::string RecommendationService::variant_of(UserId user, const ListOptions& options) const {
  if (options.experiment_percent <= 0) return "default";
  auto x = static_cast<std::uint64_t>(user.value) * 0x9E3779B97F4A7C15ULL;
  x ^= x >> 32;
  return static_cast<std::int64_t>(x % 100) < options.experiment_percent
             ? fmt::format("experiment {}", name_of(options.experiment_method))
             : "control";
}

Task<Result<std::shared_ptr<const Person>>> RecommendationService::person(UserId user) {
  const auto found = people_.find(user);
  if (found.person) co_return found.person;
  auto look = [user](db::Transaction& tx) { return RecommendationRepository(tx).person(user); };
  auto read = co_await database_.read(std::move(look));
  if (!read) co_return Failure(std::move(read.error()));
  if (!*read) co_return not_found(fmt::format("User {} not found", user.value));
  auto person = std::make_shared<const Person>(std::move(**read));
  people_.store(user, found.ticket, person);
  co_return person;
}

Task<Result<std::vector<RecommendationService::Place>>> RecommendationService::places(
    std::vector<BookId> ids, Filters filters, std::optional<UserId> user) {
  std::unordered_map<std::int64_t, std::size_t> ranks;
  std::vector<std::int64_t> numbers;
  for (const auto id : ids) {
    ranks.emplace(id.value, ranks.size());
    numbers.push_back(id.value);
  }
  auto rows = co_await books_.some(std::move(ids));
  if (!rows) co_return Failure(std::move(rows.error()));
  std::unordered_set<std::int64_t> unfit;
  const bool in_branch = filters.branch && filters.available.value_or(false);
  if (in_branch || (user && had_once_)) {
    auto look = [&](db::Transaction& tx) {
      if (in_branch) {
        const auto there = RecommendationRepository(tx).borrowable_in(*filters.branch, numbers);
        for (const auto id : numbers)
          if (std::ranges::find(there, id) == there.end()) unfit.insert(id);
      }
      if (user && had_once_)
        for (const auto id : numbers)
          if (had_once_(tx, *user, BookId{id})) unfit.insert(id);
    };
    if (auto looked = co_await database_.read(std::move(look)); !looked)
      co_return Failure(std::move(looked.error()));
  }
  std::vector<Place> out;
  for (auto& row : *rows) {
    const auto id = row.id.value;
    if (!fits(row, filters) || unfit.contains(id)) continue;
    out.push_back({std::move(row), ranks.at(id)});
  }
  std::ranges::sort(out, {}, &Place::rank);
  co_return out;
}

Task<Result<std::vector<Recommended>>> RecommendationService::ranked_list(
    std::shared_ptr<const Person> person, std::optional<UserId> user, Wanted wanted) {
  const bool counts = person->history.empty() || wanted.method == Method::popular;
  if (auto there = co_await live_.caught_up(counts); !there) co_return Failure(std::move(there.error()));
  const auto engine = live_.engine();
  const auto shelf = live_.shelf();
  const auto setting = options();
  const auto books = counts ? shelf->version() : shelf->content_version();
  const std::size_t limit = wanted.limit;
  const bool keeps = user && wanted.plain() && wanted.method == Method::hybrid && limit <= prepared_books / 2;
  std::vector<Recommended> out;
  std::unordered_set<std::int64_t> placed;
  for (std::size_t asked = keeps ? prepared_books : limit + spare_books;; asked *= 3) {
    std::vector<Ranked> picks;
    People::Found kept;
    if (keeps) kept = people_.find(*user);
    if (keeps && asked == prepared_books && kept.person == person && kept.prepared &&
        kept.prepared->model == engine->number() && kept.prepared->books == books) {
      picks = kept.prepared->picks;
    } else {
      wanted.limit = asked;
      auto make = [&] { return make_list(*engine, *shelf, *person, wanted, setting->algorithms); };
      auto made = co_await runtime::run_on(pool_, std::move(make));
      if (!made) co_return Failure(std::move(made.error()));
      picks = std::move(*made);
      if (keeps && asked == prepared_books && kept.person == person)
        people_.store(
            *user, kept.ticket,
            std::make_shared<const People::Prepared>(People::Prepared{engine->number(), books, picks}));
    }
    const bool all = picks.size() < asked;
    // The first ones are most often enough.
    for (std::size_t from = 0; from < picks.size() && out.size() < limit;) {
      const auto to = std::min(picks.size(), from + (limit - out.size()) + spare_books);
      std::vector<BookId> ids;
      std::unordered_map<std::int64_t, const Ranked*> by_id;
      for (std::size_t i = from; i < to; ++i) {
        if (placed.contains(picks[i].book)) continue;
        ids.emplace_back(picks[i].book);
        by_id.emplace(picks[i].book, &picks[i]);
      }
      from = to;
      if (ids.empty()) continue;
      auto found = co_await places(std::move(ids), wanted.filters, user);
      if (!found) co_return Failure(std::move(found.error()));
      for (auto& place : *found) {
        if (out.size() == limit) break;
        const auto id = place.book.id.value;
        placed.insert(id);
        Recommended book;
        static_cast<books::Book&>(book) = std::move(place.book);
        explain(book, *by_id.at(id), *person, *shelf);
        out.push_back(std::move(book));
      }
    }
    if (out.size() == limit || all || asked > most_books) break;
  }
  co_return out;
}

Task<Result<std::vector<Recommended>>> RecommendationService::list(ListQuery query, Caller by) {
  if (!query.weights.empty()) {
    if (!by.can(Permission::system_inspect))
      co_return fail(ErrorKind::forbidden, "admins_only", "Weights are for administrators to set");
    const bool sound = query.weights.size() == 3 &&
                       std::ranges::all_of(query.weights, [](double w) { return w >= 0 && w <= 100; });
    if (!sound) co_return invalid({{{"query", "weights"}, "must be three numbers from 0 to 100", "range"}});
  }
  const auto setting = options();
  const auto variant = variant_of(by.id(), *setting);
  Wanted wanted;
  wanted.limit = limit_of(query.limit);
  wanted.method = query.strategy.value_or(variant.starts_with("experiment") ? setting->experiment_method
                                                                            : Method::hybrid);
  wanted.diversity = query.diversity.value_or(0);
  wanted.exclude_read = query.exclude_read.value_or(true);
  wanted.weights = query.weights;
  wanted.filters = std::move(static_cast<Filters&>(query));
  auto whom = co_await person(by.id());
  if (!whom) co_return Failure(std::move(whom.error()));
  const auto method = (*whom)->personal ? wanted.method : Method::popular;
  const auto begun = std::chrono::steady_clock::now();
  auto made = co_await ranked_list(std::move(*whom), by.user, std::move(wanted));
  if (!made) co_return Failure(std::move(made.error()));
  figures_.took(std::chrono::steady_clock::now() - begun);
  figures_.served(name_of(method), made->size());
  figures_.listed(variant, made->size());
  co_return std::move(*made);
}

Task<Result<std::vector<SimilarBook>>> RecommendationService::similar(BookId book, SimilarQuery query) {
  if (auto there = co_await live_.caught_up(false); !there) co_return Failure(std::move(there.error()));
  const auto engine = live_.engine();
  const auto shelf = live_.shelf();
  if (!shelf->find(book.value)) co_return no_book();
  const auto begun = std::chrono::steady_clock::now();
  const std::size_t limit = limit_of(query.limit);
  const Filters filters = std::move(static_cast<Filters&>(query));
  std::vector<SimilarBook> out;
  for (std::size_t asked = limit + spare_books;; asked *= 4) {
    auto make = [&] {
      const auto meant = meaning_ ? meaning_(book.value, 2 * asked) : std::vector<vector::Hit>{};
      return make_similar(*engine, *shelf, book.value, asked, filters, meant);
    };
    auto hits = co_await runtime::run_on(pool_, std::move(make));
    if (!hits) co_return Failure(std::move(hits.error()));
    std::vector<BookId> ids;
    for (const auto& hit : *hits) ids.emplace_back(hit.id);
    auto found = co_await places(std::move(ids), filters, {});
    if (!found) co_return Failure(std::move(found.error()));
    out.clear();
    for (auto& place : *found) {
      if (out.size() == limit) break;
      SimilarBook one;
      static_cast<books::Book&>(one) = std::move(place.book);
      one.score = shown_score(static_cast<double>((*hits)[place.rank].score));
      out.push_back(std::move(one));
    }
    if (out.size() == limit || hits->size() < asked || asked > most_books) break;
  }
  figures_.took(std::chrono::steady_clock::now() - begun);
  figures_.served("similar", out.size());
  co_return out;
}

Task<Result<std::vector<Recommended>>> RecommendationService::session(SessionQuery query) {
  if (auto there = co_await live_.caught_up(false); !there) co_return Failure(std::move(there.error()));
  std::vector<Deed> deeds;
  Wanted wanted;
  const auto now = clock_.now();
  for (std::size_t i = 0; i < query.books.size(); ++i) {
    const auto id = query.books[i].value;
    wanted.barred.insert(id);
    // The last one was looked at now, the others before it.
    const auto at = now - std::chrono::minutes(query.books.size() - 1 - i);
    deeds.push_back({DeedKind::click, id, 1, at});
  }
  auto visitor = std::make_shared<const Person>(make_person(deeds, {}, true, {}));
  wanted.limit = limit_of(query.limit);
  wanted.filters.genre = std::move(query.genre);
  wanted.filters.language = std::move(query.language);
  wanted.filters.available = query.available;
  wanted.filters.exclude = std::move(query.exclude);
  auto made = co_await ranked_list(std::move(visitor), {}, std::move(wanted));
  if (!made) co_return Failure(std::move(made.error()));
  figures_.served("session", made->size());
  co_return std::move(*made);
}

Task<Result<std::vector<PopularBook>>> RecommendationService::popular(PopularQuery query) {
  if (auto there = co_await live_.caught_up(true); !there) co_return Failure(std::move(there.error()));
  const auto shelf = live_.shelf();
  const auto setting = options();
  const auto now = clock_.now();
  const bool trending = query.order == PopularOrder::trending;
  const auto window = window_ms(query.window.value_or(std::string(default_window)));
  const auto from = now - std::chrono::milliseconds(window.value_or(0));
  const std::size_t limit = limit_of(query.limit);
  const Filters filters = std::move(static_cast<Filters&>(query));
  const auto half_life = trending ? std::optional(setting->half_life_days) : std::nullopt;
  std::vector<PopularBook> out;
  for (std::size_t asked = limit + spare_books;; asked *= 4) {
    auto make = [&] { return make_popular(*shelf, from, now, half_life, asked, filters); };
    auto hits = co_await runtime::run_on(pool_, std::move(make));
    if (!hits) co_return Failure(std::move(hits.error()));
    std::vector<BookId> ids;
    for (const auto& hit : *hits) ids.emplace_back(hit.book);
    auto found = co_await places(std::move(ids), filters, {});
    if (!found) co_return Failure(std::move(found.error()));
    out.clear();
    for (auto& place : *found) {
      if (out.size() == limit) break;
      PopularBook one;
      static_cast<books::Book&>(one) = std::move(place.book);
      one.readers = (*hits)[place.rank].readers;
      one.score = shown_score((*hits)[place.rank].score);
      out.push_back(std::move(one));
    }
    if (out.size() == limit || hits->size() < asked || asked > most_books) break;
  }
  figures_.served(trending ? "trending" : "popular", out.size());
  co_return out;
}

Task<Result<std::vector<BatchEntry>>> RecommendationService::batch(BatchQuery query) {
  std::vector<BatchEntry> all;
  for (const auto user : query.users) {
    auto whom = co_await person(user);
    if (!whom) co_return Failure(std::move(whom.error()));
    Wanted wanted;
    wanted.limit = limit_of(query.limit);
    wanted.method = query.strategy.value_or(Method::hybrid);
    const auto method = (*whom)->personal ? wanted.method : Method::popular;
    auto made = co_await ranked_list(std::move(*whom), user, std::move(wanted));
    if (!made) co_return Failure(std::move(made.error()));
    figures_.served(name_of(method), made->size());
    all.push_back({user, std::move(*made)});
  }
  co_return all;
}

Task<Status> RecommendationService::feedback(Feedback feedback, Caller by) {
  auto work = [this, feedback, by](db::Transaction& tx) -> Status {
    RecommendationRepository all(tx);
    if (!all.exists(feedback.book_id)) return no_book();
    all.add_feedback(by.id(), feedback, clock_.now());
    const auto action = action_names[static_cast<std::size_t>(feedback.action)];
    journal_.record(tx, by,
                    {.type = "recommendation.feedback",
                     .resource = "book",
                     .resource_id = feedback.book_id.value,
                     .subject = by.user,
                     .payload = fmt::format(R"({{"action":"{}"}})", action)});
    return {};
  };
  auto done = co_await database_.write(std::move(work));
  if (!done) co_return Failure(std::move(done.error()));
  const auto setting = options();
  figures_.told(variant_of(by.id(), *setting), feedback.action);
  co_return Status{};
}

Task<Result<PersonalSettings>> RecommendationService::settings(Caller by) {
  auto look = [user = by.id()](db::Transaction& tx) {
    const auto stored = RecommendationRepository(tx).settings(user);
    return PersonalSettings{stored.personal, stored.forgotten_at};
  };
  co_return co_await database_.read(std::move(look));
}

Task<Result<PersonalSettings>> RecommendationService::set_settings(NewPersonalSettings wanted, Caller by) {
  auto work = [this, wanted, by = std::move(by)](db::Transaction& tx) -> Result<PersonalSettings> {
    RecommendationRepository all(tx);
    all.set_personal(by.id(), wanted.personal, clock_.now());
    const auto payload = fmt::format(R"({{"personal":{}}})", wanted.personal);
    journal_.record(tx, by, about("recommendation.settings_changed", by.id(), payload));
    const auto stored = all.settings(by.id());
    return PersonalSettings{stored.personal, stored.forgotten_at};
  };
  co_return co_await database_.write(std::move(work));
}

Task<Status> RecommendationService::forget(Caller by) {
  auto work = [this, by = std::move(by)](db::Transaction& tx) -> Status {
    RecommendationRepository(tx).forget(by.id(), clock_.now());
    journal_.record(tx, by, about("recommendation.forgotten", by.id()));
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

bool RecommendationService::warm_one() {
  const auto setting = options();
  std::optional<UserId> next;
  bool begin = false;
  {
    std::lock_guard lock(mutex_);
    begin = !std::exchange(warming_begun_, true);
  }
  if (begin) {
    auto look = [most = setting->warm_people](db::Transaction& tx) {
      return RecommendationRepository(tx).lately_active(static_cast<int>(most));
    };
    auto active = database_.read_now(std::move(look));
    if (!active) return false;
    std::lock_guard lock(mutex_);
    to_warm_.assign(active->begin(), active->end());
  }
  {
    std::lock_guard lock(mutex_);
    if (to_warm_.empty()) {
      warming_begun_ = false;  // the next model begins anew
      return false;
    }
    next = to_warm_.front();
    to_warm_.pop_front();
  }
  const auto found = people_.find(*next);
  auto person = found.person;
  if (!person) {
    auto look = [user = *next](db::Transaction& tx) { return RecommendationRepository(tx).person(user); };
    auto read = database_.read_now(std::move(look));
    if (!read || !*read) return true;
    person = std::make_shared<const Person>(std::move(**read));
    people_.store(*next, found.ticket, person);
  }
  const auto engine = live_.engine();
  if (!engine || person->history.empty()) return true;
  const auto shelf = live_.shelf();
  Wanted wanted;
  wanted.limit = prepared_books;
  auto picks = make_list(*engine, *shelf, *person, wanted, setting->algorithms);
  people_.store(*next, found.ticket,
                std::make_shared<const People::Prepared>(
                    People::Prepared{engine->number(), shelf->content_version(), std::move(picks)}));
  return true;
}

void forget_recommendations_of(db::Transaction& tx, UserId user) { RecommendationRepository(tx).erase(user); }

}  // namespace lumina::recs

#include "modules/recs/model.hpp"

#include <charconv>
#include <iterator>

namespace lumina::recs {
namespace {

using schema::Field;

template <class T>
std::vector<Field> with_filters(std::vector<Field> own) {
  std::vector<Field> all{{"genre", &T::genre, "Only books of this genre", {schema::length(1, 100)}},
                         {"language", &T::language, "Only books in this language", {schema::length(1, 35)}},
                         {"available", &T::available, "true: only books that can be borrowed now"},
                         {"exclude", &T::exclude, "Books to leave out", {schema::items(0, 1000)}}};
  if constexpr (requires { &T::branch; })
    all.emplace_back("branch", &T::branch, "Only books with copies in this branch");
  std::ranges::move(all, std::back_inserter(own));
  return own;
}
std::vector<Field> after_book(std::vector<Field> own) {
  auto all = books::Book::fields();
  std::ranges::move(own, std::back_inserter(all));
  return all;
}
constexpr std::string_view limit_text = "1 to 100 (default 10)";

}  // namespace

std::optional<std::int64_t> window_ms(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (fault != std::errc{} || n <= 0 || end + 1 != text.data() + text.size()) return {};
  constexpr std::int64_t hour = 3'600'000, day = 24 * hour, longest = 730;
  switch (*end) {
    case 'h':
      return n <= longest * 24 ? std::optional(n * hour) : std::nullopt;
    case 'd':
      return n <= longest ? std::optional(n * day) : std::nullopt;
    case 'w':
      return n <= longest / 7 ? std::optional(n * 7 * day) : std::nullopt;
    default:
      return {};
  }
}

std::vector<Field> ListQuery::fields() {
  return with_filters<ListQuery>(
      {{"limit", &ListQuery::limit, limit_text, {schema::range(1, 100)}},
       {"exclude_read", &ListQuery::exclude_read,
        "false: books the person has borrowed or reviewed may come too (default true)"},
       {"strategy", &ListQuery::strategy, "What the list is made by (default hybrid)"},
       {"diversity",
        &ListQuery::diversity,
        "0: the best, 1: no two of one author in ten",
        {schema::range(0, 1)}},
       {"weights",
        &ListQuery::weights,
        "For administrators: of collaborative, content and popularity",
        {schema::items(0, 3)}}});
}
std::vector<Field> SimilarQuery::fields() {
  return with_filters<SimilarQuery>({{"limit", &SimilarQuery::limit, limit_text, {schema::range(1, 100)}}});
}
std::vector<Field> PopularQuery::fields() {
  return with_filters<PopularQuery>(
      {{"limit", &PopularQuery::limit, limit_text, {schema::range(1, 100)}},
       {"window",
        &PopularQuery::window,
        "How far back: 12h, 30d (default), 4w",
        {schema::format(
            "window", [](std::string_view text) { return window_ms(text).has_value(); },
            "must be a number of hours, days or weeks: 12h, 30d, 4w")}},
       {"order", &PopularQuery::order,
        "popular (default): most readers in the window; trending: what counts more the newer it is"}});
}
std::vector<Field> SessionQuery::fields() {
  return with_filters<SessionQuery>(
      {Field("books", &SessionQuery::books, "Books that were looked at, the last one last",
             {schema::items(0, 100)})
           .needed(),
       {"limit", &SessionQuery::limit, limit_text, {schema::range(1, 100)}}});
}
std::vector<Field> BatchQuery::fields() {
  return {Field("users", &BatchQuery::users, "Whom for", {schema::items(1, 100)}).needed(),
          {"limit", &BatchQuery::limit, "1 to 100 for each (default 10)", {schema::range(1, 100)}},
          {"strategy", &BatchQuery::strategy, "What the lists are made by"}};
}
std::vector<Field> Because::fields() {
  return {{"id", &Because::id, "The book"}, {"title", &Because::title, "Its title"}};
}
std::vector<Field> Recommended::fields() {
  return after_book(
      {{"score", &Recommended::score, "0 to 1, comparable within one list"},
       {"reason", &Recommended::reason, "Why it is here, in words"},
       {"source", &Recommended::source, "What brought it here"},
       Field("similar_to", &Recommended::similar_to, "Your book that it follows from").hide_when_absent()});
}
std::vector<Field> SimilarBook::fields() {
  return after_book({{"score", &SimilarBook::score, "How similar: 0 to 1"}});
}
std::vector<Field> PopularBook::fields() {
  return after_book({{"readers", &PopularBook::readers, "People who borrowed it in the window"},
                     {"score", &PopularBook::score, "0 to 1, comparable within one list"}});
}
std::vector<Field> BatchEntry::fields() {
  return {{"user_id", &BatchEntry::user_id, "For whom"}, {"books", &BatchEntry::books, "The list"}};
}
std::vector<Field> Feedback::fields() {
  return {{"book_id", &Feedback::book_id, "The book"},
          {"action", &Feedback::action,
           "What was done with it: click, like, dislike, dismiss (not interested), shown, opened"}};
}
std::vector<Field> PersonalSettings::fields() {
  return {{"personal", &PersonalSettings::personal, "false: lists are of popular books, the same for all"},
          {"forgotten_at", &PersonalSettings::forgotten_at,
           "What you did before this moment does not shape your lists"}};
}
std::vector<Field> NewPersonalSettings::fields() {
  return {{"personal", &NewPersonalSettings::personal, "Whether lists are made for you"}};
}
std::vector<Field> ModelVersion::fields() {
  return {
      {"version", &ModelVersion::version, "Number of the version"},
      {"algorithm", &ModelVersion::algorithm, "The collaborative method"},
      {"active", &ModelVersion::active, "Whether lists are made by it"},
      {"books", &ModelVersion::books, "Books it was trained on"},
      {"people", &ModelVersion::people, "People"},
      {"interactions", &ModelVersion::interactions, "Loans, ratings and the like"},
      {"size", &ModelVersion::size, "Bytes of its file"},
      {"parameters", &ModelVersion::parameters, "What it was trained with"},
      {"metrics", &ModelVersion::metrics, "hr@10, ndcg@10, recall@10, coverage, novelty on held-back data"},
      {"weights", &ModelVersion::weights, "Of the parts of the blend"},
      {"report", &ModelVersion::report, "What was found in the data, and what was left out"},
      {"cause", &ModelVersion::cause, "asked, schedule, new_books, search or repair"},
      {"held_back", &ModelVersion::held_back, "Why it did not become active by itself"},
      {"trained_at", &ModelVersion::trained_at, "When"},
      {"duration_ms", &ModelVersion::duration_ms, "How long it took"}};
}
std::vector<Field> TrainingReport::fields() {
  return {{"status", &TrainingReport::status, "Model trained successfully"},
          {"model", &TrainingReport::model, "The version"},
          {"steps", &TrainingReport::steps, "Milliseconds of each step"}};
}
std::vector<Field> TrainRequest::fields() {
  return {{"search", &TrainRequest::search, "true: compare parameters first and train with the best"},
          {"activate", &TrainRequest::activate, "false: only keep the version (default true)"}};
}
std::vector<Field> VariantFigures::fields() {
  return {{"variant", &VariantFigures::variant, "Of the experiment; default without one"},
          {"lists", &VariantFigures::lists, "Lists made"},
          {"served", &VariantFigures::served, "Books in them"},
          {"shown", &VariantFigures::shown, "Books that a page says it showed"},
          {"clicks", &VariantFigures::clicks, "Books that were opened or clicked"},
          {"click_rate", &VariantFigures::click_rate, "Clicks by books shown, or served when no page tells"}};
}
std::vector<Field> EngineStatus::fields() {
  return {
      {"state", &EngineStatus::state, "untrained, ready or damaged"},
      {"version", &EngineStatus::version, "Active version"},
      {"algorithm", &EngineStatus::algorithm, "Its collaborative method"},
      {"trained_at", &EngineStatus::trained_at, "When it was trained"},
      {"books", &EngineStatus::books, "Books it was trained on"},
      {"users", &EngineStatus::users, "People it was trained on"},
      {"interactions", &EngineStatus::interactions, "Loans, ratings and the like"},
      {"sparsity", &EngineStatus::sparsity, "Share of pairs of person and book without any"},
      {"weights", &EngineStatus::weights, "Of the parts of the blend"},
      {"metrics", &EngineStatus::metrics, "hr@10, ndcg@10, recall@10, coverage, novelty on held-back data"},
      {"books_indexed", &EngineStatus::books_indexed, "Books that can be recommended now"},
      {"books_since_training", &EngineStatus::books_since_training, "Books that are newer than it"},
      {"index_ready", &EngineStatus::index_ready, "Whether all books are loaded"},
      {"threshold", &EngineStatus::threshold, "ndcg@10 below which a model does not become active"},
      {"alerts", &EngineStatus::alerts, "What somebody should look at"},
      {"variants", &EngineStatus::variants, "Clicks of the last thirty days"}};
}

}  // namespace lumina::recs

#include "modules/reviews/model.hpp"

#include "core/base/text.hpp"

namespace lumina::reviews {
namespace {

using schema::Field;
using schema::Rule;

bool has_text(std::string_view text) { return !trim(text).empty(); }
std::vector<Rule> text_rules() {
  return {schema::length(10, 5000), schema::format("not-blank", &has_text, "must not be blank")};
}
std::vector<Rule> rating_rules() { return {schema::range(1.0, 5.0), schema::step(0.5)}; }

}  // namespace

std::vector<Field> Reviewer::fields() {
  return {{"id", &Reviewer::id, "Identifier"}, {"full_name", &Reviewer::full_name, "Name as shown"}};
}
std::vector<Field> Review::fields() {
  return {
      {"id", &Review::id, "Identifier"},
      {"user_id", &Review::user_id, "Who wrote it"},
      {"book_id", &Review::book_id, "Of which book"},
      {"review_text", &Review::review_text, "The review"},
      {"rating", &Review::rating, "1.0 to 5.0 in steps of 0.5"},
      {"sentiment_score", &Review::sentiment_score, "-1 to 1"},
      {"sentiment_source", &Review::sentiment_source, "Who found the score"},
      {"sentiment_model", &Review::sentiment_model, "Which language model, when one did"},
      {"helpful_count", &Review::helpful_count, "People who found it helpful"},
      {"reply_count", &Review::reply_count, "Replies to it"},
      {"spoiler", &Review::spoiler,
       "Whether it gives the plot away; its text is then shown with spoilers=1 only"},
      {"standing", &Review::standing, "shown or cleared; its author and staff also meet pending and hidden"},
      {"unusual", &Review::unusual,
       "Whether it waits because too many new accounts said the same at once; never true of what is seen"},
      {"created_at", &Review::created_at, "When it was written"},
      {"updated_at", &Review::updated_at, "When it was last changed"},
      {"user", &Review::user, "Who wrote it"}};
}
std::vector<Field> NewReview::fields() {
  return {{"book_id", &NewReview::book_id, "A book you have borrowed"},
          {"review_text", &NewReview::review_text, "10 to 5000 characters", text_rules()},
          {"rating", &NewReview::rating, "1.0 to 5.0 in steps of 0.5", rating_rules()},
          {"spoiler", &NewReview::spoiler, "Whether it gives the plot away (default false)"}};
}
std::vector<Field> ReviewChanges::fields() {
  return {{"review_text", &ReviewChanges::review_text, "10 to 5000 characters", text_rules()},
          {"rating", &ReviewChanges::rating, "1.0 to 5.0 in steps of 0.5", rating_rules()},
          {"spoiler", &ReviewChanges::spoiler, "Whether it gives the plot away"}};
}
std::vector<Field> ReviewOrder::fields() {
  return {{"sort",
           &ReviewOrder::sort,
           "Order; '-' in front for descending (default -created_at)",
           {schema::one_of({"created_at", "-created_at", "rating", "-rating", "sentiment_score",
                            "-sentiment_score", "helpful", "-helpful"})}},
          {"order",
           &ReviewOrder::order,
           "helpful: the most helpful first; newest: the newest first",
           {schema::one_of({"helpful", "newest"})}},
          {"spoilers", &ReviewOrder::spoilers, "true: with the texts that give the plot away"}};
}
std::vector<Field> SpoilerChoice::fields() {
  return {{"spoilers", &SpoilerChoice::spoilers, "true: with the text, though it gives the plot away"}};
}
std::vector<Field> SentimentDistribution::fields() {
  return {{"positive", &SentimentDistribution::positive, "Reviews above 0.3"},
          {"neutral", &SentimentDistribution::neutral, "Reviews from -0.3 to 0.3"},
          {"negative", &SentimentDistribution::negative, "Reviews below -0.3"}};
}
std::vector<Field> RatingCount::fields() {
  return {{"rating", &RatingCount::rating, "1.0 to 5.0"}, {"count", &RatingCount::count, "Reviews with it"}};
}
std::vector<Field> ThemeLine::fields() {
  return {{"term", &ThemeLine::term, "What reviews talk about"},
          {"count", &ThemeLine::count, "Reviews that do"},
          {"sentiment", &ThemeLine::sentiment, "How they feel about it, -1 to 1"}};
}
std::vector<Field> EvidenceLine::fields() {
  return {{"review_id", &EvidenceLine::review_id, "Of which review"},
          {"quote", &EvidenceLine::quote, "Its words, as they stand there"},
          {"sentiment", &EvidenceLine::sentiment, "How they feel, -1 to 1"}};
}
std::vector<Field> AspectLine::fields() {
  return {{"aspect", &AspectLine::aspect, "What of the book"},
          {"reviews", &AspectLine::reviews, "Reviews that speak of it"},
          {"sentiment", &AspectLine::sentiment, "Mean of those that judge it, -1 to 1; null when none does"},
          {"evidence", &AspectLine::evidence, "At most three quotes"}};
}
std::vector<Field> Analysis::fields() {
  return {{"book_id", &Analysis::book_id, "The book"},
          {"book_title", &Analysis::book_title, "Its title"},
          {"average_sentiment", &Analysis::average_sentiment, "Mean of the scores, two decimals"},
          {"sentiment_distribution", &Analysis::sentiment_distribution, "Reviews by sign"},
          {"category", &Analysis::category, "very_negative, negative, neutral, positive or very_positive"},
          {"label", &Analysis::label, "The category for people"},
          {"color", &Analysis::color, "The category as a colour"},
          {"total_reviews", &Analysis::total_reviews, "Number of reviews"},
          {"average_rating", &Analysis::average_rating, "Mean of the ratings; 0 without reviews"},
          {"rating_histogram", &Analysis::rating_histogram, "Reviews by rating"},
          {"themes", &Analysis::themes, "What the reviews talk about"},
          {"aspects", &Analysis::aspects, "Plot, style, pace and characters, always these four"},
          {"summary", &Analysis::summary, "What those say together that give nothing away"},
          {"summary_source", &Analysis::summary_source, "extractive, llm or none"},
          {"generated_at", &Analysis::generated_at, "When this was put together"}};
}
std::vector<Field> SentimentRequest::fields() {
  return {
      {"text", &SentimentRequest::text, "Text to read", {schema::length(1, 20000)}},
      {"rating", &SentimentRequest::rating, "Used where the text says little", {schema::range(1.0, 5.0)}}};
}
std::vector<Field> SentimentAnswer::fields() {
  return {{"score", &SentimentAnswer::score, "-1 to 1, two decimals"},
          {"category", &SentimentAnswer::category, "very_negative to very_positive"},
          {"label", &SentimentAnswer::label, "The category for people"},
          {"color", &SentimentAnswer::color, "The category as a colour"},
          {"source", &SentimentAnswer::source, "Who found the score"}};
}

}  // namespace lumina::reviews

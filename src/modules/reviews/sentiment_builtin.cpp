#include "modules/reviews/sentiment_builtin.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"
#include "modules/reviews/valence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace lumina::reviews {
namespace {

constexpr unsigned char shipped_bytes[] = {
#embed "sentiment_weights.bin"
};
// The checksum that ends those bytes. ccache follows includes but not #embed, so this file, written beside
// the weights, is what makes it compile anew.
constexpr std::uint32_t shipped_checksum =
#include "modules/reviews/sentiment_weights.inc"
    ;

constexpr std::size_t longest_text = 32 * 1024;

template <std::size_t n>
bool among(const std::array<std::string_view, n>& set, std::string_view word) {
  return std::find(set.begin(), set.end(), word) != set.end();
}

// Whether a sentence gives orders to whatever scores it instead of speaking of the book.
bool addresses_the_scorer(std::string_view sentence) {
  static constexpr auto overrides = std::to_array<std::string_view>(
      {"ignore", "disregard", "forget", "override", "bypass", "pretend", "overwrite"});
  static constexpr auto orders =
      std::to_array<std::string_view>({"output", "return", "respond", "reply", "print", "assign", "set",
                                       "answer", "classify", "score", "emit", "write"});
  static constexpr auto machinery =
      std::to_array<std::string_view>({"instruction", "instructions", "prompt", "prompts", "system",
                                       "assistant", "classifier", "model", "sentiment"});
  static constexpr auto results =
      std::to_array<std::string_view>({"score", "sentiment", "value", "json", "number"});
  bool overriding = false;
  bool ordering = false;
  bool machine = false;
  bool result = false;
  bool number = false;
  bool assistant = false;
  bool second_person = false;
  std::string folded;
  for (const text::Slice& word : text::words(sentence)) {
    folded.clear();
    text::fold_into(word.text, folded);
    overriding |= among(overrides, folded);
    ordering |= among(orders, folded);
    machine |= among(machinery, folded);
    result |= among(results, folded);
    assistant |= folded == "assistant" || folded == "classifier";
    second_person |= folded == "you";
    number |= folded == "1" || folded == "0";
  }
  return (machine && (overriding || ordering)) || (assistant && second_person) ||
         (ordering && number && (result || overriding)) || (result && number && machine);
}

// Whether any word that such an order needs occurs at all.
bool mentions_scoring(std::string_view text) {
  static constexpr auto signs =
      std::to_array<std::string_view>({"instruction", "prompt", "system", "assistant", "classif", "model",
                                       "sentiment", "score", "output", "value", "json", "number"});
  const std::string folded = text::fold(text);
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return folded.find(sign) != std::string::npos; });
}

// The text without such sentences; `kept` owns it when any were left out.
std::string_view without_orders(std::string_view text, std::string& kept) {
  // Nearly every review has none of these words, and is done here.
  if (!mentions_scoring(text)) return text;
  const auto sentences = text::sentences(text);
  std::vector<bool> left_out(sentences.size());
  bool any = false;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    left_out[i] = mentions_scoring(sentences[i].text) && addresses_the_scorer(sentences[i].text);
    any |= left_out[i];
  }
  if (!any) return text;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (!left_out[i]) kept.append(sentences[i].text).append(" ");
  }
  return kept;
}

Failure disk(const std::filesystem::path& path, std::string_view what) {
  return fail(ErrorKind::unavailable, "model_file", std::string(what) + " " + path.string());
}

}  // namespace

const LinearModel& BuiltinSentiment::shipped_model() {
  static const LinearModel model = [] {
    const std::string_view bytes(reinterpret_cast<const char*>(shipped_bytes), sizeof shipped_bytes);
    auto loaded = LinearModel::load(bytes);
    if (!loaded || model_checksum(bytes) != shipped_checksum)
      throw std::runtime_error("the sentiment model in this program is damaged");
    return *std::move(loaded);
  }();
  return model;
}

BuiltinSentiment::BuiltinSentiment() : BuiltinSentiment(shipped_model()) {}
BuiltinSentiment::BuiltinSentiment(LinearModel model)
    : model_(std::make_shared<const LinearModel>(std::move(model))) {}

void BuiltinSentiment::use(LinearModel model) {
  auto next = std::make_shared<const LinearModel>(std::move(model));
  const std::scoped_lock lock(mutex_);
  model_.swap(next);
}

std::shared_ptr<const LinearModel> BuiltinSentiment::model() const {
  const std::scoped_lock lock(mutex_);
  return model_;
}

BuiltinSentiment::Verdict BuiltinSentiment::read(std::string_view text) const {
  constexpr double enough_evidence = 0.5;  // less is no more than a stray function word
  constexpr double sure = 1.2;
  if (text.size() > longest_text) text = text.substr(0, longest_text);
  std::string kept;
  text = without_orders(text, kept);

  const auto model = this->model();
  const Valence rules = valence(text);
  const double linear = model->blend().linear * model->read(text).logit;
  if (rules.evidence < enough_evidence) {
    if (std::abs(linear) < sure || rules.lukewarm > 0) return {};
    return {linear, std::min(1.0, std::abs(linear) / 2)};
  }
  // A single mild word is not yet a reason to lean the way that the training texts leaned.
  const double lean = model->blend().bias * std::min(1.0, rules.evidence / 2);
  const double logit = rules.tempered(lean + linear + model->blend().rules * rules.balance());
  return {logit, std::clamp(std::max(rules.evidence / 4, std::abs(logit) / 2), 0.0, 1.0)};
}

Sentiment BuiltinSentiment::analyze(std::string_view text, std::optional<double> rating) const {
  const Verdict verdict = read(text);
  if (verdict.clarity == 0) {
    if (rating) return {rating_score(*rating), SentimentSource::rating};
    return {0, SentimentSource::lexicon};
  }
  double score = std::tanh(verdict.logit / 4);
  if (rating) {
    const double say = (1 - verdict.clarity) / 2;
    score = (1 - say) * score + say * rating_score(*rating);
  }
  return {rounded_score(score), SentimentSource::lexicon};
}

Result<LinearModel> read_model(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return not_found("There is no sentiment model " + path.string());
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return LinearModel::load(bytes);
}

Status write_model(const LinearModel& model, const std::filesystem::path& path) {
  const std::string bytes = model.save();
  std::filesystem::path draft = path;
  draft += ".new";
  {
    std::ofstream file(draft, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) return disk(draft, "Cannot write");
  }
  std::error_code error;
  std::filesystem::rename(draft, path, error);
  if (error) return disk(path, "Cannot replace");
  return {};
}

}  // namespace lumina::reviews

#include "modules/recs/training_report.hpp"

#include "core/json/codec.hpp"

#include <fmt/format.h>

namespace lumina::recs {
namespace {

// An object or array, written member by member.
class Text {
 public:
  explicit Text(char open = '{') : close_(open == '{' ? '}' : ']') { text_ = open; }
  void number(std::string_view name, double value) {
    key(name);
    json::append_number(text_, value);
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    json::append_string(text_, value);
  }
  void raw(std::string_view name, std::string_view value) {
    key(name);
    text_ += value;
  }
  std::string done() && { return std::move(text_) + close_; }

 private:
  void key(std::string_view name) {
    if (text_.size() > 1) text_ += ',';
    if (close_ == ']') return;
    json::append_string(text_, name);
    text_ += ':';
  }
  std::string text_;
  char close_;
};

std::string metrics_json(const Metrics& m, const Metrics* popularity) {
  Text out;
  out.number("people", static_cast<double>(m.people));
  out.number("hr@10", m.hit_rate);
  out.number("ndcg@10", m.ndcg);
  out.number("recall@10", m.recall);
  out.number("precision@10", m.precision);
  out.number("coverage", m.coverage);
  out.number("novelty", m.novelty);
  if (popularity) out.raw("popularity", metrics_json(*popularity, nullptr));
  return std::move(out).done();
}

std::string algorithms_of(const CollaborativeParameters& p) {
  std::string all;
  for (const auto algorithm : p.algorithms) {
    if (!all.empty()) all += '+';
    all += name_of(algorithm);
  }
  return all;
}

std::string parameters_json(const CollaborativeParameters& p) {
  Text out;
  out.text("algorithms", algorithms_of(p));
  out.number("half_life", p.half_life);
  out.number("neighbours", static_cast<double>(p.neighbours));
  out.number("shrinkage", p.shrinkage);
  out.number("sequence_reach", p.sequence_reach);
  out.number("linear_books", static_cast<double>(p.linear_books));
  out.number("linear_regularisation", p.linear_regularisation);
  out.number("factors", static_cast<double>(p.factors));
  return std::move(out).done();
}

std::string weights_json(const BlendWeights& weights) {
  Text out;
  for (std::size_t row = 0; row < weights.rows.size(); ++row) {
    Text parts;
    for (std::size_t part = 0; part < part_count; ++part)
      parts.number(name_of(static_cast<Part>(part)), weights.rows[row][part]);
    out.raw(fmt::format("{} books", BlendWeights::lengths[row]), std::move(parts).done());
  }
  return std::move(out).done();
}

std::string report_json(const DataReport& r) {
  Text findings('[');
  for (const auto& finding : r.findings) findings.text("", finding);
  Text out;
  out.number("duplicates", static_cast<double>(r.duplicates));
  out.number("future", static_cast<double>(r.future));
  out.number("unknown_books", static_cast<double>(r.unknown_books));
  out.number("not_numbers", static_cast<double>(r.not_numbers));
  out.number("bots", static_cast<double>(r.bots));
  out.number("bot_interactions", static_cast<double>(r.bot_interactions));
  out.number("constant_raters", static_cast<double>(r.constant_raters));
  out.number("sparsity", r.sparsity);
  out.raw("findings", std::move(findings).done());
  return std::move(out).done();
}

}  // namespace

ModelVersion described(const TrainedModel& model) {
  ModelVersion v;
  v.algorithm = algorithms_of(model.parameters.people);
  v.books = static_cast<std::int64_t>(model.report.books);
  v.people = static_cast<std::int64_t>(model.report.people);
  v.interactions = static_cast<std::int64_t>(model.report.interactions);
  v.parameters = {parameters_json(model.parameters.people)};
  v.metrics = {metrics_json(model.metrics, &model.popularity)};
  v.weights = {weights_json(model.weights)};
  v.report = {report_json(model.report)};
  if (model.metrics.people > 0) v.ndcg = model.metrics.ndcg;
  return v;
}

std::string steps_json(std::span<const StepTime> steps) {
  Text out;
  for (const auto& step : steps) out.number(step.step, static_cast<double>(step.took.count()));
  return std::move(out).done();
}

void add_search(ModelVersion& version, std::span<const Trial> trials) {
  Text table('[');
  for (const auto& trial : trials) {
    Text row;
    row.raw("parameters", parameters_json(trial.parameters));
    row.raw("metrics", metrics_json(trial.metrics, nullptr));
    row.number("took_ms", static_cast<double>(trial.took.count()));
    table.raw("", std::move(row).done());
  }
  auto& text = version.report.text;
  text.pop_back();
  text += ",\"search\":" + std::move(table).done() + "}";
}

}  // namespace lumina::recs

#include "core/llm/embed_chain.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::llm {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Texts = std::vector<std::string>;

const std::string what = "embedding model";

}  // namespace

EmbedMetrics::EmbedMetrics(metrics::Registry& registry)
    : registry_(registry),
      texts_(registry.counter("luminalib_embed_texts_total", "Texts made into vectors.", {})),
      duration_(registry.histogram("luminalib_embed_request_duration_seconds",
                                   "From a batch of texts to its vectors, waiting included.",
                                   std::vector<double>{0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 30})) {
  for (const auto* outcome : {"success", "failure"})
    registry.counter("luminalib_embed_requests_total", "Calls of embedding models.",
                     {{"provider", "none"}, {"outcome", outcome}}, metrics::Show::always);
}

void EmbedMetrics::ended(const std::string& provider, std::string_view outcome) {
  registry_
      .counter("luminalib_embed_requests_total", "Calls of embedding models.",
               {{"provider", provider}, {"outcome", std::string(outcome)}})
      .add();
}

void EmbedMetrics::made(std::size_t texts, std::chrono::nanoseconds took) {
  texts_.add(texts);
  duration_.observe(took);
}

// A model in this process works on one batch at a time, and asking it again changes nothing.
EmbedChain::Link::Link(std::shared_ptr<Embedder> e, const EmbedOptions& o)
    : Post(e->dimensions() > 0 ? 1 : o.parallel, e->dimensions() == 0, o), embedder(std::move(e)) {}

EmbedChain::EmbedChain(std::vector<std::shared_ptr<Embedder>> embedders, EmbedOptions options,
                       EmbedMetrics* metrics)
    : options_(std::move(options)), metrics_(metrics) {
  for (auto& embedder : embedders) links_.push_back(std::make_unique<Link>(std::move(embedder), options_));
  if (!links_.empty()) dimensions_ = links_.front()->embedder->dimensions();
}

std::string EmbedChain::model() const {
  return links_.empty() ? std::string{} : links_.front()->embedder->model();
}

std::size_t EmbedChain::dimensions() const { return dimensions_; }

Task<Result<Vectors>> EmbedChain::embed(Texts texts, EmbedCall call) {
  if (texts.size() > most_texts)
    co_return fail(ErrorKind::refused, "llm_refused",
                   fmt::format("At most {} texts can be embedded at once", most_texts));
  const auto self = shared_from_this();  // a reload may let go of the chain meanwhile
  const auto until = Clock::now() + std::clamp(call.budget, Milliseconds(1), options_.timeout);
  const auto step = std::clamp<std::size_t>(options_.batch, 1, most_texts);
  Vectors all;
  for (std::size_t from = 0; from < texts.size(); from += step) {
    const auto first = texts.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = texts.begin() + static_cast<std::ptrdiff_t>(std::min(texts.size(), from + step));
    const auto batch = std::make_shared<const Texts>(first, last);
    const auto began = Clock::now();
    auto some = co_await run(batch, call.lane, until);
    if (!some) co_return Failure(std::move(some.error()));
    if (metrics_) metrics_->made(batch->size(), Clock::now() - began);
    if (!all.empty() && some->front().size() != all.front().size())
      co_return Failure(Error{ErrorKind::unavailable,
                              "llm_unavailable",
                              "The embedding model was exchanged while it worked",
                              {},
                              1});
    std::ranges::move(*some, std::back_inserter(all));
  }
  co_return all;
}

Task<Result<Vectors>> EmbedChain::run(std::shared_ptr<const Texts> texts, Lane lane,
                                      Clock::time_point until) {
  Errand<Vectors> errand;
  errand.what = what;
  errand.lane = lane;
  errand.until = until;
  errand.cancelled = errand.spoke = [] { return false; };
  errand.attempt = [this, texts, lane](std::size_t number, Milliseconds time) {
    return attempt(number, texts, {lane, time});
  };
  errand.note = [this](std::size_t number, const Result<Vectors>& outcome) {
    if (!metrics_) return;
    const auto status = links_[number]->embedder->status();
    const std::string provider = status.providers.empty() ? "none" : status.providers.front().provider;
    metrics_->ended(provider, outcome ? "success" : outcome_name(outcome.error()));
  };
  std::vector<Post*> posts;
  for (const auto& link : links_) posts.push_back(link.get());
  co_return co_await in_turn<Vectors>(posts, options_, errand);
}

Task<Result<Vectors>> EmbedChain::attempt(std::size_t number, std::shared_ptr<const Texts> texts,
                                          EmbedCall call) {
  auto made = co_await links_[number]->embedder->embed(*texts, call);
  if (!made) co_return made;
  const auto size = made->empty() ? 0 : made->front().size();
  auto known = dimensions_.load();
  const bool sound = made->size() == texts->size() && size > 0 &&
                     (number == 0 || known == 0 || known == size) &&
                     std::ranges::all_of(*made, [size](const auto& one) { return one.size() == size; });
  if (!sound)
    co_return Failure(
        Error{ErrorKind::unavailable, "llm_unavailable", "The embedding model gave no usable answer", {}, 0});
  if (known != size) dimensions_.compare_exchange_strong(known, size);
  co_return made;
}

ModelStatus EmbedChain::status() const {
  ModelStatus out;
  for (const auto& link : links_)
    for (auto& one : link->embedder->status().providers) {
      link->show(one, out);
      out.providers.push_back(std::move(one));
    }
  return out;
}

void EmbedChain::stop() {
  for (const auto& link : links_) link->door->stop();
}

}  // namespace lumina::llm

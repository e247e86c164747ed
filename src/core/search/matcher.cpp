#include "core/search/matcher.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

namespace lumina::search {
namespace {

template <class F>
void each_bit(const Bits& bits, const F& f) {
  for (std::size_t w = 0; w < bits.size(); ++w)
    for (auto word = bits[w]; word != 0; word &= word - 1)
      f(static_cast<DocNumber>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
}

void keep_only(Bits& bits, const Bits& other) {
  for (std::size_t w = 0; w < bits.size(); ++w) bits[w] &= other[w];
}
void add_to(Bits& bits, const Bits& other) {
  for (std::size_t w = 0; w < bits.size(); ++w) bits[w] |= other[w];
}
std::int64_t count_of(const Bits& bits) {
  std::int64_t n = 0;
  for (const auto word : bits) n += std::popcount(word);
  return n;
}
Bits every(std::size_t documents) {
  Bits out((documents + 63) / 64, ~std::uint64_t{0});
  if (documents % 64 != 0) out.back() = (std::uint64_t{1} << (documents % 64)) - 1;
  return out;
}

// How often each field has the word, by the places of one posting.
class FieldCounts {
 public:
  FieldCounts(const Ranking& ranking, const std::array<double, most_fields>& usual) {
    for (std::size_t f = 0; f < most_fields; ++f) {
      weight_[f] = ranking.weight[f];
      short_[f] = 1 - ranking.b[f];
      per_place_[f] = ranking.b[f] / usual[f];
    }
  }
  // The weighted count over the fields that `wanted` names, and which those are.
  std::pair<float, std::uint32_t> operator()(std::span<const std::uint16_t> places,
                                             std::span<const std::uint16_t> ends,
                                             std::uint32_t wanted) const {
    double sum = 0;
    std::uint32_t fields = 0;
    std::size_t f = 0, i = 0;
    std::uint16_t begin = 0;
    while (i < places.size()) {
      while (f < ends.size() && places[i] >= ends[f]) begin = ends[f++];
      if (f == ends.size()) break;
      int times = 0;
      for (; i < places.size() && places[i] < ends[f]; ++i) ++times;
      if ((wanted & (1U << f)) == 0) continue;
      sum += weight_[f] * times / (short_[f] + per_place_[f] * (ends[f] - begin));
      fields |= 1U << f;
    }
    return {static_cast<float>(sum), fields};
  }

 private:
  std::array<double, most_fields> weight_{}, short_{}, per_place_{};
};

}  // namespace

Matches::Matches(SnapshotPtr snapshot, Plan plan, const Ranking& ranking, std::span<const Filter> filters)
    : snapshot_(std::move(snapshot)), plan_(std::move(plan)), ranking_(ranking) {
  for (std::size_t f = 0; f < most_fields; ++f) usual_length_[f] = snapshot_->usual_length(f);
  parts_.resize(snapshot_->parts.size());
  find_hits();
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    auto& state = parts_[p];
    const auto& part = snapshot_->parts[p];
    state.score.assign(part.segment->size(), 0);
    state.tier.assign(part.segment->size(), 0);
    state.query = evaluate(p, plan_.where);
    for (std::size_t w = 0; w < state.query.size(); ++w) state.query[w] &= ~(*part.dead)[w];
    add_scores(p);
  }
  settle_tiers();
  if (ranking_.pair_weight > 0) add_pairs();
  pin();
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    auto& state = parts_[p];
    state.result = state.query;
    for (const auto& filter : filters) {
      state.filters.push_back(holds(p, filter.condition));
      keep_only(state.result, state.filters.back());
    }
    total_ += count_of(state.result);
  }
  for (const auto& filter : filters) filter_facets_.push_back(filter.facet);
}

void Matches::find_hits() {
  for (auto& state : parts_) state.hits.resize(plan_.leaves.size());
  const auto n = static_cast<double>(snapshot_->documents);
  for (std::size_t l = 0; l < plan_.leaves.size(); ++l) {
    double documents = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      hits_in(p, plan_.leaves[l], parts_[p].hits[l]);
      documents += static_cast<double>(parts_[p].hits[l].size());
    }
    idf_.push_back(std::log(1 + (n - documents + 0.5) / (documents + 0.5)));
  }
}

// Adds up, or takes the best of, hits that come in any order, without sorting them: a table of all documents.
class Matches::Tally {
 public:
  explicit Tally(std::size_t documents) : seen_(no_bits(documents)), weight_(documents), fields_(documents) {}
  void add(const Hit& hit) {
    if (!bit(seen_, hit.doc)) {
      set_bit(seen_, hit.doc);
      weight_[hit.doc] = hit.weight;
      fields_[hit.doc] = hit.fields;
      return;
    }
    weight_[hit.doc] += hit.weight;
    fields_[hit.doc] |= hit.fields;
  }
  std::vector<Hit> take() const {
    std::vector<Hit> out;
    out.reserve(static_cast<std::size_t>(count_of(seen_)));
    each_bit(seen_, [&](DocNumber doc) { out.push_back({doc, weight_[doc], fields_[doc]}); });
    return out;
  }

 private:
  Bits seen_;
  std::vector<float> weight_;
  std::vector<std::uint32_t> fields_;
};

namespace {

// Where a phrase begins, by document: documents with all of its words, the rarest one first.
struct Begins {
  std::vector<DocNumber> docs;
  std::vector<std::uint32_t> starts{0};
  std::vector<std::uint16_t> places;
  void end(DocNumber doc) {
    if (places.size() == starts.back()) return;
    docs.push_back(doc);
    starts.push_back(static_cast<std::uint32_t>(places.size()));
  }
};

Begins phrase_in(const Segment& segment, const std::vector<std::string>& words) {
  struct Word {
    TermNumber term;
    std::uint16_t offset;
  };
  std::vector<Word> terms;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto term = segment.term(words[i]);
    if (!term) return {};
    terms.push_back({*term, static_cast<std::uint16_t>(i)});
  }
  std::ranges::sort(terms, {}, [&](const Word& w) { return segment.documents_with(w.term); });
  Begins out;
  for (auto postings = segment.postings(terms[0].term); postings.next();) {
    for (const auto place : postings.places)
      if (place >= terms[0].offset) out.places.push_back(static_cast<std::uint16_t>(place - terms[0].offset));
    out.end(postings.doc);
  }
  for (std::size_t i = 1; i < terms.size() && !out.docs.empty(); ++i) {
    Begins kept;
    auto postings = segment.postings(terms[i].term);
    bool more = postings.next();
    for (std::size_t d = 0; d < out.docs.size() && more; ++d) {
      while (more && postings.doc < out.docs[d]) more = postings.next();
      if (!more || postings.doc != out.docs[d]) continue;
      for (auto k = out.starts[d]; k < out.starts[d + 1]; ++k)
        if (std::ranges::binary_search(postings.places,
                                       static_cast<std::uint16_t>(out.places[k] + terms[i].offset)))
          kept.places.push_back(out.places[k]);
      kept.end(out.docs[d]);
    }
    out = std::move(kept);
  }
  return out;
}

}  // namespace

void Matches::hits_in(std::size_t p, const Leaf& leaf, std::vector<Hit>& out) const {
  const Segment& segment = *snapshot_->parts[p].segment;
  const Bits& dead = *snapshot_->parts[p].dead;
  const FieldCounts count(ranking_, usual_length_);
  // A form of a word adds to the others; of several alternatives the best one counts.
  out.clear();
  for (const auto& alternative : leaf.alternatives) {
    std::vector<Hit> hits;
    const auto weight = static_cast<float>(alternative.weight);
    if (alternative.kind == Alternative::Kind::phrase) {
      const auto begins = phrase_in(segment, alternative.words);
      for (std::size_t d = 0; d < begins.docs.size(); ++d) {
        const auto doc = begins.docs[d];
        if (bit(dead, doc)) continue;
        const auto places =
            std::span(begins.places).subspan(begins.starts[d], begins.starts[d + 1] - begins.starts[d]);
        const auto [w, fields] = count(places, segment.ends(doc), leaf.fields);
        if (fields != 0) hits.push_back({doc, w * weight, fields});
      }
    } else {
      const auto meant = meant_by(segment, alternative);
      const auto each_hit = [&](const auto& f) {
        for (const auto& [term, languages] : meant)
          for (auto postings = segment.postings(term); postings.next();) {
            if (bit(dead, postings.doc) || (languages & set_of(segment.language(postings.doc))) == 0)
              continue;
            const auto [w, fields] = count(postings.places, segment.ends(postings.doc), leaf.fields);
            if (fields != 0) f(Hit{postings.doc, w * weight, fields});
          }
      };
      if (meant.size() > 1) {
        Tally tally(segment.size());
        each_hit([&](const Hit& hit) { tally.add(hit); });
        hits = tally.take();
      } else {
        each_hit([&](const Hit& hit) { hits.push_back(hit); });
      }
    }
    if (out.empty()) {
      out = std::move(hits);
      continue;
    }
    std::vector<Hit> both;
    both.reserve(out.size() + hits.size());
    std::size_t i = 0, k = 0;
    while (i < out.size() || k < hits.size()) {
      if (k == hits.size() || (i < out.size() && out[i].doc < hits[k].doc)) {
        both.push_back(out[i++]);
      } else if (i == out.size() || hits[k].doc < out[i].doc) {
        both.push_back(hits[k++]);
      } else {
        both.push_back({out[i].doc, std::max(out[i].weight, hits[k].weight), out[i].fields | hits[k].fields});
        ++i, ++k;
      }
    }
    out = std::move(both);
  }
}

double Matches::worth(double idf, double weight) const {
  return idf * weight * (ranking_.k1 + 1) / (ranking_.k1 + weight);
}

Bits Matches::evaluate(std::size_t p, const Expression& e) {
  const auto documents = snapshot_->parts[p].segment->size();
  switch (e.kind) {
    case Expression::Kind::leaf: {
      Bits out = no_bits(documents);
      for (const auto& hit : parts_[p].hits[e.leaf]) set_bit(out, hit.doc);
      return out;
    }
    case Expression::Kind::condition:
      return holds(p, *e.condition);
    case Expression::Kind::none_of: {
      Bits out = every(documents);
      const Bits inner = evaluate(p, e.children[0]);
      for (std::size_t w = 0; w < out.size(); ++w) out[w] &= ~inner[w];
      return out;
    }
    case Expression::Kind::any: {
      Bits out = no_bits(documents);
      for (const auto& child : e.children) add_to(out, evaluate(p, child));
      return out;
    }
    case Expression::Kind::sentence:
      return sentence(p, e);
    case Expression::Kind::all:
      break;
  }
  Bits out = every(documents);
  for (const auto& child : e.children) keep_only(out, evaluate(p, child));
  return out;
}

// Only the root is ever one. Tier 0 has all words, tier 1 words worth the share, tier 2 fewer.
Bits Matches::sentence(std::size_t p, const Expression& e) {
  auto& state = parts_[p];
  const auto documents = snapshot_->parts[p].segment->size();
  Bits out = no_bits(documents);
  std::vector<std::uint8_t> words(documents, 0);
  std::vector<float> mass(documents, 0);
  std::uint8_t wanted = 0;
  double whole = 0;
  for (const auto& child : e.children) {
    if (plan_.leaves[child.leaf].optional) continue;
    ++wanted;
    whole += idf_[child.leaf];
    for (const auto& hit : state.hits[child.leaf]) {
      set_bit(out, hit.doc);
      ++words[hit.doc];
      mass[hit.doc] += static_cast<float>(idf_[child.leaf]);
    }
  }
  for (const auto& child : e.children)
    if (plan_.leaves[child.leaf].required) keep_only(out, evaluate(p, child));
  each_bit(out, [&](DocNumber doc) {
    state.tier[doc] = words[doc] == wanted ? 0 : mass[doc] >= ranking_.partial_share * whole ? 1 : 2;
    has_full_ = has_full_ || (state.tier[doc] == 0 && !bit(*snapshot_->parts[p].dead, doc));
  });
  return out;
}

void Matches::settle_tiers() {
  if (plan_.where.kind != Expression::Kind::sentence) return;
  for (auto& state : parts_)
    each_bit(state.query, [&](DocNumber doc) {
      auto& tier = state.tier[doc];
      if (tier == 2 && has_full_) state.query[doc >> 6U] &= ~(std::uint64_t{1} << (doc & 63U));
      tier = tier == 0 ? 0 : 1;
    });
}

// Pinned documents are found whatever they say, in their order.
void Matches::pin() {
  for (auto& state : parts_)
    for (auto& tier : state.tier) ++tier;
  float score = 1e6F;
  for (const auto id : plan_.pinned)
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const auto doc = snapshot_->parts[p].segment->find(id);
      if (!doc || bit(*snapshot_->parts[p].dead, *doc)) continue;
      set_bit(parts_[p].query, *doc);
      parts_[p].tier[*doc] = 0;
      parts_[p].score[*doc] = score--;
    }
}

void Matches::add_scores(std::size_t p) {
  auto& state = parts_[p];
  for (std::size_t l = 0; l < plan_.leaves.size(); ++l)
    if (!plan_.leaves[l].negative)
      for (const auto& hit : state.hits[l])
        state.score[hit.doc] += static_cast<float>(worth(idf_[l], hit.weight));
}

// Neighbours in the sentence that are neighbours in the document are worth a share of the rarer of the two.
void Matches::add_pairs() {
  if (plan_.where.kind != Expression::Kind::sentence) return;
  for (std::size_t l = 0; l + 1 < plan_.leaves.size(); ++l) {
    if (plan_.leaves[l].optional || plan_.leaves[l + 1].optional || plan_.leaves[l + 1].negative) continue;
    const auto& a = plan_.leaves[l].alternatives;
    const auto& b = plan_.leaves[l + 1].alternatives;
    Leaf pair;
    const auto& left = a.back().kind == Alternative::Kind::exact ? a.back() : a.front();
    const auto& right = b.back().kind == Alternative::Kind::exact ? b.back() : b.front();
    if (left.kind == Alternative::Kind::phrase || right.kind == Alternative::Kind::phrase) continue;
    pair.alternatives.push_back({Alternative::Kind::phrase, {left.words[0], right.words[0]}, 1});
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      std::vector<Hit> hits;
      hits_in(p, pair, hits);
      for (const auto& hit : hits)
        parts_[p].score[hit.doc] +=
            static_cast<float>(ranking_.pair_weight * worth(std::min(idf_[l], idf_[l + 1]), hit.weight));
    }
  }
}

Bits Matches::holds(std::size_t p, const Condition& c) const {
  const Segment& segment = *snapshot_->parts[p].segment;
  const auto documents = static_cast<DocNumber>(segment.size());
  Bits out = no_bits(documents);
  switch (c.on) {
    case Condition::On::nothing:
      break;
    case Condition::On::facet: {
      const Facet& facet = segment.facet(c.index);
      std::vector<bool> accepted(facet.values.size());
      for (std::size_t v = 0; v < accepted.size(); ++v) accepted[v] = c.accepts(facet.values[v]);
      for (DocNumber doc = 0; doc < documents; ++doc)
        for (const auto v : facet.of[doc])
          if (accepted[v]) set_bit(out, doc);
      break;
    }
    case Condition::On::number:
      for (DocNumber doc = 0; doc < documents; ++doc) {
        const auto n = segment.number(c.index, doc);
        if (n >= c.least && n <= c.most) set_bit(out, doc);
      }
      break;
    case Condition::On::live:
      for (DocNumber doc = 0; doc < documents; ++doc) {
        const auto n = segment.live(c.index, doc);
        if (n >= c.least && n <= c.most) set_bit(out, doc);
      }
      break;
  }
  return out;
}

double Matches::popularity_factor(const Found& f) const {
  if (ranking_.popularity < 0) return 1;
  const auto n = snapshot_->parts[f.part].segment->live(static_cast<std::size_t>(ranking_.popularity), f.doc);
  constexpr double most = 9.21;  // ln 10,000: as popular as it gets
  return 1 + ranking_.popularity_share * std::min(1.0, std::log1p(std::max(0, n)) / most);
}

Found Matches::found(std::size_t p, DocNumber doc, const Order& order) const {
  const Segment& segment = *snapshot_->parts[p].segment;
  Found f{
      static_cast<std::uint32_t>(p), doc, segment.id(doc), parts_[p].tier[doc], parts_[p].score[doc], {}, {}};
  if (f.tier > 0) f.score *= popularity_factor(f);
  f.number = no_number;
  switch (order.by) {
    case Order::By::relevance:
      break;
    case Order::By::number:
      f.number = segment.number(order.index, doc);
      break;
    case Order::By::live:
      f.number = segment.live(order.index, doc);
      if (f.number < 0) f.number = no_number;
      break;
    case Order::By::title:
      f.key = segment.title_key(doc);
      break;
    case Order::By::facet:
      f.key = segment.facet_key(order.index, doc);
      break;
  }
  return f;
}

bool stands_before(const Found& a, const Found& b, const Order& order) {
  switch (order.by) {
    case Order::By::relevance:
      if (a.tier != b.tier) return a.tier < b.tier;
      if (a.score != b.score) return a.score > b.score;
      return a.id < b.id;
    case Order::By::number:
    case Order::By::live:
      if (a.number != b.number) {
        if (a.number == no_number || b.number == no_number) return b.number == no_number;
        return order.descending ? a.number > b.number : a.number < b.number;
      }
      break;
    case Order::By::title:
    case Order::By::facet:
      if (a.key != b.key) return order.descending ? a.key > b.key : a.key < b.key;
      break;
  }
  return order.descending ? a.id > b.id : a.id < b.id;
}

std::vector<Found> Matches::ordered(const Order& order) const {
  return first(order, static_cast<std::size_t>(total_));
}

std::vector<Found> Matches::first(const Order& order, std::size_t most, const Found* after) const {
  const auto before = [&](const Found& a, const Found& b) { return stands_before(a, b, order); };
  const bool by_text = order.by == Order::By::title || order.by == Order::By::facet;
  std::vector<Found> best;
  if (most == 0) return best;
  best.reserve(std::min(most, static_cast<std::size_t>(total_)) + 1);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    if (by_text) {
      append_by_text(p, order, most, after, best);
      continue;
    }
    // A heap of the best so far, the last of them on top.
    each_bit(parts_[p].result, [&](DocNumber doc) {
      auto f = found(p, doc, order);
      if (after != nullptr && !stands_before(*after, f, order)) return;
      if (best.size() == most) {
        if (!before(f, best.front())) return;
        std::ranges::pop_heap(best, before);
        best.pop_back();
      }
      best.push_back(std::move(f));
      std::ranges::push_heap(best, before);
    });
  }
  std::ranges::sort(best, before);
  if (best.size() > most) best.resize(most);
  return best;
}

// The first ones of a segment in the order of its texts, which it keeps.
void Matches::append_by_text(std::size_t p, const Order& order, std::size_t most, const Found* after,
                             std::vector<Found>& out) const {
  const Segment& segment = *snapshot_->parts[p].segment;
  const auto& rows = order.by == Order::By::title ? segment.by_title() : segment.by_facet(order.index);
  const auto at = [&](std::size_t i) { return order.descending ? rows[rows.size() - 1 - i] : rows[i]; };
  std::size_t begin = 0;
  if (after != nullptr) {
    std::size_t low = 0, high = rows.size();
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (stands_before(*after, found(p, at(middle), order), order))
        high = middle;
      else
        low = middle + 1;
    }
    begin = low;
  }
  std::size_t taken = 0;
  for (auto i = begin; i < rows.size() && taken < most; ++i)
    if (bit(parts_[p].result, at(i))) {
      out.push_back(found(p, at(i), order));
      ++taken;
    }
}

std::int64_t Matches::having(std::size_t leaf) const {
  std::int64_t n = 0;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const auto& state = parts_[p];
    const auto& dead = *snapshot_->parts[p].dead;
    for (const auto& hit : state.hits[leaf])
      if (!bit(dead, hit.doc) &&
          std::ranges::all_of(state.filters, [&](const Bits& passing) { return bit(passing, hit.doc); }))
        ++n;
  }
  return n;
}

std::int64_t Matches::count_with(const Condition& condition, int facet) const {
  std::int64_t n = 0;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    Bits bits = parts_[p].query;
    for (std::size_t i = 0; i < filter_facets_.size(); ++i)
      if (facet < 0 || filter_facets_[i] != facet) keep_only(bits, parts_[p].filters[i]);
    keep_only(bits, holds(p, condition));
    n += count_of(bits);
  }
  return n;
}

Matches::Counts Matches::counts(std::size_t facet, std::size_t most) const {
  Counts out;
  std::unordered_map<std::string_view, std::int64_t> sums;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    Bits bits = parts_[p].query;
    for (std::size_t i = 0; i < filter_facets_.size(); ++i)
      if (filter_facets_[i] != static_cast<int>(facet)) keep_only(bits, parts_[p].filters[i]);
    const Facet& values = snapshot_->parts[p].segment->facet(facet);
    std::vector<std::uint32_t> counted(values.values.size(), 0);
    each_bit(bits, [&](DocNumber doc) {
      const auto of = values.of[doc];
      if (of.empty()) ++out.without;
      for (const auto v : of) ++counted[v];
    });
    for (std::size_t v = 0; v < counted.size(); ++v)
      if (counted[v] != 0) sums[values.values[v]] += counted[v];
  }
  for (const auto& [value, n] : sums) out.values.push_back({std::string(value), n});
  const auto before = [](const Count& a, const Count& b) {
    return a.documents != b.documents ? a.documents > b.documents : a.value < b.value;
  };
  if (most < out.values.size()) {
    std::ranges::partial_sort(out.values, out.values.begin() + static_cast<std::ptrdiff_t>(most), before);
    for (auto i = most; i < out.values.size(); ++i) out.other += out.values[i].documents;
    out.values.resize(most);
  } else {
    std::ranges::sort(out.values, before);
  }
  return out;
}

std::vector<Part> Matches::explain(const Found& f) const {
  std::vector<Part> out;
  for (std::size_t l = 0; l < plan_.leaves.size(); ++l) {
    if (plan_.leaves[l].negative) continue;
    const auto& hits = parts_[f.part].hits[l];
    const auto hit = std::ranges::lower_bound(hits, f.doc, {}, &Hit::doc);
    if (hit == hits.end() || hit->doc != f.doc) continue;
    out.push_back({plan_.leaves[l].shown, hit->fields, idf_[l], hit->weight, worth(idf_[l], hit->weight)});
  }
  return out;
}

bool is_meant(const Alternative& alternative, std::string_view word, Language language) {
  switch (alternative.kind) {
    case Alternative::Kind::exact:
      return alternative.words[0] == word;
    case Alternative::Kind::prefix:
      return word.starts_with(alternative.words[0]);
    case Alternative::Kind::word:
      return stem_of(alternative.words[0], language) == stem_of(word, language);
    case Alternative::Kind::phrase:
      return false;
  }
  return false;
}

}  // namespace lumina::search

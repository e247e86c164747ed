#include "core/search/segment.hpp"

#include "core/text/fold.hpp"
#include "core/text/words.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_map>

namespace lumina::search {
namespace {

constexpr std::size_t most_places = 60'000;  // of one document; what follows is not indexed

void append_number(std::string& out, std::uint32_t n) {
  while (n >= 0x80) {
    out += static_cast<char>(n | 0x80U);
    n >>= 7U;
  }
  out += static_cast<char>(n);
}

std::uint32_t hash_of(std::string_view stem, Language language) {
  std::uint64_t h = 0xCBF29CE484222325ULL ^ language;  // FNV-1a
  for (const char c : stem) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return static_cast<std::uint32_t>(h ^ (h >> 32U));
}

struct PendingTerm {
  std::string bytes;
  std::uint32_t documents = 0;
  DocNumber last = 0;
  LanguageSet languages = 0;

  void add(DocNumber doc, std::span<const std::uint16_t> places, LanguageSet language) {
    append_number(bytes, documents == 0 ? doc : doc - last);
    append_number(bytes, static_cast<std::uint32_t>(places.size()));
    std::uint32_t before = 0;
    for (const auto place : places) {
      append_number(bytes, place - before);
      before = place;
    }
    last = doc;
    ++documents;
    languages |= language;
  }
};

// Values by document, to be numbered in sorted order.
class PendingFacet {
 public:
  void add(std::string_view value) {
    const auto [it, fresh] =
        numbers_.try_emplace(std::string(value), static_cast<std::uint32_t>(numbers_.size()));
    values_.push_back(it->second);
  }
  void end_document() { starts_.push_back(static_cast<std::uint32_t>(values_.size())); }
  Facet finish() {
    Facet out;
    std::vector<std::uint32_t> renumbered(numbers_.size());
    std::uint32_t next = 0;
    for (const auto& [value, number] : numbers_) {
      out.values.add(value);
      renumbered[number] = next++;
    }
    for (auto& v : values_) v = renumbered[v];
    out.of.starts = std::move(starts_);
    out.of.values = std::move(values_);
    out.values.fit();
    out.of.starts.shrink_to_fit();
    out.of.values.shrink_to_fit();
    return out;
  }

 private:
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::uint32_t> starts_{0}, values_;
};

}  // namespace

std::uint32_t Postings::number() {
  std::uint32_t n = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    n |= (byte & 0x7FU) << shift;
    if (byte < 0x80) return n;
  }
}

bool Postings::next() {
  if (at_ >= bytes_.size()) return false;
  const auto step = number();
  doc = first_ ? step : doc + step;
  first_ = false;
  places.resize(number());
  std::uint32_t place = 0;
  for (auto& p : places) p = static_cast<std::uint16_t>(place += number());
  return true;
}

std::vector<Token> tokens_of(std::string_view text) {
  auto terms = text::terms(text, "", {.cjk_bigrams = true});
  std::vector<Token> out;
  out.reserve(terms.size());
  for (auto& t : terms) out.push_back({std::move(t.text), t.begin, t.end});
  return out;
}

std::shared_ptr<const Segment> Segment::build(const Schema& schema, std::vector<Document> documents) {
  std::ranges::sort(documents, {}, &Document::id);
  auto out = std::make_shared<Segment>();
  const auto n = documents.size();
  out->fields_ = schema.fields.size();
  out->ends_.assign(n * out->fields_, 0);
  out->numbers_.resize(schema.numbers.size());
  out->live_count_ = schema.live.size();
  out->live_ = std::make_unique<std::atomic<std::int32_t>[]>(n * schema.live.size());
  std::vector<PendingFacet> facets(schema.facets.size());
  std::unordered_map<std::string, std::uint32_t> numbers;
  std::vector<PendingTerm> pending;
  std::vector<std::pair<std::uint32_t, std::uint16_t>> found;  // term, place
  std::vector<std::uint16_t> places;
  for (DocNumber doc = 0; doc < n; ++doc) {
    const Document& d = documents[doc];
    const Language language = language_of(d.language);
    out->ids_.push_back(d.id);
    out->languages_.push_back(language);
    out->all_languages_ |= set_of(language);
    out->titles_.add(d.title);
    for (std::size_t f = 0; f < facets.size(); ++f) {
      for (const auto& value : d.facets[f]) facets[f].add(value);
      facets[f].end_document();
    }
    for (std::size_t i = 0; i < out->numbers_.size(); ++i) out->numbers_[i].push_back(d.numbers[i]);
    for (std::size_t i = 0; i < out->live_count_; ++i) out->set_live(i, doc, d.live[i]);

    found.clear();
    std::size_t place = 0;
    for (std::size_t f = 0; f < out->fields_; ++f) {
      for (const auto& text : d.texts[f]) {
        for (auto& token : tokens_of(text)) {
          if (place >= most_places) break;
          const auto [it, fresh] =
              numbers.try_emplace(std::move(token.text), static_cast<std::uint32_t>(pending.size()));
          if (fresh) pending.emplace_back();
          found.emplace_back(it->second, static_cast<std::uint16_t>(place++));
        }
        if (place < most_places) ++place;  // no phrase reaches over this gap
      }
      out->ends_[doc * out->fields_ + f] = static_cast<std::uint16_t>(place);
    }
    std::ranges::sort(found);
    for (std::size_t i = 0; i < found.size();) {
      places.clear();
      const auto term = found[i].first;
      for (; i < found.size() && found[i].first == term; ++i) places.push_back(found[i].second);
      pending[term].add(doc, places, set_of(language));
    }
  }
  for (auto& facet : facets) out->facets_.push_back(facet.finish());

  std::vector<std::pair<std::string_view, std::uint32_t>> sorted(numbers.begin(), numbers.end());
  std::ranges::sort(sorted);
  out->starts_.push_back(0);
  for (const auto& [text, number] : sorted) {
    const PendingTerm& term = pending[number];
    out->terms_.add(text);
    out->counts_.push_back(term.documents);
    out->term_languages_.push_back(term.languages);
    out->postings_ += term.bytes;
    out->starts_.push_back(static_cast<std::uint32_t>(out->postings_.size()));
  }
  out->titles_.fit();
  out->terms_.fit();
  out->postings_.shrink_to_fit();
  out->index_stems();
  return out;
}

std::shared_ptr<const Segment> Segment::merge(const Schema& schema, std::span<const Part> parts) {
  auto out = std::make_shared<Segment>();
  struct Source {
    std::int64_t id;
    std::uint32_t part;
    DocNumber doc;
  };
  std::vector<Source> sources;
  for (std::uint32_t p = 0; p < parts.size(); ++p)
    for (DocNumber doc = 0; doc < parts[p].segment->size(); ++doc)
      if (!bit(*parts[p].dead, doc)) sources.push_back({parts[p].segment->id(doc), p, doc});
  std::ranges::sort(sources, {}, &Source::id);

  const auto n = sources.size();
  constexpr DocNumber gone = ~DocNumber{0};
  std::vector<std::vector<DocNumber>> renumbered;
  for (const auto& part : parts) renumbered.emplace_back(part.segment->size(), gone);
  out->fields_ = schema.fields.size();
  out->numbers_.resize(schema.numbers.size());
  for (auto& column : out->numbers_) column.reserve(n);
  out->ids_.reserve(n);
  out->languages_.reserve(n);
  out->ends_.reserve(n * out->fields_);
  out->live_count_ = schema.live.size();
  out->live_ = std::make_unique<std::atomic<std::int32_t>[]>(n * schema.live.size());
  std::vector<PendingFacet> facets(schema.facets.size());
  for (DocNumber doc = 0; doc < n; ++doc) out->ids_.push_back(sources[doc].id);
  for (DocNumber doc = 0; doc < n; ++doc) {
    const auto& [id, p, old] = sources[doc];
    const Segment& from = *parts[p].segment;
    renumbered[p][old] = doc;
    out->languages_.push_back(from.language(old));
    out->all_languages_ |= set_of(from.language(old));
    const auto ends = from.ends(old);
    out->ends_.insert(out->ends_.end(), ends.begin(), ends.end());
    out->titles_.add(from.title(old));
    for (std::size_t f = 0; f < facets.size(); ++f) {
      for (const auto v : from.facets_[f].of[old]) facets[f].add(from.facets_[f].values[v]);
      facets[f].end_document();
    }
    for (std::size_t i = 0; i < out->numbers_.size(); ++i) out->numbers_[i].push_back(from.number(i, old));
    for (std::size_t i = 0; i < out->live_count_; ++i) out->set_live(i, doc, from.live(i, old));
  }
  for (auto& facet : facets) out->facets_.push_back(facet.finish());

  std::vector<TermNumber> heads(parts.size());
  struct Place {
    DocNumber doc;
    std::uint32_t first, count;
  };
  std::vector<Place> found;
  std::vector<std::uint16_t> places;
  out->starts_.push_back(0);
  while (true) {
    std::optional<std::string_view> least;
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (heads[p] < parts[p].segment->terms()) {
        const auto text = parts[p].segment->term(heads[p]);
        if (!least || text < *least) least = text;
      }
    if (!least) break;
    const std::string_view text = *least;
    found.clear();
    places.clear();
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const Segment& from = *parts[p].segment;
      if (heads[p] >= from.terms() || from.term(heads[p]) != text) continue;
      for (auto postings = from.postings(heads[p]++); postings.next();) {
        const DocNumber doc = renumbered[p][postings.doc];
        if (doc == gone) continue;
        found.push_back({doc, static_cast<std::uint32_t>(places.size()),
                         static_cast<std::uint32_t>(postings.places.size())});
        places.insert(places.end(), postings.places.begin(), postings.places.end());
      }
    }
    if (found.empty()) continue;
    std::ranges::sort(found, {}, &Place::doc);
    PendingTerm term;
    for (const auto& f : found)
      term.add(f.doc, std::span(places).subspan(f.first, f.count), set_of(out->languages_[f.doc]));
    out->terms_.add(text);
    out->counts_.push_back(term.documents);
    out->term_languages_.push_back(term.languages);
    out->postings_ += term.bytes;
    out->starts_.push_back(static_cast<std::uint32_t>(out->postings_.size()));
  }
  out->titles_.fit();
  out->terms_.fit();
  out->postings_.shrink_to_fit();
  out->counts_.shrink_to_fit();
  out->starts_.shrink_to_fit();
  out->term_languages_.shrink_to_fit();
  out->index_stems();
  return out;
}

void Segment::index_stems() {
  for (TermNumber t = 0; t < terms(); ++t)
    for (Language l = 0; l < 32; ++l)
      if (term_languages_[t] & set_of(l)) {
        const auto text = term(t);
        stems_.push_back({hash_of(stem_of(text, l), l), t});
      }
  stems_.shrink_to_fit();
  std::ranges::sort(stems_, [](const Stem& a, const Stem& b) {
    return std::pair(a.hash, a.term) < std::pair(b.hash, b.term);
  });
}

std::optional<DocNumber> Segment::find(std::int64_t id) const {
  const auto it = std::ranges::lower_bound(ids_, id);
  if (it == ids_.end() || *it != id) return std::nullopt;
  return static_cast<DocNumber>(it - ids_.begin());
}

std::optional<TermNumber> Segment::term(std::string_view text) const {
  TermNumber low = 0, high = static_cast<TermNumber>(terms());
  while (low < high) {
    const TermNumber middle = low + (high - low) / 2;
    if (term(middle) < text)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == terms() || term(low) != text) return std::nullopt;
  return low;
}

std::pair<TermNumber, TermNumber> Segment::terms_beginning(std::string_view prefix) const {
  const auto first_where = [&](auto&& beyond) {
    TermNumber low = 0, high = static_cast<TermNumber>(terms());
    while (low < high) {
      const TermNumber middle = low + (high - low) / 2;
      if (beyond(term(middle)))
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  const auto first = first_where([&](std::string_view t) { return t >= prefix; });
  const auto last = first_where([&](std::string_view t) { return t.substr(0, prefix.size()) > prefix; });
  return {first, last};
}

void Segment::terms_with_stem(std::string_view stem, Language language, std::vector<TermNumber>& out) const {
  const auto hash = hash_of(stem, language);
  auto it = std::ranges::lower_bound(stems_, hash, {}, &Stem::hash);
  for (; it != stems_.end() && it->hash == hash; ++it)
    if ((term_languages_[it->term] & set_of(language)) != 0 && stem_of(term(it->term), language) == stem)
      out.push_back(it->term);
}

std::string Segment::title_key(DocNumber doc) const { return text::fold(title(doc)); }

std::string Segment::facet_key(std::size_t f, DocNumber doc) const {
  const auto of = facets_[f].of[doc];
  return of.empty() ? std::string() : text::fold(facets_[f].values[of.front()]);
}

namespace {

std::vector<DocNumber> sorted_by(std::size_t documents, const auto& key) {
  std::vector<std::pair<std::string, DocNumber>> keys;
  keys.reserve(documents);
  for (DocNumber doc = 0; doc < documents; ++doc) keys.emplace_back(key(doc), doc);
  std::ranges::sort(keys);
  std::vector<DocNumber> out;
  out.reserve(documents);
  for (const auto& [text, doc] : keys) out.push_back(doc);
  return out;
}

}  // namespace

const std::vector<DocNumber>& Segment::by_title() const {
  std::call_once(by_title_.once, [&] {
    by_title_.documents = sorted_by(size(), [&](DocNumber doc) { return title_key(doc); });
  });
  return by_title_.documents;
}

const std::vector<DocNumber>& Segment::by_facet(std::size_t f) const {
  Sorted& sorted = by_facet_[f];
  std::call_once(sorted.once, [&] {
    sorted.documents = sorted_by(size(), [&](DocNumber doc) { return facet_key(f, doc); });
  });
  return sorted.documents;
}

std::size_t Segment::memory() const {
  std::size_t sum =
      sizeof(Segment) + ids_.capacity() * sizeof(std::int64_t) + languages_.capacity() +
      ends_.capacity() * sizeof(std::uint16_t) + titles_.memory() +
      size() * live_count_ * sizeof(std::int32_t) + terms_.memory() +
      (counts_.capacity() + starts_.capacity() + term_languages_.capacity()) * sizeof(std::uint32_t) +
      postings_.capacity() + stems_.capacity() * sizeof(Stem);
  for (const auto& f : facets_) sum += f.values.memory() + f.of.memory();
  for (const auto& n : numbers_) sum += n.capacity() * sizeof(std::int64_t);
  return sum;
}

}  // namespace lumina::search

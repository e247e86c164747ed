// An immutable piece of the index: the documents of one batch, or of several that were merged.
//
// Documents stand in the order of their ids and are numbered from 0. A term is a folded word as it stands in
// the texts (not a stem), so that exact words, prefixes, phrases and spelling are answered from one
// dictionary; the stems of every term, by the languages of the documents that have it, lead back to the
// terms. Postings are delta-coded bytes: document, number of places, places. A place counts the words of all
// fields one after the other; `ends` says where each field ends. Everything but the live numbers, which are
// atomic, is written before the segment is shared. Memory: see memory(); of a catalogue of titles, names and
// subjects some 300 bytes a document.
//
// Sources: Zobel and Moffat, "Inverted files for text search engines", ACM Computing Surveys 38 (2), 2006.
#pragma once
#include "core/search/document.hpp"
#include "core/search/language.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::search {

using DocNumber = std::uint32_t;
using TermNumber = std::uint32_t;
using Bits = std::vector<std::uint64_t>;

inline bool bit(const Bits& bits, DocNumber n) { return (bits[n >> 6U] >> (n & 63U)) & 1U; }
inline void set_bit(Bits& bits, DocNumber n) { bits[n >> 6U] |= std::uint64_t{1} << (n & 63U); }
inline Bits no_bits(std::size_t documents) { return Bits((documents + 63) / 64); }

// Strings one after the other.
class Strings {
 public:
  Strings() : starts_{0} {}
  void add(std::string_view text) {
    bytes_.append(text);
    starts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  std::size_t size() const { return starts_.size() - 1; }
  std::string_view operator[](std::size_t i) const {
    return std::string_view(bytes_).substr(starts_[i], starts_[i + 1] - starts_[i]);
  }
  void fit() { bytes_.shrink_to_fit(), starts_.shrink_to_fit(); }
  std::size_t memory() const { return bytes_.capacity() + starts_.capacity() * sizeof(std::uint32_t); }

 private:
  std::string bytes_;
  std::vector<std::uint32_t> starts_;
};

// Lists of numbers one after the other.
struct Lists {
  std::vector<std::uint32_t> starts{0}, values;
  std::span<const std::uint32_t> operator[](std::size_t i) const {
    return {values.data() + starts[i], values.data() + starts[i + 1]};
  }
  std::size_t memory() const { return (starts.capacity() + values.capacity()) * sizeof(std::uint32_t); }
};

struct Facet {
  Strings values;  // sorted
  Lists of;        // by document: indexes into values
};

// Walks the documents that have a term.
class Postings {
 public:
  explicit Postings(std::string_view bytes) : bytes_(bytes) {}
  // False at the end. `places` are rising.
  bool next();
  DocNumber doc = 0;
  std::vector<std::uint16_t> places;

 private:
  std::uint32_t number();
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool first_ = true;
};

// A word of a text as the index knows it.
struct Token {
  std::string text;  // folded
  std::size_t begin = 0, end = 0;
};
std::vector<Token> tokens_of(std::string_view text);

class Segment {
 public:
  // Documents must have different ids.
  static std::shared_ptr<const Segment> build(const Schema& schema, std::vector<Document> documents);
  // The documents that `dead` does not name, ids being different.
  struct Part {
    std::shared_ptr<const Segment> segment;
    std::shared_ptr<const Bits> dead;
  };
  static std::shared_ptr<const Segment> merge(const Schema& schema, std::span<const Part> parts);

  std::size_t size() const { return ids_.size(); }
  std::int64_t id(DocNumber doc) const { return ids_[doc]; }
  std::optional<DocNumber> find(std::int64_t id) const;
  Language language(DocNumber doc) const { return languages_[doc]; }
  LanguageSet languages() const { return all_languages_; }
  std::string_view title(DocNumber doc) const { return titles_[doc]; }
  const Facet& facet(std::size_t f) const { return facets_[f]; }
  std::int64_t number(std::size_t n, DocNumber doc) const { return numbers_[n][doc]; }
  std::int32_t live(std::size_t n, DocNumber doc) const {
    return live_[n * size() + doc].load(std::memory_order_relaxed);
  }
  // Any thread; the only thing about a segment that changes.
  void set_live(std::size_t n, DocNumber doc, std::int32_t value) const {
    live_[n * size() + doc].store(value, std::memory_order_relaxed);
  }
  // Where each field ends, in places.
  std::span<const std::uint16_t> ends(DocNumber doc) const { return {&ends_[doc * fields_], fields_}; }

  std::size_t terms() const { return terms_.size(); }
  std::string_view term(TermNumber t) const { return terms_[t]; }
  std::uint32_t documents_with(TermNumber t) const { return counts_[t]; }
  LanguageSet languages_of(TermNumber t) const { return term_languages_[t]; }
  Postings postings(TermNumber t) const {
    return Postings(std::string_view(postings_).substr(starts_[t], starts_[t + 1] - starts_[t]));
  }
  std::optional<TermNumber> term(std::string_view text) const;
  // First and one past the last of those that begin so.
  std::pair<TermNumber, TermNumber> terms_beginning(std::string_view prefix) const;
  // Terms of documents in that language that have this stem.
  void terms_with_stem(std::string_view stem, Language language, std::vector<TermNumber>& out) const;

  // Documents in the order of their folded titles, or first facet values, then of their ids; made when they
  // are first asked for.
  const std::vector<DocNumber>& by_title() const;
  const std::vector<DocNumber>& by_facet(std::size_t f) const;
  std::string title_key(DocNumber doc) const;
  std::string facet_key(std::size_t f, DocNumber doc) const;

  std::size_t memory() const;

 private:
  struct Sorted {
    std::once_flag once;
    std::vector<DocNumber> documents;
  };
  struct Stem {
    std::uint32_t hash;
    TermNumber term;
  };
  void index_stems();

  std::size_t fields_ = 0;
  std::vector<std::int64_t> ids_;
  std::vector<Language> languages_;
  LanguageSet all_languages_ = 0;
  std::vector<std::uint16_t> ends_;
  Strings titles_;
  std::vector<Facet> facets_;
  std::vector<std::vector<std::int64_t>> numbers_;
  std::size_t live_count_ = 0;
  std::unique_ptr<std::atomic<std::int32_t>[]> live_;

  Strings terms_;  // sorted by bytes
  std::vector<std::uint32_t> counts_, starts_;
  std::vector<LanguageSet> term_languages_;
  std::string postings_;
  std::vector<Stem> stems_;  // by hash
  mutable Sorted by_title_;
  mutable std::array<Sorted, most_facets> by_facet_;
};

}  // namespace lumina::search

#include "modules/reviews/themes.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/stem.hpp"
#include "core/text/words.hpp"
#include "modules/reviews/sentiment.hpp"
#include "modules/reviews/sentiment_lexicon.hpp"
#include "modules/reviews/sentiment_tokens.hpp"
#include "modules/reviews/valence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace lumina::reviews {
namespace {

constexpr std::size_t most_reviews = 1'000;
constexpr std::size_t longest_review = 4'000;  // characters

const std::unordered_set<std::string_view>& empty_words() {
  static const std::unordered_set<std::string_view> words = {
      "a",          "about",       "above",      "across",    "actually",   "after",      "again",
      "against",    "ago",         "all",        "almost",    "along",      "already",    "also",
      "although",   "always",      "am",         "among",     "amount",     "an",         "and",
      "another",    "any",         "anyone",     "anything",  "anyway",     "are",        "around",
      "as",         "ask",         "at",         "away",      "back",       "be",         "became",
      "because",    "become",      "been",       "before",    "began",      "begin",      "behind",
      "being",      "best",        "better",     "between",   "big",        "bit",        "book",
      "books",      "both",        "bought",     "but",       "buy",        "by",         "call",
      "came",       "can",         "certain",    "come",      "comes",      "copy",       "could",
      "day",        "days",        "did",        "different", "do",         "does",       "doing",
      "done",       "down",        "during",     "each",      "either",     "else",       "end",
      "enough",     "especially",  "etc",        "even",      "ever",       "every",      "everyone",
      "everything", "feel",        "felt",       "few",       "finally",    "find",       "finish",
      "finished",   "first",       "five",       "for",       "found",      "four",       "from",
      "full",       "further",     "gave",       "get",       "gets",       "getting",    "give",
      "given",      "gives",       "go",         "goes",      "going",      "gone",       "got",
      "had",        "half",        "has",        "have",      "having",     "he",         "her",
      "here",       "hers",        "herself",    "him",       "himself",    "his",        "how",
      "however",    "i",           "if",         "in",        "instead",    "into",       "is",
      "it",         "its",         "itself",     "just",      "keep",       "kept",       "kind",
      "knew",       "know",        "known",      "last",      "later",      "least",      "left",
      "less",       "let",         "like",       "liked",     "little",     "long",       "look",
      "looking",    "lot",         "lots",       "made",      "make",       "makes",      "making",
      "many",       "may",         "maybe",      "me",        "mean",       "might",      "month",
      "months",     "more",        "most",       "much",      "must",       "my",         "myself",
      "need",       "never",       "new",        "next",      "no",         "none",       "nor",
      "not",        "nothing",     "novel",      "novels",    "now",        "of",         "off",
      "often",      "oh",          "old",        "on",        "once",       "one",        "ones",
      "only",       "onto",        "or",         "other",     "others",     "our",        "out",
      "over",       "own",         "part",       "per",       "perhaps",    "point",      "put",
      "quite",      "rather",      "read",       "reader",    "readers",    "reading",    "real",
      "really",     "review",      "reviews",    "said",      "same",       "saw",        "say",
      "says",       "second",      "see",        "seem",      "seemed",     "seems",      "seen",
      "set",        "several",     "shall",      "she",       "should",     "since",      "so",
      "some",       "someone",     "something",  "sometimes", "soon",       "sort",       "star",
      "stars",      "start",       "started",    "still",     "such",       "sure",       "take",
      "taken",      "takes",       "tell",       "than",      "that",       "the",        "their",
      "them",       "then",        "there",      "these",     "they",       "thing",      "things",
      "think",      "this",        "those",      "though",    "thought",    "three",      "through",
      "throughout", "time",        "times",      "to",        "today",      "together",   "told",
      "too",        "took",        "toward",     "towards",   "tried",      "truly",      "try",
      "two",        "under",       "until",      "up",        "upon",       "us",         "use",
      "used",       "using",       "very",       "want",      "wanted",     "was",        "way",
      "ways",       "we",          "week",       "weeks",     "well",       "went",       "were",
      "what",       "whatever",    "when",       "where",     "whether",    "which",      "while",
      "who",        "whole",       "whose",      "why",       "will",       "wish",       "with",
      "within",     "without",     "word",       "words",     "work",       "would",      "year",
      "years",      "yes",         "yet",        "you",       "your",       "yourself",   "page",
      "pages",      "author",      "authors",    "lol",       "definitely", "absolutely", "totally",
      "highly",     "extremely",   "completely", "pretty",    "simply",     "basically",  "right",
      "far",        "check",       "com",        "www",       "http",       "https",      "html",
      "shows",      "show",        "provides",   "provide",   "works",      "help",       "understand",
      "interested", "written",     "damn",       "care",      "deal",       "running",    "side",
      "lives",      "personal",    "short",      "anybody",   "somebody",   "able",       "believe",
      "sense",      "place",       "person",     "turn",      "turned",     "wrote",      "write",
      "writes",     "recommended", "recommend",  "bring",     "brings",     "live",       "called",
      "hard",       "high",        "low",        "goodreads", "amazon",     "nbsp"};
  return words;
}

// A word that can be a theme or a part of one; a bare verdict only as the first of a pair ("slow start").
enum class Weight { none, verdict, content };

Weight weight_of(std::string_view word) {
  if (utf8_length(word) < 3 || empty_words().contains(word)) return Weight::none;
  if (std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; })) return Weight::none;
  const SentimentLexicon& lexicon = SentimentLexicon::builtin();
  const double valence = lexicon.valence(lexicon.find(word)).value_or(0);
  return std::abs(valence) > 1 ? Weight::verdict : Weight::content;
}

struct Word {
  std::uint32_t stem = 0;
  std::string surface;
  Weight weight = Weight::none;
  bool follows = false;  // nothing but a space between it and the word before
};

struct Line {
  std::string_view text;
  std::size_t review = 0;
  double sentiment = 0;
  std::vector<Word> words;
  bool has_address = false;  // of a web page
};

// The reviews as sentences of words, each stem with a number of its own.
class Corpus {
 public:
  explicit Corpus(std::span<const ReviewText> reviews) {
    const std::size_t count = std::min(reviews.size(), most_reviews);
    for (std::size_t r = 0; r < count; ++r) {
      const std::string_view text = utf8_prefix(reviews[r].text, longest_review);
      auto sentences = text::sentences(text);
      // The last sentence of a text that was cut is a stump.
      if (text.size() < reviews[r].text.size() && sentences.size() > 1) sentences.pop_back();
      for (const text::Slice& sentence : sentences) add(sentence.text, r);
    }
  }

  const std::vector<Line>& lines() const { return lines_; }
  std::size_t stems() const { return stems_.size(); }

 private:
  void add(std::string_view sentence, std::size_t review) {
    Line line{.text = sentence, .review = review, .sentiment = sentence_valence(sentence), .words = {}};
    std::size_t gap_begin = 0;
    std::size_t address_end = 0;
    for (const text::Slice& slice : text::words(sentence)) {
      if (slice.begin < address_end) continue;
      const std::string_view rest = sentence.substr(slice.begin);
      if (rest.starts_with("http") || rest.starts_with("www.")) {
        address_end = slice.begin + std::min(rest.find_first_of(" \t\r\n"), rest.size());
        line.has_address = true;
        continue;
      }
      const std::string_view gap = sentence.substr(gap_begin, slice.begin - gap_begin);
      gap_begin = slice.end;
      std::string folded = text::fold(slice.text);
      if (folded.size() > 64 || is_markup(folded, gap)) continue;
      const PlainWord plain = plain_word(folded);
      const Weight weight = plain.negated ? Weight::none : weight_of(plain.head);
      std::uint32_t stem = 0;
      if (weight != Weight::none) {
        const auto [it, added] = stems_.try_emplace(text::stem(plain.head, "en"), stems_.size() + 1);
        stem = static_cast<std::uint32_t>(it->second);
      }
      line.words.push_back({stem, std::string(plain.head), weight, gap == " "});
    }
    lines_.push_back(std::move(line));
  }

  std::unordered_map<std::string, std::size_t> stems_;
  std::vector<Line> lines_;
};

struct Candidate {
  std::size_t reviews = 0;
  std::size_t last_review = 0;
  std::size_t sentences = 0;
  double sentiment = 0;
  std::map<std::string, std::size_t> surfaces;

  void meet(const Line& line, const std::string& surface) {
    if (reviews == 0 || last_review != line.review) ++reviews;
    last_review = line.review;
    ++sentences;
    sentiment += line.sentiment;
    ++surfaces[surface];
  }
  const std::string& surface() const {
    return std::max_element(surfaces.begin(), surfaces.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }
};

using Key = std::pair<std::uint32_t, std::uint32_t>;  // first is 0 for a single word

std::map<Key, Candidate> candidates(const Corpus& corpus) {
  std::map<Key, Candidate> found;
  std::vector<Key> met;
  for (const Line& line : corpus.lines()) {
    met.clear();
    const auto meet = [&](Key key, const std::string& surface) {
      if (std::find(met.begin(), met.end(), key) != met.end() || met.size() >= 64) return;
      met.push_back(key);
      found[key].meet(line, surface);
    };
    for (std::size_t i = 0; i < line.words.size(); ++i) {
      const Word& word = line.words[i];
      if (word.weight != Weight::content) continue;
      meet({0, word.stem}, word.surface);
      if (i == 0 || !word.follows || line.words[i - 1].weight == Weight::none) continue;
      meet({line.words[i - 1].stem, word.stem}, line.words[i - 1].surface + " " + word.surface);
    }
  }
  return found;
}

// A sentence's content as a sorted list of stems.
std::vector<std::uint32_t> content(const Line& line) {
  std::vector<std::uint32_t> stems;
  for (const Word& w : line.words) {
    if (w.weight != Weight::none) stems.push_back(w.stem);
  }
  std::sort(stems.begin(), stems.end());
  stems.erase(std::unique(stems.begin(), stems.end()), stems.end());
  return stems;
}

double overlap(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  if (a.empty() || b.empty()) return 0;
  std::vector<std::uint32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(std::min(a.size(), b.size()));
}

std::string as_sentence(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') {
      space = !out.empty();
      continue;
    }
    if (space) out.push_back(' ');
    space = false;
    out.push_back(c);
  }
  static constexpr std::string_view ends = ".!?\"')\xA6";  // the last byte of an ellipsis too
  if (!out.empty() && ends.find(out.back()) == std::string_view::npos) out.push_back('.');
  return out;
}

}  // namespace

std::vector<Theme> themes(std::span<const ReviewText> reviews, std::size_t limit) {
  const Corpus corpus(reviews);
  auto found = candidates(corpus);
  const std::size_t enough = reviews.size() < 4 ? 1 : 2;

  // A word that is nearly always part of one pair is shown as the pair.
  std::unordered_set<std::uint32_t> covered;
  for (const auto& [key, pair] : found) {
    if (key.first == 0 || pair.reviews < enough) continue;
    for (const std::uint32_t part : {key.first, key.second}) {
      const auto single = found.find({0, part});
      if (single != found.end() && pair.sentences * 2 > single->second.sentences) covered.insert(part);
    }
  }
  std::vector<std::pair<Key, const Candidate*>> kept;
  for (const auto& [key, candidate] : found) {
    const std::size_t needed = key.first == 0 ? enough : std::max<std::size_t>(2, enough);
    if (candidate.reviews < needed || (key.first == 0 && covered.contains(key.second))) continue;
    kept.emplace_back(key, &candidate);
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    // A pair says more than a word, so it needs fewer mentions to stand before it.
    const auto rank = [](const auto& k) { return k.second->reviews * (k.first.first == 0 ? 2 : 3); };
    return rank(a) != rank(b) ? rank(a) > rank(b) : a.second->surface() < b.second->surface();
  });
  if (kept.size() > limit) kept.resize(limit);
  std::vector<Theme> result;
  for (const auto& [key, candidate] : kept) {
    result.push_back({candidate->surface(), candidate->reviews,
                      rounded_score(candidate->sentiment / static_cast<double>(candidate->sentences))});
  }
  std::sort(result.begin(), result.end(), [](const Theme& a, const Theme& b) {
    return a.count != b.count ? a.count > b.count : a.term < b.term;
  });
  return result;
}

std::string summarize(std::span<const ReviewText> reviews, std::size_t max_sentences) {
  const Corpus corpus(reviews);
  const auto& lines = corpus.lines();

  // In how many reviews a stem occurs.
  std::vector<std::size_t> spread(corpus.stems() + 1);
  std::vector<std::size_t> last(corpus.stems() + 1, SIZE_MAX);
  std::vector<std::vector<std::uint32_t>> contents;
  contents.reserve(lines.size());
  for (const Line& line : lines) {
    contents.push_back(content(line));
    for (const std::uint32_t stem : contents.back()) {
      if (last[stem] != line.review) ++spread[stem];
      last[stem] = line.review;
    }
  }
  double mean = 0;
  const std::size_t read = std::min(reviews.size(), most_reviews);
  for (const ReviewText& r : reviews.first(read)) mean += std::clamp(r.sentiment, -1.0, 1.0);
  if (read > 0) mean /= static_cast<double>(read);

  struct Ranked {
    std::size_t line = 0;
    double score = 0;
  };
  std::vector<Ranked> ranked;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t length = utf8_length(lines[i].text);
    if (length < 20 || length > 300 || contents[i].size() < 2 || lines[i].has_address) continue;
    if (!is_valid_utf8(lines[i].text)) continue;
    double common = 0;
    for (const std::uint32_t stem : contents[i]) common += std::log1p(static_cast<double>(spread[stem] - 1));
    common /= std::sqrt(static_cast<double>(contents[i].size()) + 4);
    const double opinion = std::abs(lines[i].sentiment);
    const double agreement = 1 - std::abs(lines[i].sentiment - mean) / 2;
    const double brevity = length <= 160 ? 1 : 160 / static_cast<double>(length);
    ranked.push_back({i, brevity * (0.5 + common) * (0.4 + opinion) * (0.5 + agreement)});
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : a.line < b.line;
  });
  if (ranked.size() > 200) ranked.resize(200);

  std::vector<std::size_t> chosen;
  while (chosen.size() < max_sentences) {
    double best = 0;
    std::size_t pick = SIZE_MAX;
    for (const Ranked& r : ranked) {
      double likeness = 0;
      for (const std::size_t c : chosen) {
        likeness = std::max(likeness, overlap(contents[r.line], contents[c]));
        if (lines[c].review == lines[r.line].review) likeness = std::max(likeness, 0.5);
      }
      if (likeness > 0.8) continue;
      const double score = r.score * (1 - likeness);
      if (score > best) {
        best = score;
        pick = r.line;
      }
    }
    if (pick == SIZE_MAX) break;
    chosen.push_back(pick);
  }
  std::string summary;
  for (const std::size_t c : chosen) {
    if (!summary.empty()) summary.push_back(' ');
    summary += as_sentence(lines[c].text);
  }
  return summary;
}

}  // namespace lumina::reviews

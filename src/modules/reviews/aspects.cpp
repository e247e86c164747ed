#include "modules/reviews/aspects.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"
#include "modules/reviews/sentiment.hpp"
#include "modules/reviews/sentiment_tokens.hpp"
#include "modules/reviews/valence.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace lumina::reviews {
namespace {

constexpr std::size_t longest_text = 20'000, longest_quote = 300, shortest_quote = 8;
constexpr std::size_t most_known = 20'000;  // in each of two generations
constexpr double says_something = 0.05;

using Mask = unsigned;
constexpr Mask bit(Aspect aspect) { return 1U << static_cast<unsigned>(aspect); }

const std::unordered_map<std::string_view, Aspect>& terms() {
  static const auto all = [] {
    std::unordered_map<std::string_view, Aspect> table;
    const auto add = [&](Aspect aspect, std::initializer_list<std::string_view> words) {
      for (const auto word : words) table.emplace(word, aspect);
    };
    add(Aspect::plot, {"plot",       "plots",      "plotline",   "plotlines",   "plotting",   "subplot",
                       "subplots",   "story",      "stories",    "storyline",   "storylines", "storytelling",
                       "twist",      "twists",     "ending",     "endings",     "premise",    "climax",
                       "conclusion", "denouement", "resolution", "cliffhanger", "narrative"});
    add(Aspect::style, {"style", "prose", "writing", "written", "writes", "language", "wording", "dialogue",
                        "dialog", "dialogues", "sentences", "phrasing", "imagery", "descriptions", "lyrical",
                        "metaphors", "translation", "vocabulary", "stylistically"});
    add(Aspect::pace, {"pace",  "paced",   "pacing",     "tempo",         "slow",     "slowly",    "slower",
                       "drags", "dragged", "dragging",   "drag",          "rushed",   "sluggish",  "plodding",
                       "plods", "draggy",  "pageturner", "unputdownable", "meanders", "meandering"});
    add(Aspect::characters,
        {"character", "characters", "characterization", "characterisation", "characterizations",
         "characterisations", "protagonist", "protagonists", "antagonist", "antagonists", "hero", "heroes",
         "heroine", "heroines", "villain", "villains", "cast", "sidekick"});
    return table;
  }();
  return all;
}

bool turns(std::string_view word) {
  static const std::unordered_set<std::string_view> words{
      "but",     "while",  "whilst", "although", "though",  "however",     "yet",
      "whereas", "unlike", "except", "despite",  "instead", "nevertheless"};
  return words.contains(word);
}

// Words from one pause or turn to the next. Offsets in the sentence.
struct Clause {
  std::size_t begin = 0, end = 0;
  Mask aspects = 0;
  bool turned = false;  // begins with "but" and the like
};

struct ReadSentence {
  std::vector<Clause> clauses;
  Mask aspects = 0;
  bool turned = false;
};

ReadSentence read_sentence(std::string_view sentence) {
  ReadSentence out;
  const auto words = text::words(sentence);
  std::string folded, before;
  for (std::size_t i = 0; i < words.size(); ++i) {
    folded.clear();
    text::fold_into(words[i].text, folded);
    const std::string_view gap =
        i == 0 ? std::string_view{} : sentence.substr(words[i - 1].end, words[i].begin - words[i - 1].end);
    if (const auto mark = folded.rfind('\''); mark != std::string::npos && folded.size() - mark <= 2)
      folded.resize(mark);
    const bool turn = i > 0 && turns(folded);
    if (i == 0 || turn || folded == "and" || ends_clause(gap)) {
      // "great plot, but flat" begins anew at "but"; the pause before it is not another clause.
      out.clauses.push_back({words[i].begin, words[i].end, 0, turn || (i == 0 && turns(folded))});
      out.turned |= turn;
    }
    Mask found = 0;
    if (const auto term = terms().find(folded); term != terms().end()) found = bit(term->second);
    if (folded == "turner" && before == "page") found = bit(Aspect::pace);
    if (folded == "winded" && before == "long") found = bit(Aspect::style);
    if (folded == "by" && before == "written") out.clauses.back().aspects &= ~bit(Aspect::style);
    out.clauses.back().aspects |= found;
    out.clauses.back().end = words[i].end;
    before = folded;
  }
  for (const auto& clause : out.clauses) out.aspects |= clause.aspects;
  return out;
}

// Clauses that say of their aspects what they mean to: remarks without an aspect go with the one before, and
// what names an aspect without a verdict waits for the verdict ("the plot, the style and the characters are
// great").
std::vector<std::pair<Clause, double>> judged(std::string_view sentence, const std::vector<Clause>& clauses) {
  std::vector<Clause> joined;
  std::optional<Clause> ahead;
  for (const auto& clause : clauses) {
    if (clause.aspects != 0) {
      Clause taken = clause;
      if (ahead && !ahead->turned && !clause.turned) taken.begin = ahead->begin;
      ahead.reset();
      joined.push_back(taken);
    } else if (!joined.empty() && !clause.turned) {
      if (!ahead) joined.back().end = clause.end;
    } else {
      ahead = clause;
    }
  }
  std::vector<std::pair<Clause, double>> out;
  std::optional<Clause> waiting;
  for (auto clause : joined) {
    if (waiting && !clause.turned) {
      clause.begin = waiting->begin;
      clause.aspects |= waiting->aspects;
      clause.turned = waiting->turned;
      waiting.reset();
    } else if (waiting) {
      out.emplace_back(*waiting, 0.0);
      waiting.reset();
    }
    const double felt = sentence_valence(sentence.substr(clause.begin, clause.end - clause.begin));
    if (std::abs(felt) < says_something)
      waiting = clause;
    else
      out.emplace_back(clause, felt);
  }
  if (waiting) {
    if (!out.empty() && !waiting->turned) {
      out.back().first.end = waiting->end;
      out.back().first.aspects |= waiting->aspects;
    } else {
      out.emplace_back(*waiting, 0.0);
    }
  }
  return out;
}

bool several(Mask aspects) { return (aspects & (aspects - 1)) != 0; }

void add(Remarks& out, Mask aspects, std::size_t begin, std::size_t end, double felt) {
  for (const auto aspect : {Aspect::plot, Aspect::style, Aspect::pace, Aspect::characters})
    if ((aspects & bit(aspect)) != 0)
      out.push_back({aspect, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), felt});
}

// Not longer than a quote may be, cut between words.
std::string_view shortened(std::string_view text) {
  if (text.size() <= longest_quote) return text;
  const auto space = text.rfind(' ', longest_quote);
  auto cut = space == std::string_view::npos ? longest_quote : space;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return text.substr(0, cut);
}

bool quotable(std::string_view text) {
  return text.size() >= shortest_quote && text.size() <= longest_quote && !text.contains("://") &&
         !text.contains("www.") && !text.contains('@') && !text.contains('\n') && is_valid_utf8(text);
}

}  // namespace

Remarks remarks(std::string_view text) {
  Remarks out;
  for (const auto& sentence : text::sentences(text.substr(0, longest_text))) {
    const auto read = read_sentence(sentence.text);
    if (read.aspects == 0) continue;
    const bool in_pieces = several(read.aspects) || read.turned || sentence.text.size() > longest_quote;
    if (!in_pieces || read.clauses.size() < 2) {
      add(out, read.aspects, sentence.begin, sentence.begin + sentence.text.size(),
          rounded_score(sentence_valence(sentence.text)));
      continue;
    }
    for (const auto& [clause, felt] : judged(sentence.text, read.clauses))
      add(out, clause.aspects, sentence.begin + clause.begin, sentence.begin + clause.end,
          rounded_score(felt));
  }
  return out;
}

std::shared_ptr<const Remarks> AspectMemory::of(ReviewId id, std::int64_t version, std::string_view text) {
  {
    const std::scoped_lock lock(mutex_);
    for (auto* generation : {&newer_, &older_})
      if (const auto known = generation->find(id);
          known != generation->end() && known->second.version == version) {
        auto found = known->second.remarks;
        if (generation == &older_) newer_[id] = {version, found};
        return found;
      }
  }
  auto fresh = std::make_shared<const Remarks>(remarks(text));
  const std::scoped_lock lock(mutex_);
  if (newer_.size() >= most_known) {
    older_ = std::move(newer_);
    newer_.clear();
  }
  newer_[id] = {version, fresh};
  return fresh;
}

std::vector<AspectFinding> aspects(std::span<const SpokenReview> reviews, std::size_t most_quotes) {
  std::vector<AspectFinding> out;
  for (const auto aspect : {Aspect::plot, Aspect::style, Aspect::pace, Aspect::characters}) {
    AspectFinding finding;
    finding.aspect = aspect;
    double total = 0;
    int judging = 0;
    struct Candidate {
      Quote quote;
      std::size_t place = 0;
    };
    std::vector<Candidate> candidates;
    for (const auto& review : reviews) {
      bool speaks = false;
      double sum = 0;
      int verdicts = 0;
      std::optional<Quote> best;
      for (const auto& remark : *review.remarks) {
        if (remark.aspect != aspect) continue;
        speaks = true;
        if (std::abs(remark.sentiment) >= says_something) {
          sum += remark.sentiment;
          ++verdicts;
        }
        const auto words = shortened(review.text.substr(remark.begin, remark.end - remark.begin));
        if (quotable(words) && (!best || std::abs(remark.sentiment) > std::abs(best->sentiment)))
          best = Quote{review.id, words, remark.sentiment};
      }
      if (!speaks) continue;
      ++finding.reviews;
      if (verdicts > 0) {
        total += sum / verdicts;
        ++judging;
      }
      if (best) candidates.push_back({*best, candidates.size()});
    }
    if (judging > 0) finding.sentiment = rounded_score(total / judging);
    const double leaning = finding.sentiment.value_or(0) < 0 ? -1 : 1;
    std::ranges::sort(candidates, [leaning](const Candidate& a, const Candidate& b) {
      return a.quote.sentiment != b.quote.sentiment
                 ? a.quote.sentiment * leaning > b.quote.sentiment * leaning
                 : a.place < b.place;
    });
    const bool opposed = candidates.size() > most_quotes && most_quotes > 1 &&
                         candidates.back().quote.sentiment * leaning <= -says_something;
    const auto plain = std::min(candidates.size(), opposed ? most_quotes - 1 : most_quotes);
    for (std::size_t i = 0; i < plain; ++i) finding.quotes.push_back(candidates[i].quote);
    if (opposed) finding.quotes.push_back(candidates.back().quote);
    out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace lumina::reviews

#include "modules/reviews/valence.hpp"

#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"
#include "modules/reviews/sentiment_lexicon.hpp"
#include "modules/reviews/sentiment_tokens.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace lumina::reviews {
namespace {

using WordId = SentimentLexicon::WordId;

// Part of a word's neighbourhood, by what it does to the words after it.
enum class Role : unsigned char {
  none,
  negation,       // turns what follows
  half_negation,  // "hardly", "lacks", "without"
  intensifier,
  diminisher,
  contrast,    // "but": what follows outweighs what precedes
  concession,  // "although": its clause weighs less
  condition,   // "if": its clause hardly counts
  subject,     // speaks of the book or of the reader
};

struct Rule {
  Role role = Role::none;
  double strength = 1;
};

// By WordId. The lexicon mentions every one of these words in its last section.
const std::vector<Rule>& rules_by_word() {
  static const auto all = [] {
    const SentimentLexicon& lexicon = SentimentLexicon::builtin();
    std::vector<Rule> table(lexicon.words());
    const auto add = [&](Rule rule, std::initializer_list<std::string_view> words) {
      for (const std::string_view word : words) {
        const WordId id = lexicon.find(word);
        if (id == SentimentLexicon::unknown)
          throw std::logic_error("not in the lexicon: " + std::string(word));
        if (table[id].role == Role::none) table[id] = rule;
      }
    };
    add({Role::negation, 1},
        {"not", "never", "no", "none", "nobody", "neither", "nor", "nothing", "nowhere", "zero"});
    add({Role::half_negation, 1},
        {"hardly", "barely", "scarcely", "rarely", "seldom", "without", "lack", "lacks", "lacked", "lacking",
         "anything", "fails", "failed", "fail", "cannot", "less", "least"});
    add({Role::intensifier, 1.4},
        {"absolutely", "utterly",       "extremely",       "incredibly", "completely", "totally",
         "thoroughly", "exceptionally", "extraordinarily", "remarkably", "insanely",   "unbelievably",
         "immensely",  "enormously",    "hugely",          "outright",   "downright",  "complete",
         "total",      "utter",         "absolute",        "sheer",      "highly",     "profoundly"});
    add({Role::intensifier, 1.25},
        {"very",         "really",     "so",           "truly",     "deeply",   "such",
         "particularly", "especially", "greatly",      "seriously", "quite",    "most",
         "wonderfully",  "amazingly",  "terribly",     "awfully",   "horribly", "painfully",
         "definitely",   "certainly",  "consistently", "always",    "real",     "super",
         "damn",         "freaking",   "all",          "many",      "much"});
    add({Role::diminisher, 0.6},
        {"slightly",  "somewhat", "little",     "bit",       "occasionally", "sometimes", "partly",
         "partially", "mildly",   "marginally", "almost",    "nearly",       "kinda",     "sorta",
         "may",       "might",    "perhaps",    "possibly",  "some",         "fairly",    "moderately",
         "sort",      "kind",     "relatively", "reasonably"});
    add({Role::contrast, 1},
        {"but", "however", "yet", "nevertheless", "nonetheless", "unfortunately", "alas", "sadly"});
    add({Role::concession, 1}, {"although", "though", "while", "despite", "whilst", "albeit"});
    add({Role::condition, 1}, {"if", "unless", "whether"});
    add({Role::subject, 1},
        {"book",      "books",    "novel",       "novels",        "read",       "reading",   "reader",
         "readers",   "author",   "authors",     "writer",        "writing",    "written",   "story",
         "stories",   "plot",     "plots",       "character",     "characters", "prose",     "style",
         "series",    "chapter",  "chapters",    "page",          "pages",      "ending",    "dialogue",
         "dialog",    "review",   "reviews",     "star",          "stars",      "i",         "me",
         "my",        "edition",  "translation", "title",         "copy",       "paperback", "cover",
         "volume",    "sequel",   "literature",  "buy",           "bought",     "purchase",  "purchased",
         "recommend", "money",    "pictures",    "illustrations", "movie",      "film",      "acting",
         "product",   "phone",    "food",        "service",       "place",      "it",        "you",
         "your",      "narrator", "audiobook",   "narration",     "pacing",     "premise",   "this",
         "text"});
    return table;
  }();
  return all;
}

// Smileys and emoji by their code points; hearts, thumbs and faces whose meaning is not in doubt.
double sign_valence(std::string_view gap, std::size_t& hits) {
  struct Sign {
    std::string_view bytes;
    double valence;
  };
  static constexpr auto signs = std::to_array<Sign>({
      {":)", 1.5},
      {":-)", 1.5},
      {"=)", 1.5},
      {";)", 1},
      {";-)", 1},
      {"<3", 2},
      {":(", -1.5},
      {":-(", -1.5},
      {"=(", -1.5},
      {"\xE2\x98\xBA", 1.5},
      {"\xE2\x9D\xA4", 2.5},
      {"\xE2\x99\xA5", 2.5},
      {"\xE2\x98\xB9", -1.5},
      {"\xE2\xAD\x90", 0.8},
      {"\xF0\x9F\x98\x80", 1.5},
      {"\xF0\x9F\x98\x81", 1.5},
      {"\xF0\x9F\x98\x82", 1.5},
      {"\xF0\x9F\x98\x83", 1.5},
      {"\xF0\x9F\x98\x84", 1.5},
      {"\xF0\x9F\x98\x86", 1.5},
      {"\xF0\x9F\x98\x8A", 2},
      {"\xF0\x9F\x98\x8D", 3},
      {"\xF0\x9F\x98\x8E", 1.5},
      {"\xF0\x9F\x98\x98", 2.5},
      {"\xF0\x9F\x98\x83", 1.5},
      {"\xF0\x9F\xA5\xB0", 3},
      {"\xF0\x9F\xA4\xA9", 3},
      {"\xF0\x9F\x98\xBB", 3},
      {"\xF0\x9F\x91\x8D", 2.5},
      {"\xF0\x9F\x91\x8F", 2.5},
      {"\xF0\x9F\x99\x8C", 2},
      {"\xF0\x9F\x92\x95", 2.5},
      {"\xF0\x9F\x92\x96", 2.5},
      {"\xF0\x9F\x92\x97", 2.5},
      {"\xF0\x9F\x92\x99", 2},
      {"\xF0\x9F\x92\xAF", 2},
      {"\xF0\x9F\x8E\x89", 1.5},
      {"\xF0\x9F\x94\xA5", 1},
      {"\xF0\x9F\x8C\x9F", 1.5},
      {"\xF0\x9F\x91\x8E", -2.5},
      {"\xF0\x9F\x98\x9E", -2},
      {"\xF0\x9F\x98\x92", -2},
      {"\xF0\x9F\x98\x91", -1},
      {"\xF0\x9F\x98\x95", -1},
      {"\xF0\x9F\x98\xA0", -2.5},
      {"\xF0\x9F\x98\xA1", -3},
      {"\xF0\x9F\xA4\xAE", -3},
      {"\xF0\x9F\xA4\xA2", -3},
      {"\xF0\x9F\x98\xB4", -2},
      {"\xF0\x9F\x99\x84", -1.5},
      {"\xF0\x9F\x92\xA9", -2.5},
      {"\xF0\x9F\x98\xA9", -1.5},
      {"\xF0\x9F\x98\xA4", -1.5},
      {"\xF0\x9F\x98\x82", 1},
      {"\xF0\x9F\xA5\xB1", -2},
      {"\xF0\x9F\x92\x94", -1},
  });
  if (gap.size() < 2) return 0;
  double sum = 0;
  for (std::size_t at = 0; at + 1 < gap.size(); ++at) {
    const auto byte = static_cast<unsigned char>(gap[at]);
    if (byte != ':' && byte != ';' && byte != '=' && byte != '<' && byte != 0xE2 && byte != 0xF0) continue;
    const std::string_view rest = gap.substr(at, 4);
    const auto* const found =
        std::find_if(signs.begin(), signs.end(), [rest](const Sign& s) { return rest.starts_with(s.bytes); });
    if (found == signs.end()) continue;
    ++hits;
    // The tenth heart says no more than the third.
    if (hits <= 3) sum += found->valence;
    at += found->bytes.size() - 1;
  }
  return sum;
}

struct Token {
  WordId id = SentimentLexicon::unknown;
  Rule rule;
  bool capitals = false;
  bool clause_begins = false;  // a comma, dash, bracket or semicolon stands before it
  bool hard_break = false;     // a semicolon or bracket: nothing before it reaches over
};

bool all_capitals(std::string_view word) {
  std::size_t letters = 0;
  for (const char c : word) {
    if (c >= 'a' && c <= 'z') return false;
    letters += c >= 'A' && c <= 'Z' ? 1 : 0;
  }
  return letters > 1;
}

class SentenceReader {
 public:
  SentenceReader() : lexicon_(SentimentLexicon::builtin()), rules_(rules_by_word()) {}

  struct Reading {
    double sum = 0;
    double evidence = 0;
    std::size_t hits = 0;
    std::size_t words = 0;
    double lukewarm = 0;
    bool about_the_book = false;
  };

  // `shouting`: the whole text is in capitals, so they emphasise nothing.
  Reading read(std::string_view sentence, bool shouting) {
    Reading reading;
    tokenize(sentence, shouting, reading);
    weigh(sentence, reading);
    return reading;
  }

 private:
  struct Hit {
    double valence = 0;
    std::size_t at = 0;
  };

  void push(std::string_view folded, bool capitals, bool clause, bool hard) {
    Token token;
    token.id = lexicon_.find(folded);
    if (token.id != SentimentLexicon::unknown) token.rule = rules_[token.id];
    token.capitals = capitals;
    token.clause_begins = clause;
    token.hard_break = hard;
    tokens_.push_back(token);
    ids_.push_back(token.id);
  }

  void tokenize(std::string_view sentence, bool shouting, Reading& reading) {
    tokens_.clear();
    ids_.clear();
    signs_ = 0;
    std::size_t sign_hits = 0;
    std::size_t gap_begin = 0;
    tokens_.push_back({.id = SentimentLexicon::sentence_begin});
    ids_.push_back(SentimentLexicon::sentence_begin);
    for (const text::Slice& word : text::words(sentence)) {
      const std::string_view gap = sentence.substr(gap_begin, word.begin - gap_begin);
      gap_begin = word.end;
      signs_ += sign_valence(gap, sign_hits);
      folded_.clear();
      text::fold_into(word.text, folded_);
      if (is_markup(folded_, gap)) continue;
      const bool hard = ends_thought(gap);
      const bool clause = ends_clause(gap);
      const bool capitals = !shouting && all_capitals(word.text);
      const PlainWord parts = plain_word(folded_);
      push(parts.head, capitals, clause, hard);
      if (parts.negated) push("not", capitals, false, false);
      ++reading.words;
    }
    signs_ += sign_valence(sentence.substr(gap_begin), sign_hits);
    reading.hits += sign_hits;
  }

  // How the words before tokens_[at] change a valence found there.
  double in_context(double valence, std::size_t at) const {
    double factor = 1;
    bool negated = false;
    bool half = false;
    for (std::size_t back = 1; back <= 4 && back <= at; ++back) {
      const Token& after = tokens_[at - back + 1];
      if (after.hard_break || (after.clause_begins && back > 1)) break;
      if (after.clause_begins && back == 1) break;
      const Rule rule = tokens_[at - back].rule;
      if (rule.role == Role::contrast || rule.role == Role::concession) break;
      if (rule.role == Role::negation) negated = !negated;
      if (rule.role == Role::half_negation && back <= 3) half = true;
      if (back > 2) continue;
      if (rule.role == Role::intensifier) factor *= back == 1 ? rule.strength : 1 + (rule.strength - 1) * 0.7;
      if (rule.role == Role::diminisher) factor *= back == 1 ? rule.strength : 1 - (1 - rule.strength) * 0.7;
    }
    // "Not very good" is not bad turned round: the turn is weaker than the word, more so for "not bad".
    if (negated) return valence * (valence > 0 ? -0.75 : -0.4);
    if (half) return valence * (valence > 0 ? -0.5 : -0.2);
    return valence * factor;
  }

  void weigh(std::string_view sentence, Reading& reading) {
    hits_.clear();
    const std::size_t count = tokens_.size();
    double clause_factor = 1;  // under a condition or a concession, until the clause ends
    std::size_t clause_left = 0;
    bool unfulfilled = false;  // after a wish, until the clause ends
    std::size_t contrast_at = count;
    for (std::size_t at = 0; at < count;) {
      const Token& token = tokens_[at];
      if (token.rule.role == Role::subject) reading.about_the_book = true;
      if (token.clause_begins || clause_left == 0) {
        clause_factor = 1;
        unfulfilled = false;
      }
      if (clause_left > 0) --clause_left;
      if (token.rule.role == Role::condition) {
        clause_factor = 0.3;
        clause_left = 12;
      }
      if (token.rule.role == Role::concession) {
        clause_factor = 0.6;
        clause_left = 12;
      }
      const bool nothing_but = at > 0 && tokens_[at - 1].rule.role == Role::negation;
      if (token.rule.role == Role::contrast && !nothing_but) contrast_at = at;

      double found = 0;
      bool wish = false;
      std::size_t length = 1;
      if (const auto phrase = lexicon_.phrase(ids_.data() + at, std::min<std::size_t>(count - at, 8))) {
        found = phrase->valence;
        length = phrase->words;
        if (phrase->mood == SentimentLexicon::Mood::lukewarm) reading.lukewarm += 2;
        wish = phrase->mood == SentimentLexicon::Mood::wish;
      } else if (token.id != SentimentLexicon::unknown) {
        found = lexicon_.valence(token.id).value_or(0);
      }
      if (found != 0) {
        double value = wish ? found : in_context(found, at);
        if (unfulfilled && value > 0) value *= -0.3;
        if (std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(at),
                        tokens_.begin() + static_cast<std::ptrdiff_t>(at + length),
                        [](const Token& t) { return t.capitals; })) {
          value *= 1.25;
        }
        hits_.push_back({value * clause_factor, at});
      }
      for (std::size_t i = 1; i < length; ++i) {
        if (tokens_[at + i].rule.role == Role::subject) reading.about_the_book = true;
      }
      at += length;
      if (wish) {
        unfulfilled = true;
        clause_left = 10;
      }
    }
    const auto exclamations = std::min<std::ptrdiff_t>(3, std::count(sentence.begin(), sentence.end(), '!'));
    const double emphasis = 1 + 0.12 * static_cast<double>(exclamations);
    for (const Hit& hit : hits_) {
      double value = hit.valence * emphasis;
      if (contrast_at < count) value *= hit.at < contrast_at ? 0.6 : 1.3;
      reading.sum += value;
      reading.evidence += std::abs(value);
    }
    reading.hits += hits_.size();
    reading.sum += signs_;
    reading.evidence += std::abs(signs_);
  }

  const SentimentLexicon& lexicon_;
  const std::vector<Rule>& rules_;
  std::vector<Token> tokens_;
  std::vector<WordId> ids_;
  std::vector<Hit> hits_;
  std::string folded_;
  double signs_ = 0;
};

bool is_shouting(std::string_view text) {
  std::size_t upper = 0;
  std::size_t lower = 0;
  for (const char c : text) {
    upper += c >= 'A' && c <= 'Z' ? 1 : 0;
    lower += c >= 'a' && c <= 'z' ? 1 : 0;
  }
  return upper > lower;
}

}  // namespace

double Valence::balance() const {
  if (evidence <= 0) return 0;
  constexpr double courtesy = 0.2;  // praise outnumbers blame even in bad reviews (Boucher and Osgood 1969)
  constexpr double plenty = 20;     // so much evidence makes it a review rather than a remark
  const double expected = courtesy * evidence * std::min(1.0, evidence / plenty);
  return (sum - expected) / std::sqrt(evidence + 1);
}

double Valence::score() const { return tempered(std::tanh(balance() / 1.6)); }

double Valence::tempered(double verdict) const {
  return evidence <= 0 ? verdict : verdict * evidence / (evidence + lukewarm);
}

Valence valence(std::string_view text) {
  SentenceReader reader;
  const bool shouting = is_shouting(text);
  const auto sentences = text::sentences(text);
  Valence total;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto reading = reader.read(sentences[i].text, shouting);
    double weight = reading.about_the_book ? 1.0 : 0.6;
    if (sentences.size() > 2 && i == 0) weight *= 1.5;
    if (sentences.size() > 2 && i + 1 == sentences.size()) weight *= 1.3;
    total.sum += weight * reading.sum;
    total.evidence += weight * reading.evidence;
    total.hits += reading.hits;
    total.lukewarm += weight * reading.lukewarm;
    total.words += reading.words;
  }
  return total;
}

double sentence_valence(std::string_view sentence) {
  const auto reading = SentenceReader().read(sentence, is_shouting(sentence));
  return Valence{reading.sum, reading.evidence, reading.lukewarm, reading.hits, reading.words}.score();
}

}  // namespace lumina::reviews

#include "modules/reviews/sentiment_lexicon.hpp"

#include "core/text/fold.hpp"
#include "core/text/words.hpp"

#include <charconv>
#include <stdexcept>

namespace lumina::reviews {
namespace {

// Included rather than #embed-ded: ccache follows only includes, and gave old objects for a new lexicon.
constexpr std::string_view builtin_source =
#include "modules/reviews/sentiment_lexicon.inc"
    ;

bool is_vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u'; }
bool ends_with_consonant_y(std::string_view w) {
  return w.size() > 1 && w.back() == 'y' && !is_vowel(w[w.size() - 2]);
}

std::string with_s(std::string_view w) {
  const std::string word(w);
  if (ends_with_consonant_y(w)) return word.substr(0, word.size() - 1) + "ies";
  if (w.ends_with('s') || w.ends_with('x') || w.ends_with('z') || w.ends_with("ch") || w.ends_with("sh")) {
    return word + "es";
  }
  return word + "s";
}

// "drag" doubles its last letter before -ed and -ing, "bother" and "read" do not.
bool doubles(std::string_view w) {
  if (w.size() < 3 || w.size() > 4) return false;
  const char last = w.back();
  return !is_vowel(last) && last != 'w' && last != 'x' && last != 'y' && is_vowel(w[w.size() - 2]) &&
         !is_vowel(w[w.size() - 3]);
}

std::string with_ending(std::string_view w, std::string_view ending) {
  std::string word(w);
  if (word.ends_with('e')) {
    word.pop_back();
  } else if (ending == "ed" && ends_with_consonant_y(w)) {
    word.back() = 'i';
  } else if (doubles(w)) {
    word.push_back(word.back());
  }
  return word.append(ending);
}

std::string adverb(std::string_view w) {
  std::string word(w);
  if (ends_with_consonant_y(w)) {
    word.back() = 'i';
    return word + "ly";
  }
  if (w.ends_with("le") && w.size() > 2 && !is_vowel(w[w.size() - 3]))
    return word.substr(0, word.size() - 1) + "y";
  if (w.ends_with("ic")) return word + "ally";
  if (w.ends_with("ll")) return word + "y";
  return word + "ly";
}

std::optional<SentimentLexicon::Mood> mood_of(std::string_view form) {
  if (form == "phrase") return SentimentLexicon::Mood::plain;
  if (form == "wish") return SentimentLexicon::Mood::wish;
  if (form == "lukewarm") return SentimentLexicon::Mood::lukewarm;
  return std::nullopt;
}

[[noreturn]] void refuse(std::size_t line, std::string_view what) {
  throw std::invalid_argument("sentiment lexicon, line " + std::to_string(line) + ": " + std::string(what));
}

}  // namespace

SentimentLexicon::SentimentLexicon(std::string_view source) {
  valences_.resize(3);
  nodes_.resize(1);
  double valence = 0;
  std::string form;
  std::size_t number = 0;
  while (!source.empty()) {
    const std::size_t newline = std::min(source.find('\n'), source.size());
    std::string_view line = source.substr(0, newline);
    source.remove_prefix(std::min(newline + 1, source.size()));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos || line.back() != ']')
        refuse(number, "a section is [valence form]");
      const auto end = std::from_chars(line.data() + 1, line.data() + space, valence);
      if (end.ec != std::errc{} || end.ptr != line.data() + space || valence < -4 || valence > 4) {
        refuse(number, "the valence is no number of -4..4");
      }
      form = line.substr(space + 1, line.size() - space - 2);
      if (form != "word" && form != "adjective" && form != "verb" && form != "noun" && !mood_of(form)) {
        refuse(number, "the form is unknown");
      }
      continue;
    }
    if (form.empty()) refuse(number, "words before the first section");
    if (const auto mood = mood_of(form)) {
      add_phrase(line, valence, *mood);
      continue;
    }
    while (!line.empty()) {
      const std::size_t end = std::min(line.find(' '), line.size());
      const std::string_view word = line.substr(0, end);
      if (word.find('-') != std::string_view::npos) {
        add_phrase(word, valence, Mood::plain);
      } else if (!word.empty()) {
        add_forms(word, form, valence);
      }
      line.remove_prefix(std::min(end + 1, line.size()));
    }
  }
}

const SentimentLexicon& SentimentLexicon::builtin() {
  static const SentimentLexicon lexicon{builtin_source};
  return lexicon;
}

SentimentLexicon::WordId SentimentLexicon::intern(std::string_view word) {
  if (word == "*") return any_word;
  if (word == "^") return sentence_begin;
  const auto [it, added] = ids_.try_emplace(text::fold(word), static_cast<WordId>(valences_.size()));
  if (added) valences_.emplace_back();
  return it->second;
}

void SentimentLexicon::add_word(std::string_view word, double valence) {
  auto& slot = valences_[intern(word)];
  if (!slot) slot = valence;
}

void SentimentLexicon::add_forms(std::string_view word, std::string_view form, double valence) {
  add_word(word, valence);
  if (form == "adjective") add_word(adverb(word), valence);
  if (form == "noun" || form == "verb") add_word(with_s(word), valence);
  if (form == "verb") {
    add_word(with_ending(word, "ed"), valence);
    add_word(with_ending(word, "ing"), valence);
  }
}

void SentimentLexicon::add_phrase(std::string_view line, double valence, Mood mood) {
  std::uint32_t node = 0;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" -"), line.size());
    if (end > 0) {
      const WordId word = intern(line.substr(0, end));
      if (node == 0) {
        begins_phrase_.resize(std::max<std::size_t>(begins_phrase_.size(), word + 1));
        begins_phrase_[word] = true;
      }
      if (word == any_word) nodes_[node].any_follows = true;
      const std::uint64_t edge = (std::uint64_t{node} << 32) | word;
      const auto [it, added] = edges_.try_emplace(edge, static_cast<std::uint32_t>(nodes_.size()));
      if (added) nodes_.emplace_back();
      node = it->second;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  if (node != 0 && !nodes_[node].end) {
    nodes_[node].valence = valence;
    nodes_[node].mood = mood;
    nodes_[node].end = true;
    ++phrases_;
  }
}

SentimentLexicon::WordId SentimentLexicon::find(std::string_view folded) const {
  const auto it = ids_.find(folded);
  return it == ids_.end() ? unknown : it->second;
}

std::optional<double> SentimentLexicon::valence(WordId word) const { return valences_[word]; }

std::optional<SentimentLexicon::Phrase> SentimentLexicon::phrase(const WordId* words,
                                                                 std::size_t count) const {
  std::optional<Phrase> best;
  if (count == 0 || words[0] >= begins_phrase_.size() || !begins_phrase_[words[0]]) return best;
  follow(0, words, count, 0, best);
  return best;
}

void SentimentLexicon::follow(std::uint32_t node, const WordId* words, std::size_t count, std::size_t depth,
                              std::optional<Phrase>& best) const {
  if (nodes_[node].end && depth > (best ? best->words : 0)) {
    best = Phrase{nodes_[node].valence, nodes_[node].mood, depth};
  }
  if (depth == count) return;
  for (const WordId word : {words[depth], any_word}) {
    if (word == unknown || (word == any_word && !nodes_[node].any_follows)) continue;
    const auto next = edges_.find((std::uint64_t{node} << 32) | word);
    if (next != edges_.end()) follow(next->second, words, count, depth + 1, best);
  }
}

}  // namespace lumina::reviews

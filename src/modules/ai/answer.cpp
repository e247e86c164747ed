#include "modules/ai/answer.hpp"

#include "core/base/text.hpp"
#include "core/search/language.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <tuple>

namespace lumina::ai {
namespace {

constexpr std::size_t least_quote_letters = 8, least_quote_words = 3;
constexpr double least_shared = 0.3;

using Stems = std::set<std::string, std::less<>>;

Stems stems_of(std::string_view text, search::Language language) {
  Stems out;
  for (const auto& term : text::terms(text, "", {.cjk_bigrams = true}))
    out.insert(search::stem_of(term.text, language));
  return out;
}

bool is_among(std::string_view words, std::string_view word) {
  std::string key = " ";
  key += word;
  key += ' ';
  return words.find(key) != std::string_view::npos;
}

bool has_digit(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
}
bool is_number(std::string_view word) {
  static constexpr std::string_view numbers =
      " one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
      "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand "
      "million once twice daily weekly half free ";
  return has_digit(word) || is_among(numbers, word);
}
bool is_time(std::string_view word) {
  static constexpr std::string_view times =
      " monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays "
      "fridays "
      "saturdays sundays january february march april may june july august september october november "
      "december spring summer autumn winter morning noon afternoon evening night midnight century weekend "
      "weekends today tomorrow yesterday christmas easter ";
  return has_digit(word) || is_among(times, word);
}

// A sentence as a question meets it.
struct Heard {
  std::set<std::string, std::less<>> words, past;  // folded; past: stems of those in -ed
  Stems stems;
  bool number = false, time = false;
  std::vector<std::string> order;
};
Heard heard(std::string_view text, search::Language language) {
  Heard out;
  for (const auto& term : text::terms(text, "", {.cjk_bigrams = true})) {
    const auto stem = search::stem_of(term.text, language);
    out.stems.insert(stem);
    if (term.text.ends_with("ed")) out.past.insert(stem);
    out.number = out.number || is_number(term.text);
    out.time = out.time || is_time(term.text);
    out.words.insert(term.text);
    out.order.push_back(term.text);
  }
  return out;
}

// "forty metres high"
bool measures(const Heard& sentence, std::string_view word) {
  for (std::size_t i = 1; i < sentence.order.size(); ++i) {
    if (sentence.order[i] != word) continue;
    if (is_number(sentence.order[i - 1]) || (i > 1 && is_number(sentence.order[i - 2]))) return true;
  }
  return false;
}

bool holds(const Stems& stems, const AskedWord& word, search::Language language) {
  if (stems.contains(search::stem_of(word.word, language))) return true;
  return std::ranges::any_of(
      word.alike, [&](const std::string& same) { return stems.contains(search::stem_of(same, language)); });
}

// How well a sentence says a word of the question: the word itself, another form of it, one that means the
// same; 0 when not at all.
double said(const Heard& sentence, const AskedWord& word, search::Language language, const Asking& asking) {
  constexpr double another_form = .9, alike = .8, became = .4;
  if (sentence.words.contains(word.word)) return 1;
  const auto stem = search::stem_of(word.word, language);
  if (sentence.stems.contains(stem))
    return asking.state && sentence.past.contains(stem) ? became : another_form;
  return holds(sentence.stems, word, language) ? alike : 0;
}

// The share of the question that these stems hold, and how many of its words.
struct Share {
  double part = 0;
  std::size_t words = 0;
};
Share share_of(const std::vector<AskedWord>& words, const Stems& stems, search::Language language) {
  double all = 0, here = 0;
  Share out;
  for (const auto& word : words) {
    all += word.idf;
    if (!holds(stems, word, language)) continue;
    here += word.idf;
    ++out.words;
  }
  out.part = all > 0 ? here / all : 0;
  return out;
}

struct Candidate {
  std::size_t evidence = 0, begin = 0, end = 0;
  double rank = 0;
  std::set<std::string> words;  // of the question
};

std::string_view without_mark(std::string_view line) {
  line = trim(line);
  while (line.starts_with("- ") || line.starts_with("* ")) line = trim(line.substr(2));
  return line;
}

// One byte for what may be written in several ways; 0 for anything else.
char plain_mark(std::string_view rest, std::size_t& length) {
  static constexpr std::string_view single[] = {"‘", "’", "‚"}, twin[] = {"“", "”", "„", "«", "»"};
  for (const auto mark : single)
    if (rest.starts_with(mark)) return length = mark.size(), '\'';
  for (const auto mark : twin)
    if (rest.starts_with(mark)) return length = mark.size(), '"';
  length = 1;
  return rest.front();
}

// White space as one space, quotation marks as ASCII ones, with where each byte came from.
struct Folded {
  std::string text;
  std::vector<std::size_t> from;
};
Folded folded(std::string_view text) {
  Folded out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
      if (!out.text.empty() && out.text.back() != ' ') out.text += ' ', out.from.push_back(i);
      ++i;
      continue;
    }
    std::size_t length = 1;
    const char plain = plain_mark(text.substr(i), length);
    out.text += plain;
    out.from.push_back(i);
    i += length;
  }
  out.from.push_back(text.size());
  return out;
}

}  // namespace

std::string flowing(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
    if (!space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  return std::string(trim(out));
}

Asking asking_of(std::string_view question) {
  Asking out;
  bool happened = false, stands = false;
  std::string before;
  for (const auto& term : text::terms(question, "")) {
    const auto& word = term.text;
    out.time = out.time || word == "when" || (before == "what" && word == "time");
    out.number =
        out.number || (before == "how" && is_among(" many much long often old far soon high tall deep "
                                                   "big large wide heavy late early fast quickly ",
                                                   word));
    stands = stands || word == "is" || word == "are" || word == "does" || word == "do";
    happened = happened || word == "did" || word == "was" || word == "were" || word == "has" || word == "had";
    before = word;
  }
  out.state = out.time && stands && !happened;
  return out;
}

Composed compose(const std::vector<AskedWord>& asked, const std::vector<Evidence>& texts,
                 const EvidenceRules& rules) {
  // A sentence of a passage that holds more of the question is the likelier answer, also one that says what
  // its document is about only in the title; and one of the kind that was asked for.
  constexpr double of_passage = .5, in_title = .5, right_kind = .15, measured = .4, each_further = .02;
  Composed out;
  std::vector<AskedWord> words, measures_asked;
  for (const auto& word : asked) (word.measure ? measures_asked : words).push_back(word);
  if (words.empty()) return out;
  std::vector<Candidate> candidates;
  const std::size_t needed = std::min<std::size_t>(2, words.size());
  double all = 0;
  for (const auto& word : words) all += word.idf;
  for (std::size_t e = 0; e < texts.size(); ++e) {
    const auto language = search::language_of(texts[e].language);
    auto stems = stems_of(texts[e].text, language);
    const auto title = stems_of(texts[e].title, language);
    stems.insert(title.begin(), title.end());
    const auto whole = share_of(words, stems, language);
    out.coverage = std::max(out.coverage, whole.part);
    if (whole.part < rules.passage || whole.words < needed) continue;
    for (const auto& sentence : text::sentences(texts[e].text)) {
      const auto here = heard(sentence.text, language);
      Candidate c{e, sentence.begin, sentence.begin + sentence.text.size(), 0, {}};
      double held = 0, ranked = 0;
      for (const auto& word : words) {
        const auto how = said(here, word, language, rules.asking);
        if (how > 0) {
          held += word.idf;
          ranked += how * word.idf;
          c.words.insert(word.word);
        } else if (holds(title, word, language)) {
          ranked += in_title * word.idf;
        }
      }
      bool gives_measure = false;
      for (const auto& word : measures_asked)
        if (measures(here, word.word)) gives_measure = true, c.words.insert(word.word);
      if ((all <= 0 || held / all < rules.sentence) && !gives_measure) continue;
      c.rank = (all > 0 ? ranked / all : 0) + of_passage * whole.part - each_further * static_cast<double>(e);
      if (gives_measure) c.rank += measured;
      if ((rules.asking.number && here.number) || (rules.asking.time && (here.time || here.number)))
        c.rank += right_kind;
      candidates.push_back(std::move(c));
    }
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(b.rank, a.evidence, a.begin) < std::tie(a.rank, b.evidence, b.begin);
  });
  std::set<std::string> told;
  for (const auto& c : candidates) {
    if (out.claims.size() == rules.most_sentences) break;
    const bool news = std::ranges::any_of(c.words, [&](const std::string& w) { return !told.contains(w); });
    if (!out.claims.empty() && (!news || c.rank < 0.6 * candidates.front().rank)) continue;
    const auto quote = std::string_view(texts[c.evidence].text).substr(c.begin, c.end - c.begin);
    auto sentence = flowing(quote);
    if (std::ranges::any_of(out.claims, [&](const Claim& claim) { return claim.sentence == sentence; }))
      continue;
    out.claims.push_back({std::move(sentence), c.evidence, c.begin, c.end});
    told.insert(c.words.begin(), c.words.end());
  }
  return out;
}

bool find_quote(std::string_view text, std::string_view quote, std::size_t& begin, std::size_t& end) {
  auto asked = folded(quote).text;
  while (asked.ends_with(' ')) asked.pop_back();
  const auto terms = text::words(asked, {.cjk_bigrams = true});
  std::size_t letters = 0;
  for (const auto& word : terms) letters += utf8_length(word.text);
  if (letters < least_quote_letters || terms.size() < least_quote_words) return false;
  const auto where = folded(text);
  const auto at = where.text.find(asked);
  if (at == std::string::npos) return false;
  begin = where.from[at];
  end = where.from[at + asked.size()];
  // The last byte may be a mark of several.
  while (end > begin && trim_ascii(text.substr(end - 1, 1)).empty()) --end;
  return true;
}

std::vector<Claim> verified(std::string_view written, const std::vector<Evidence>& texts) {
  std::vector<Claim> out;
  while (!written.empty()) {
    const auto end = written.find('\n');
    const auto line = without_mark(written.substr(0, end));
    written.remove_prefix(end == std::string_view::npos ? written.size() : end + 1);
    const auto open = line.rfind('[');
    const auto close = line.find(']', open == std::string_view::npos ? 0 : open);
    if (open == std::string_view::npos || close == std::string_view::npos) continue;
    std::size_t number = 0;
    const auto digits = line.substr(open + 1, close - open - 1);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc{} ||
        number == 0 || number > texts.size())
      continue;
    auto quote = trim(line.substr(close + 1));
    const auto first = quote.find_first_of("\""), last = quote.rfind('"');
    if (first != std::string_view::npos && last > first) quote = quote.substr(first + 1, last - first - 1);
    Claim claim;
    claim.sentence = flowing(line.substr(0, open));
    claim.evidence = number - 1;
    if (claim.sentence.empty()) continue;
    const auto& evidence = texts[number - 1];
    if (!find_quote(evidence.text, quote, claim.begin, claim.end)) continue;
    // A true quote under a sentence about something else proves nothing.
    const auto language = search::language_of(evidence.language);
    const auto quoted = stems_of(quote, language);
    std::size_t shared = 0, all = 0;
    for (const auto& term : text::terms(claim.sentence, "", {.cjk_bigrams = true})) {
      if (is_filler(term.text)) continue;
      ++all;
      if (quoted.contains(search::stem_of(term.text, language))) ++shared;
    }
    if (all == 0 || static_cast<double>(shared) < least_shared * static_cast<double>(all)) continue;
    out.push_back(std::move(claim));
  }
  return out;
}

}  // namespace lumina::ai

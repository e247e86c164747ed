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
    if (!stems.contains(search::stem_of(word.word, language))) continue;
    here += word.idf;
    ++out.words;
  }
  out.part = all > 0 ? here / all : 0;
  return out;
}

struct Candidate {
  std::size_t evidence = 0, begin = 0, end = 0;
  double share = 0, rank = 0;
  std::set<std::size_t> words;  // of the question
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

Composed compose(const std::vector<AskedWord>& words, const std::vector<Evidence>& texts,
                 const EvidenceRules& rules) {
  Composed out;
  std::vector<Candidate> candidates;
  const std::size_t needed = std::min<std::size_t>(2, words.size());
  for (std::size_t e = 0; e < texts.size(); ++e) {
    const auto language = search::language_of(texts[e].language);
    auto stems = stems_of(texts[e].text, language);
    stems.merge(stems_of(texts[e].title, language));
    const auto whole = share_of(words, stems, language);
    out.coverage = std::max(out.coverage, whole.part);
    if (words.empty() || whole.part < rules.passage || whole.words < needed) continue;
    for (const auto& sentence : text::sentences(texts[e].text)) {
      const auto here = stems_of(sentence.text, language);
      const auto share = share_of(words, here, language);
      if (share.part < rules.sentence) continue;
      Candidate c{e, sentence.begin, sentence.begin + sentence.text.size(), share.part, 0, {}};
      for (std::size_t w = 0; w < words.size(); ++w)
        if (here.contains(search::stem_of(words[w].word, language))) c.words.insert(w);
      // A sentence of a passage that holds more of the question is the likelier answer.
      c.rank = share.part + 0.5 * whole.part - 0.02 * static_cast<double>(e);
      candidates.push_back(std::move(c));
    }
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::tie(b.rank, a.evidence, a.begin) < std::tie(a.rank, b.evidence, b.begin);
  });
  std::set<std::size_t> told;
  for (const auto& c : candidates) {
    if (out.claims.size() == rules.most_sentences) break;
    const bool news = std::ranges::any_of(c.words, [&](std::size_t w) { return !told.contains(w); });
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

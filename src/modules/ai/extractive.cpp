#include "modules/ai/extractive.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"
#include "core/text/sentences.hpp"
#include "core/text/stem.hpp"
#include "core/text/words.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <vector>

namespace lumina::ai {
namespace {

constexpr std::size_t most_sentences = 300, least_words = 5;
constexpr int rounds = 40;
constexpr double damping = 0.85, most_alike = 0.6;

struct Sentence {
  std::string_view text;
  std::size_t words = 0;
  std::map<std::string, double> weights;  // of its terms, length 1
  double score = 0;
};

// Words so common that they say nothing are the ones of up to three letters, in languages that are written in
// letters at all; the rest is for the rarity weights.
bool says_something(std::string_view word) {
  return utf8_length(word) > 3 || word.size() > 2 * utf8_length(word);
}

std::vector<Sentence> sentences_of(std::string_view text, std::string_view language) {
  std::vector<Sentence> all;
  std::unordered_map<std::string, double> seen_in;
  for (const auto& slice : text::sentences(text)) {
    if (all.size() == most_sentences) break;
    Sentence one;
    one.text = slice.text;
    for (const auto& word : text::words(slice.text, {.cjk_bigrams = true})) {
      ++one.words;
      const auto folded = text::fold(word.text);
      if (says_something(folded)) one.weights[text::stem(folded, language)] += 1;
    }
    if (one.words == 0) continue;
    for (const auto& [term, count] : one.weights) seen_in[term] += 1;
    all.push_back(std::move(one));
  }
  const auto total = static_cast<double>(all.size());
  for (auto& one : all) {
    double length = 0;
    for (auto& [term, weight] : one.weights) {
      weight = (1 + std::log(weight)) * std::log(1 + total / seen_in[term]);
      length += weight * weight;
    }
    if (length > 0)
      for (auto& [term, weight] : one.weights) weight /= std::sqrt(length);
  }
  return all;
}

double likeness(const Sentence& a, const Sentence& b) {
  const auto& fewer = a.weights.size() < b.weights.size() ? a : b;
  const auto& more = &fewer == &a ? b : a;
  double sum = 0;
  for (const auto& [term, weight] : fewer.weights)
    if (const auto found = more.weights.find(term); found != more.weights.end())
      sum += weight * found->second;
  return sum;
}

void rank(std::vector<Sentence>& all) {
  const std::size_t n = all.size();
  std::vector<double> like(n * n, 0.0), out(n, 0.0), start(n), score(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) {
      like[i * n + j] = like[j * n + i] = likeness(all[i], all[j]);
      out[i] += like[i * n + j];
      out[j] += like[i * n + j];
    }
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += start[i] = 1.0 / (1.0 + 0.3 * static_cast<double>(i));
  for (auto& each : start) each /= sum;
  score = start;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> next(n);
    for (std::size_t i = 0; i < n; ++i) {
      double votes = 0;
      for (std::size_t j = 0; j < n; ++j)
        if (out[j] > 0) votes += score[j] * like[j * n + i] / out[j];
      next[i] = (1 - damping) * start[i] + damping * votes;
    }
    score = std::move(next);
  }
  for (std::size_t i = 0; i < n; ++i) all[i].score = score[i];
}

bool is_whole(const Sentence& one) {
  const auto last = one.text.back();
  const bool ends = last == '.' || last == '!' || last == '?' || last == '"' || last == ')' ||
                    static_cast<unsigned char>(last) >= 0x80;
  return ends && one.words >= least_words;
}

}  // namespace

std::size_t count_words(std::string_view text) { return text::words(text).size(); }

std::string extract(std::string_view text, std::size_t most_words, std::string_view language) {
  auto all = sentences_of(text, language);
  if (all.empty()) return {};
  rank(all);
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const bool whole_a = is_whole(all[a]), whole_b = is_whole(all[b]);
    if (whole_a != whole_b) return whole_a;
    return all[a].score != all[b].score ? all[a].score > all[b].score : a < b;
  });
  const bool some_whole = is_whole(all[order.front()]);
  std::vector<std::size_t> chosen;
  std::size_t words = 0;
  for (const auto i : order) {
    if (some_whole && !is_whole(all[i])) break;
    if (words + all[i].words > most_words) continue;
    if (std::ranges::any_of(chosen,
                            [&](std::size_t other) { return likeness(all[i], all[other]) > most_alike; }))
      continue;
    chosen.push_back(i);
    words += all[i].words;
  }
  if (chosen.empty()) return trimmed_to_words(all[order.front()].text, most_words);
  std::ranges::sort(chosen);
  std::string out;
  for (const auto i : chosen) {
    if (!out.empty()) out += ' ';
    out += all[i].text;
  }
  return trimmed_to_words(out, most_words);
}

std::string trimmed_to_words(std::string_view text, std::size_t most_words) {
  const auto whole = trim(text);
  const auto words = text::words(whole);
  std::string_view kept = whole;
  std::string end;
  if (words.size() > most_words) {
    const std::size_t most = most_words == 0 ? 0 : words[most_words - 1].end;
    std::size_t cut = 0;
    for (const auto& sentence : text::sentences(whole))
      if (count_words(whole.substr(0, sentence.end)) <= most_words) cut = sentence.end;
    if (cut == 0) {
      cut = most;
      end = "…";
    }
    kept = whole.substr(0, cut);
  }
  std::string out;
  int newlines = 0;
  for (const char c : kept) {
    if (c == '\r') continue;
    newlines = c == '\n' ? newlines + 1 : 0;
    if (newlines <= 2) out += c;
  }
  return out + end;
}

}  // namespace lumina::ai

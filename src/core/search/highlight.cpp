#include "core/search/highlight.hpp"

#include "core/base/text.hpp"
#include "core/search/matcher.hpp"

#include <algorithm>

namespace lumina::search {
namespace {

struct Range {
  std::size_t begin, end;  // bytes
};

std::vector<Range> ranges_of(const Plan& plan, const std::vector<Token>& tokens, Language language,
                             std::uint32_t field) {
  std::vector<bool> meant(tokens.size());
  for (const auto& leaf : plan.leaves) {
    if (leaf.negative || leaf.optional || (leaf.fields & field) == 0) continue;
    for (const auto& a : leaf.alternatives)
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (a.kind != Alternative::Kind::phrase) {
          if (!meant[i] && is_meant(a, tokens[i].text, language)) meant[i] = true;
          continue;
        }
        std::size_t n = 0;
        while (n < a.words.size() && i + n < tokens.size() && tokens[i + n].text == a.words[n]) ++n;
        if (n == a.words.size()) std::fill_n(meant.begin() + static_cast<std::ptrdiff_t>(i), n, true);
      }
  }
  std::vector<Range> out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!meant[i]) continue;
    // Pairs of characters overlap.
    if (!out.empty() && tokens[i].begin < out.back().end)
      out.back().end = std::max(out.back().end, tokens[i].end);
    else
      out.push_back({tokens[i].begin, tokens[i].end});
  }
  return out;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

Marked highlight(const Plan& plan, std::string_view text, Language language, std::uint32_t field,
                 std::size_t most) {
  Marked out;
  const auto tokens = tokens_of(text);
  const auto ranges = ranges_of(plan, tokens, language, field);
  if (ranges.empty()) return out;
  std::size_t from = 0, to = text.size();
  if (utf8_length(text) > most) {
    // The window that holds most marks; bytes stand in for characters here, the cut is made between words.
    std::size_t best = 0, best_count = 0;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      std::size_t n = 0;
      while (i + n < ranges.size() && ranges[i + n].end - ranges[i].begin <= most) ++n;
      if (n > best_count) best = i, best_count = n;
    }
    const std::size_t lead = most / 5;
    const auto begin = ranges[best].begin;
    from = begin > lead ? begin - lead : 0;
    to = std::min(text.size(), std::max(from + most, ranges[best].end));
    const auto first = std::ranges::lower_bound(tokens, from, {}, &Token::begin);
    if (from > 0 && first != tokens.end()) from = std::min(first->begin, begin);
    const auto past = std::ranges::lower_bound(tokens, to, {}, &Token::end);
    if (past != tokens.end() && past->begin < to) to = past == tokens.begin() ? past->end : (past - 1)->end;
    to = std::max(to, ranges[best].end);
    while (to < text.size() && (static_cast<unsigned char>(text[to]) & 0xC0U) == 0x80U) ++to;
  }
  if (from > 0) out.text += "… ";
  std::size_t at = from, counted_to = 0, points = 0;
  const auto point = [&](std::size_t byte) {
    points += utf8_length(text.substr(counted_to, byte - counted_to));
    counted_to = byte;
    return points;
  };
  for (const auto& r : ranges) {
    if (r.begin < from || r.end > to) continue;
    const auto start = point(r.begin);
    out.marks.push_back({start, point(r.end)});
    out.text += escape_html(text.substr(at, r.begin - at)) + "<mark>" +
                escape_html(text.substr(r.begin, r.end - r.begin)) + "</mark>";
    at = r.end;
  }
  out.text += escape_html(text.substr(at, to - at));
  if (to < text.size()) out.text += " …";
  return out;
}

}  // namespace lumina::search

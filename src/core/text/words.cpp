#include "core/text/words.hpp"

#include "core/text/fold.hpp"
#include "core/text/stem.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>

namespace lumina::text {
namespace {

enum class Kind : unsigned char { other, letter, digit, apostrophe, cjk };

constexpr std::array<Kind, 128> ascii_kinds = [] {
  std::array<Kind, 128> kinds{};
  for (std::size_t c = 0; c < kinds.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    kinds[c] = letter ? Kind::letter : digit ? Kind::digit : c == '\'' ? Kind::apostrophe : Kind::other;
  }
  return kinds;
}();

bool is_cjk(UChar32 c) {
  return (c >= 0x3041 && c <= 0x30FF && c != 0x30FB) || (c >= 0x31F0 && c <= 0x31FF) ||
         (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFF66 && c <= 0xFF9F) || (c >= 0x20000 && c <= 0x3FFFF);
}

Kind kind_of(UChar32 c) {
  if (c < 0) return Kind::other;
  if (c < 128) return ascii_kinds[static_cast<std::size_t>(c)];
  if (c == 0x2019 || c == 0x2BC || c == 0xFF07) return Kind::apostrophe;
  if (is_cjk(c)) return Kind::cjk;
  constexpr auto word_mask = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
  // A soft hyphen or joiner inside a word is not seen by the reader; folding drops it.
  if (c == 0xAD || c == 0x200C || c == 0x200D) return Kind::letter;
  if (c >= 0xFE00 && c <= 0xFE0F) return Kind::other;  // variation selectors follow emoji
  return (U_GET_GC_MASK(c) & word_mask) != 0 ? Kind::letter : Kind::other;
}

struct Character {
  Kind kind = Kind::other;
  std::size_t end = 0;
};

Character read(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 128) return {ascii_kinds[lead], at + 1};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  UChar32 c = 0;
  std::size_t next = at;
  U8_NEXT(bytes, next, text.size(), c);
  return {kind_of(c), next};
}

}  // namespace

std::vector<Slice> words(std::string_view text, WordOptions options) {
  std::vector<Slice> found;
  found.reserve(text.size() / 6 + 1);
  const auto add = [&](std::size_t begin, std::size_t end) {
    found.push_back({text.substr(begin, end - begin), begin, end});
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const Character first = read(text, at);
    const std::size_t begin = at;
    at = first.end;
    if (first.kind == Kind::cjk) {
      std::size_t previous = begin;
      std::size_t pairs = 0;
      while (at < text.size()) {
        const Character next = read(text, at);
        if (next.kind != Kind::cjk) break;
        if (options.cjk_bigrams) {
          add(previous, next.end);
          ++pairs;
        }
        previous = at;
        at = next.end;
      }
      if (pairs == 0) add(begin, at);
      continue;
    }
    if (first.kind != Kind::letter && first.kind != Kind::digit) continue;
    while (at < text.size()) {
      const Character next = read(text, at);
      if (next.kind == Kind::letter || next.kind == Kind::digit) {
        at = next.end;
        continue;
      }
      if (next.kind != Kind::apostrophe || next.end >= text.size()) break;
      const Character after = read(text, next.end);
      if (after.kind != Kind::letter) break;
      at = after.end;
    }
    add(begin, at);
  }
  return found;
}

std::vector<Term> terms(std::string_view utf8, std::string_view language, WordOptions options) {
  const auto slices = words(utf8, options);
  std::vector<Term> found;
  found.reserve(slices.size());
  for (const Slice& word : slices) {
    std::string folded = fold(word.text);
    if (!language.empty()) folded = stem(folded, language);
    if (!folded.empty()) found.push_back({std::move(folded), word.begin, word.end});
  }
  return found;
}

}  // namespace lumina::text

#include "core/text/stem.hpp"

#include <algorithm>
#include <array>
#include <libstemmer.h>
#include <memory>
#include <optional>
#include <stdexcept>

namespace lumina::text {
namespace {

struct Language {
  std::string_view two, three, other_three, name;
  const char* algorithm;
};

// Codes by ISO 639; the second three-letter code is the bibliographic one where it differs.
constexpr std::array languages = {
    Language{"en", "eng", "", "english", "english"},
    Language{"de", "deu", "ger", "german", "german"},
    Language{"fr", "fra", "fre", "french", "french"},
    Language{"es", "spa", "", "spanish", "spanish"},
    Language{"it", "ita", "", "italian", "italian"},
    Language{"pt", "por", "", "portuguese", "portuguese"},
    Language{"nl", "nld", "dut", "dutch", "dutch"},
    Language{"sv", "swe", "", "swedish", "swedish"},
    Language{"no", "nor", "", "norwegian", "norwegian"},
    Language{"nb", "nob", "", "bokmal", "norwegian"},
    Language{"da", "dan", "", "danish", "danish"},
    Language{"fi", "fin", "", "finnish", "finnish"},
    Language{"hu", "hun", "", "hungarian", "hungarian"},
    Language{"ro", "ron", "rum", "romanian", "romanian"},
    Language{"ru", "rus", "", "russian", "russian"},
    Language{"tr", "tur", "", "turkish", "turkish"},
    Language{"ar", "ara", "", "arabic", "arabic"},
    Language{"el", "ell", "gre", "greek", "greek"},
    Language{"ca", "cat", "", "catalan", "catalan"},
    Language{"eu", "eus", "baq", "basque", "basque"},
    Language{"ga", "gle", "", "irish", "irish"},
    Language{"hi", "hin", "", "hindi", "hindi"},
    Language{"hy", "hye", "arm", "armenian", "armenian"},
    Language{"id", "ind", "", "indonesian", "indonesian"},
    Language{"lt", "lit", "", "lithuanian", "lithuanian"},
    Language{"ne", "nep", "", "nepali", "nepali"},
    Language{"sr", "srp", "", "serbian", "serbian"},
    Language{"ta", "tam", "", "tamil", "tamil"},
    Language{"yi", "yid", "", "yiddish", "yiddish"},
};

std::optional<std::size_t> find_language(std::string_view tag) {
  std::array<char, 16> lower{};
  std::size_t size = 0;
  for (const char c : tag) {
    if (c == '-' || c == '_') break;
    if (size == lower.size()) return std::nullopt;
    lower[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  const std::string_view key(lower.data(), size);
  if (key.empty()) return std::nullopt;
  for (std::size_t i = 0; i < languages.size(); ++i) {
    const Language& l = languages[i];
    if (key == l.two || key == l.three || key == l.other_three || key == l.name) return i;
  }
  return std::nullopt;
}

struct Delete {
  void operator()(sb_stemmer* s) const { sb_stemmer_delete(s); }
};
using Stemmer = std::unique_ptr<sb_stemmer, Delete>;

sb_stemmer* stemmer(std::size_t language) {
  thread_local std::array<Stemmer, languages.size()> mine;
  thread_local std::array<bool, languages.size()> tried{};
  if (!tried[language]) {
    mine[language].reset(sb_stemmer_new(languages[language].algorithm, "UTF_8"));
    tried[language] = true;
  }
  return mine[language].get();
}

}  // namespace

std::string stem(std::string_view word, std::string_view language) {
  constexpr std::size_t longest = 64;
  if (word.empty() || word.size() > longest) return std::string(word);
  const auto index = find_language(language);
  sb_stemmer* const snowball = index ? stemmer(*index) : nullptr;
  if (snowball == nullptr) return std::string(word);
  const auto* const bytes = reinterpret_cast<const sb_symbol*>(word.data());
  const sb_symbol* const result = sb_stemmer_stem(snowball, bytes, static_cast<int>(word.size()));
  if (result == nullptr) throw std::bad_alloc();
  return std::string(reinterpret_cast<const char*>(result),
                     static_cast<std::size_t>(sb_stemmer_length(snowball)));
}

bool has_stemmer(std::string_view language) {
  const auto index = find_language(language);
  return index && stemmer(*index) != nullptr;
}

}  // namespace lumina::text

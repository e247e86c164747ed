#include "core/search/language.hpp"

#include "core/base/text.hpp"
#include "core/text/stem.hpp"

#include <algorithm>
#include <array>

namespace lumina::search {
namespace {

struct Known {
  std::string_view two, three, bibliographic, name;
};

// ISO 639; the order is the number of each and may only grow at its end.
constexpr std::array<Known, 28> known{{
    {"en", "eng", "eng", "english"},  {"de", "deu", "ger", "german"},     {"fr", "fra", "fre", "french"},
    {"es", "spa", "spa", "spanish"},  {"it", "ita", "ita", "italian"},    {"pt", "por", "por", "portuguese"},
    {"nl", "nld", "dut", "dutch"},    {"sv", "swe", "swe", "swedish"},    {"no", "nor", "nob", "norwegian"},
    {"da", "dan", "dan", "danish"},   {"fi", "fin", "fin", "finnish"},    {"hu", "hun", "hun", "hungarian"},
    {"ro", "ron", "rum", "romanian"}, {"ru", "rus", "rus", "russian"},    {"tr", "tur", "tur", "turkish"},
    {"ar", "ara", "ara", "arabic"},   {"el", "ell", "gre", "greek"},      {"ca", "cat", "cat", "catalan"},
    {"eu", "eus", "baq", "basque"},   {"ga", "gle", "gle", "irish"},      {"hi", "hin", "hin", "hindi"},
    {"hy", "hye", "arm", "armenian"}, {"id", "ind", "ind", "indonesian"}, {"lt", "lit", "lit", "lithuanian"},
    {"ne", "nep", "nep", "nepali"},   {"sr", "srp", "srp", "serbian"},    {"ta", "tam", "tam", "tamil"},
    {"yi", "yid", "yid", "yiddish"},
}};

}  // namespace

Language language_of(std::string_view tag) {
  if (tag.empty()) return 0;
  const std::string key = ascii_lower(tag.substr(0, tag.find_first_of("-_")));
  if (key == "nb" || key == "nn") return language_of("no");
  for (std::size_t i = 0; i < known.size(); ++i) {
    const Known& k = known[i];
    if (key == k.two || key == k.three || key == k.bibliographic || key == k.name)
      return text::has_stemmer(k.two) ? static_cast<Language>(i) : unstemmed;
  }
  return unstemmed;
}

std::string stem_of(std::string_view word, Language language) {
  if (language >= known.size() || std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; }))
    return std::string(word);
  return text::stem(word, known[language].two);
}

}  // namespace lumina::search

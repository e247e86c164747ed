#include "core/text/guess_language.hpp"

#include "core/text/words.hpp"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace lumina::text {
namespace {

struct Common {
  std::string_view code, words;
};
// The commonest words that tell neighbours apart, a space on both sides of each.
constexpr std::array<Common, 13> common{{
    {"en",
     " the of and to in is that was for it with as his on be at by had not are but from or have an "
     "they which you were her she this all their what when who how did does "},
    {"de",
     " der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an "
     "werden aus er hat dass sie nach wird bei einer wurde wer wie was "},
    {"fr",
     " de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont "
     "la avec son ses aux cette été où quel quelle "},
    {"es",
     " de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o "
     "este fue qué cuál quién cómo está "},
    {"it",
     " di che è e la il un a per non in una sono mi ho lo ha le si ti i con cosa se io come da ci no "
     "della del nel alla gli dei quale "},
    {"pt",
     " de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das "
     "tem à seu sua ou quem qual "},
    {"nl",
     " de van het een en in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog naar "
     "heeft hij werd door wordt wie wat "},
    {"sv",
     " och i att det som en på är av för med den till inte har de ett om han men var jag från vi så kan "
     "man när år hur vad "},
    {"da",
     " og i at det er en til af på som med for den de ikke der har et jeg om han var fra vi så kan man "
     "ved efter blev hvad hvem "},
    {"no",
     " og i det som er en til av på for med at ikke den har de et var jeg om han fra vi så kan man ble "
     "etter ved hva hvem "},
    {"fi",
     " ja on ei se että hän oli mutta kun niin ovat myös joka tai jos sen mitä kuin minä ole siitä vain "
     "sekä hänen mikä kuka "},
    {"ro",
     " și de în a la cu pe nu este că o un din care mai pentru au fost sa se ce dar sunt prin după ale "
     "cea cine "},
    {"tr",
     " ve bir bu da de için ile çok ne o gibi daha olan kadar olarak sonra en ama ki değil var ya mi "
     "her kim nasıl hangi "},
}};

}  // namespace

std::string guess_language(std::string_view utf8) {
  utf8 = utf8.substr(0, 4000);
  std::array<int, 8> scripts{};  // Latin, Han, Kana, Cyrillic, Arabic, Greek, Devanagari, others
  constexpr std::array<std::string_view, 8> codes{"", "zh", "ja", "ru", "ar", "el", "hi", ""};
  std::string_view other;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(utf8.size());) {
    UChar32 c = 0;
    U8_NEXT(utf8.data(), i, static_cast<std::int32_t>(utf8.size()), c);
    if (c < 0 || !u_isalpha(c)) continue;
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(c, &error)) {
      case USCRIPT_LATIN:
        ++scripts[0];
        break;
      case USCRIPT_HAN:
        scripts[1] += 3;
        break;  // a sign says as much as a syllable or a word
      case USCRIPT_HIRAGANA:
      case USCRIPT_KATAKANA:
        scripts[2] += 9;
        break;  // Japanese mixes both with Han
      case USCRIPT_CYRILLIC:
        ++scripts[3];
        break;
      case USCRIPT_ARABIC:
        ++scripts[4];
        break;
      case USCRIPT_GREEK:
        ++scripts[5];
        break;
      case USCRIPT_DEVANAGARI:
        ++scripts[6];
        break;
      case USCRIPT_HANGUL:
        ++scripts[7], other = "ko";
        break;
      case USCRIPT_THAI:
        ++scripts[7], other = "th";
        break;
      case USCRIPT_HEBREW:
        ++scripts[7], other = "he";
        break;
      case USCRIPT_ARMENIAN:
        ++scripts[7], other = "hy";
        break;
      case USCRIPT_TAMIL:
        ++scripts[7], other = "ta";
        break;
      default:
        break;
    }
  }
  const auto* const most = std::ranges::max_element(scripts);
  if (*most == 0) return {};
  if (most == &scripts[7]) return std::string(other);
  if (most != &scripts[0]) return std::string(codes.at(static_cast<std::size_t>(most - scripts.data())));
  std::array<int, common.size()> counts{};
  for (const auto& word : terms(utf8, "")) {
    const std::string key = " " + word.text + " ";
    for (std::size_t i = 0; i < common.size(); ++i)
      if (common.at(i).words.find(key) != std::string_view::npos) ++counts.at(i);
  }
  const auto* const best = std::ranges::max_element(counts);
  return *best == 0 ? std::string()
                    : std::string(common.at(static_cast<std::size_t>(best - counts.data())).code);
}

}  // namespace lumina::text

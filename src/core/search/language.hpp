// Languages as the index keeps them: a small number each, so that a set of them is one word of 32 bits.
//
// The language of a record decides how its words are stemmed. Records without a known language are taken for
// English: catalogues that name no language are mostly of one, and an English stemmer leaves foreign words
// nearly as they are. Languages that Snowball has no stemmer for are kept apart as `unstemmed`. Thread-safe.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace lumina::search {

using Language = std::uint8_t;  // 0..31
using LanguageSet = std::uint32_t;

constexpr Language unstemmed = 31;
constexpr LanguageSet set_of(Language language) { return LanguageSet{1} << language; }

// "fr", "fra", "fr-CA" and "French" are one.
Language language_of(std::string_view tag);
// The stem of a folded word in that language; the word itself when it has a digit or no stemmer is known.
std::string stem_of(std::string_view folded_word, Language language);

}  // namespace lumina::search

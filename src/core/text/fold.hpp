// Folding: two spellings that a reader takes for the same word become the same bytes.
//
// Case is folded (NFKC case fold: "Straße" and "STRASSE" meet), compatibility forms are plain ("ﬁ" is "fi"),
// the diacritics of Latin, Greek, Cyrillic, Hebrew and Arabic are dropped ("Émile" is "emile"), letters that
// Unicode does not decompose lose their stroke ("Øystein" is "oystein", "Łódź" is "lodz"), typographic
// apostrophes are ASCII. Marks that spell the word (Devanagari vowels, Thai tones, the dakuten of Japanese)
// stay. The result is NFC.
//
// Any bytes are welcome: what is not UTF-8 becomes U+FFFD. Folding twice gives what folding once gives. ASCII
// costs about a nanosecond a byte, other text about 50. Thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace lumina::text {

std::string fold(std::string_view utf8);
// Appends to `out`; saves the allocation where many words are folded.
void fold_into(std::string_view utf8, std::string& out);

}  // namespace lumina::text

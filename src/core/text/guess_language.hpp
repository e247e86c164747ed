// The language that a text is written in, as an ISO 639-1 code; empty when it cannot be told.
//
// By script where a script is of one language (Greek, Hangul, Kana, Thai, Hebrew, ...) or of few (Han: "zh",
// Cyrillic: "ru", Arabic: "ar", Devanagari: "hi"), and in Latin script by the share of the commonest words of
// English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Finnish, Romanian
// and Turkish. Looks at the first 4,000 bytes. Right for texts of some sentences, a guess for less.
// Thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace lumina::text {

std::string guess_language(std::string_view utf8);

}  // namespace lumina::text

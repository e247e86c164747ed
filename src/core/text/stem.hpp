// Stems by the Snowball algorithms (Porter, 2001): "reading", "reads" and "read" share one.
//
// Give folded words (fold.hpp). A language is an ISO 639-1 or 639-2 code ("en", "eng", "de-AT" by its first
// part) or its English name; of a language without a stemmer the word comes back as it is, as does a word
// over 64 bytes. The stemmer of a language is made once a thread and kept until the thread ends, so calls
// need no lock.
#pragma once
#include <string>
#include <string_view>

namespace lumina::text {

std::string stem(std::string_view folded_word, std::string_view language = "en");
bool has_stemmer(std::string_view language);

}  // namespace lumina::text

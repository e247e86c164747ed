// Summaries without a model: the sentences of a text that say most of it, as they stand.
//
// Sentences vote for those they share words with (TextRank over stemmed words weighted by how rare they are:
// Mihalcea and Tarau, EMNLP 2004; Erkan and Radev, JAIR 2004); earlier ones have a head start,
// near-repetitions are left out (maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998). The chosen
// ones stand in their own order. Headings, lists of names and half sentences are not chosen while there are
// others.
//
// The first 300 sentences are read. Deterministic, thread-safe, any bytes are welcome.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lumina::ai {

// At most `most_words` words; empty when the text holds no words. `language` as text/stem.hpp.
std::string extract(std::string_view text, std::size_t most_words, std::string_view language = "en");

// Not more than so many words: cut behind the last whole sentence that fits, or inside the first, with "…".
// White space at the ends goes; runs of blank lines become one.
std::string trimmed_to_words(std::string_view text, std::size_t most_words);
std::size_t count_words(std::string_view text);

}  // namespace lumina::ai

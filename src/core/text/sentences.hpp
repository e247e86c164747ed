// Sentences of a text, in order, without the white space around them.
//
// A sentence ends at . ! ? … or their East Asian forms, with the quotes and brackets that close behind them,
// and at a blank line. It does not end at an abbreviation ("Dr.", "e.g."), an initial ("J. R. R. Tolkien"), a
// numbered item ("1."), or where the text goes on in lower case. "Loved it!Read it twice." without a space is
// two sentences. Every byte that is not white space is in exactly one sentence. Any bytes are welcome; time
// grows with the length. Thread-safe.
#pragma once
#include "core/text/words.hpp"

#include <string_view>
#include <vector>

namespace lumina::text {

std::vector<Slice> sentences(std::string_view utf8);

}  // namespace lumina::text

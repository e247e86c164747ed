// Answers whose every sentence stands on a quote: made of the sentences of passages, or checked when a model
// wrote them. Knows no database and no model.
//
// Evidence is thin, and nothing is answered, when the passages lack too much of what the question asks about,
// weighed by how telling each word is (idf). Words that ask for a measure need not stand there. Thread-safe.
// The thresholds are measured by bench/retrieval.
#pragma once
#include "modules/ai/passage_index.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

// A text to answer from. Offsets of quotes are bytes in `text`.
struct Evidence {
  std::string title, text, language;
  double score = 0;
};

struct Claim {
  std::string sentence;            // of the answer
  std::size_t evidence = 0;        // whose quote it stands on
  std::size_t begin = 0, end = 0;  // the quote, in bytes of its text
};
struct Composed {
  std::vector<Claim> claims;  // empty: not to be answered from this
  double coverage = 0;        // share of the question that the best text holds, 0 to 1
};

// What kind of answer the wording asks for; English.
struct Asking {
  bool number = false;  // how many, how long, how old
  bool time = false;    // when
  bool state = false;   // when it is so, not when it became so: "when is it open"
};
Asking asking_of(std::string_view question);

struct EvidenceRules {
  double passage = 0.55;  // least share of the question in a passage with its title
  double sentence = 0.3;  // and in the sentence that answers
  std::size_t most_sentences = 3;
  Asking asking{};  // decides between sentences
};

Composed compose(const std::vector<AskedWord>& words, const std::vector<Evidence>& texts,
                 const EvidenceRules& rules = {});

// What a model wrote, a claim a line: `sentence [number] "quote"`. Keeps the claims whose quote stands in the
// numbered text (numbers from 1; white space and quotation marks may differ) and shares words with it.
std::vector<Claim> verified(std::string_view written, const std::vector<Evidence>& texts);

// Where the quote stands, in bytes; equal up to runs of white space and kinds of quotation marks. Quotes of
// fewer than three words or eight letters are found nowhere.
bool find_quote(std::string_view text, std::string_view quote, std::size_t& begin, std::size_t& end);

// On one line.
std::string flowing(std::string_view text);

}  // namespace lumina::ai

// What the reviews of a book talk about, and the sentences that speak for them all. No model: counting and
// rules.
//
// A theme is a word or pair of words that several reviews mention; forms of one stem are one theme, shown in
// the form that is written most. Its sentiment is the mean of the sentences that it occurs in (valence.hpp).
// Words that say nothing of a book ("the", "really", "book") and bare verdicts ("great") are no themes.
//
// A summary is made of sentences as they stand in the reviews: those that share most with all the others, say
// something, differ from each other, and lean the way that the reviews lean (centroid
// scoring after Radev et al., Information Processing & Management 2004, with maximal marginal relevance,
// Carbonell and Goldstein, SIGIR 1998).
//
// Work is bounded: the first 1,000 reviews are read, 4,000 characters of each, about 0.3 ms a review; give
// the newest and most helpful first. Any bytes are welcome. Deterministic, thread-safe.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::reviews {

struct ReviewText {
  std::string_view text;
  double sentiment = 0;  // -1..1, as kept with the review
};

struct Theme {
  std::string term;       // "main character", lower case
  std::size_t count = 0;  // reviews that mention it
  double sentiment = 0;   // -1..1, two decimals
};

// The most mentioned first; each in two reviews at least, or in one when there are fewer than four reviews.
std::vector<Theme> themes(std::span<const ReviewText> reviews, std::size_t limit = 10);

// At most `max_sentences` sentences of at most 300 characters, a space between, each with an end sign; ""
// when the reviews hold no usable sentence.
std::string summarize(std::span<const ReviewText> reviews, std::size_t max_sentences = 3);

}  // namespace lumina::reviews

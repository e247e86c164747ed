// What the words of a text say of its subject, by a lexicon and rules; no training, English only.
//
// The lexicon (sentiment_lexicon.inc) gives words and phrases a valence of -4..4 in the language of book
// reviews: what readers write about a book counts, what a dark or happy plot is made of does not. Rules in
// the spirit of Hutto and Gilbert (VADER, ICWSM 2014), written anew: a negation before a word turns it, an
// intensifier or capitals strengthen it, what follows "but" outweighs what comes before it, a condition ("if
// you like ...") or an unfulfilled wish
// ("could have been ...") hardly counts, smileys and emoji speak. For whole reviews, sentences that speak of
// the book or the reader weigh more than those that tell the plot, and the first (often the title) and last
// weigh most.
//
// Any bytes are welcome. Time grows with the length: about 0.1 us a byte. Pure, deterministic, thread-safe.
#pragma once
#include <cstddef>
#include <string_view>

namespace lumina::reviews {

struct Valence {
  double sum = 0;       // the valences found, weighted by their sentences; the sign is the verdict
  double evidence = 0;  // their absolute values, weighted the same; 0 when no word says anything
  double lukewarm =
      0;  // how much the text says that there is little to say ("okay", "nothing special"), weighted
  std::size_t hits = 0;  // words, phrases and signs that say something
  std::size_t words = 0;

  // The verdict on a scale that does not grow with the length: `sum` less what readers who dislike a book
  // still say in its favour (a fifth of the evidence, once there is much), by the root of the evidence. About
  // -5..5.
  double balance() const;
  // The same as -1..1: near 0 for balanced or little evidence.
  double score() const;
  // A verdict of the text made smaller by what it says in lukewarm words.
  double tempered(double verdict) const;
};

Valence valence(std::string_view text);

// As `valence` for one sentence that stands alone, such as a quotation or a sentence of a review.
double sentence_valence(std::string_view sentence);

}  // namespace lumina::reviews

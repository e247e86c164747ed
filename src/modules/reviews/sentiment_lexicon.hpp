// The valence lexicon in the form that the rules look words up in; read once from the text built into the
// program.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lumina::reviews {

// Words are folded (core/text/fold.hpp). Immutable after construction, so threads share one.
class SentimentLexicon {
 public:
  using WordId = std::uint32_t;
  static constexpr WordId unknown = 0;
  static constexpr WordId any_word = 1;        // the * of a phrase
  static constexpr WordId sentence_begin = 2;  // the ^ of a phrase; stands before a sentence's first word

  // Throws std::invalid_argument with the line number when the text is not in the form that its head
  // describes.
  explicit SentimentLexicon(std::string_view source);
  // The one built in.
  static const SentimentLexicon& builtin();

  // The identity of a word that the lexicon mentions anywhere, else `unknown`.
  WordId find(std::string_view folded) const;
  // The valence of the word alone; nothing when it is only part of phrases.
  std::optional<double> valence(WordId word) const;

  // What a phrase does besides its valence; the file says what the names mean.
  enum class Mood : unsigned char { plain, wish, lukewarm };
  struct Phrase {
    double valence = 0;
    Mood mood = Mood::plain;
    std::size_t words = 0;
  };
  // The longest phrase that begins at the first of `words`; nothing when none does.
  std::optional<Phrase> phrase(const WordId* words, std::size_t count) const;

  // One more than the largest WordId.
  std::size_t words() const { return valences_.size(); }
  std::size_t size() const { return valences_.size() + phrases_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  // A node of the tree of phrases; `end` says that a phrase ends here.
  struct Node {
    double valence = 0;
    Mood mood = Mood::plain;
    bool end = false;
    bool any_follows = false;  // a * may come next
  };

  WordId intern(std::string_view word);
  void add_word(std::string_view word, double valence);
  void add_forms(std::string_view word, std::string_view form, double valence);
  void add_phrase(std::string_view line, double valence, Mood mood);
  void follow(std::uint32_t node, const WordId* words, std::size_t count, std::size_t depth,
              std::optional<Phrase>& best) const;

  std::unordered_map<std::string, WordId, Hash, std::equal_to<>> ids_;
  std::vector<std::optional<double>> valences_;             // by WordId
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 32 | word -> node
  std::vector<Node> nodes_;
  std::vector<bool> begins_phrase_;  // by WordId
  std::size_t phrases_ = 0;
};

}  // namespace lumina::reviews

// Whether a question is one about the catalogue, and which books answer it. Knows no database.
//
// It is about the catalogue when its wording asks for books ("books about whales", "who wrote", "do you
// have", "is ... on the shelf") or when it names a title; then every telling word of it must stand in what
// is said of the book. Without such wording the words, three or more, must all stand in one sentence. A
// single word of a title or a description is no answer: "When does the war end?" is not about "Howards End".
// The wordings are English; a title is met in any language. Thread-safe.
#pragma once
#include "core/base/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::ai {

// A book of the catalogue as evidence, with what is on the shelf now.
struct BookEvidence {
  // asked_for: the question is about books, and this is one of them; holds_all: a sentence of it happens to
  // hold all that was asked, which is worth less than what documents say.
  enum class Kind : std::uint8_t { none, holds_all, asked_for };
  BookId id;
  std::string title, author, text;  // text: what the catalogue or a review says of it
  std::int64_t copies_available = 0;
  Kind kind = Kind::none;
};

struct CatalogueQuestion {
  std::vector<std::string> all;    // its words in order, folded
  std::vector<bool> capital;       // of these: written with a capital, and not the first
  std::vector<std::string> words;  // those that tell something, without those that ask for books
  std::vector<std::string> like;   // words that begin with the title of a book; empty: not asked so
  bool on_shelf = false;
  bool for_books = false;  // "books about"
  bool offered = false;    // "do you have": about books only when it names one or an author
  bool who_wrote = false;
  bool about = false;    // "what is ... about"
  bool of_fact = false;  // who, which, what, where
};
CatalogueQuestion read_catalogue_question(std::string_view question);

// What is said of a book.
struct BookWords {
  std::string_view title, author, genre, text;
};
BookEvidence::Kind match(const CatalogueQuestion& question, const BookWords& book);
// Whether nothing is asked beyond the first `count` words after "like".
bool only_like(const CatalogueQuestion& question, std::size_t count);

// The sentence that holds most of what is asked, the first of equal ones: begin and end in bytes.
std::pair<std::size_t, std::size_t> best_sentence(std::string_view question, std::string_view text);

}  // namespace lumina::ai

// Cleaning of text that people and programs bring, and the key by which two records are the same book.
//
// All functions are pure, thread-safe and take any bytes: what is not UTF-8 is read as Windows-1252 first.
// Sources: Unicode 15 (UAX 15 normal forms, case folding), WHATWG Encoding (windows-1252).
#pragma once
#include <string>
#include <string_view>

namespace lumina::books {

// One line of clean text: NFC, no control or invisible format characters, white space of any kind collapsed
// to single spaces, none at the ends. Nothing else changes; "Doe, John" stays as written.
std::string clean_line(std::string_view text);

// As clean_line, but line breaks stay: LF, no spaces around them, at most one empty line between paragraphs.
std::string clean_paragraphs(std::string_view text);

// Every byte string has a reading in Windows-1252; its five unused bytes become U+FFFD.
std::string windows_1252_to_utf8(std::string_view bytes);

// For comparing, never for showing: the words of core/text's folding, parted by single spaces, without signs.
// "Les Misérables!" gives "les miserables", "Straße" gives "strasse", "Don't" gives "dont", "C++" gives
// "cplusplus".
std::string plain_words(std::string_view text);

// The same for two spellings of one book, with different order of names, case, spaces, punctuation or marks:
// ("Hobbit, The", "Tolkien, J.R.R., 1892-1973") and ("The hobbit", "J. R. R. Tolkien"). Not empty unless both
// are. Stored with the book: changing the rule means recomputing the column.
std::string match_key(std::string_view title, std::string_view author);

// The parts of match_key: a title without spaces, an author's names sorted.
std::string title_key(std::string_view title);
std::string author_key(std::string_view author);

}  // namespace lumina::books

// The demo library's files (sql/demo/), built into the program: `serve --demo` needs no network and no
// folder.
//
// The books are facts of Project Gutenberg's catalogue, chosen by script/make-demo; years and descriptions of
// the known ones are ours. People are invented and their addresses end in demo.example (RFC 2606). All texts
// are UTF-8 with LF and live as long as the program.
#pragma once
#include <string_view>

namespace lumina::books {

// 1,000 rows: title,author,genre,year_published,description,language,tags,copies,gutenberg_id. RecordSource
// reads it.
std::string_view demo_books_csv();

// 50 rows: full_name,email,favorite_genres (parted by semicolons; genres of demo_books_csv).
std::string_view demo_people_csv();

// Sections "[positive opener]", "[positive middle]", "[positive closer]", then neutral and negative, each
// followed by 32 sentences, one a line. Lines that begin with # and empty lines say nothing. A review is an
// opener, a middle and a closer of one mood, parted by spaces: positive for four and five stars, neutral for
// three, negative below.
std::string_view demo_review_phrases();

}  // namespace lumina::books

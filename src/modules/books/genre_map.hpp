// One name for the ways in which files write a genre: "sci-fi", "SF" and "Science-Fiction" are Science
// Fiction.
//
// For imports only: what a librarian types stays as typed. Names that are not in the map stay as they are.
// Pure and thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace lumina::books {

std::string usual_genre(std::string_view genre);

}  // namespace lumina::books

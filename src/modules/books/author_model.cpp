#include "modules/books/author_model.hpp"

#include "modules/books/normalize.hpp"

namespace lumina::books {
namespace {

using schema::Field;

bool has_letters(std::string_view text) { return !author_key(text).empty(); }
std::vector<schema::Rule> name_rules() {
  return {schema::length(1, 255), schema::format("name", &has_letters, "must have letters")};
}

}  // namespace

std::vector<Field> Author::fields() {
  return {{"id", &Author::id, "Identifier"},
          {"name", &Author::name, "The name under which the library files the author"},
          {"variants", &Author::variants, "Other names and spellings"},
          {"note", &Author::note, "What tells the author from others"},
          {"viaf", &Author::viaf, "Number in the Virtual International Authority File"},
          {"books", &Author::books, "Titles under any of the names"},
          {"created_at", &Author::created_at, "When the record was made"},
          {"updated_at", &Author::updated_at, "When it was last changed"}};
}
std::vector<Field> NewAuthor::fields() {
  return {{"name", &NewAuthor::name, "The name under which the library files the author", name_rules()},
          {"variants",
           &NewAuthor::variants,
           "Other names and spellings",
           {schema::items(0, 50), schema::length(1, 255)}},
          {"note", &NewAuthor::note, "What tells the author from others", {schema::length(0, 2000)}},
          {"viaf",
           &NewAuthor::viaf,
           "Number in the Virtual International Authority File",
           {schema::length(1, 40)}}};
}
std::vector<Field> AuthorChanges::fields() {
  return {{"name", &AuthorChanges::name, "A new name; the titles take it, the old one becomes a variant",
           name_rules()},
          {"variants",
           &AuthorChanges::variants,
           "Other names and spellings",
           {schema::items(0, 50), schema::length(1, 255)}},
          {"note", &AuthorChanges::note, "What tells the author from others", {schema::length(0, 2000)}},
          {"viaf",
           &AuthorChanges::viaf,
           "Number in the Virtual International Authority File",
           {schema::length(1, 40)}},
          {"all_titles", &AuthorChanges::all_titles,
           "true: the titles under variants take the name too (default: those under the old name only)"}};
}
std::vector<Field> AuthorFilter::fields() {
  return {{"q", &AuthorFilter::q, "Beginning of a word of any of the names", {schema::length(1, 255)}}};
}

}  // namespace lumina::books

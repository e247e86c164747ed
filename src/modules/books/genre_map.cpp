#include "modules/books/genre_map.hpp"

#include "modules/books/normalize.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lumina::books {
namespace {

// By plain_words() without spaces.
constexpr auto usual_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"autobiographies", "Autobiography"},
    {"autobiography", "Autobiography"},
    {"bio", "Biography"},
    {"biographies", "Biography"},
    {"biography", "Biography"},
    {"comic", "Comics"},
    {"comicbooks", "Comics"},
    {"comics", "Comics"},
    {"computerscience", "Computing"},
    {"computers", "Computing"},
    {"computing", "Computing"},
    {"cookbooks", "Cooking"},
    {"cookery", "Cooking"},
    {"cooking", "Cooking"},
    {"crimefiction", "Crime"},
    {"crime", "Crime"},
    {"detectiveandmysterystories", "Mystery"},
    {"fantasy", "Fantasy"},
    {"fantasyfiction", "Fantasy"},
    {"graphicnovel", "Graphic Novels"},
    {"graphicnovels", "Graphic Novels"},
    {"histfic", "Historical Fiction"},
    {"historicalfiction", "Historical Fiction"},
    {"historicalnovel", "Historical Fiction"},
    {"horror", "Horror"},
    {"horrorfiction", "Horror"},
    {"mysteries", "Mystery"},
    {"mystery", "Mystery"},
    {"mysteryfiction", "Mystery"},
    {"nonfic", "Nonfiction"},
    {"nonfiction", "Nonfiction"},
    {"poems", "Poetry"},
    {"poetry", "Poetry"},
    {"romance", "Romance"},
    {"romancefiction", "Romance"},
    {"scifi", "Science Fiction"},
    {"sciencefiction", "Science Fiction"},
    {"scififantasy", "Science Fiction"},
    {"sf", "Science Fiction"},
    {"selfhelp", "Self-Help"},
    {"thriller", "Thriller"},
    {"thrillers", "Thriller"},
    {"ya", "Young Adult"},
    {"youngadult", "Young Adult"},
    {"youngadultfiction", "Young Adult"},
});

}  // namespace

std::string usual_genre(std::string_view genre) {
  auto key = plain_words(genre);
  std::erase(key, ' ');
  const auto found =
      std::ranges::find(usual_names, std::string_view(key), [](const auto& pair) { return pair.first; });
  return found == usual_names.end() ? std::string(genre) : std::string(found->second);
}

}  // namespace lumina::books

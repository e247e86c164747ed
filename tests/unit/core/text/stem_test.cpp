#include "core/text/stem.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina::text;

TEST_CASE("forms of one word share a stem") {
  CHECK(stem("reading") == stem("reads"));
  CHECK(stem("disappointed") == stem("disappointing"));
  CHECK(stem("libraries") == stem("library"));
  CHECK(stem("bibliotheken", "de") == stem("bibliothek", "German"));
  CHECK(stem("livres", "fre") == stem("livre", "fr-CA"));
}

TEST_CASE("what cannot be stemmed comes back as it is") {
  CHECK(stem("kirjasto", "et").empty() == false);
  CHECK(stem("reading", "tlh") == "reading");
  CHECK(stem("reading", "") == "reading");
  CHECK(stem("reading", "a name far longer than any language has") == "reading");
  CHECK(stem(std::string(65, 'a') + "ing") == std::string(65, 'a') + "ing");
  CHECK(has_stemmer("en"));
  CHECK_FALSE(has_stemmer("tlh"));
}

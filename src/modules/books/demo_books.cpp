#include "modules/books/demo_books.hpp"

namespace lumina::books {
namespace {

// ccache before 4.11 does not know #embed and would answer with an old object when only the data has changed.
// It refuses to keep anything that shows this assembler directive.
[[maybe_unused]] constexpr std::string_view not_for_ccache = ".incbin \"";

constexpr char books[] = {
#embed "../../../sql/demo/books.csv"
};
constexpr char people[] = {
#embed "../../../sql/demo/people.csv"
};
constexpr char phrases[] = {
#embed "../../../sql/demo/review_phrases.txt"
};

}  // namespace

std::string_view demo_books_csv() { return {books, sizeof books}; }
std::string_view demo_people_csv() { return {people, sizeof people}; }
std::string_view demo_review_phrases() { return {phrases, sizeof phrases}; }

}  // namespace lumina::books

#include "modules/ai/catalogue_question.hpp"

#include "core/search/language.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"
#include "modules/ai/passage_index.hpp"

#include <algorithm>
#include <set>

namespace lumina::ai {
namespace {

using Words = std::vector<std::string>;
using Stems = std::set<std::string, std::less<>>;

constexpr std::size_t least_words = 3;
constexpr std::size_t least_surname = 3;

// They ask for books, or for those on the shelf; they need not stand in the catalogue.
constexpr std::string_view catalogue_words =
    " book books novel novels title titles story stories shelf shelves available borrow copy copies library "
    "catalogue catalog now author authors writer wrote written write like similar recommend suggest read "
    "reads reading find want looking look show list tell describe plot summary happen happens anything "
    "something please get got good best kind here say says ";
constexpr std::string_view books = " book books novel novels title titles story stories anything something ";
constexpr std::string_view of_books =
    " by about on like with where that in set which whose from similar for of has have tells tell ";

bool is_among(std::string_view words, std::string_view word) {
  std::string key = " ";
  key += word;
  key += ' ';
  return words.find(key) != std::string_view::npos;
}

Words words_of(std::string_view text) {
  Words out;
  for (auto& term : text::terms(text, "", {.cjk_bigrams = true})) out.push_back(std::move(term.text));
  return out;
}

void add_stems(Stems& to, std::string_view text) {
  const auto language = search::language_of("");
  for (const auto& word : words_of(text)) to.insert(search::stem_of(word, language));
}

bool all_in(const Words& words, const Stems& stems) {
  const auto language = search::language_of("");
  return std::ranges::all_of(
      words, [&](const std::string& word) { return stems.contains(search::stem_of(word, language)); });
}

// Without its article and what follows a colon or semicolon.
Words short_title(std::string_view title) {
  auto words = words_of(title.substr(0, title.find_first_of(":;(")));
  if (words.size() > 1 && is_among(" the a an ", words.front())) words.erase(words.begin());
  return words;
}

bool is_upper(std::string_view word) {
  const auto c = static_cast<unsigned char>(word.empty() ? '\0' : word.front());
  return (c >= 'A' && c <= 'Z') || c >= 0x80;
}

bool names_title(const CatalogueQuestion& q, std::string_view title) {
  const auto words = short_title(title);
  if (words.empty()) return false;
  const auto telling = std::ranges::count_if(words, [](const std::string& word) { return !is_filler(word); });
  const bool asked = q.who_wrote || q.offered || q.about || q.for_books;
  for (auto at = q.all.begin();;) {
    const auto found = std::search(at, q.all.end(), words.begin(), words.end());
    if (found == q.all.end()) return false;
    const auto first = static_cast<std::size_t>(found - q.all.begin());
    bool capital = false;
    for (std::size_t i = first; i < first + words.size(); ++i) capital = capital || q.capital[i];
    if (telling >= 2 || capital || (telling == 1 && asked)) return true;
    at = found + 1;
  }
}

bool names_author(const CatalogueQuestion& q, std::string_view author) {
  const auto words = words_of(author);
  return !words.empty() && words.back().size() >= least_surname &&
         std::ranges::find(q.all, words.back()) != q.all.end();
}

}  // namespace

CatalogueQuestion read_catalogue_question(std::string_view question) {
  CatalogueQuestion q;
  const auto terms = text::terms(question, "", {.cjk_bigrams = true});
  for (const auto& term : terms) {
    q.capital.push_back(!q.all.empty() && is_upper(question.substr(term.begin)));
    q.all.push_back(term.text);
  }
  const auto at = [&](std::size_t i) { return i < q.all.size() ? std::string_view(q.all[i]) : ""; };
  bool asks = false;
  for (std::size_t i = 0; i < q.all.size(); ++i) {
    const std::string_view word = q.all[i], next = at(i + 1), before = i > 0 ? at(i - 1) : "";
    if (!is_filler(word) && !is_among(catalogue_words, word)) q.words.push_back(q.all[i]);
    if (is_among(books, word) && is_among(of_books, next)) q.for_books = true;
    // "which book", "any science fiction books"
    if (is_among(" which what any some ", word))
      for (std::size_t k = i + 1; k <= i + 3 && !is_filler(at(k)); ++k)
        q.for_books = q.for_books || is_among(books, at(k));
    if (word == "who" && (next == "wrote" || at(i + 2) == "written")) q.who_wrote = true;
    if (word == "author" && (next == "of" || before == "the")) q.who_wrote = true;
    if ((word == "you" || word == "library") && (next == "have" || next == "got")) q.offered = true;
    if (word == "have" && next == "you") q.offered = true;
    if (word == "recommend" || word == "suggest") q.offered = true;
    asks = asks || word == "is" || word == "are";
    if (word == "shelf" || word == "shelves" || word == "available") q.on_shelf = true;
    const bool likes = (word == "like" && !is_among(" you i we they would ", before)) ||
                       (word == "to" && before == "similar");
    if (likes && q.like.empty())
      q.like.assign(q.all.begin() + static_cast<std::ptrdiff_t>(i) + 1, q.all.end());
  }
  q.offered = q.offered || (q.on_shelf && asks);
  q.about = at(0) == "what" && !q.all.empty() && q.all.back() == "about";
  q.of_fact = is_among(" who which what where whose ", at(0));
  return q;
}

BookEvidence::Kind match(const CatalogueQuestion& q, const BookWords& book) {
  using enum BookEvidence::Kind;
  const bool titled = names_title(q, book.title);
  if (q.who_wrote && !titled) return none;
  if (q.words.empty() && !titled) return none;
  Stems stems;
  for (const auto part : {book.title, book.author, book.genre, book.text}) add_stems(stems, part);
  if (!all_in(q.words, stems)) return none;
  if (titled || q.for_books || (q.offered && names_author(q, book.author))) return asked_for;
  if (!q.of_fact || q.words.size() < least_words) return none;
  for (const auto& sentence : text::sentences(book.text)) {
    Stems own;
    add_stems(own, sentence.text);
    if (all_in(q.words, own)) return holds_all;
  }
  return none;
}

bool only_like(const CatalogueQuestion& q, std::size_t count) {
  Words title(q.like.begin(), q.like.begin() + static_cast<std::ptrdiff_t>(std::min(count, q.like.size())));
  return std::ranges::all_of(
      q.words, [&](const std::string& word) { return std::ranges::find(title, word) != title.end(); });
}

std::pair<std::size_t, std::size_t> best_sentence(std::string_view question, std::string_view text) {
  const auto asked = read_catalogue_question(question).words;
  const auto language = search::language_of("");
  std::pair<std::size_t, std::size_t> best{0, 0};
  std::ptrdiff_t most = -1;
  for (const auto& sentence : text::sentences(text)) {
    Stems own;
    add_stems(own, sentence.text);
    const auto here = std::ranges::count_if(
        asked, [&](const std::string& word) { return own.contains(search::stem_of(word, language)); });
    if (here <= most) continue;
    most = here;
    best = {sentence.begin, sentence.begin + sentence.text.size()};
  }
  return best;
}

}  // namespace lumina::ai

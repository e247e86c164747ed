#include "modules/books/search_sentence.hpp"

#include "core/search/segment.hpp"
#include "modules/books/search_document.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace lumina::books {
namespace {

using namespace std::string_view_literals;
using Words = std::vector<search::Token>;

template <std::size_t n>
bool among(const std::array<std::string_view, n>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

constexpr std::array openings{"find"sv, "show"sv, "me"sv,  "i"sv,    "want"sv, "some"sv,
                              "a"sv,    "an"sv,   "the"sv, "need"sv, "for"sv,  "good"sv};
// Said of any book: not worth searching for.
constexpr std::array plain_nouns{"book"sv, "books"sv, "titles"sv, "works"sv, "reads"sv};
constexpr std::array telling_nouns{"novel"sv,    "novels"sv,   "stories"sv,    "story"sv,       "poems"sv,
                                   "poetry"sv,   "plays"sv,    "essays"sv,     "biographies"sv, "memoirs"sv,
                                   "comics"sv,   "fiction"sv,  "nonfiction"sv, "mysteries"sv,   "thrillers"sv,
                                   "romances"sv, "textbooks"sv};

std::optional<int> year_in(std::string_view word) {
  int year = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), year);
  if (error != std::errc{} || end != word.data() + word.size() || word.size() != 4 || year < 1000) return {};
  return year;
}

class Reader {
 public:
  Reader(std::string_view sentence, Words words) : sentence_(sentence), words_(std::move(words)) {}

  std::optional<Interpreted> run() {
    while (at_ < words_.size() && among(openings, word())) ++at_;
    bool adjectives = false;
    while (at_ < words_.size() && adjective()) adjectives = true;
    bool noun = false;
    if (at_ < words_.size() && (among(plain_nouns, word()) || among(telling_nouns, word()))) {
      noun = true;
      if (among(telling_nouns, word())) keep(at_);
      ++at_;
    }
    if (!noun && adjectives) return std::nullopt;
    if (!noun) at_ = 0;
    while (at_ < words_.size())
      if (!clause(noun)) keep(at_++);
    if (out_.filters.empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  std::string_view word(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead].text) : std::string_view();
  }
  std::string typed(std::size_t first, std::size_t last) const {
    return std::string(sentence_.substr(words_[first].begin, words_[last].end - words_[first].begin));
  }
  void keep(std::size_t i) {
    if (!out_.rest.empty()) out_.rest += ' ';
    out_.rest += typed(i, i);
  }
  // `count` words from here are this filter.
  bool use(std::size_t count, std::string name, std::string value) {
    out_.filters.push_back({std::move(name), std::move(value), typed(at_, at_ + count - 1)});
    at_ += count;
    return true;
  }
  bool language(std::size_t ahead, std::size_t count) {
    if (word(ahead).size() < 4 || out_.language) return false;  // adjectives, not codes
    const auto code = language_code(word(ahead));
    if (!code || code->size() > 2) return false;
    out_.language = code;
    return use(count, "language", *code);
  }

  bool adjective() {
    if (word() == "short" && !out_.pages_to) {
      out_.pages_to = 200;
      return use(1, "pages_to", "200");
    }
    if (word() == "long" && !out_.pages_from) {
      out_.pages_from = 500;
      return use(1, "pages_from", "500");
    }
    if (word() == "available" && !out_.available) {
      out_.available = true;
      return use(1, "available", "true");
    }
    return language(0, 1);
  }

  bool from(std::size_t count, int year) {
    if (out_.year_from) return false;
    out_.year_from = year;
    return use(count, "year_from", std::to_string(year));
  }
  bool to(std::size_t count, int year) {
    if (out_.year_to) return false;
    out_.year_to = year;
    return use(count, "year_to", std::to_string(year));
  }

  bool clause(bool noun) {
    if (const auto year = year_in(word(1))) {
      if (word() == "after") return from(2, *year + 1);
      if (word() == "since") return from(2, *year);
      if (word() == "before") return to(2, *year - 1);
      if (word() == "until") return to(2, *year);
      if (noun && (word() == "from" || word() == "in") && !out_.year_from && !out_.year_to) {
        if (word(2) == "to" && year_in(word(3))) return span(4, *year, *year_in(word(3)));
        return span(2, *year, *year);
      }
      if (word() == "between" && (word(2) == "and" || word(2) == "to") && year_in(word(3)))
        return span(4, *year, *year_in(word(3)));
    }
    if (!noun) return false;
    if ((word() == "of" || word() == "from" || word() == "in") && word(1) == "the" && word(2).size() == 5 &&
        word(2).ends_with("0s") && year_in(word(2).substr(0, 4))) {
      const int decade = *year_in(word(2).substr(0, 4));
      return span(3, decade, decade + 9);
    }
    if (word() == "in" && language(1, 2)) return true;
    if (word() == "by" && at_ + 1 < words_.size() && !out_.author) {
      std::size_t last = at_ + 1;
      while (last + 1 < words_.size() && !among(ends_, words_[last + 1].text)) ++last;
      // The index has the words of the name in any order: they are searched for there.
      out_.author = typed(at_ + 1, last);
      return use(last - at_ + 1, "author", *out_.author);
    }
    if (word() == "about" || word() == "on") {
      if (at_ + 1 == words_.size()) return false;
      ++at_;
      keep(at_++);
      return true;
    }
    return false;
  }

  bool span(std::size_t count, int low, int high) {
    if (out_.year_from || out_.year_to || low > high) return false;
    out_.year_from = low;
    out_.year_to = high;
    return use(count, "year", std::to_string(low) + ".." + std::to_string(high));
  }

  static constexpr std::array<std::string_view, 9> ends_{"after", "since",   "before", "until", "from",
                                                         "in",    "between", "about",  "of"};
  std::string_view sentence_;
  Words words_;
  std::size_t at_ = 0;
  Interpreted out_;
};

}  // namespace

std::optional<Interpreted> interpret(std::string_view sentence) {
  auto words = search::tokens_of(sentence);
  if (words.empty() || words.size() > 30) return std::nullopt;
  return Reader(sentence, std::move(words)).run();
}

}  // namespace lumina::books

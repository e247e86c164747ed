#include "core/text/sentences.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace lumina::text {
namespace {

UChar32 read(std::string_view text, std::size_t& at) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  UChar32 c = 0;
  U8_NEXT(bytes, at, text.size(), c);
  return c;
}

bool is_space(UChar32 c) {
  return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || (c > 127 && u_isUWhiteSpace(c));
}
bool is_latin_end(UChar32 c) { return c == '.' || c == '!' || c == '?' || c == 0x2026; }
bool is_wide_end(UChar32 c) { return c == 0x3002 || c == 0xFF01 || c == 0xFF1F || c == 0xFF61; }
bool is_closer(UChar32 c) {
  switch (c) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case '}':
    case 0x201D:
    case 0x2019:
    case 0xBB:
    case 0x203A:
    case 0x300D:
    case 0x300F:
    case 0xFF09:
      return true;
    default:
      return false;
  }
}
bool is_opener(UChar32 c) {
  switch (c) {
    case '"':
    case '\'':
    case '(':
    case '[':
    case 0x201C:
    case 0x2018:
    case 0xAB:
    case 0x2039:
    case 0x201E:
    case 0x300C:
    case 0x300E:
    case 0xFF08:
      return true;
    default:
      return false;
  }
}
bool is_lower(UChar32 c) { return c > 0 && u_islower(c); }
bool is_upper(UChar32 c) { return c > 0 && (u_isupper(c) || u_istitle(c)); }
bool is_letter(UChar32 c) { return c > 0 && u_isalpha(c); }

// Never the last word of a sentence, in lower case and without the final dot.
constexpr auto always_inside = std::to_array<std::string_view>(
    {"adm",  "approx", "capt", "cf",  "ch",  "chap", "cmdr", "col",   "dr",  "e.g",
     "ed",   "eds",    "fig",  "gen", "gov", "hon",  "i.e",  "lt",    "maj", "messrs",
     "mlle", "mme",    "mr",   "mrs", "ms",  "mt",   "op",   "p",     "pp",  "pres",
     "prof", "rep",    "rev",  "sen", "sgt", "sr",   "st",   "trans", "viz", "vs"});
// Inside a sentence only before a number: "no. 5", "vol. 2".
constexpr auto before_number =
    std::to_array<std::string_view>({"no", "nos", "vol", "vols", "bk", "pt", "art", "sec"});

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& set, std::string_view word) {
  return std::find(set.begin(), set.end(), word) != set.end();
}

// What stands before the dot, back to white space or an opening sign; at most the last 24 bytes.
std::string_view word_before(std::string_view text, std::size_t dot, std::size_t floor) {
  std::size_t begin = dot;
  while (begin > floor && dot - begin < 24) {
    const auto c = static_cast<unsigned char>(text[begin - 1]);
    if (c <= ' ' || c == '(' || c == '[' || c == '"' || c == '\'') break;
    --begin;
  }
  return text.substr(begin, dot - begin);
}

bool is_number(std::string_view word) {
  return !word.empty() && word.size() <= 3 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whether the single dot at `dot` belongs to the word before it rather than ending the sentence.
bool dot_is_inside(std::string_view text, std::size_t dot, std::size_t sentence_begin, UChar32 next) {
  const std::string_view word = word_before(text, dot, sentence_begin);
  if (word.empty() || word.size() >= 24) return false;
  std::array<char, 24> buffer{};
  std::transform(word.begin(), word.end(), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  const std::string_view lower(buffer.data(), word.size());
  if (contains(always_inside, lower)) return true;
  if (contains(before_number, lower)) return next >= '0' && next <= '9';
  const bool opens_sentence =
      text.substr(sentence_begin, dot - word.size() - sentence_begin).find_first_not_of(" \t\r\n") ==
      std::string_view::npos;
  // "J." of a name, also after other initials ("J.R.R."); "So am I." is none.
  const bool initial =
      word.back() >= 'A' && word.back() <= 'Z' && (word.size() == 1 || word[word.size() - 2] == '.');
  if (initial && is_upper(next)) return word != "I" || opens_sentence;
  return is_number(word) && opens_sentence;
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) { found_.reserve(text.size() / 80 + 1); }

  std::vector<Slice> run() && {
    while (at_ < text_.size()) step();
    cut(text_.size());
    return std::move(found_);
  }

 private:
  void step() {
    const std::size_t begin = at_;
    const UChar32 c = read(text_, at_);
    if (c == '\n') {
      if (blank_line_follows()) cut(begin);
      return;
    }
    if (is_wide_end(c)) {
      skip_enders();
      skip_closers();
      cut(at_);
      return;
    }
    if (!is_latin_end(c)) {
      if (!is_space(c)) last_ = c;
      return;
    }
    const bool single_dot = c == '.' && !followed_by_ender();
    skip_enders();
    const std::size_t after_enders = at_;
    skip_closers();
    if (at_ >= text_.size()) return;
    std::size_t peek = at_;
    UChar32 next = read(text_, peek);
    if (!is_space(next)) {
      at_ = after_enders;
      if (glued_sentence(begin, c)) cut(at_);
      return;
    }
    while (is_space(next) && peek < text_.size()) next = read(text_, peek);
    while (is_opener(next) && peek < text_.size()) next = read(text_, peek);
    if (is_lower(next)) return;
    if (single_dot && dot_is_inside(text_, begin, sentence_, next)) return;
    cut(at_);
  }

  // "reading.Blessed be": a word, the sign, and a capitalised word without a space between.
  bool glued_sentence(std::size_t sign, UChar32 c) const {
    if (c == '!' || c == '?') {
      std::size_t peek = at_;
      return is_letter(read(text_, peek)) && is_letter(last_);
    }
    const std::string_view word = word_before(text_, sign, sentence_);
    if (word.size() < 3 || word.find_first_of("./:@") != std::string_view::npos) return false;
    std::size_t peek = at_;
    if (!is_lower(last_) || !is_upper(read(text_, peek)) || peek >= text_.size()) return false;
    const UChar32 second = read(text_, peek);
    return is_lower(second) || second == ' ';
  }

  bool followed_by_ender() const {
    if (at_ >= text_.size()) return false;
    std::size_t peek = at_;
    return is_latin_end(read(text_, peek));
  }
  void skip_enders() {
    while (at_ < text_.size()) {
      std::size_t next = at_;
      const UChar32 c = read(text_, next);
      if (!is_latin_end(c) && !is_wide_end(c)) return;
      at_ = next;
    }
  }
  void skip_closers() {
    while (at_ < text_.size()) {
      std::size_t next = at_;
      if (!is_closer(read(text_, next))) return;
      at_ = next;
    }
  }
  bool blank_line_follows() {
    std::size_t peek = at_;
    while (peek < text_.size()) {
      const char c = text_[peek];
      if (c == '\n') return true;
      if (c != ' ' && c != '\t' && c != '\r') break;
      ++peek;
    }
    at_ = peek;
    return false;
  }

  // Ends the sentence at `end`, leaves out the white space around it, and begins the next one there.
  void cut(std::size_t end) {
    std::size_t begin = sentence_;
    std::size_t after = begin;
    while (begin < end && is_space(read(text_, after))) begin = after;
    std::size_t last = end;
    while (last > begin) {
      std::size_t previous = last - 1;
      while (previous > begin && (static_cast<unsigned char>(text_[previous]) & 0xC0U) == 0x80U) --previous;
      std::size_t peek = previous;
      if (!is_space(read(text_, peek)) || peek != last) break;
      last = previous;
    }
    if (last > begin) found_.push_back({text_.substr(begin, last - begin), begin, last});
    sentence_ = end;
    last_ = 0;
  }

  std::string_view text_;
  std::vector<Slice> found_;
  std::size_t at_ = 0;
  std::size_t sentence_ = 0;  // where the sentence being read begins
  UChar32 last_ = 0;          // the last character that was neither white space nor an ender
};

}  // namespace

std::vector<Slice> sentences(std::string_view utf8) { return Splitter(utf8).run(); }

}  // namespace lumina::text

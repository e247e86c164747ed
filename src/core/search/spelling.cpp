#include "core/search/spelling.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <map>

namespace lumina::search {
namespace {

using Letters = std::u32string;

// Malformed bytes stand for themselves.
void decode(std::string_view text, Letters& out, std::vector<std::size_t>* ends = nullptr) {
  out.clear();
  if (ends) ends->clear();
  for (std::size_t i = 0; i < text.size();) {
    const auto piece = utf8_prefix(text.substr(i), 1);
    char32_t c = static_cast<unsigned char>(piece[0]);
    if (piece.size() > 1) {
      c &= piece.size() == 2 ? 0x1FU : piece.size() == 3 ? 0x0FU : 0x07U;
      for (std::size_t k = 1; k < piece.size(); ++k)
        c = (c << 6U) | (static_cast<unsigned char>(piece[k]) & 0x3FU);
    }
    out += c;
    i += piece.size();
    if (ends) ends->push_back(i);
  }
}

bool has_digit(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

// The table of distances between `word` and a text that grows and shrinks at its end, a row a letter.
class Table {
 public:
  explicit Table(const Letters& word) : word_(word), width_(word.size() + 1) {
    rows_.resize(width_ * (word.size() + 4));
    for (std::size_t j = 0; j < width_; ++j) rows_[j] = static_cast<int>(j);
  }
  // Row `depth` (from 1) for letter text[depth - 1]; gives the least distance in it.
  int add(const Letters& text, std::size_t depth) {
    if ((depth + 1) * width_ > rows_.size()) rows_.resize((depth + 1) * width_);
    int* row = &rows_[depth * width_];
    const int* before = row - width_;
    row[0] = static_cast<int>(depth);
    int least = row[0];
    for (std::size_t j = 1; j < width_; ++j) {
      int d = std::min(
          {before[j] + 1, row[j - 1] + 1, before[j - 1] + static_cast<int>(word_[j - 1] != text[depth - 1])});
      if (depth > 1 && j > 1 && word_[j - 1] == text[depth - 2] && word_[j - 2] == text[depth - 1])
        d = std::min(d, rows_[(depth - 2) * width_ + j - 2] + 1);
      row[j] = d;
      least = std::min(least, d);
    }
    return least;
  }
  int at(std::size_t depth) const { return rows_[depth * width_ + width_ - 1]; }

 private:
  const Letters& word_;
  const std::size_t width_;
  std::vector<int> rows_;
};

// Calls found(term, distance) for every term within the bound.
template <class F>
void walk(const Segment& segment, const Letters& word, int most, const F& found) {
  Table table(word);
  Letters letters, last;
  std::vector<std::size_t> ends;
  std::vector<int> least{0};  // of each row
  std::size_t rows = 0;       // that stand for the first letters of `last`
  for (TermNumber t = 0; t < segment.terms();) {
    const auto text = segment.term(t);
    decode(text, letters, &ends);
    std::size_t depth = 0;
    while (depth < rows && depth < letters.size() && letters[depth] == last[depth]) ++depth;
    least.resize(depth + 1);
    bool lost = false;
    while (depth < letters.size() && !lost) {
      least.push_back(table.add(letters, ++depth));
      // A row comes from the one before, or by a swap from the one before that at the cost of one.
      lost = least[depth] > most && least[depth - 1] >= most;
    }
    rows = depth;
    last = letters;
    if (lost) {
      t = std::max(t + 1, segment.terms_beginning(text.substr(0, ends[depth - 1])).second);
      continue;
    }
    if (table.at(depth) <= most && !has_digit(text)) found(t, table.at(depth));
    ++t;
  }
}

}  // namespace

int slips_forgiven(std::string_view word) {
  if (has_digit(word)) return 0;
  const auto letters = utf8_length(word);
  return letters < 5 ? 0 : letters < 9 ? 1 : 2;
}

std::vector<Near> nearest_terms(const Snapshot& snapshot, std::string_view word, int most,
                                std::size_t count) {
  std::vector<Near> out;
  if (most <= 0 || word.empty() || has_digit(word)) return out;
  Letters letters;
  decode(word, letters);
  std::map<std::string, Near, std::less<>> found;
  for (int bound = 1; bound <= most && found.empty(); ++bound)
    for (const auto& part : snapshot.parts)
      walk(*part.segment, letters, bound, [&](TermNumber t, int d) {
        if (d == 0) return;
        const auto text = part.segment->term(t);
        auto& near = found[std::string(text)];
        near.term = text;
        near.distance = d;
        near.documents += part.segment->documents_with(t);
      });
  for (auto& [text, near] : found) out.push_back(std::move(near));
  std::ranges::sort(out, [](const Near& a, const Near& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return a.documents != b.documents ? a.documents > b.documents : a.term < b.term;
  });
  if (!out.empty())
    std::erase_if(out, [least = out.front().distance](const Near& n) { return n.distance > least; });
  if (out.size() > count) out.resize(count);
  return out;
}

int distance(std::string_view a, std::string_view b, int most) {
  Letters word, text;
  decode(a, word);
  decode(b, text);
  Table table(word);
  for (std::size_t depth = 1; depth <= text.size(); ++depth) table.add(text, depth);
  return std::min(table.at(text.size()), most + 1);
}

}  // namespace lumina::search

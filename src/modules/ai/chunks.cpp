#include "modules/ai/chunks.hpp"

#include "core/base/text.hpp"
#include "core/text/sentences.hpp"

namespace lumina::ai {
namespace {

struct Piece {
  std::size_t begin = 0, end = 0;  // bytes
  std::size_t length = 0;          // code points
};

// Sentences, those that are too long cut at white space where there is some.
std::vector<Piece> pieces_of(std::string_view page, std::size_t most) {
  std::vector<Piece> out;
  for (const auto& sentence : text::sentences(page)) {
    auto rest = sentence.text;
    auto begin = sentence.begin;
    for (auto head = utf8_prefix(rest, most); head.size() < rest.size(); head = utf8_prefix(rest, most)) {
      if (const auto space = head.find_last_of(" \n\t");
          space != std::string_view::npos && space > head.size() / 2)
        head = head.substr(0, space + 1);
      out.push_back({begin, begin + trim_ascii(head).size(), utf8_length(head)});
      begin += head.size();
      rest.remove_prefix(head.size());
    }
    if (!trim_ascii(rest).empty()) out.push_back({begin, begin + rest.size(), utf8_length(rest)});
  }
  return out;
}

}  // namespace

std::vector<Chunk> chunks_of(const std::vector<std::string>& pages, const ChunkRules& rules) {
  std::vector<Chunk> out;
  for (std::size_t number = 0; number < pages.size(); ++number) {
    const std::string_view page = pages[number];
    const auto pieces = pieces_of(page, rules.most);
    std::size_t counted = 0;  // bytes of the page
    std::int64_t counted_points = 0;
    const auto points_at = [&](std::size_t byte) {
      if (byte < counted)
        return counted_points - static_cast<std::int64_t>(utf8_length(page.substr(byte, counted - byte)));
      counted_points += static_cast<std::int64_t>(utf8_length(page.substr(counted, byte - counted)));
      counted = byte;
      return counted_points;
    };
    for (std::size_t first = 0; first < pieces.size();) {
      std::size_t last = first, length = pieces[first].length;
      while (last + 1 < pieces.size() && length < rules.aim && length + pieces[last + 1].length <= rules.most)
        length += pieces[++last].length;
      Chunk chunk;
      chunk.page = static_cast<std::int64_t>(number) + 1;
      chunk.begin_at = points_at(pieces[first].begin);
      chunk.end_at = points_at(pieces[last].end);
      chunk.text = page.substr(pieces[first].begin, pieces[last].end - pieces[first].begin);
      out.push_back(chunk);
      if (last + 1 == pieces.size()) break;
      // The next passage begins with the last sentence of this one, when that is short and not all of it.
      first = last > first && pieces[last].length <= rules.overlap ? last : last + 1;
    }
  }
  return out;
}

}  // namespace lumina::ai

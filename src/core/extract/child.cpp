#include "core/extract/child.hpp"

#include "core/base/text.hpp"
#include "core/extract/archive.hpp"
#include "core/extract/charset.hpp"
#include "core/extract/html_text.hpp"
#include "core/extract/office.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <unistd.h>

namespace lumina::extract {
namespace {

std::string read_all() {
  std::string bytes;
  std::array<char, 64 * 1024> buffer{};
  for (ssize_t n = 1; n != 0;) {
    n = ::read(0, buffer.data(), buffer.size());
    if (n < 0 && errno != EINTR) break;
    if (n > 0) bytes.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return bytes;
}

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(1, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::vector<std::string> split_pages(std::string_view text) {
  std::vector<std::string> pages;
  while (true) {
    const auto end = text.find('\f');
    pages.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return pages;
    text.remove_prefix(end + 1);
  }
}

// The first heading of a Markdown text.
std::string heading_of(std::string_view text) {
  const auto at = text.starts_with("# ") ? 0 : text.find("\n# ");
  if (at == std::string_view::npos) return {};
  const auto line = text.substr(at + (at == 0 ? 2 : 3));
  return std::string(trim(line.substr(0, line.find('\n'))));
}

Read read(std::string_view kind, std::string_view bytes) {
  if (kind == "docx") return read_docx(bytes);
  if (kind == "epub") return read_epub(bytes);
  Read out;
  if (kind == "html") {
    auto page = html_to_text(to_utf8(bytes));
    out.title = std::move(page.title);
    out.language = std::move(page.language);
    out.pages.push_back(std::move(page.text));
    return out;
  }
  const auto text = to_utf8(bytes);
  if (kind == "md") out.title = heading_of(text);
  out.pages = split_pages(text);
  out.paged = out.pages.size() > 1;
  return out;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

bool serve_as_child(int argc, char** argv, int& code) {
  if (argc != 3 || std::string_view(argv[1]) != child_command) return false;
  const std::string_view kind = argv[2];
  const auto bytes = read_all();
  code = 0;
  try {
    if (kind == "cover") {
      write_all(epub_cover(bytes));
      return true;
    }
    const auto found = read(kind, bytes);
    std::string out = "title: " + one_line(found.title) + "\nauthor: " + one_line(found.author) +
                      "\nlanguage: " + one_line(found.language) + "\nproduced: " + one_line(found.produced) +
                      "\npaged: " + (found.paged ? "1" : "0") + "\n\n";
    for (std::size_t i = 0; i < found.pages.size(); ++i) {
      if (i > 0) out += '\f';
      auto page = found.pages[i];
      std::ranges::replace(page, '\f', '\n');
      out += page;
    }
    write_all(out);
  } catch (const Bomb&) {
    code = exit_bomb;
  } catch (const std::exception&) {
    code = exit_damaged;
  }
  return true;
}

}  // namespace lumina::extract

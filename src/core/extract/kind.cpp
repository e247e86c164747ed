#include "core/extract/kind.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::extract {
namespace {

constexpr std::size_t head = 1024;

bool holds_ignoring_case(std::string_view text, std::string_view lower) {
  return !std::ranges::search(text, lower, [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
          }).empty();
}

// Text in UTF-8, UTF-16 with a mark, or an 8-bit code: no control characters but those of lines and pages.
bool is_text(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return bytes.size() % 2 == 0;
  return std::ranges::none_of(bytes, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || u == 0x7f;
  });
}

bool looks_like_html(std::string_view bytes) {
  auto begin = bytes.substr(0, head);
  if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
  begin = trim_ascii(begin);
  return begin.starts_with('<') &&
         (holds_ignoring_case(begin, "<!doctype html") || holds_ignoring_case(begin, "<html"));
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::ranges::any_of(endings, [&](std::string_view ending) {
    return name.size() >= ending.size() && iequals(name.substr(name.size() - ending.size()), ending);
  });
}

}  // namespace

std::optional<Kind> kind_of(std::string_view bytes, std::string_view filename) {
  if (bytes.starts_with("%PDF-")) {
    if (bytes.find(" obj") != std::string_view::npos || bytes.find("%%EOF") != std::string_view::npos)
      return Kind::pdf;
    return std::nullopt;
  }
  if (bytes.starts_with("PK\x03\x04")) {
    if (bytes.size() > 60 && bytes.substr(30).starts_with("mimetypeapplication/epub+zip")) return Kind::epub;
    if (bytes.find("[Content_Types].xml") != std::string_view::npos &&
        bytes.find("word/document.xml") != std::string_view::npos)
      return Kind::docx;
    return std::nullopt;
  }
  if (trim_ascii(bytes).empty() || !is_text(bytes)) return std::nullopt;
  if (looks_like_html(bytes)) return Kind::html;
  if (ends_with_any(filename, {".md", ".markdown"})) return Kind::md;
  // Text that calls itself something else is refused as that.
  if (filename.find('.') == std::string_view::npos || ends_with_any(filename, {".txt", ".text"}))
    return Kind::txt;
  return std::nullopt;
}

std::string_view media_type(Kind kind) {
  switch (kind) {
    case Kind::pdf:
      return "application/pdf";
    case Kind::docx:
      return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    case Kind::epub:
      return "application/epub+zip";
    case Kind::html:
      return "text/html";
    case Kind::md:
      return "text/markdown";
    case Kind::txt:
      return "text/plain";
  }
  return "application/octet-stream";
}

std::string_view shown_name(Kind kind) {
  constexpr std::array<std::string_view, 6> names{"PDF", "DOCX", "EPUB", "HTML", "Markdown", "TXT"};
  return names.at(static_cast<std::size_t>(kind));
}

}  // namespace lumina::extract

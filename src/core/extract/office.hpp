// The text and the particulars of DOCX (ECMA-376, Office Open XML) and EPUB (2 and 3) files.
//
// For the sandboxed child; throws Bomb (archive.hpp) over the budget and std::runtime_error for what cannot
// be read.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace lumina::extract {

struct Read {
  std::string title, author, language, produced;
  std::vector<std::string> pages;
  bool paged = false;  // the pages are those of the file, not one for all
};

Read read_docx(std::string_view bytes);
// A page for each item of the spine.
Read read_epub(std::string_view bytes);
// The cover of an EPUB: PNG or JPEG of at most 2 MiB; empty when there is none.
std::string epub_cover(std::string_view bytes);

}  // namespace lumina::extract

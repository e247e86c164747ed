// Small files that tests make themselves: PDF with text on pages, ZIP archives, DOCX and EPUB.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::test {

// A PDF 1.4 of one text line after the other, a string a page, lines at "\n"; ASCII only.
std::string make_pdf(const std::vector<std::string>& pages, std::string_view title = {},
                     std::string_view author = {});

struct ZipEntry {
  std::string name, bytes;
  bool packed = false;     // deflated
  std::size_t claims = 0;  // the size it says it has, when not 0
};
std::string make_zip(const std::vector<ZipEntry>& entries);

// Paragraphs; "\f" is a page break.
std::string make_docx(const std::vector<std::string>& paragraphs, std::string_view title = {});
// A chapter each.
std::string make_epub(std::string_view title, const std::vector<std::string>& chapters,
                      std::string_view cover = {});

// The body and the Content-Type of a form with one file.
std::pair<std::string, std::string> make_form(
    std::string_view filename, std::string_view bytes,
    const std::vector<std::pair<std::string, std::string>>& fields = {});

}  // namespace lumina::test

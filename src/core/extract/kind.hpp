// What a file is, by its content: PDF, DOCX, EPUB, HTML, Markdown or plain text.
//
// Magic bytes decide (%PDF- at the very beginning and objects behind it; a ZIP archive that holds the parts
// of a DOCX or the mimetype of an EPUB); a file's name only tells Markdown, HTML and plain text apart, which
// are text all the same. Anything else is nothing. Looks for names in an archive, unpacks nothing.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lumina::extract {

enum class Kind : std::uint8_t { pdf, docx, epub, html, md, txt };
constexpr std::array<std::string_view, 6> kind_names{"pdf", "docx", "epub", "html", "md", "txt"};
constexpr auto& enum_names(Kind) { return kind_names; }

std::optional<Kind> kind_of(std::string_view bytes, std::string_view filename);
std::string_view media_type(Kind kind);
std::string_view shown_name(Kind kind);  // "PDF", "Markdown"

}  // namespace lumina::extract

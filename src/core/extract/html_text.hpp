// The text of an HTML or XHTML page as people read it: without markup, scripts and styles, with a line for
// each block and entities resolved.
//
// A forgiving tokenizer, not a tree: any bytes are welcome, time and memory grow with the length. Give UTF-8.
// Thread-safe. Source: WHATWG HTML, named character references (the common ones).
#pragma once
#include <string>
#include <string_view>

namespace lumina::extract {

struct HtmlText {
  std::string title, language, text;
};
HtmlText html_to_text(std::string_view utf8);

}  // namespace lumina::extract

// Tokens end anywhere, also inside a character: gives the text in pieces of whole characters.
#pragma once
#include <string>
#include <string_view>

namespace lumina::llm {

class Utf8Pieces {
 public:
  // What can be shown now. Bytes that can never become a character are U+FFFD.
  std::string add(std::string_view bytes);

 private:
  std::string held_;  // the beginning of a character
};

}  // namespace lumina::llm

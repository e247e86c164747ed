#include "core/xml/writer.hpp"

#include "core/base/text.hpp"

namespace lumina::xml {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

void escape_valid(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        if (c < 0x20 && c != '\t' && c != '\n') break;
        // U+FFFE and U+FFFF
        if (c == 0xEF && text.substr(i, 2) == "\xEF\xBF" && static_cast<unsigned char>(text[i + 2]) >= 0xBE) {
          i += 2;
          break;
        }
        out += text[i];
    }
  }
}

}  // namespace

void escape(std::string_view text, std::string& out) {
  if (is_valid_utf8(text)) return escape_valid(text, out);
  while (!text.empty()) {
    std::size_t length = 1;
    while (length <= 4 && length <= text.size() && !is_valid_utf8(text.substr(0, length))) ++length;
    if (length > 4 || length > text.size()) {
      out += replacement;
      text.remove_prefix(1);
    } else {
      escape_valid(text.substr(0, length), out);
      text.remove_prefix(length);
    }
  }
}

Writer& Writer::declaration() {
  out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  return *this;
}

void Writer::end_start_tag() {
  if (in_start_tag_) out_ += '>';
  in_start_tag_ = false;
}

Writer& Writer::open(std::string_view name, std::initializer_list<Attribute> attributes) {
  end_start_tag();
  out_ += '<';
  out_ += name;
  for (const auto& [key, value] : attributes) {
    if (value.empty()) continue;
    out_ += ' ';
    out_ += key;
    out_ += "=\"";
    escape(value, out_);
    out_ += '"';
  }
  open_.emplace_back(name);
  in_start_tag_ = true;
  return *this;
}

Writer& Writer::text(std::string_view content) {
  if (content.empty()) return *this;
  end_start_tag();
  escape(content, out_);
  return *this;
}

Writer& Writer::close() {
  if (in_start_tag_) {
    out_ += "/>";
    in_start_tag_ = false;
  } else {
    out_ += "</";
    out_ += open_.back();
    out_ += '>';
  }
  open_.pop_back();
  return *this;
}

Writer& Writer::element(std::string_view name, std::string_view content,
                        std::initializer_list<Attribute> attributes) {
  open(name, attributes);
  text(content);
  return close();
}

Writer& Writer::some(std::string_view name, std::string_view content,
                     std::initializer_list<Attribute> attributes) {
  return content.empty() ? *this : element(name, content, attributes);
}

Writer& Writer::raw(std::string_view xml) {
  end_start_tag();
  out_ += xml;
  return *this;
}

}  // namespace lumina::xml

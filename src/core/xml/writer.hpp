// Writes XML 1.0 in UTF-8, element by element, into a string of the caller's: the one place where text
// becomes XML.
//
//   xml::Writer w(out);
//   w.declaration();
//   w.open("feed", {{"xmlns", "http://www.w3.org/2005/Atom"}});
//   w.element("title", "Tom & Jerry");
//   w.close();
//
// Content is escaped; characters that XML cannot carry (controls, U+FFFE, U+FFFF) are left out, and bytes
// that are no UTF-8 become U+FFFD. Names are the caller's literals and are written as they are. The string
// may be sent and emptied between calls: constant memory. Not thread-safe. Source: XML 1.0, fifth edition,
// sections 2.2, 2.4.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::xml {

using Attribute = std::pair<std::string_view, std::string_view>;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // <?xml version="1.0" encoding="UTF-8"?>
  Writer& declaration();
  // Attributes whose value is empty are left out.
  Writer& open(std::string_view name, std::initializer_list<Attribute> attributes = {});
  Writer& text(std::string_view content);
  // Ends the innermost open element; an element without content is written as <name/>.
  Writer& close();
  // An element with text alone.
  Writer& element(std::string_view name, std::string_view content,
                  std::initializer_list<Attribute> attributes = {});
  // Nothing when the content is empty.
  Writer& some(std::string_view name, std::string_view content,
               std::initializer_list<Attribute> attributes = {});
  // Well-formed XML that another Writer made.
  Writer& raw(std::string_view xml);
  std::size_t depth() const { return open_.size(); }

 private:
  void end_start_tag();

  std::string& out_;
  std::vector<std::string> open_;
  bool in_start_tag_ = false;
};

// Escaped for content and for attribute values in double quotes.
void escape(std::string_view text, std::string& out);

}  // namespace lumina::xml

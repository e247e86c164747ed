#include "core/extract/html_text.hpp"

#include "core/base/text.hpp"
#include "core/extract/charset.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace lumina::extract {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::pair<std::string_view, char32_t>, 44> entities{
    {{"amp", U'&'},     {"lt", U'<'},      {"gt", U'>'},       {"quot", U'"'},    {"apos", U'\''},
     {"nbsp", U' '},    {"mdash", 0x2014}, {"ndash", 0x2013},  {"lsquo", 0x2018}, {"rsquo", 0x2019},
     {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"hellip", 0x2026}, {"copy", 0xA9},    {"reg", 0xAE},
     {"trade", 0x2122}, {"euro", 0x20AC},  {"pound", 0xA3},    {"sect", 0xA7},    {"para", 0xB6},
     {"middot", 0xB7},  {"laquo", 0xAB},   {"raquo", 0xBB},    {"deg", 0xB0},     {"times", 0xD7},
     {"eacute", 0xE9},  {"egrave", 0xE8},  {"ecirc", 0xEA},    {"agrave", 0xE0},  {"aacute", 0xE1},
     {"acirc", 0xE2},   {"auml", 0xE4},    {"ouml", 0xF6},     {"uuml", 0xFC},    {"Auml", 0xC4},
     {"Ouml", 0xD6},    {"Uuml", 0xDC},    {"szlig", 0xDF},    {"ccedil", 0xE7},  {"ntilde", 0xF1},
     {"oslash", 0xF8},  {"aring", 0xE5},   {"aelig", 0xE6},    {"shy", 0xAD}}};

constexpr std::array silent{"script"sv, "style"sv, "template"sv, "noscript"sv, "svg"sv, "math"sv};
constexpr std::array blocks{"address"sv, "article"sv, "aside"sv, "blockquote"sv, "body"sv, "br"sv,
                            "caption"sv, "dd"sv,      "div"sv,   "dl"sv,         "dt"sv,   "fieldset"sv,
                            "figure"sv,  "footer"sv,  "form"sv,  "h1"sv,         "h2"sv,   "h3"sv,
                            "h4"sv,      "h5"sv,      "h6"sv,    "header"sv,     "hr"sv,   "li"sv,
                            "main"sv,    "nav"sv,     "ol"sv,    "p"sv,          "pre"sv,  "section"sv,
                            "table"sv,   "td"sv,      "th"sv,    "title"sv,      "tr"sv,   "ul"sv};
constexpr std::array headings{"p"sv, "h1"sv, "h2"sv, "h3"sv, "h4"sv, "h5"sv, "h6"sv, "blockquote"sv};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::optional<char32_t> resolve(std::string_view name) {
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    const bool hex = name.starts_with('x') || name.starts_with('X');
    if (hex) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, hex ? 16 : 10);
    if (error != std::errc{} || end != name.data() + name.size()) return {};
    return code == 0 ? 0xFFFD : code;
  }
  const auto* const found = std::ranges::find(entities, name, &std::pair<std::string_view, char32_t>::first);
  if (found == entities.end()) return {};
  return found->second;
}

std::string attribute(std::string_view tag, std::string_view name) {
  const auto lower = ascii_lower(tag);
  const auto at = lower.find(" " + std::string(name) + "=");
  if (at == std::string::npos) return {};
  auto value = tag.substr(at + name.size() + 2);
  if (value.empty()) return {};
  if (value.front() == '"' || value.front() == '\'') {
    const char quote = value.front();
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find(quote)));
  }
  return std::string(value.substr(0, value.find_first_of(" \t\r\n>")));
}

class Reader {
 public:
  explicit Reader(std::string_view html) : rest_(html) {}
  HtmlText read() {
    while (!rest_.empty()) {
      if (rest_.front() == '<')
        tag();
      else
        characters();
    }
    out_.text = trim(out_.text);
    out_.title = trim(out_.title);
    return std::move(out_);
  }

 private:
  std::string& into() { return in_title_ ? out_.title : out_.text; }
  void space() {
    auto& out = into();
    if (!out.empty() && out.back() != ' ' && out.back() != '\n') out += ' ';
  }
  // Ends the line; with `blank`, the paragraph.
  void line(bool blank) {
    auto& out = into();
    while (out.ends_with(' ')) out.pop_back();
    if (out.empty()) return;
    if (!out.ends_with('\n')) out += '\n';
    if (blank && !out.ends_with("\n\n")) out += '\n';
  }
  void characters() {
    const char c = rest_.front();
    if (c == '&') {
      const auto end = rest_.substr(0, 12).find(';');
      if (end != std::string_view::npos) {
        if (const auto code = resolve(rest_.substr(1, end - 1))) {
          if (*code == U' ')
            space();
          else
            append_utf8(into(), *code);
          rest_.remove_prefix(end + 1);
          return;
        }
      }
    }
    if (!preformatted_ && (c == ' ' || c == '\n' || c == '\t' || c == '\f'))
      space();
    else
      into() += c;
    rest_.remove_prefix(1);
  }
  void tag() {
    if (rest_.starts_with("<!--")) return skip_past("-->");
    if (rest_.starts_with("<![CDATA[")) return rest_.remove_prefix(9);
    if (rest_.starts_with("<!") || rest_.starts_with("<?")) return skip_past(">");
    const bool closing = rest_.starts_with("</");
    const auto begin = closing ? rest_.substr(2) : rest_.substr(1);
    const bool letter = !begin.empty() && ((begin.front() | 32) >= 'a' && (begin.front() | 32) <= 'z');
    if (!letter) {
      into() += '<';
      return rest_.remove_prefix(1);
    }
    const auto end = end_of_tag();
    const auto whole = rest_.substr(0, end);
    auto name = ascii_lower(begin.substr(0, begin.find_first_of(" \t\r\n/>")));
    if (const auto colon = name.find(':'); colon != std::string::npos) name.erase(0, colon + 1);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (name == "html" && !closing) {
      out_.language = attribute(whole, "lang");
      if (out_.language.empty()) out_.language = attribute(whole, "xml:lang");
    }
    if (!closing && is_one_of(silent, name) && !whole.ends_with('/')) return skip_element(name);
    if (is_one_of(blocks, name)) line(is_one_of(headings, name));
    if (name == "pre") preformatted_ = !closing;
    if (name == "title" && out_.text.find_first_not_of(" \n") == std::string::npos) in_title_ = !closing;
    if (name == "body" || (name == "head" && closing)) in_title_ = false;
  }
  // Quoted values may hold the sign that ends a tag.
  std::size_t end_of_tag() const {
    char quote = 0;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '>') {
        return i;
      } else if ((c == '"' || c == '\'') && rest_[i - 1] == '=') {
        quote = c;
      }
    }
    return rest_.size();
  }
  void skip_past(std::string_view end) {
    const auto at = rest_.find(end);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
  }
  void skip_element(const std::string& name) {
    std::size_t at = 0;
    while ((at = rest_.find("</", at)) != std::string_view::npos) {
      if (iequals(rest_.substr(at + 2, name.size()), name)) break;
      at += 2;
    }
    rest_.remove_prefix(std::min(at, rest_.size()));
    skip_past(">");
  }

  std::string_view rest_;
  HtmlText out_;
  bool in_title_ = false, preformatted_ = false;
};

}  // namespace

HtmlText html_to_text(std::string_view utf8) { return Reader(utf8).read(); }

}  // namespace lumina::extract

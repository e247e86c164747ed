#include "core/base/text.hpp"
#include "core/marc/marc8.hpp"
#include "core/marc/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

namespace lumina::marc {
namespace {

constexpr std::size_t most_record = std::size_t{4} << 20, chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t most_prolog = std::size_t{64} << 10;

std::string_view local(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

char indicator(const pugi::xml_node& field, const char* name) {
  const char* text = field.attribute(name).value();
  return *text >= ' ' && *text <= '~' ? *text : ' ';
}

// All character data below, in order; without recursion, for a document may be nested as deeply as it is
// long.
std::string text_of(const pugi::xml_node& node) {
  struct Walker final : pugi::xml_tree_walker {
    std::string text;
    bool for_each(pugi::xml_node& child) override {
      if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
      return true;
    }
  };
  Walker walker;
  pugi::xml_node(node).traverse(walker);
  return std::move(walker.text);
}

std::expected<Record, std::string> to_record(const pugi::xml_node& root) {
  Record record;
  for (const pugi::xml_node& child : root.children()) {
    const std::string_view name = local(child.name());
    if (name == "leader") {
      record.leader = text_of(child).substr(0, 24);
      record.leader.resize(24, ' ');
      for (char& c : record.leader)
        if (c < ' ' || c > '~') c = ' ';
    } else if (name == "controlfield" || name == "datafield") {
      Field field;
      field.tag = child.attribute("tag").value();
      if (field.tag.size() != 3) return std::unexpected("A field has no tag of three characters");
      if (name == "controlfield") {
        if (!field.is_control()) continue;  // of one system's own: LDR, FMT
        field.data = composed(text_of(child));
      } else if (field.is_control()) {
        return std::unexpected("The data field " + field.tag + " is a control field");
      } else {
        field.first = indicator(child, "ind1");
        field.second = indicator(child, "ind2");
        for (const pugi::xml_node& part : child.children()) {
          if (local(part.name()) != "subfield") continue;
          const std::string_view code = part.attribute("code").value();
          if (code.empty()) continue;
          field.subfields.push_back({code.front(), composed(text_of(part))});
        }
      }
      record.fields.push_back(std::move(field));
    }
  }
  if (record.fields.empty()) return std::unexpected("The record has no fields");
  return record;
}

// Cuts the stream into records by their tags; comments and character data between and inside are skipped.
class MarcXmlReader final : public RecordReader {
 public:
  MarcXmlReader(std::istream& in, std::string beginning) : in_(in), buffer_(std::move(beginning)) {}

  std::optional<Item> next() override {
    if (refused_) return {};
    if (!prolog_read_) {
      if (auto problem = read_prolog(); !problem.empty()) {
        refused_ = true;
        number_ = 1;
        return failed(std::move(problem), {});
      }
    }
    bool inside = false;
    while (true) {
      const std::size_t open = find('<');
      if (open == std::string::npos) {
        if (!inside && ended_) return {};
        return cut_off(inside);
      }
      if (!inside && open > 0) drop(open), at_ = 0;
      const std::size_t start = inside ? open : 0;
      const auto end = end_of_markup(start);
      if (end == std::string::npos) return cut_off(inside);
      const std::string_view tag = std::string_view(buffer_).substr(start, end - start);
      if (is_record(tag, false)) {
        // The innermost record is meant: OAI-PMH calls its envelopes so too.
        if (start > 0) drop(start);
        at_ = tag.size();
        inside = true;
        if (!tag.ends_with("/>")) continue;
        return take(at_);
      }
      if (inside && is_record(tag, true)) return take(end);
      if (inside) {
        at_ = end;
        if (at_ > most_record) {
          ++number_;
          auto item = failed("The record is longer than 4 MiB", std::string_view(buffer_).substr(0, 200));
          drop(at_);
          at_ = 0;
          return item;
        }
      } else {
        drop(end);
        at_ = 0;
      }
    }
  }

 private:
  bool more() {
    if (ended_) return false;
    std::string chunk(chunk_bytes, '\0');
    in_.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    chunk.resize(static_cast<std::size_t>(in_.gcount()));
    ended_ = chunk.empty();
    buffer_ += chunk;
    return !ended_;
  }
  void drop(std::size_t bytes) {
    offset_ += bytes;
    buffer_.erase(0, bytes);
  }
  // From the place reached. Text outside of markup is not kept.
  std::size_t find(char c) {
    while (true) {
      const std::size_t found = buffer_.find(c, at_);
      if (found != std::string::npos) return found;
      if (buffer_.size() > 2 * most_record) return std::string::npos;
      if (!more()) return std::string::npos;
    }
  }
  std::size_t find_text(std::string_view text, std::size_t from) {
    while (true) {
      const std::size_t found = buffer_.find(text, from);
      if (found != std::string::npos) return found + text.size();
      if (buffer_.size() > 2 * most_record || !more()) return std::string::npos;
    }
  }
  // Behind the tag, comment or section that begins at `start`.
  std::size_t end_of_markup(std::size_t start) {
    while (buffer_.size() < start + 9 && more()) {
    }
    const std::string_view text = std::string_view(buffer_).substr(start);
    if (text.starts_with("<!--")) return find_text("-->", start + 4);
    if (text.starts_with("<![CDATA[")) return find_text("]]>", start + 9);
    if (text.starts_with("<?")) return find_text("?>", start + 2);
    // A '>' may stand in the value of an attribute.
    char quote = 0;
    for (std::size_t i = start + 1;; ++i) {
      if (i >= buffer_.size() && (buffer_.size() > 2 * most_record || !more())) return std::string::npos;
      const char c = buffer_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        return i + 1;
      }
    }
  }
  static bool is_record(std::string_view tag, bool closing) {
    tag.remove_prefix(1);
    if (tag.starts_with('/') != closing) return false;
    if (closing) tag.remove_prefix(1);
    return local(tag.substr(0, tag.find_first_of("/> \t\r\n"))) == "record";
  }

  // What is wrong with the file as a whole; empty when it can be read.
  std::string read_prolog() {
    prolog_read_ = true;
    while (buffer_.size() < most_prolog && more()) {
    }
    const std::string_view text = std::string_view(buffer_).substr(0, most_prolog);
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.substr(0, 4).contains('\0'))
      return "The file is UTF-16; save it as UTF-8";
    std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (at < text.size()) {
      at = text.find('<', at);
      if (at == std::string_view::npos) break;
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("<?xml")) read_declaration(rest.substr(0, rest.find("?>")));
      if (rest.size() > 9 && iequals(rest.substr(0, 9), "<!DOCTYPE"))
        return "The file has a document type, which is not read: it could name entities";
      std::size_t length = std::string_view::npos;
      if (rest.starts_with("<?"))
        length = rest.find("?>");
      else if (rest.starts_with("<!--"))
        length = rest.find("-->");
      if (length == std::string_view::npos) break;
      at += length + 2;
    }
    return {};
  }
  void read_declaration(std::string_view declaration) {
    const std::string lower = ascii_lower(declaration);
    latin1_ = lower.contains("iso-8859-1") || lower.contains("latin1") || lower.contains("windows-1252");
  }

  Item take(std::size_t length) {
    ++number_;
    const std::string bytes = buffer_.substr(0, length);
    const std::size_t offset = offset_;
    drop(length);
    at_ = 0;
    Item item = parse(bytes);
    if (item) {
      item->number = number_;
      item->offset = offset;
    } else {
      item.error().record = number_;
      item.error().offset = offset;
      item.error().beginning = bytes.substr(0, 200);
    }
    return item;
  }
  Item parse(std::string_view bytes) const {
    const bool utf8 = !latin1_ && is_valid_utf8(bytes);
    pugi::xml_document document;
    const auto parsed =
        document.load_buffer(bytes.data(), bytes.size(),
                             pugi::parse_minimal | pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol |
                                 pugi::parse_wconv_attribute | pugi::parse_ws_pcdata_single,
                             utf8 ? pugi::encoding_utf8 : pugi::encoding_latin1);
    if (!parsed)
      return std::unexpected(
          Fault{0, 0, fmt::format("The record is not well-formed XML: {}", parsed.description()), {}});
    auto record = to_record(document.first_child());
    if (!record) return std::unexpected(Fault{0, 0, std::move(record.error()), {}});
    ReadRecord out{std::move(*record), 0, 0, {}};
    if (!utf8 && !latin1_) out.warnings.emplace_back("Some text is not UTF-8 and was read as ISO 8859-1");
    return out;
  }
  // Nothing behind this place can be told apart.
  Item cut_off(bool inside) {
    ++number_;
    refused_ = true;
    return failed(inside ? "The record is cut off" : "The file is cut off, or is no XML from here on",
                  std::string_view(buffer_).substr(0, 200));
  }
  Item failed(std::string message, std::string_view beginning) const {
    return std::unexpected(Fault{number_, offset_, std::move(message), std::string(beginning)});
  }

  std::istream& in_;
  std::string buffer_;
  std::size_t at_ = 0;  // looked at so far
  std::size_t offset_ = 0, number_ = 0;
  bool ended_ = false, prolog_read_ = false, refused_ = false, latin1_ = false;
};

}  // namespace

std::unique_ptr<RecordReader> marcxml_reader(std::istream& in, std::string beginning) {
  return std::make_unique<MarcXmlReader>(in, std::move(beginning));
}

}  // namespace lumina::marc

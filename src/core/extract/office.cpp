#include "core/extract/office.hpp"

#include "core/base/text.hpp"
#include "core/extract/archive.hpp"
#include "core/extract/charset.hpp"
#include "core/extract/html_text.hpp"

#include <algorithm>
#include <pugixml.hpp>
#include <unordered_map>

namespace lumina::extract {
namespace {

constexpr std::size_t most_cover = 2 << 20;
constexpr int most_depth = 200;

std::string_view local(const pugi::xml_node& node) {
  std::string_view name = node.name();
  if (const auto colon = name.find(':'); colon != std::string_view::npos) name.remove_prefix(colon + 1);
  return name;
}

pugi::xml_document parsed(const std::string& xml) {
  pugi::xml_document document;
  const auto result =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata);
  if (!result) throw std::runtime_error("broken XML");
  return document;
}

// The first descendant of that local name.
pugi::xml_node below(const pugi::xml_node& top, std::string_view name) {
  return top.find_node([name](const pugi::xml_node& node) { return local(node) == name; });
}

std::string text_of(const pugi::xml_node& top, std::string_view name) {
  return std::string(trim(below(top, name).child_value()));
}

class DocxText {
 public:
  void walk(const pugi::xml_node& node, int depth) {
    if (depth > most_depth) throw Bomb("nested too deeply");
    for (const auto& child : node.children()) {
      const auto name = local(child);
      if (name == "t" || name == "delText") {
        if (name == "t") page().append(child.child_value());
      } else if (name == "tab") {
        page() += '\t';
      } else if (name == "br" || name == "cr") {
        if (std::string_view(child.attribute("w:type").value()) == "page")
          turn();
        else
          page() += '\n';
      } else if (name == "lastRenderedPageBreak") {
        turn();
      } else if (name == "instrText" || name == "pPr" || name == "rPr" || name == "sectPr") {
        continue;
      } else {
        walk(child, depth + 1);
        if (name == "p") page() += "\n\n";
        if (name == "tc") page() += '\t';
        if (name == "tr") page() += '\n';
      }
    }
  }
  std::vector<std::string> take() { return std::move(pages_); }
  bool turned() const { return turned_; }

 private:
  std::string& page() { return pages_.back(); }
  // Word writes both a break and where it last fell.
  void turn() {
    if (trim(page()).empty()) return;
    turned_ = true;
    pages_.emplace_back();
  }
  std::vector<std::string> pages_{1};
  bool turned_ = false;
};

struct Package {
  pugi::xml_document document;
  std::string folder;
  std::unordered_map<std::string_view, std::string_view> items;  // id to address; of the document
};

// Once, for the spine may name as many of them as there are.
std::unordered_map<std::string_view, std::string_view> items_of(const pugi::xml_document& document) {
  std::unordered_map<std::string_view, std::string_view> items;
  for (const auto& item : below(document, "manifest").children())
    if (local(item) == "item") items.emplace(item.attribute("id").value(), item.attribute("href").value());
  return items;
}

Package package_of(Archive& archive) {
  const auto container = archive.read("META-INF/container.xml");
  if (!container) throw std::runtime_error("no container");
  const std::string path = below(parsed(*container), "rootfile").attribute("full-path").value();
  const auto text = archive.read(path);
  if (!text) throw std::runtime_error("no package");
  const auto slash = path.rfind('/');
  Package package{parsed(*text), slash == std::string::npos ? std::string() : path.substr(0, slash + 1), {}};
  package.items = items_of(package.document);
  return package;
}

std::string item_path(const Package& package, std::string_view id) {
  const auto found = package.items.find(id);
  if (found == package.items.end()) return {};
  const auto href = percent_decode(found->second);
  return href && !href->empty() ? package.folder + *href : std::string();
}

}  // namespace

Read read_docx(std::string_view bytes) {
  Archive archive(bytes);
  const auto body = archive.read("word/document.xml");
  if (!body) throw std::runtime_error("no document");
  DocxText text;
  text.walk(parsed(*body), 0);
  Read out;
  out.paged = text.turned();
  out.pages = text.take();
  if (const auto core = archive.read("docProps/core.xml")) {
    const auto document = parsed(*core);
    out.title = text_of(document, "title");
    out.author = text_of(document, "creator");
    out.language = text_of(document, "language");
    out.produced = text_of(document, "created");
  }
  return out;
}

Read read_epub(std::string_view bytes) {
  Archive archive(bytes);
  const auto package = package_of(archive);
  Read out;
  out.title = text_of(package.document, "title");
  out.author = text_of(package.document, "creator");
  out.language = text_of(package.document, "language");
  out.produced = text_of(package.document, "date");
  for (const auto& item : below(package.document, "spine").children()) {
    if (local(item) != "itemref") continue;
    const auto path = item_path(package, item.attribute("idref").value());
    if (path.empty()) continue;
    if (const auto page = archive.read(path)) out.pages.push_back(html_to_text(to_utf8(*page)).text);
  }
  out.paged = true;
  return out;
}

std::string epub_cover(std::string_view bytes) {
  Archive archive(bytes);
  const auto package = package_of(archive);
  auto item = package.document.find_node([](const pugi::xml_node& node) {
    return local(node) == "item" && std::string_view(node.attribute("properties").value()) == "cover-image";
  });
  std::string id = item.attribute("id").value();
  if (id.empty()) {
    const auto meta = package.document.find_node([](const pugi::xml_node& node) {
      return local(node) == "meta" && std::string_view(node.attribute("name").value()) == "cover";
    });
    id = meta.attribute("content").value();
  }
  const auto path = id.empty() ? std::string() : item_path(package, id);
  if (path.empty()) return {};
  auto picture = archive.read(path).value_or("");
  const bool known = picture.starts_with("\x89PNG\r\n\x1a\n") || picture.starts_with("\xFF\xD8\xFF");
  return known && picture.size() <= most_cover ? std::move(picture) : std::string();
}

}  // namespace lumina::extract

#include "support/files.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <zlib.h>

namespace lumina::test {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '(' || c == ')' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string little(std::size_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  return out;
}

std::string deflated(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib");
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string make_pdf(const std::vector<std::string>& pages, std::string_view title, std::string_view author) {
  std::vector<std::string> objects;
  std::string kids;
  for (std::size_t i = 0; i < pages.size(); ++i) kids += fmt::format("{} 0 R ", 5 + 2 * i);
  objects.push_back("<< /Type /Catalog /Pages 2 0 R >>");
  objects.push_back(fmt::format("<< /Type /Pages /Kids [{}] /Count {} >>", kids, pages.size()));
  objects.push_back("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  objects.push_back(fmt::format("<< /Title ({}) /Author ({}) /CreationDate (D:20200102030405Z) >>",
                                escaped(title), escaped(author)));
  for (std::size_t i = 0; i < pages.size(); ++i) {
    std::string content = "BT /F1 11 Tf 14 TL 60 780 Td\n";
    std::string_view rest = pages[i];
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      content += fmt::format("({}) Tj T*\n", escaped(rest.substr(0, end)));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    content += "ET";
    objects.push_back(
        fmt::format("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R "
                    "/Resources << /Font << /F1 3 0 R >> >> >>",
                    6 + 2 * i));
    objects.push_back(fmt::format("<< /Length {} >>\nstream\n{}\nendstream", content.size(), content));
  }
  std::string out = "%PDF-1.4\n";
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    places.push_back(out.size());
    out += fmt::format("{} 0 obj\n{}\nendobj\n", i + 1, objects[i]);
  }
  const auto table = out.size();
  out += fmt::format("xref\n0 {}\n0000000000 65535 f \n", objects.size() + 1);
  for (const auto place : places) out += fmt::format("{:010} 00000 n \n", place);
  out += fmt::format("trailer\n<< /Size {} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{}\n%%EOF\n",
                     objects.size() + 1, table);
  return out;
}

std::string make_zip(const std::vector<ZipEntry>& entries) {
  std::string out, directory;
  for (const auto& entry : entries) {
    const auto data = entry.packed ? deflated(entry.bytes) : entry.bytes;
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(entry.bytes.data()), static_cast<uInt>(entry.bytes.size()));
    const auto size = entry.claims != 0 ? entry.claims : entry.bytes.size();
    const auto common = little(entry.packed ? 8 : 0, 2) + little(0, 4) + little(crc, 4) +
                        little(data.size(), 4) + little(size, 4) + little(entry.name.size(), 2);
    const auto place = out.size();
    out += "PK\x03\x04" + little(20, 2) + little(0, 2) + common + little(0, 2) + entry.name + data;
    directory += "PK\x01\x02" + little(20, 2) + little(20, 2) + little(0, 2) + common + little(0, 2) +
                 little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(place, 4) + entry.name;
  }
  const auto place = out.size();
  return out + directory + "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) +
         little(entries.size(), 2) + little(directory.size(), 4) + little(place, 4) + little(0, 2);
}

std::string make_docx(const std::vector<std::string>& paragraphs, std::string_view title) {
  std::string body;
  for (const auto& paragraph : paragraphs)
    body += paragraph == "\f" ? "<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>"
                              : "<w:p><w:r><w:t>" + paragraph + "</w:t></w:r></w:p>";
  return make_zip(
      {{"[Content_Types].xml", "<Types/>"},
       {"word/document.xml",
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"x\"><w:body>" + body + "</w:body></w:document>", true},
       {"docProps/core.xml",
        fmt::format("<cp:coreProperties><dc:title>{}</dc:title><dc:creator>A. Writer</dc:creator>"
                    "</cp:coreProperties>",
                    title)}});
}

std::string make_epub(std::string_view title, const std::vector<std::string>& chapters,
                      std::string_view cover) {
  std::string items, spine;
  std::vector<ZipEntry> entries{
      {"mimetype", "application/epub+zip"},
      {"META-INF/container.xml",
       "<container><rootfiles><rootfile full-path=\"OPS/book.opf\"/></rootfiles></container>"}};
  for (std::size_t i = 0; i < chapters.size(); ++i) {
    items += fmt::format("<item id=\"c{0}\" href=\"c%20{0}.xhtml\"/>", i);
    spine += fmt::format("<itemref idref=\"c{}\"/>", i);
    entries.push_back({fmt::format("OPS/c {}.xhtml", i),
                       fmt::format("<html><head><title>x</title><style>p{{}}</style></head><body><p>{}</p>"
                                   "<script>no()</script></body></html>",
                                   chapters[i]),
                       true});
  }
  if (!cover.empty()) {
    items += "<item id=\"pic\" href=\"cover.png\" properties=\"cover-image\"/>";
    entries.push_back({"OPS/cover.png", std::string(cover)});
  }
  entries.push_back(
      {"OPS/book.opf", fmt::format("<package><metadata><dc:title>{}</dc:title><dc:creator>Nobody</dc:creator>"
                                   "<dc:language>en</dc:language></metadata><manifest>{}</manifest>"
                                   "<spine>{}</spine></package>",
                                   title, items, spine)});
  return make_zip(entries);
}

std::pair<std::string, std::string> make_form(
    std::string_view filename, std::string_view bytes,
    const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string body;
  for (const auto& [name, value] : fields)
    body += fmt::format("--edge\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", name, value);
  body += fmt::format("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n",
                      filename);
  body += bytes;
  body += "\r\n--edge--\r\n";
  return {body, "multipart/form-data; boundary=edge"};
}

}  // namespace lumina::test

#include "modules/ai/document_files.hpp"

#include "core/base/text.hpp"
#include "core/xml/atom.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lumina::ai {
namespace {

struct Span {
  std::int64_t begin = 0, end = 0;  // end one past the last
};

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || n < 0) return {};
  return n;
}

enum class Asked : std::uint8_t { all, part, unsatisfiable };

// One range; several, or what cannot be read, are answered with everything, as the standard permits.
Asked read_range(std::string_view header, std::int64_t size, Span& out) {
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return Asked::all;
  header.remove_prefix(6);
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return Asked::all;
  const auto first = number_in(trim_ascii(header.substr(0, dash)));
  const auto last = number_in(trim_ascii(header.substr(dash + 1)));
  if (!first && !last) return Asked::all;
  if (!first) {
    if (*last == 0 || size == 0) return Asked::unsatisfiable;
    out = {std::max<std::int64_t>(0, size - *last), size};
    return Asked::part;
  }
  if (last && *last < *first) return Asked::all;
  if (*first >= size) return Asked::unsatisfiable;
  out = {*first, last ? std::min(size, *last + 1) : size};
  return Asked::part;
}

// RFC 6266: an ASCII name for old clients, the name itself for the others.
std::string disposition(std::string_view kind, const std::string& filename) {
  std::string plain;
  for (const char c : filename) plain += c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%' ? c : '_';
  return fmt::format("{}; filename=\"{}\"; filename*=UTF-8''{}", kind, plain, percent_encode(filename));
}

}  // namespace

FileWishes file_wishes(const http::RawRequest& request) {
  FileWishes wishes;
  wishes.range = request.header("Range");
  wishes.if_range = request.header("If-Range");
  const auto agent = ascii_lower(request.header("User-Agent"));
  for (const std::string_view word : {"bot", "crawl", "spider", "slurp"})
    wishes.robot = wishes.robot || agent.find(word) != std::string::npos;
  return wishes;
}

Task<Result<http::Response>> send_file(DocumentService& documents, DocumentId id, std::int64_t version,
                                       Purpose purpose, FileWishes wishes, Caller by) {
  // The rest of a file that is read in parts is no reader more.
  const bool first = wishes.range.empty() || wishes.range.starts_with("bytes=0-");
  auto file = co_await documents.open(id, version, purpose, first && !wishes.robot, std::move(by));
  if (!file) co_return Failure(std::move(file.error()));
  http::Response response;
  response.etag = file->sha256;
  response.content_type = file->media_type;
  response.set("Accept-Ranges", "bytes");
  response.set("Cache-Control", "private, no-cache");
  response.set("Last-Modified", xml::http_date(file->at));
  // A browser runs nothing of it, wherever it is shown.
  response.set("Content-Security-Policy",
               "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  response.set("Content-Disposition",
               disposition(purpose == Purpose::download ? "attachment" : "inline", file->filename));
  Span span{0, file->size};
  const bool unchanged = wishes.if_range.empty() || wishes.if_range == "\"" + file->sha256 + "\"";
  const auto asked = unchanged ? read_range(wishes.range, file->size, span) : Asked::all;
  if (asked == Asked::unsatisfiable) {
    response.status = 416;
    response.content_type.clear();
    response.etag.clear();
    response.set("Content-Range", fmt::format("bytes */{}", file->size));
    co_return response;
  }
  if (asked == Asked::part) {
    response.status = 206;
    response.set("Content-Range", fmt::format("bytes {}-{}/{}", span.begin, span.end - 1, file->size));
  }
  auto bytes = co_await documents.store().piece(file->sha256, static_cast<std::uint64_t>(span.begin),
                                                static_cast<std::uint64_t>(span.end - span.begin));
  if (!bytes) co_return Failure(std::move(bytes.error()));
  response.body = std::move(*bytes);
  co_return response;
}

Task<Result<http::Response>> send_thumbnail(DocumentService& documents, DocumentId id, Caller by) {
  auto file = co_await documents.thumbnail(id, std::move(by));
  if (!file) co_return Failure(std::move(file.error()));
  auto bytes = co_await documents.store().piece(file->sha256, 0, static_cast<std::uint64_t>(file->size));
  if (!bytes) co_return Failure(std::move(bytes.error()));
  http::Response response;
  response.content_type = file->media_type;
  response.etag = file->sha256;
  response.set("Content-Security-Policy", "sandbox; default-src 'none'");
  response.set("Cache-Control", "private, max-age=31536000, immutable");
  response.body = std::move(*bytes);
  co_return response;
}

}  // namespace lumina::ai

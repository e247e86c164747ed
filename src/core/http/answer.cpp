#include "core/http/answer.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

namespace lumina::http {
namespace {

// The request's query without the paging parameters, then those of `page`.
std::string page_target(const Context& context, const std::string& paging) {
  std::string target(context.request->head.path());
  char join = '?';
  for (const auto& [name, value] : context.query) {
    target += join;
    target += percent_encode(name) + "=" + percent_encode(value);
    join = '&';
  }
  if (!context.fields.empty()) {
    target += join;
    target += "fields=" + percent_encode(context.fields);
    join = '&';
  }
  return target + join + paging;
}

std::string by_skip(const Context& context, std::int64_t skip) {
  return page_target(context, fmt::format("skip={}&limit={}", skip, context.page.limit));
}
std::string by_page(const Context& context, std::int64_t page) {
  return page_target(context, fmt::format("page={}&size={}", page, context.page.limit));
}

// RFC 8288: first, prev, next and last.
std::string links(const Context& context, std::int64_t total, const std::optional<std::string>& next_cursor) {
  const PageRequest& p = context.page;
  std::string out;
  const auto add = [&](const std::string& target, std::string_view rel) {
    out += fmt::format("{}<{}>; rel=\"{}\"", out.empty() ? "" : ", ", target, rel);
  };
  if (p.cursor) {
    if (next_cursor)
      add(page_target(context, fmt::format("cursor={}&limit={}", *next_cursor, p.limit)), "next");
    add(by_skip(context, 0), "first");
    return out;
  }
  const std::int64_t last = total <= 0 ? 0 : (total - 1) / p.limit;
  const std::int64_t here = p.skip / p.limit;
  if (p.envelope) {
    if (here < last) add(by_page(context, here + 2), "next");
    if (here > 0) add(by_page(context, std::min(here, last + 1)), "prev");
    add(by_page(context, 1), "first");
    add(by_page(context, last + 1), "last");
    return out;
  }
  if (p.skip + p.limit < total)
    add(next_cursor ? page_target(context, fmt::format("cursor={}&limit={}", *next_cursor, p.limit))
                    : by_skip(context, p.skip + p.limit),
        "next");
  if (p.skip > 0) add(by_skip(context, std::max<std::int64_t>(0, p.skip - p.limit)), "prev");
  add(by_skip(context, 0), "first");
  add(by_skip(context, last * p.limit), "last");
  return out;
}

}  // namespace

std::string make_etag(std::string_view body, std::int64_t version) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  std::size_t length = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, body.data(), body.size(), digest, &length) != 1)
    throw std::runtime_error("SHA-256 is not available");
  const auto hash = hex_encode({reinterpret_cast<const char*>(digest), 8});
  return version > 0 ? fmt::format("{}-{}", version, hash) : hash;
}

namespace detail {

Response json_response(int status, std::string body, std::int64_t version, bool single) {
  Response response;
  response.status = status;
  if (single) response.etag = make_etag(body, version);
  response.body = std::move(body);
  return response;
}

Response page_response(Context& context, std::string items, std::size_t, std::int64_t total,
                       const std::optional<std::string>& next_cursor) {
  Response response;
  if (context.page.envelope)
    response.body = fmt::format("{{\"items\":{},\"total\":{},\"page\":{},\"size\":{}}}", items, total,
                                context.page.skip / context.page.limit + 1, context.page.limit);
  else
    response.body = std::move(items);
  response.set("X-Total-Count", fmt::format("{}", total));
  response.set("Link", links(context, total, next_cursor));
  return response;
}

}  // namespace detail
}  // namespace lumina::http

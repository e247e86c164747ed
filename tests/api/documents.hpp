// What several files of document tests do: uploading, and waiting until a document was processed.
#pragma once
#include "support/eventually.hpp"
#include "support/files.hpp"
#include "support/test_app.hpp"

#include <fmt/format.h>

namespace lumina::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline Answer upload(Client person, std::string_view filename, std::string_view bytes,
                     const Fields& fields = {}) {
  auto [body, type] = make_form(filename, bytes, fields);
  return person.post("/api/v1/documents", body, {{"Content-Type", type}});
}

// Until nothing more happens to it by itself.
inline Answer settled(Client person, std::int64_t id) {
  Answer seen;
  eventually([&] {
    seen = person.get(fmt::format("/api/v1/documents/{}", id));
    return seen["status"] != "pending" && seen["status"] != "processing" && seen.status == 200;
  });
  return seen;
}

inline std::int64_t document(Client person, std::string_view filename, std::string_view bytes,
                             const Fields& fields = {}) {
  const auto made = upload(person, filename, bytes, fields);
  if (made.status != 201) throw std::runtime_error("no document: " + made.body);
  settled(person, made.id());
  return made.id();
}

inline void every_kind(config::Config& config) {
  config.document_kinds = {"pdf", "docx", "epub", "html", "md", "txt"};
}

}  // namespace lumina::test

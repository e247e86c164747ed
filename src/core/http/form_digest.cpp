#include "core/http/form_digest.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>

namespace lumina::http {

bool is_form(std::string_view content_type) {
  return iequals(trim_ascii(content_type.substr(0, content_type.find(';'))), "multipart/form-data");
}

// Lengths in front, so that no two forms read alike.
void FormDigest::begin(const Part& part) {
  end_part();
  for (const std::string* text : {&part.name, &part.filename, &part.content_type})
    whole_.add(fmt::format("{}:{}", text->size(), *text));
  part_.emplace();
}

void FormDigest::bytes(std::string_view piece) {
  if (part_) part_->add(piece);
}

void FormDigest::end_part() {
  if (part_) whole_.add(part_->finish_hex());
  part_.reset();
}

std::string FormDigest::finish_hex() {
  end_part();
  return whole_.finish_hex();
}

std::optional<std::string> form_digest(std::string_view body, std::string_view content_type) {
  const auto parts = parse_multipart(body, content_type);
  if (!parts) return {};
  FormDigest digest;
  for (const Part& part : *parts) {
    digest.begin(part);
    digest.bytes(part.bytes);
  }
  return digest.finish_hex();
}

}  // namespace lumina::http

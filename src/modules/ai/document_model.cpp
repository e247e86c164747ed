#include "modules/ai/document_model.hpp"

#include "core/base/text.hpp"

namespace lumina::ai {
namespace {

using schema::Field;

bool has_text(std::string_view text) { return !trim(text).empty(); }
std::vector<schema::Rule> title_rules() {
  return {schema::length(1, 500), schema::format("not-blank", &has_text, "must not be blank")};
}

}  // namespace

std::string safe_filename(std::string_view given, extract::Kind kind) {
  if (const auto slash = given.find_last_of("/\\"); slash != std::string_view::npos)
    given.remove_prefix(slash + 1);
  std::string out;
  for (const char c : given)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  if (!is_valid_utf8(out)) out.clear();
  out = std::string(utf8_prefix(trim(out), 255));
  if (out.empty() || out == "." || out == "..")
    out = "document." + std::string(extract::kind_names.at(static_cast<std::size_t>(kind)));
  return out;
}

std::vector<Field> Document::fields() {
  return {{"id", &Document::id, "Identifier"},
          {"filename", &Document::filename, "Name that the file came with"},
          {"title", &Document::title, "Given, or the file's own, or its name"},
          {"media_type", &Document::media_type, "By its content"},
          {"kind", &Document::kind, "pdf, docx, epub, html, md or txt"},
          {"size", &Document::size, "Bytes"},
          {"sha256", &Document::sha256, "Digest of the bytes"},
          {"page_count", &Document::page_count, "Pages, of files that have some"},
          {"status", &Document::status, "pending, processing, ready, failed or needs_ocr"},
          {"processed", &Document::processed, "Whether it can be searched and asked"},
          {"error_code", &Document::error_code,
           "Why it failed: encrypted, damaged, no_text, too_large, too_slow"},
          {"error", &Document::error, "The same as a sentence"},
          {"chunks", &Document::chunks, "Passages that it was cut into"},
          {"author", &Document::author, "As the file says"},
          {"language", &Document::language, "As the file says, or as its text looks"},
          {"produced", &Document::produced, "The date that the file gives"},
          {"book_id", &Document::book_id, "The book it belongs to"},
          {"user_id", &Document::user_id, "Who uploaded it; null when the account is gone"},
          {"visibility", &Document::visibility,
           "private; public: everybody; borrowers: who has the book on loan"},
          {"current_version", &Document::current, "Number of the version that is shown"},
          {"views", &Document::views, "Times that others looked at it"},
          {"downloads", &Document::downloads, "Times that others downloaded it"},
          {"thumbnail_url", &Document::thumbnail_url, "Picture of the first page"},
          {"task_id", &Document::task_id, "The task that processes it"},
          {"duplicate_of", &Document::duplicate_of, "The document that has the same bytes: this one"},
          {"created_at", &Document::created_at, "When it was uploaded"},
          {"upload_date", &Document::upload_date, "When it was uploaded"},
          {"updated_at", &Document::updated_at, "When it last changed"}};
}
std::vector<Field> DocumentFilter::fields() {
  return {{"status", &DocumentFilter::status, "In this state"},
          {"book_id", &DocumentFilter::book_id, "Of this book"},
          {"mine", &DocumentFilter::mine, "true: only one's own"},
          {"q", &DocumentFilter::q, "Part of the title, author or file name", {schema::length(1, 200)}}};
}
std::vector<Field> DocumentChanges::fields() {
  return {{"title", &DocumentChanges::title, "1 to 500 characters", title_rules()},
          {"visibility", &DocumentChanges::visibility, "private, public or borrowers (with book_id)"},
          {"book_id", &DocumentChanges::book_id, "The book it belongs to; null: none"}};
}
std::vector<Field> UploadFields::fields() {
  return {{"title", &UploadFields::title, "Default: the file's own, or its name", title_rules()},
          {"book_id", &UploadFields::book_id, "The book it belongs to"},
          {"visibility", &UploadFields::visibility, "private (default), public or borrowers (with book_id)"}};
}
std::vector<Field> DocumentVersion::fields() {
  return {{"version", &DocumentVersion::version, "Number, from 1"},
          {"filename", &DocumentVersion::filename, "Name that the file came with"},
          {"media_type", &DocumentVersion::media_type, "By its content"},
          {"sha256", &DocumentVersion::sha256, "Digest of the bytes"},
          {"size", &DocumentVersion::size, "Bytes"},
          {"status", &DocumentVersion::status, "pending, processing, ready, failed or needs_ocr"},
          {"current", &DocumentVersion::current, "Whether it is the one that is shown"},
          {"created_at", &DocumentVersion::created_at, "When it was uploaded"}};
}
std::vector<Field> PageText::fields() {
  return {{"page", &PageText::page, "Number, from 1"}, {"text", &PageText::text, "Text as it was taken out"}};
}
std::vector<Field> DocumentText::fields() {
  return {{"document_id", &DocumentText::document_id, "Identifier"},
          {"total_pages", &DocumentText::total_pages, "Pages with text that there are"},
          {"pages", &DocumentText::pages, "Those that were asked for"}};
}
std::vector<Field> TextQuery::fields() {
  return {{"page", &TextQuery::page, "The first page; default 1", {schema::range(1, 1e6)}},
          {"pages", &TextQuery::pages, "How many; default 20", {schema::range(1, 100)}}};
}
std::vector<Field> NewGrant::fields() { return {{"access", &NewGrant::access, "view or edit"}}; }
std::vector<Field> DocumentGrant::fields() {
  return {{"user_id", &DocumentGrant::user_id, "Who may"},
          {"full_name", &DocumentGrant::full_name, "Name as shown"},
          {"access", &DocumentGrant::access, "view or edit"},
          {"granted_at", &DocumentGrant::granted_at, "Since when"}};
}
std::vector<Field> BatchResult::fields() {
  return {{"filename", &BatchResult::filename, "Name of the file"},
          {"document_id", &BatchResult::document_id, "The document it became, or the one it was already"},
          {"duplicate", &BatchResult::duplicate, "Whether it was there already"},
          {"error_code", &BatchResult::error_code, "Why it was refused"},
          {"error", &BatchResult::error, "The same as a sentence"}};
}

}  // namespace lumina::ai

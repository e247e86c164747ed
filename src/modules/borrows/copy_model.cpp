#include "modules/borrows/copy_model.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace lumina::borrows {
namespace {

using schema::Field;
using schema::Rule;

bool has_text(std::string_view text) { return !trim(text).empty(); }
bool is_plain(std::string_view text) {
  return trim(text) == text &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

std::vector<Rule> words(double most) {
  return {schema::length(1, most), schema::format("not-blank", &has_text, "must not be blank")};
}
std::vector<Rule> barcode_rules() {
  return {schema::length(1, 64),
          schema::format("barcode", &is_plain, "must have no spaces around it and no control characters")};
}
Rule settable() {
  return schema::one_of(
      {"available", "lost", "damaged", "claimed_returned", "in_repair", "missing", "withdrawn"});
}

}  // namespace

std::vector<Field> Copy::fields() {
  return {{"id", &Copy::id, "Identifier"},
          {"book_id", &Copy::book_id, "The book"},
          {"barcode", &Copy::barcode, "Barcode on the copy"},
          {"branch_id", &Copy::branch_id, "The branch where it stands"},
          {"location", &Copy::location, "Shelving location"},
          {"condition", &Copy::condition, "Condition in words"},
          {"item_type", &Copy::item_type, "What kind of thing it is: book, dvd, ..."},
          {"status", &Copy::status, "What may be done with it now"}};
}
std::vector<Field> NewCopy::fields() {
  return {{"barcode", &NewCopy::barcode, "Barcode, unique in the library (default: one is made)",
           barcode_rules()},
          {"branch_id", &NewCopy::branch_id, "The branch where it stands (default: the default branch)"},
          {"location", &NewCopy::location, "Shelving location", words(200)},
          {"condition", &NewCopy::condition, "Condition in words", words(200)},
          {"item_type", &NewCopy::item_type, "What kind of thing it is (default book)", words(40)}};
}
std::vector<Field> CopyChanges::fields() {
  return {
      {"barcode", &CopyChanges::barcode, "Barcode, unique in the library", barcode_rules()},
      {"branch_id", &CopyChanges::branch_id, "The branch where it stands"},
      {"location", &CopyChanges::location, "Shelving location", words(200)},
      {"condition", &CopyChanges::condition, "Condition in words", words(200)},
      {"item_type", &CopyChanges::item_type, "What kind of thing it is", words(40)},
      {"status", &CopyChanges::status, "What became of it; as in POST /copies/{id}/status", {settable()}}};
}
std::vector<Field> CopyStatusChange::fields() {
  return {{"status", &CopyStatusChange::status, "What became of it", {settable()}},
          {"note", &CopyStatusChange::note, "Why; kept in the audit log", {schema::length(0, 500)}}};
}
std::vector<Field> CopyFilter::fields() {
  return {{"barcode", &CopyFilter::barcode, "Exactly this barcode", {schema::length(1, 64)}},
          {"branch_id", &CopyFilter::branch_id, "Only copies of this branch"},
          {"item_type", &CopyFilter::item_type, "Only this kind of thing", {schema::length(1, 40)}}};
}

CopyMove copy_move(CopyStatus stored, bool lent, CopyStatus wanted) {
  using enum CopyStatus;
  if (wanted == on_loan || wanted == on_hold) return CopyMove::impossible;
  if (wanted == stored) return CopyMove::unchanged;
  if (lent) {
    const bool told = wanted == available || wanted == lost || wanted == claimed_returned;
    return told ? CopyMove::allowed : CopyMove::while_on_loan;
  }
  if (wanted == claimed_returned) return CopyMove::impossible;  // nobody has it to claim so
  if (stored == on_hold && (wanted == withdrawn || wanted == available)) return CopyMove::while_on_hold;
  if (stored == withdrawn && wanted != available) return CopyMove::impossible;
  return CopyMove::allowed;
}

std::optional<CopyStatus> copy_status_named(std::string_view name) {
  const auto found = std::ranges::find(copy_status_names, name);
  if (found == copy_status_names.end()) return {};
  return static_cast<CopyStatus>(found - copy_status_names.begin());
}

}  // namespace lumina::borrows

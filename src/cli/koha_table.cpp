#include "cli/koha_table.hpp"

#include "core/base/text.hpp"
#include "core/config/toml_file.hpp"
#include "modules/books/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace lumina::cli {
namespace {

constexpr std::array<std::string_view, 3> code_sections{"categories", "branches", "item_types"};

std::map<std::string, Names, std::less<>> koha_columns() {
  return {{"patrons",
           {{"card_number", "cardnumber"},
            {"last_name", "surname"},
            {"first_name", "firstname"},
            {"email", "email"},
            {"category", "categorycode"}}},
          {"items",
           {{"barcode", "barcode"},
            {"title", "title"},
            {"author", "author"},
            {"isbn", "isbn"},
            {"year", "copyrightdate"},
            {"publisher", "publishercode"},
            {"item_type", "itype"},
            {"branch", "homebranch"},
            {"location", "location"},
            {"lost", "itemlost"},
            {"damaged", "damaged"},
            {"withdrawn", "withdrawn"}}},
          {"loans",
           {{"card_number", "cardnumber"},
            {"barcode", "barcode"},
            {"lent", "issuedate"},
            {"due", "date_due"},
            {"returned", "returndate"},
            {"id", "issue_id"}}}};
}

Failure bad_mapping(std::string detail) { return fail(ErrorKind::refused, "bad_mapping", std::move(detail)); }

}  // namespace

Result<KohaMapping> KohaMapping::read(const std::string& path) {
  KohaMapping out;
  out.columns = koha_columns();
  if (path.empty()) return out;
  const auto document = config::read_text_sections(path);
  if (!document) return bad_mapping(document.error());
  for (const auto& [section, texts] : *document) {
    const bool of_columns = out.columns.contains(section);
    const bool of_codes = std::ranges::find(code_sections, section) != code_sections.end();
    for (const auto& [name, given] : texts) {
      if (of_columns && out.columns[section].contains(name))
        out.columns[section][name] = given;
      else if (of_codes)
        out.codes[section][name] = given;
      else if (section == "options" && name == "email_domain")
        out.email_domain = given;
      else if (section == "options" && name == "time_zone" && TimeZone::find(given))
        out.time_zone = given;
      else
        return bad_mapping(fmt::format("{}: {}.{} has no meaning", path, section, name));
    }
  }
  return out;
}

std::optional<std::string> KohaMapping::code(std::string_view kind, const std::string& given) const {
  if (given.empty()) return std::nullopt;
  const auto section = codes.find(kind);
  if (section == codes.end()) return given;
  const auto found = section->second.find(given);
  if (found == section->second.end()) return given;
  return found->second.empty() ? std::nullopt : std::optional(found->second);
}

std::string KohaRow::operator[](std::string_view ours) const {
  const auto found = columns_->find(ours);
  if (found == columns_->end() || found->second >= cells_.size()) return {};
  const auto text = trim(cells_[found->second]);
  return text == "NULL" ? std::string() : std::string(text);
}

Status read_koha(const std::string& path, const Names& columns, const std::vector<std::string>& needed,
                 const std::function<void(const KohaRow&)>& row,
                 const std::function<void(std::size_t, std::string)>& fault) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::refused, "unreadable", path + " cannot be read");
  books::CsvReader reader;
  std::shared_ptr<const KohaRow::Columns> places;
  std::array<char, 65536> buffer;
  const auto header = [&](const std::vector<std::string>& cells) -> Status {
    KohaRow::Columns found;
    for (const auto& [ours, theirs] : columns)
      for (std::size_t i = 0; i < cells.size(); ++i)
        if (iequals(trim(cells[i]), theirs)) found.emplace(ours, i);
    places = std::make_shared<const KohaRow::Columns>(found);
    for (const auto& name : needed)
      if (!found.contains(name))
        return fail(ErrorKind::refused, "missing_column",
                    fmt::format("{} has no column {}", path, columns.find(name)->second));
    return {};
  };
  const auto drain = [&]() -> Status {
    while (auto item = reader.next()) {
      if (!*item) {
        fault(item->error().line, std::string(books::describe(item->error().problem)));
        continue;
      }
      if (!places) {
        if (auto known = header((*item)->fields); !known) return known;
        continue;
      }
      const bool readable = std::ranges::all_of((*item)->fields, [](const std::string& cell) {
        return is_valid_utf8(cell) && cell.find('\0') == std::string::npos;
      });
      if (readable)
        row(KohaRow((*item)->line, places, std::move((*item)->fields)));
      else
        fault((*item)->line, "is not UTF-8");
    }
    return {};
  };
  while (file) {
    file.read(buffer.data(), buffer.size());
    reader.feed({buffer.data(), static_cast<std::size_t>(file.gcount())});
    if (auto good = drain(); !good) return good;
  }
  reader.finish();
  if (auto good = drain(); !good) return good;
  if (!places) return fail(ErrorKind::refused, "empty_file", path + " is empty");
  return {};
}

std::optional<Timestamp> koha_time(std::string_view text, const TimeZone& zone, bool ends) {
  const auto day = parse_day(text.substr(0, 10));
  if (!day) return std::nullopt;
  if (text.size() == 10)
    return ends ? zone.moment(*day + 1, 0) - std::chrono::seconds(1) : zone.moment(*day, 0);
  if (text.ends_with('Z') || text.find('+') != std::string_view::npos || text.rfind('-') > 10)
    if (const auto moment = parse_rfc3339(text)) return moment;
  const auto minute = parse_minute(text.substr(11, 5));
  if (!minute || (text[10] != ' ' && text[10] != 'T')) return std::nullopt;
  int seconds = 0;
  if (text.size() == 19 && text[16] == ':' && text[17] >= '0' && text[17] <= '5' && text[18] >= '0' &&
      text[18] <= '9')
    seconds = (text[17] - '0') * 10 + (text[18] - '0');
  else if (text.size() != 16)
    return std::nullopt;
  return zone.moment(*day, *minute) + std::chrono::seconds(seconds);
}

}  // namespace lumina::cli

// The files of a move from Koha as rows of named cells, and the mapping of their columns and codes.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/time_zone.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::cli {

using Names = std::map<std::string, std::string, std::less<>>;

struct KohaMapping {
  std::map<std::string, Names, std::less<>> columns;  // "patrons" -> our name -> the column's
  std::map<std::string, Names, std::less<>> codes;    // "categories" -> Koha's code -> ours
  std::string email_domain;
  std::optional<std::string> time_zone;

  // Koha's own names; with a file, what it says instead. The error names the file and the line.
  static Result<KohaMapping> read(const std::string& path);
  // The code that stands for this one; itself when nothing does, nothing when it is empty.
  std::optional<std::string> code(std::string_view kind, const std::string& given) const;
};

// A value: outlives the reading of its file.
class KohaRow {
 public:
  using Columns = std::map<std::string, std::size_t, std::less<>>;
  KohaRow(std::size_t line, std::shared_ptr<const Columns> columns, std::vector<std::string> cells)
      : line_(line), columns_(std::move(columns)), cells_(std::move(cells)) {}
  std::size_t line() const { return line_; }
  // Without white space at the ends; empty when the column or the cell is missing, or says NULL.
  std::string operator[](std::string_view ours) const;

 private:
  std::size_t line_;
  std::shared_ptr<const Columns> columns_;
  std::vector<std::string> cells_;
};

// Calls `row` with each row, or `fault` with a line that cannot be read and why. The error is a file that
// cannot be read or has none of the columns that are `needed`.
Status read_koha(const std::string& path, const Names& columns, const std::vector<std::string>& needed,
                 const std::function<void(const KohaRow&)>& row,
                 const std::function<void(std::size_t, std::string)>& fault);

// "2026-11-22", "2026-11-22 23:59:00" or RFC 3339; times without an offset are those of the zone, a date
// alone is its last second when `ends` and its first when not.
std::optional<Timestamp> koha_time(std::string_view text, const TimeZone& zone, bool ends);

}  // namespace lumina::cli

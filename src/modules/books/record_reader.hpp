// Reads the books of a file, whatever program wrote it, one at a time and in constant memory.
//
// The content decides: JSON lines begin with a brace, MARC records with a leader, MARCXML is XML with records
// in it (core/marc); everything else is a table whose first row names its columns (csv_reader.hpp,
// import_format.hpp). The hint, a file name or media type, only settles what content
// leaves open: a tab as delimiter for .tsv and text/tab-separated-values.
//
// A faulty record never hides the ones after it. A field that is not UTF-8 is read as Windows-1252 with a
// warning, the others stay as they are: a file of mixed origin comes out right. A row with more cells than
// the header has columns is refused, because an unquoted delimiter has shifted its fields.
//
// Not thread-safe; the stream must outlive the source. A stream that fails while being read ends the records
// and shows in its state.
#pragma once
#include "modules/books/import_format.hpp"
#include "modules/books/imported_record.hpp"

#include <istream>
#include <memory>
#include <optional>
#include <string_view>

namespace lumina::books {

struct ImportOptions {
  int newest_year = 0;  // the last possible year of publication; 0: next year by the system's clock
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // Reads as far as the first line. An unreadable file gives a source of kind `unknown` whose only record is
  // a fault.
  static std::unique_ptr<RecordSource> open(std::istream& in, std::string_view file_name_or_type = {},
                                            ImportOptions options = {});

  virtual std::optional<ImportedRecord> next() = 0;
  const Format& format() const { return format_; }

 protected:
  Format format_;
};

}  // namespace lumina::books

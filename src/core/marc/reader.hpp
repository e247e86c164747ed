// Reads MARC records from a stream, one at a time, whichever way they were written down.
//
// A record that cannot be read is a Fault with its place, and reading goes on at the next one. Memory: a few
// times the size of the largest record, itself bounded. Not thread-safe; the stream must outlive the reader.
#pragma once
#include "core/marc/record.hpp"

#include <expected>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::marc {

struct ReadRecord {
  Record record;
  std::size_t number = 0, offset = 0;  // as in Fault
  std::vector<std::string> warnings;   // what was mended, as sentences
};

class RecordReader {
 public:
  using Item = std::expected<ReadRecord, Fault>;
  virtual ~RecordReader() = default;
  // Nothing at the end of the stream.
  virtual std::optional<Item> next() = 0;
};

// ISO 2709 (".mrc"). `beginning`: bytes already taken from the stream.
//
// Mended with a warning: a record length or directory that does not fit, when the separators tell the same
// number of fields; an encoding that the leader does not say or says wrongly. Records are at most 1 MiB.
std::unique_ptr<RecordReader> iso2709_reader(std::istream& in, std::string beginning = {});

// MARCXML, a collection or a lone record, also inside other elements (answers of OAI-PMH or SRU). Elements
// are known by their local names. Each record is parsed by itself, so that one that is not well-formed loses
// no other. A document type is refused, and with it every entity beyond XML's five. Records are at most 4
// MiB.
std::unique_ptr<RecordReader> marcxml_reader(std::istream& in, std::string beginning = {});

// One record's bytes, terminator included. For callers that have them whole, and for tests.
RecordReader::Item parse_iso2709(std::string_view bytes);

}  // namespace lumina::marc

// A bibliographic record as MARC 21 has it, free of any file format: a leader, control fields, data fields.
//
// Text is UTF-8 in normal form C, whatever encoding it came in. Nothing here knows what the fields mean.
// Source: MARC 21 Specifications for Record Structure, Character Sets, and Exchange Media (Library of
// Congress).
#pragma once
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::marc {

struct Subfield {
  char code = 'a';
  std::string value;
  bool operator==(const Subfield&) const = default;
};

struct Field {
  std::string tag;                  // three characters: "245"
  std::string data;                 // of a control field (00X), which has nothing else
  char first = ' ', second = ' ';   // the indicators of a data field
  std::vector<Subfield> subfields;  // of a data field, in order
  bool operator==(const Field&) const = default;

  bool is_control() const { return is_control_tag(tag); }
  static bool is_control_tag(std::string_view tag) { return tag.size() == 3 && tag.starts_with("00"); }
  // The first subfield of that code; empty without one.
  std::string_view get(char code) const;
};

struct Record {
  std::string leader = "     nam a22     uu 4500";  // 24 characters
  std::vector<Field> fields;                        // in the order of the record
  bool operator==(const Record&) const = default;

  // A place of the leader, blank beyond its end.
  char at(std::size_t place) const { return place < leader.size() ? leader[place] : ' '; }
  const Field* find(std::string_view tag) const;
  void control(std::string tag, std::string data);
  void add(std::string tag, char first, char second, std::vector<Subfield> subfields);
};

// What kept a record from being read.
struct Fault {
  std::size_t record = 0;  // its number in the file, from 1
  std::size_t offset = 0;  // of its first byte in the file, from 0
  std::string message;     // a sentence that may be shown to a client
  std::string beginning;   // its first bytes, at most 200, to show to the person who repairs the file
};

}  // namespace lumina::marc

#include "core/marc/writer.hpp"

#include "core/xml/writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lumina::marc {
namespace {

constexpr char record_end = '\x1D', field_end = '\x1E', subfield_start = '\x1F';
constexpr std::size_t leader_length = 24, most_record = 99'999, most_field = 9'999;

void append_clean(std::string_view text, std::string& out) {
  for (const char c : text) out += c == record_end || c == field_end || c == subfield_start ? ' ' : c;
}

std::string padded_leader(const Record& record) {
  std::string leader = record.leader;
  leader.resize(leader_length, ' ');
  for (char& c : leader)
    if (c < ' ' || c > '~') c = ' ';
  return leader;
}

std::string field_text(const Field& field) {
  std::string text;
  if (field.is_control()) {
    append_clean(field.data, text);
  } else {
    text += field.first;
    text += field.second;
    for (const auto& [code, value] : field.subfields) {
      text += subfield_start;
      text += code;
      append_clean(value, text);
    }
  }
  text += field_end;
  return text;
}

}  // namespace

bool write_iso2709(const Record& record, std::string& out) {
  std::string directory, data;
  for (const Field& field : record.fields) {
    const std::string text = field_text(field);
    if (text.size() > most_field || field.tag.size() != 3) return false;
    fmt::format_to(std::back_inserter(directory), "{}{:04}{:05}", field.tag, text.size(), data.size());
    data += text;
    if (data.size() > most_record) return false;
  }
  directory += field_end;
  const std::size_t base = leader_length + directory.size();
  const std::size_t length = base + data.size() + 1;
  if (length > most_record) return false;
  std::string leader = padded_leader(record);
  leader.replace(0, 5, fmt::format("{:05}", length));
  leader[9] = 'a';
  leader.replace(10, 2, "22");
  leader.replace(12, 5, fmt::format("{:05}", base));
  leader.replace(20, 4, "4500");
  out += leader;
  out += directory;
  out += data;
  out += record_end;
  return true;
}

void write_marcxml(const Record& record, xml::Writer& out, bool declared) {
  out.open("record", {{"xmlns", declared ? slim_namespace : std::string_view{}}});
  std::string leader = padded_leader(record);
  leader[9] = 'a';
  out.element("leader", leader);
  for (const Field& field : record.fields) {
    if (field.is_control()) {
      out.element("controlfield", field.data, {{"tag", field.tag}});
      continue;
    }
    out.open("datafield", {{"tag", field.tag},
                           {"ind1", std::string_view(&field.first, 1)},
                           {"ind2", std::string_view(&field.second, 1)}});
    for (const Subfield& subfield : field.subfields)
      out.element("subfield", subfield.value, {{"code", std::string_view(&subfield.code, 1)}});
    out.close();
  }
  out.close();
}

}  // namespace lumina::marc

#include "core/base/text.hpp"
#include "core/marc/marc8.hpp"
#include "core/marc/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lumina::marc {
namespace {

constexpr char record_end = '\x1D', field_end = '\x1E', subfield_start = '\x1F';
constexpr std::size_t leader_length = 24, entry_length = 12;
constexpr std::size_t most_record = std::size_t{1} << 20, chunk_bytes = std::size_t{64} << 10;

std::optional<std::size_t> number(std::string_view digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return {};
  return value;
}

Fault fault(std::string_view bytes, std::string message) {
  return {0, 0, std::move(message), std::string(bytes.substr(0, 200))};
}

// Every byte is one character of ISO 8859-1.
std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view bytes) : bytes_(bytes) {}

  RecordReader::Item parse() {
    if (bytes_.size() < leader_length + 2) return std::unexpected(fault(bytes_, "The record is too short"));
    if (bytes_.ends_with(record_end)) bytes_.remove_suffix(1);
    out_.record.leader = bytes_.substr(0, leader_length);
    for (char& c : out_.record.leader)
      if (c < ' ' || c > '~') c = ' ';
    const std::size_t directory_end = bytes_.find(field_end);
    if (directory_end == std::string_view::npos || directory_end < leader_length)
      return std::unexpected(fault(bytes_, "The record has no directory"));
    const std::string_view directory = bytes_.substr(leader_length, directory_end - leader_length);
    const auto tags = tags_of(directory);
    if (tags.empty() && !directory.empty())
      return std::unexpected(fault(bytes_, "The directory of the record is cut"));
    choose_encoding();
    const auto base = number(bytes_.substr(12, 5));
    if (!base || !by_directory(directory, *base)) {
      if (!by_separators(tags, directory_end + 1))
        return std::unexpected(fault(bytes_, "The directory of the record does not fit its fields"));
      out_.warnings.emplace_back(
          "The places in the directory were wrong; the fields were told by their ends");
    }
    if (unknown_ > 0)
      out_.warnings.push_back(fmt::format("{} characters of MARC-8 have no reading here", unknown_));
    return std::move(out_);
  }

 private:
  // The leader is believed when the bytes agree with it. Text in MARC-8 that happens to be UTF-8 is all ASCII
  // or an accident that no real text makes.
  void choose_encoding() {
    const bool says_utf8 = bytes_[9] == 'a';
    const bool ascii = std::ranges::none_of(bytes_, [](char c) { return (c & 0x80) != 0 || c == '\x1B'; });
    if (ascii) return;
    const bool is_utf8 = is_valid_utf8(bytes_);
    marc8_ = !says_utf8;
    if (!says_utf8 && is_utf8 && bytes_.find('\x1B') == std::string_view::npos) {
      marc8_ = false;
      out_.warnings.emplace_back("The leader does not say so, but the record is in UTF-8");
    }
  }

  std::string decoded(std::string_view bytes) {
    if (std::ranges::none_of(bytes, [](char c) { return (c & 0x80) != 0 || c == '\x1B'; }))
      return std::string(bytes);
    if (!marc8_) {
      if (is_valid_utf8(bytes)) return composed(bytes);
      auto guess = from_marc8(bytes);
      const bool marc8 = guess.unknown == 0;
      if (!std::exchange(warned_, true))
        out_.warnings.emplace_back(marc8 ? "Some text is not UTF-8 and was read as MARC-8"
                                         : "Some text is not UTF-8 and was read as ISO 8859-1");
      return marc8 ? std::move(guess.text) : composed(from_latin1(bytes));
    }
    auto text = from_marc8(bytes);
    unknown_ += text.unknown;
    return std::move(text.text);
  }

  // `text` without the separator at its end.
  void add(std::string_view tag, std::string_view text) {
    Field field;
    field.tag = tag;
    for (char& c : field.tag)
      if (c <= ' ' || c > '~') c = '_';
    if (field.is_control()) {
      field.data = decoded(text);
      out_.record.fields.push_back(std::move(field));
      return;
    }
    // In MARC-8 what a set ends with decides how the bytes behind it read, so the field is decoded whole.
    const std::string whole = marc8_ ? decoded(text) : std::string(text);
    std::string_view rest = whole;
    const std::size_t first = std::min(rest.find(subfield_start), rest.size());
    const std::string_view indicators = rest.substr(0, first);
    if (!indicators.empty()) field.first = indicators[0];
    if (indicators.size() > 1) field.second = indicators[1];
    for (char* indicator : {&field.first, &field.second})
      if (*indicator < ' ' || *indicator > '~') *indicator = ' ';
    rest.remove_prefix(first);
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::size_t end = std::min(rest.find(subfield_start), rest.size());
      const std::string_view part = rest.substr(0, end);
      if (!part.empty() && part.front() > ' ' && part.front() <= '~')
        field.subfields.push_back(
            {part.front(), marc8_ ? std::string(part.substr(1)) : decoded(part.substr(1))});
      rest.remove_prefix(end);
    }
    out_.record.fields.push_back(std::move(field));
  }

  // The tags of the directory, in order. Entries are twelve digits; of a record over 99,999 bytes, which ISO
  // 2709 does not know and some systems write, thirteen from where the places need six. Empty when neither
  // fits.
  static std::vector<std::string_view> tags_of(std::string_view directory) {
    std::vector<std::string_view> tags;
    std::size_t end = 0;  // of the fields so far
    const bool regular = directory.size() % entry_length == 0;
    while (!directory.empty()) {
      const std::size_t length = !regular && end > 99'999 ? entry_length + 1 : entry_length;
      if (directory.size() < length) return {};
      tags.push_back(directory.substr(0, 3));
      if (!regular) {
        const auto size = number(directory.substr(3, 4));
        if (!size || number(directory.substr(7, length - 7)) != end) return {};
        end += *size;
      }
      directory.remove_prefix(length);
    }
    return tags;
  }

  bool by_directory(std::string_view directory, std::size_t base) {
    if (base < leader_length || directory.size() % entry_length != 0 || base > bytes_.size()) return false;
    const std::string_view data = bytes_.substr(base);
    struct Place {
      std::string_view tag, text;
    };
    std::vector<Place> places;
    std::size_t total = 0;
    for (; !directory.empty(); directory.remove_prefix(entry_length)) {
      const auto length = number(directory.substr(3, 4)), start = number(directory.substr(7, 5));
      if (!length || !start || *length == 0 || *start + *length > data.size()) return false;
      // Fields that lie over each other would be read once for every entry.
      total += *length;
      if (total > data.size()) return false;
      const std::string_view text = data.substr(*start, *length);
      if (text.find(field_end) != text.size() - 1) return false;
      places.push_back({directory.substr(0, 3), text.substr(0, text.size() - 1)});
    }
    for (const Place& place : places) add(place.tag, place.text);
    return true;
  }

  bool by_separators(const std::vector<std::string_view>& tags, std::size_t begin) {
    std::vector<std::string_view> texts;
    std::string_view rest = bytes_.substr(begin);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(field_end), rest.size());
      texts.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (texts.size() != tags.size()) return false;
    for (std::size_t i = 0; i < texts.size(); ++i) add(tags[i], texts[i]);
    return true;
  }

  std::string_view bytes_;
  ReadRecord out_;
  bool marc8_ = false, warned_ = false;
  std::size_t unknown_ = 0;
};

class Iso2709Reader final : public RecordReader {
 public:
  Iso2709Reader(std::istream& in, std::string beginning) : in_(in), buffer_(std::move(beginning)) {}

  std::optional<Item> next() override {
    skip_filling();
    if (!have(1)) return {};
    ++number_;
    std::size_t length = find_end();
    if (length == 0) {  // no end in sight
      const bool cut = ended_;
      auto item = refused(cut ? "The record is cut off" : "The record is longer than 1 MiB");
      if (cut)
        drop(buffer_.size());
      else
        skip_record();
      return item;
    }
    const std::string bytes = buffer_.substr(0, length);
    const auto said = marc::number(std::string_view(bytes).substr(0, std::min<std::size_t>(5, length)));
    const std::size_t offset = offset_;
    drop(length);
    auto item = parse_iso2709(bytes);
    if (!item) {
      item.error().record = number_;
      item.error().offset = offset;
      return item;
    }
    item->number = number_;
    item->offset = offset;
    if (said != length) item->warnings.insert(item->warnings.begin(), "The length in the leader is wrong");
    return item;
  }

 private:
  bool have(std::size_t bytes) {
    while (buffer_.size() < bytes && !ended_) {
      std::string chunk(chunk_bytes, '\0');
      in_.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      chunk.resize(static_cast<std::size_t>(in_.gcount()));
      ended_ = chunk.empty();
      buffer_ += chunk;
    }
    return buffer_.size() >= bytes;
  }
  void drop(std::size_t bytes) {
    offset_ += bytes;
    buffer_.erase(0, bytes);
  }
  // Line ends and padding between records, and a byte order mark.
  void skip_filling() {
    if (offset_ == 0 && have(3) && buffer_.starts_with("\xEF\xBB\xBF")) drop(3);
    while (have(1)) {
      const std::size_t first = buffer_.find_first_not_of(std::string_view("\r\n\t \0\x1A", 6));
      drop(std::min(first, buffer_.size()));
      if (first != std::string::npos) return;
    }
  }
  // The length that the leader says, when a record ends there; else to the first end of a record. 0: none.
  std::size_t find_end() {
    if (have(5)) {
      const auto said = marc::number(std::string_view(buffer_).substr(0, 5));
      if (said && *said > leader_length && have(*said) && buffer_[*said - 1] == record_end) return *said;
    }
    std::size_t searched = 0;
    while (searched < most_record) {
      const std::size_t end = buffer_.find(record_end, searched);
      if (end != std::string::npos) return end + 1;
      searched = buffer_.size();
      if (!have(searched + 1)) return 0;
    }
    return 0;
  }
  void skip_record() {
    while (have(1)) {
      const std::size_t end = buffer_.find(record_end);
      drop(end == std::string::npos ? buffer_.size() : end + 1);
      if (end != std::string::npos) return;
    }
  }
  Item refused(std::string message) const {
    Fault f = fault(buffer_, std::move(message));
    f.record = number_;
    f.offset = offset_;
    return std::unexpected(std::move(f));
  }

  std::istream& in_;
  std::string buffer_;
  std::size_t offset_ = 0, number_ = 0;
  bool ended_ = false;
};

}  // namespace

RecordReader::Item parse_iso2709(std::string_view bytes) { return Parser(bytes).parse(); }

std::unique_ptr<RecordReader> iso2709_reader(std::istream& in, std::string beginning) {
  return std::make_unique<Iso2709Reader>(in, std::move(beginning));
}

}  // namespace lumina::marc

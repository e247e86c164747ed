#include "core/marc/marc8.hpp"

#include "core/marc/marc8_tables.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace lumina::marc {
namespace {

constexpr unsigned char escape = 0x1B;
constexpr char32_t unknown_character = 0xFFFD;

// What is designated into one half of the code space. `table` is null for Basic Latin.
struct Designation {
  const Set* table = nullptr;
  bool wide = false;  // EACC: three bytes a character
};

const Set* set_of(char final) {
  switch (final) {
    case 'S':
      return &basic_greek;
    case '2':
      return &basic_hebrew;
    case '3':
      return &basic_arabic;
    case '4':
      return &extended_arabic;
    case 'N':
      return &basic_cyrillic;
    case 'Q':
      return &extended_cyrillic;
    case 'E':
      return &extended_latin;
    default:
      return nullptr;
  }
}

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  FromMarc8 decode() {
    while (at_ < bytes_.size()) {
      const auto byte = static_cast<unsigned char>(bytes_[at_]);
      if (byte == escape) {
        designate();
      } else if (byte < 0x20 || byte == 0x7F) {
        if (byte == 0x1E || byte == 0x1F) low_ = {}, high_ = {&extended_latin};
        ++at_;
        flush();  // a mark without a letter stays where it stood
        put(byte);
      } else if (byte == 0x20) {
        ++at_;
        put(byte);
      } else if (byte < 0x80) {
        graphic(low_, byte);
      } else if (byte < 0xA0) {
        ++at_;
        control(byte);
      } else {
        graphic(high_, byte & 0x7F);
      }
    }
    flush();
    out_.text.clear();
    text_.toUTF8String(out_.text);
    out_.text = composed(out_.text);
    return std::move(out_);
  }

 private:
  char ahead(std::size_t n) const { return at_ + n < bytes_.size() ? bytes_[at_ + n] : '\0'; }

  // Reads an escape sequence. One that means nothing is passed over, its first byte at least.
  void designate() {
    const char kind = ahead(1);
    switch (kind) {
      case 'g':
        low_ = {&greek_symbols}, at_ += 2;
        return;
      case 'b':
        low_ = {&subscripts}, at_ += 2;
        return;
      case 'p':
        low_ = {&superscripts}, at_ += 2;
        return;
      case 's':
        low_ = {}, at_ += 2;
        return;
      case '$': {
        const char next = ahead(2);
        const bool intermediate = next == ',' || next == ')' || next == '-';
        if (ahead(intermediate ? 3 : 2) != '1') break;
        (next == ')' || next == '-' ? high_ : low_) = {nullptr, true};
        at_ += intermediate ? 4 : 3;
        return;
      }
      case '(':
      case ',':
      case ')':
      case '-': {
        const std::size_t place = ahead(2) == '!' ? 3 : 2;
        const char final = ahead(place);
        const Set* set = set_of(final);
        if (!set && final != 'B') break;
        (kind == '(' || kind == ',' ? low_ : high_) = {set};
        at_ += place + 1;
        return;
      }
      default:
        break;
    }
    ++at_;
    ++out_.unknown;
  }

  void graphic(const Designation& half, unsigned char position) {
    if (half.wide) {
      at_ += at_ + 3 <= bytes_.size() ? 3 : bytes_.size() - at_;
      put_unknown();
      return;
    }
    ++at_;
    if (!half.table) return put(position);
    // The right halves of marks over two letters: said by the left ones.
    if (half.table == &extended_latin && (position == 0x6C || position == 0x7B)) return;
    const char32_t c = (*half.table)[position - 0x20U];
    if (c == 0) return put_unknown();
    if (u_charType(static_cast<UChar32>(c)) == U_NON_SPACING_MARK && c != 0x0670) {
      marks_.append(static_cast<UChar32>(c));
      return;
    }
    put(c);
  }

  // 88 and 89 enclose what is not sorted, which is no part of the text.
  void control(unsigned char byte) {
    if (byte == 0x8D) return put(0x200D);
    if (byte == 0x8E) return put(0x200C);
    if (byte != 0x88 && byte != 0x89) put_unknown();
  }

  void put_unknown() {
    ++out_.unknown;
    put(unknown_character);
  }
  void put(char32_t c) {
    text_.append(static_cast<UChar32>(c));
    flush();
  }
  void flush() {
    text_.append(marks_);
    marks_.remove();
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  Designation low_{}, high_{&extended_latin};
  icu::UnicodeString text_, marks_;
  FromMarc8 out_;
};

}  // namespace

FromMarc8 from_marc8(std::string_view bytes) { return Decoder(bytes).decode(); }

std::string composed(std::string_view utf8) {
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfc = icu::Normalizer2::getNFCInstance(error);
  const auto text = icu::UnicodeString::fromUTF8({utf8.data(), static_cast<std::int32_t>(utf8.size())});
  const auto normal = nfc->normalize(text, error);
  if (U_FAILURE(error)) return std::string(utf8);
  std::string out;
  normal.toUTF8String(out);
  return out;
}

}  // namespace lumina::marc

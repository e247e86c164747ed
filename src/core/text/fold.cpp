#include "core/text/fold.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <stdexcept>

namespace lumina::text {
namespace {

struct Normalizers {
  const icu::Normalizer2* casefold;
  const icu::Normalizer2* decompose;
  const icu::Normalizer2* compose;
};

const Normalizers& normalizers() {
  static const Normalizers all = [] {
    UErrorCode status = U_ZERO_ERROR;
    Normalizers n{icu::Normalizer2::getNFKCCasefoldInstance(status), icu::Normalizer2::getNFDInstance(status),
                  icu::Normalizer2::getNFCInstance(status)};
    if (U_FAILURE(status))
      throw std::runtime_error(std::string("ICU has no normalizer: ") + u_errorName(status));
    return n;
  }();
  return all;
}

// A mark that decorates the letter before it and may go; false for marks that are letters of their script.
bool is_diacritic(UChar32 c) {
  if (c < 0x300) return false;
  if (c <= 0x36F) return true;
  if (c == 0x3099 || c == 0x309A || u_charType(c) != U_NON_SPACING_MARK) return false;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(c, &status)) {
    case USCRIPT_INHERITED:
    case USCRIPT_HEBREW:
    case USCRIPT_ARABIC:
    case USCRIPT_CYRILLIC:
    case USCRIPT_GREEK:
    case USCRIPT_LATIN:
      return true;
    default:
      return false;
  }
}

// Letters whose stroke or ligature Unicode does not decompose. Lower case only: folding came first.
std::u16string_view plain(UChar32 c) {
  switch (c) {
    case 0xE6:
      return u"ae";  // æ
    case 0x153:
      return u"oe";  // œ
    case 0xF8:
      return u"o";  // ø
    case 0x142:
      return u"l";  // ł
    case 0x111:
      return u"d";  // đ
    case 0xF0:
      return u"d";  // ð
    case 0xFE:
      return u"th";  // þ
    case 0x127:
      return u"h";  // ħ
    case 0x131:
      return u"i";  // ı
    case 0x167:
      return u"t";  // ŧ
    case 0x180:
      return u"b";  // ƀ
    case 0x1E5:
      return u"g";  // ǥ
    case 0x2018:
    case 0x2019:
    case 0x2BC:
      return u"'";
    default:
      return {};
  }
}

void fold_foreign(std::string_view run, std::string& out) {
  UErrorCode status = U_ZERO_ERROR;
  auto source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(run.data(), static_cast<std::int32_t>(run.size())));
  icu::UnicodeString folded;
  icu::UnicodeString apart;
  normalizers().casefold->normalize(source, folded, status);
  normalizers().decompose->normalize(folded, apart, status);
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < apart.length();) {
    const UChar32 c = apart.char32At(i);
    i += U16_LENGTH(c);
    if (is_diacritic(c)) continue;
    if (const auto letters = plain(c); !letters.empty()) {
      kept.append(letters.data(), static_cast<std::int32_t>(letters.size()));
    } else {
      kept.append(c);
    }
  }
  icu::UnicodeString result;
  normalizers().compose->normalize(kept, result, status);
  if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU cannot fold: ") + u_errorName(status));
  result.toUTF8String(out);
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

void fold_into(std::string_view utf8, std::string& out) {
  std::size_t at = 0;
  while (at < utf8.size()) {
    std::size_t end = at;
    if (is_ascii(utf8[at])) {
      while (end < utf8.size() && is_ascii(utf8[end])) ++end;
      const std::size_t before = out.size();
      out.append(utf8.substr(at, end - at));
      for (std::size_t i = before; i < out.size(); ++i) {
        out[i] = static_cast<char>(out[i] | (out[i] >= 'A' && out[i] <= 'Z' ? 0x20 : 0));
      }
    } else {
      // ICU counts in 32 bits; a run is cut far below that, before a byte that begins a character.
      constexpr std::size_t longest = 1 << 24;
      while (end < utf8.size() && !is_ascii(utf8[end]) &&
             (end - at < longest || (static_cast<unsigned char>(utf8[end]) & 0xC0U) == 0x80U)) {
        ++end;
      }
      fold_foreign(utf8.substr(at, end - at), out);
    }
    at = end;
  }
}

std::string fold(std::string_view utf8) {
  std::string out;
  fold_into(utf8, out);
  return out;
}

}  // namespace lumina::text

#include "core/text/language_tag.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace lumina::text {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// ISO 639-2 (bibliographic and terminologic codes) and some of 639-3 to ISO 639-1, sorted by the first.
constexpr auto two_letter_codes = std::to_array<Pair>({
    {"aar", "aa"}, {"abk", "ab"}, {"afr", "af"}, {"aka", "ak"}, {"alb", "sq"}, {"amh", "am"}, {"ara", "ar"},
    {"arb", "ar"}, {"arg", "an"}, {"arm", "hy"}, {"asm", "as"}, {"ava", "av"}, {"ave", "ae"}, {"aym", "ay"},
    {"aze", "az"}, {"bak", "ba"}, {"bam", "bm"}, {"baq", "eu"}, {"bel", "be"}, {"ben", "bn"}, {"bis", "bi"},
    {"bod", "bo"}, {"bos", "bs"}, {"bre", "br"}, {"bul", "bg"}, {"bur", "my"}, {"cat", "ca"}, {"ces", "cs"},
    {"cha", "ch"}, {"che", "ce"}, {"chi", "zh"}, {"chu", "cu"}, {"chv", "cv"}, {"cmn", "zh"}, {"cor", "kw"},
    {"cos", "co"}, {"cre", "cr"}, {"cym", "cy"}, {"cze", "cs"}, {"dan", "da"}, {"deu", "de"}, {"div", "dv"},
    {"dut", "nl"}, {"dzo", "dz"}, {"ell", "el"}, {"eng", "en"}, {"epo", "eo"}, {"est", "et"}, {"eus", "eu"},
    {"ewe", "ee"}, {"fao", "fo"}, {"fas", "fa"}, {"fij", "fj"}, {"fin", "fi"}, {"fra", "fr"}, {"fre", "fr"},
    {"fry", "fy"}, {"ful", "ff"}, {"geo", "ka"}, {"ger", "de"}, {"gla", "gd"}, {"gle", "ga"}, {"glg", "gl"},
    {"glv", "gv"}, {"gre", "el"}, {"grn", "gn"}, {"guj", "gu"}, {"hat", "ht"}, {"hau", "ha"}, {"hbs", "sh"},
    {"heb", "he"}, {"her", "hz"}, {"hin", "hi"}, {"hmo", "ho"}, {"hrv", "hr"}, {"hun", "hu"}, {"hye", "hy"},
    {"ibo", "ig"}, {"ice", "is"}, {"ido", "io"}, {"iii", "ii"}, {"iku", "iu"}, {"ile", "ie"}, {"ina", "ia"},
    {"ind", "id"}, {"ipk", "ik"}, {"isl", "is"}, {"ita", "it"}, {"jav", "jv"}, {"jpn", "ja"}, {"kal", "kl"},
    {"kan", "kn"}, {"kas", "ks"}, {"kat", "ka"}, {"kau", "kr"}, {"kaz", "kk"}, {"khm", "km"}, {"kik", "ki"},
    {"kin", "rw"}, {"kir", "ky"}, {"kom", "kv"}, {"kon", "kg"}, {"kor", "ko"}, {"kua", "kj"}, {"kur", "ku"},
    {"lao", "lo"}, {"lat", "la"}, {"lav", "lv"}, {"lim", "li"}, {"lin", "ln"}, {"lit", "lt"}, {"ltz", "lb"},
    {"lub", "lu"}, {"lug", "lg"}, {"mac", "mk"}, {"mah", "mh"}, {"mal", "ml"}, {"mao", "mi"}, {"mar", "mr"},
    {"may", "ms"}, {"mkd", "mk"}, {"mlg", "mg"}, {"mlt", "mt"}, {"mon", "mn"}, {"mri", "mi"}, {"msa", "ms"},
    {"mya", "my"}, {"nau", "na"}, {"nav", "nv"}, {"nbl", "nr"}, {"nde", "nd"}, {"ndo", "ng"}, {"nep", "ne"},
    {"nld", "nl"}, {"nno", "nn"}, {"nob", "nb"}, {"nor", "no"}, {"nya", "ny"}, {"oci", "oc"}, {"oji", "oj"},
    {"ori", "or"}, {"orm", "om"}, {"oss", "os"}, {"pan", "pa"}, {"per", "fa"}, {"pli", "pi"}, {"pol", "pl"},
    {"por", "pt"}, {"pus", "ps"}, {"que", "qu"}, {"roh", "rm"}, {"ron", "ro"}, {"rum", "ro"}, {"run", "rn"},
    {"rus", "ru"}, {"sag", "sg"}, {"san", "sa"}, {"scr", "hr"}, {"scc", "sr"}, {"sin", "si"}, {"slk", "sk"},
    {"slo", "sk"}, {"slv", "sl"}, {"sme", "se"}, {"smo", "sm"}, {"sna", "sn"}, {"snd", "sd"}, {"som", "so"},
    {"sot", "st"}, {"spa", "es"}, {"sqi", "sq"}, {"srd", "sc"}, {"srp", "sr"}, {"ssw", "ss"}, {"sun", "su"},
    {"swa", "sw"}, {"swe", "sv"}, {"tah", "ty"}, {"tam", "ta"}, {"tat", "tt"}, {"tel", "te"}, {"tgk", "tg"},
    {"tgl", "tl"}, {"tha", "th"}, {"tib", "bo"}, {"tir", "ti"}, {"ton", "to"}, {"tsn", "tn"}, {"tso", "ts"},
    {"tuk", "tk"}, {"tur", "tr"}, {"twi", "tw"}, {"uig", "ug"}, {"ukr", "uk"}, {"urd", "ur"}, {"uzb", "uz"},
    {"ven", "ve"}, {"vie", "vi"}, {"vol", "vo"}, {"wel", "cy"}, {"wln", "wa"}, {"wol", "wo"}, {"xho", "xh"},
    {"yid", "yi"}, {"yor", "yo"}, {"zha", "za"}, {"zho", "zh"}, {"zul", "zu"},
});

// RFC 5646 section 2.1, `irregular` and `regular`, with what the registry prefers to them.
constexpr auto grandfathered = std::to_array<Pair>({
    {"art-lojban", "jbo"},
    {"cel-gaulish", "cel-gaulish"},
    {"en-gb-oed", "en-GB-oxendict"},
    {"i-ami", "ami"},
    {"i-bnn", "bnn"},
    {"i-default", "i-default"},
    {"i-enochian", "i-enochian"},
    {"i-hak", "hak"},
    {"i-klingon", "tlh"},
    {"i-lux", "lb"},
    {"i-mingo", "i-mingo"},
    {"i-navajo", "nv"},
    {"i-pwn", "pwn"},
    {"i-tao", "tao"},
    {"i-tay", "tay"},
    {"i-tsu", "tsu"},
    {"no-bok", "nb"},
    {"no-nyn", "nn"},
    {"sgn-be-fr", "sfb"},
    {"sgn-be-nl", "vgt"},
    {"sgn-ch-de", "sgg"},
    {"zh-guoyu", "zh"},
    {"zh-hakka", "hak"},
    {"zh-min", "zh-min"},
    {"zh-min-nan", "nan"},
    {"zh-xiang", "hsn"},
});

constexpr auto language_names = std::to_array<Pair>({
    {"english", "en"},
    {"french", "fr"},
    {"german", "de"},
    {"spanish", "es"},
    {"italian", "it"},
    {"portuguese", "pt"},
    {"dutch", "nl"},
    {"swedish", "sv"},
    {"norwegian", "no"},
    {"danish", "da"},
    {"finnish", "fi"},
    {"icelandic", "is"},
    {"polish", "pl"},
    {"czech", "cs"},
    {"slovak", "sk"},
    {"hungarian", "hu"},
    {"romanian", "ro"},
    {"bulgarian", "bg"},
    {"greek", "el"},
    {"russian", "ru"},
    {"ukrainian", "uk"},
    {"serbian", "sr"},
    {"croatian", "hr"},
    {"slovenian", "sl"},
    {"turkish", "tr"},
    {"arabic", "ar"},
    {"hebrew", "he"},
    {"persian", "fa"},
    {"farsi", "fa"},
    {"hindi", "hi"},
    {"bengali", "bn"},
    {"urdu", "ur"},
    {"tamil", "ta"},
    {"telugu", "te"},
    {"chinese", "zh"},
    {"japanese", "ja"},
    {"korean", "ko"},
    {"vietnamese", "vi"},
    {"thai", "th"},
    {"indonesian", "id"},
    {"malay", "ms"},
    {"tagalog", "tl"},
    {"filipino", "fil"},
    {"latin", "la"},
    {"esperanto", "eo"},
    {"welsh", "cy"},
    {"irish", "ga"},
    {"catalan", "ca"},
    {"basque", "eu"},
    {"galician", "gl"},
    {"afrikaans", "af"},
    {"swahili", "sw"},
    {"estonian", "et"},
    {"latvian", "lv"},
    {"lithuanian", "lt"},
    {"francais", "fr"},
    {"fran\xC3\xA7"
     "ais",
     "fr"},
    {"deutsch", "de"},
    {"espanol", "es"},
    {"espa\xC3\xB1ol", "es"},
    {"italiano", "it"},
    {"nederlands", "nl"},
    {"svenska", "sv"},
    {"norsk", "no"},
    {"dansk", "da"},
    {"suomi", "fi"},
    {"polski", "pl"},
    {"magyar", "hu"},
    {"portugu\xC3\xAAs", "pt"},
});

constexpr std::array<std::string_view, 4> unknown_languages = {"und", "mul", "zxx", "mis"};

template <std::size_t N>
std::string_view look_up(const std::array<Pair, N>& table, std::string_view key) {
  const auto found = std::ranges::find(table, key, &Pair::first);
  return found == table.end() ? std::string_view{} : found->second;
}

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool letters(std::string_view s) { return std::ranges::all_of(s, is_letter); }
bool digits(std::string_view s) { return std::ranges::all_of(s, is_digit); }
bool alphanumeric(std::string_view s) {
  return std::ranges::all_of(s, [](char c) { return is_letter(c) || is_digit(c); });
}

std::vector<std::string_view> subtags_of(std::string_view tag) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t hyphen = std::min(tag.find('-'), tag.size());
    parts.push_back(tag.substr(0, hyphen));
    if (hyphen == tag.size()) return parts;
    tag.remove_prefix(hyphen + 1);
  }
}

// One pass over the lower-case subtags in the order of the grammar, writing the canonical case.
class TagParser {
 public:
  explicit TagParser(std::string_view lower_tag) : parts_(subtags_of(lower_tag)) {}

  std::optional<std::string> parse() {
    const bool usual = std::ranges::all_of(
        parts_, [](std::string_view p) { return !p.empty() && p.size() <= 8 && alphanumeric(p); });
    if (!usual) return {};
    if (parts_[0] == "x") return take_private_use() && done() ? std::optional(out_) : std::nullopt;
    if (!take_language()) return {};
    take_extended_language();
    if (at([](std::string_view p) { return p.size() == 4 && letters(p); })) {
      append(std::string(1, static_cast<char>(parts_[next_][0] - 'a' + 'A')).append(parts_[next_].substr(1)));
    }
    if (at([](std::string_view p) {
          return (p.size() == 2 && letters(p)) || (p.size() == 3 && digits(p));
        })) {
      std::string region(parts_[next_]);
      std::ranges::for_each(region, [](char& c) { c = is_letter(c) ? static_cast<char>(c - 'a' + 'A') : c; });
      append(region);
    }
    if (!take_variants() || !take_extensions()) return {};
    if (!done() && !take_private_use()) return {};
    return done() ? std::optional(out_) : std::nullopt;
  }

 private:
  bool done() const { return next_ == parts_.size(); }
  template <class Test>
  bool at(Test test) const {
    return !done() && test(parts_[next_]);
  }
  void append(std::string_view subtag) {
    if (next_ != 0) out_ += '-';
    out_ += subtag;
    ++next_;
  }

  bool take_language() {
    const std::string_view language = parts_[0];
    if (!letters(language) || language.size() < 2 || language.size() > 3) return false;
    const std::string_view shorter = look_up(two_letter_codes, language);
    append(shorter.empty() ? language : shorter);
    return true;
  }

  // zh-yue is yue: an extended language is a language of its own (RFC 5646 section 4.5). The grammar
  // reserves a second and third one and gives them no meaning.
  void take_extended_language() {
    const auto is_extended = [](std::string_view p) { return p.size() == 3 && letters(p); };
    if (!at(is_extended)) return;
    const std::string_view shorter = look_up(two_letter_codes, parts_[next_]);
    out_ = shorter.empty() ? parts_[next_] : shorter;
    ++next_;
  }

  bool take_variants() {
    std::vector<std::string_view> seen;
    while (at([](std::string_view p) { return p.size() >= 5 || (p.size() == 4 && is_digit(p[0])); })) {
      if (std::ranges::find(seen, parts_[next_]) != seen.end()) return false;
      seen.push_back(parts_[next_]);
      append(parts_[next_]);
    }
    return true;
  }

  bool take_extensions() {
    std::string seen;
    while (at([](std::string_view p) { return p.size() == 1 && p != "x"; })) {
      if (seen.contains(parts_[next_][0])) return false;
      seen += parts_[next_][0];
      append(parts_[next_]);
      const std::size_t first = next_;
      while (at([](std::string_view p) { return p.size() >= 2; })) append(parts_[next_]);
      if (next_ == first) return false;
    }
    return true;
  }

  bool take_private_use() {
    if (parts_[next_] != "x" || next_ + 1 == parts_.size()) return false;
    while (!done()) append(parts_[next_]);
    return true;
  }

  std::vector<std::string_view> parts_;
  std::size_t next_ = 0;
  std::string out_;
};

constexpr std::size_t longest_tag = 35;

}  // namespace

std::optional<std::string> parse_language_tag(std::string_view text) {
  if (text.empty() || text.size() > longest_tag) return {};
  const std::string lower = ascii_lower(text);
  if (const std::string_view preferred = look_up(grandfathered, lower); !preferred.empty()) {
    return std::string(preferred);
  }
  return TagParser(lower).parse();
}

std::optional<std::string> parse_imported_language(std::string_view text) {
  std::string_view first = trim(text.substr(0, text.find_first_of(",;|/")));
  std::string lower = ascii_lower(first);
  std::ranges::replace(lower, '_', '-');
  if (std::ranges::find(unknown_languages, lower) != unknown_languages.end()) return {};
  if (const std::string_view code = look_up(language_names, lower); !code.empty()) return std::string(code);
  return parse_language_tag(lower);
}

}  // namespace lumina::text

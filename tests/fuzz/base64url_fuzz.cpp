// libFuzzer target: the strict decoders accept exactly what their encoders write, and every encoder's output
// decodes.
#include "core/base/text.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace lumina;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  if (const auto bytes = base64url_decode(input)) require(base64url_encode(*bytes) == input);
  if (const auto bytes = base64_decode(input)) require(base64_encode(*bytes) == input);
  if (const auto bytes = hex_decode(input)) require(hex_encode(*bytes) == ascii_lower(input));
  require(base64url_decode(base64url_encode(input)) == input);
  require(base64_decode(base64_encode(input)) == input);
  require(hex_decode(hex_encode(input)) == input);
  require(percent_decode(percent_encode(input)) == input);
  if (const auto bytes = percent_decode(input, Plus::space)) require(bytes->size() <= size);

  const std::size_t length = utf8_length(input);
  require(length <= size);
  require(utf8_prefix(input, length) == input);
  require(utf8_length(utf8_prefix(input, length / 2)) == length / 2);
  require(trim(trim(input)) == trim(input));
  if (is_valid_utf8(input)) {
    require(is_valid_utf8(trim(input)));
    require(is_valid_utf8(utf8_prefix(input, length / 2)));
  }
  return 0;
}

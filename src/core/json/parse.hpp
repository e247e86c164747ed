// Strict parsing of JSON text into a tree, for the codec and for free-form input.
#pragma once
#include "core/base/error.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace lumina::json {

struct Parsed {
  boost::json::value value;
  std::vector<std::string> duplicates;  // members that came twice in one object
};

// RFC 8259, UTF-8 only, no lone surrogates, depth at most 32. Error kind: malformed, with the offset of the
// fault.
Result<Parsed> parse(std::string_view text);

}  // namespace lumina::json

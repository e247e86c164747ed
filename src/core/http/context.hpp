// One request on its way through a handler: what extractors read and answers use.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/error.hpp"
#include "core/base/page.hpp"
#include "core/http/message.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::http {

struct Route;

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Context {
  const Head* head = nullptr;  // of the request: known before its body was read
  Request* request = nullptr;
  const Route* route = nullptr;
  Caller caller;
  std::array<std::string_view, 4> path_values{};  // into request->head.target
  std::size_t next_path_value = 0;
  Pairs query;  // decoded, in order
  PageRequest page;
  std::vector<std::size_t> members;  // of the answer that ?fields= asks for; empty: all
  std::string fields;                // that parameter, for links to other pages
  bool uncached = false;           // the answer is for this request alone: neither kept nor taken from memory
  std::vector<FieldError> errors;  // of every extractor, answered together
  std::optional<Error> refusal;    // what ends the request by itself: malformed, unsupported media
};

// application/x-www-form-urlencoded text as pairs; a fault when a '%' is not followed by two digits.
std::optional<Pairs> parse_form(std::string_view text);

}  // namespace lumina::http

// The query of a smart list, read.
#pragma once
#include "core/base/error.hpp"
#include "modules/books/model.hpp"

#include <string_view>

namespace lumina::lists {

// From a JSON object of up to 4000 bytes; invalid with the place of every fault.
Result<books::BookFilter> filter_of(std::string_view query);

}  // namespace lumina::lists

// ?metadata.lang=eng on a route that takes BookFilter: the same as ?metadata={"lang":"eng"}.
#pragma once
#include "core/http/route.hpp"

namespace lumina::books {

http::Route with_metadata_filter(http::Route route);

}  // namespace lumina::books

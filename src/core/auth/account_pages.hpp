// The pages to which mails lead: /reset-password and /confirm-email.
//
// Each is whole by itself: its style and its script come from this server, and nothing else is allowed in.
// The token stands behind the '#' of the address, so no server and no proxy sees it; the script takes it out
// of the address, and sends it to the API when the person presses the button. Opening the page uses nothing
// up, for mail scanners open links too. Addresses in the pages are relative, so a proxy may serve the library
// under a path.
#pragma once
#include "core/http/route.hpp"

#include <vector>

namespace lumina::auth {

std::vector<http::Route> account_page_routes();

}  // namespace lumina::auth

// The API of notices: /notifications.
#pragma once
#include "core/http/route.hpp"
#include "modules/notices/service.hpp"

#include <vector>

namespace lumina::notices {

std::vector<http::Route> notice_routes(NoticeService& notices);

}  // namespace lumina::notices

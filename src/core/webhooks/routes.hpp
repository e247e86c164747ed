// The API of webhooks, for administrators.
#pragma once
#include "core/http/route.hpp"
#include "core/webhooks/service.hpp"

#include <vector>

namespace lumina::webhooks {

std::vector<http::Route> webhook_routes(WebhookService& webhooks);

}  // namespace lumina::webhooks

// The API of reviews and their sentiment.
#pragma once
#include "core/cache/body_cache.hpp"
#include "core/http/route.hpp"
#include "modules/reviews/moderation_service.hpp"
#include "modules/reviews/service.hpp"
#include "modules/reviews/unusual_service.hpp"

#include <vector>

namespace lumina::reviews {

std::vector<http::Route> review_routes(ReviewService& reviews, ModerationService& moderation,
                                       UnusualService& unusual, cache::BodyCache& cache, const Clock& clock);

}  // namespace lumina::reviews

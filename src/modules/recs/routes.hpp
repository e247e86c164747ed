// The API of recommendations.
#pragma once
#include "core/http/expand.hpp"
#include "core/http/route.hpp"
#include "modules/recs/service.hpp"
#include "modules/recs/training.hpp"

#include <string>
#include <vector>

namespace lumina::recs {

std::vector<http::Route> recommendation_routes(RecommendationService& lists, TrainingService& training);

// For GET /books/{id}?expand=similar, and the dashboard.
http::Expansion similar_expansion(RecommendationService& lists);
Task<Result<std::string>> for_the_dashboard(RecommendationService& lists, Caller by);

}  // namespace lumina::recs

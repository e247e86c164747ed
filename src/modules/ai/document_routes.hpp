// Routes of documents and of questions about them.
#pragma once
#include "core/http/route.hpp"
#include "modules/ai/document_service.hpp"
#include "modules/ai/qa_service.hpp"

#include <vector>

namespace lumina::ai {

std::vector<http::Route> document_routes(DocumentService& documents);
std::vector<http::Route> qa_routes(QaService& questions);

}  // namespace lumina::ai

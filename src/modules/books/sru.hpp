// SRU: other systems search the catalogue in CQL and get MARCXML or Dublin Core. Versions 1.1, 1.2 and 2.0,
// operations explain and searchRetrieve.
//
// Indexes: cql.serverChoice (title and author), dc.title, dc.creator, dc.subject, dc.publisher, dc.language,
// dc.date, bath.isbn, rec.identifier. Faults of the request are diagnostics in the document. Source: SRU 1.2
// (Library of Congress), searchRetrieve 1.0 part 3: SRU 2.0 (OASIS).
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"

#include <string>
#include <utility>
#include <vector>

namespace lumina::books {

struct SruRequest {
  std::vector<std::pair<std::string, std::string>> parameters;  // as given, decoded
  std::string host, port;                                       // of the service, for explain
};

Task<Result<std::string>> sru_answer(db::Database& database, SruRequest request);

}  // namespace lumina::books

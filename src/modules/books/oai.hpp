// OAI-PMH 2.0: other libraries harvest the catalogue. All six verbs, oai_dc and marc21, deleted records kept.
//
// A harvest walks the books in the order of their last change; a resumption token is a place in that order
// and says the rest of the request, so it costs nothing to keep, never expires, and a book that changes
// meanwhile comes (once more) at its new place: none is lost. Times are whole seconds. Source:
// openarchives.org/OAI/openarchivesprotocol.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"

#include <string>
#include <utility>
#include <vector>

namespace lumina::books {

struct OaiRequest {
  std::vector<std::pair<std::string, std::string>> arguments;  // as given, decoded
  std::string address;  // of the service: "https://library.example/oai"
  Timestamp now;
};

// The XML document. Faults of the request are errors of the protocol, in the document.
Task<Result<std::string>> oai_answer(db::Database& database, OaiRequest request);

}  // namespace lumina::books

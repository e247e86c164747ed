// Rows that take no body say so when they get one, instead of doing their work past it: what the client meant
// would be lost without a word.
#pragma once
#include "core/http/route.hpp"

namespace lumina::http {

// Whether the row changes something and declares no body.
bool takes_no_body(const Route& row);
// From then on an empty body and {} pass; malformed JSON is 400, an object with members 422 with each of
// them, another media type 415, and nothing is done.
void refuse_bodies(Route& row);

}  // namespace lumina::http

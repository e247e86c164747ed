// If-Match for rows that do not read it themselves: what the GET row of the same path would show this caller
// is made first, and its ETag compared.
//
// Strong comparison (RFC 9110, 13.1.1): weak tags never match, "*" matches whatever is there, and the tags of
// the compressed representations count as those of the resource. 412 `stale` when none matches; the 404 of
// the GET row as it is. Where the GET row is not this caller's, fails otherwise or gives no ETag, there is
// nothing to compare and the row answers as without the header. The comparison and the change are two units
// of work, but in a batch: a row that has to exclude the moment in between takes IfMatch and compares
// versions.
#pragma once
#include "core/http/route.hpp"

namespace lumina::http {

// Whether `shown` answers one resource, so that its ETag says which state of it.
bool shows_one_resource(const Route& shown);
// From then on `row` (PUT, PATCH or DELETE) honours If-Match by `shown`, which must outlive it, and says so.
void guard_by_etag(Route& row, const Route& shown);

}  // namespace lumina::http

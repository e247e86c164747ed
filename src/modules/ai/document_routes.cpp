#include "modules/ai/document_routes.hpp"

#include "core/base/text.hpp"
#include "core/http/handler.hpp"
#include "core/http/rate_classes.hpp"
#include "core/http/resource.hpp"
#include "core/jobs/routes.hpp"
#include "core/xml/atom.hpp"
#include "modules/ai/document_files.hpp"
#include "modules/ai/document_upload.hpp"

#include <algorithm>

namespace lumina::ai {
namespace {

using namespace http;
using enum ErrorKind;

Result<UploadForm> read_form(const RawRequest& request) {
  auto* const sink = dynamic_cast<UploadSink*>(request.request->sink.get());
  if (sink == nullptr) return lumina::invalid({{{"body", "file"}, "is required", "missing"}});
  return sink->form();
}

Task<Result<Response>> uploaded(DocumentService& documents, Result<UploadForm> form, Caller by) {
  if (!form) co_return Failure(std::move(form.error()));
  if (form->files.size() != 1)
    co_return lumina::invalid({{{"body", "file"}, "must be one; /documents/batch takes several", "count"}});
  auto made =
      co_await documents.upload(std::move(form->files.front()), std::move(form->fields), std::move(by));
  if (!made) co_return Failure(std::move(made.error()));
  auto response = http::detail::json_response(made->fresh ? 201 : 200, json::encode(made->document),
                                              made->document.version, true);
  response.set("Location", "/api/v1/documents/" + std::to_string(made->document.id.value));
  co_return response;
}

Task<Result<Document>> replaced(DocumentService& documents, DocumentId id, Result<UploadForm> form,
                                Caller by) {
  if (!form) co_return Failure(std::move(form.error()));
  co_return co_await documents.replace(id, std::move(form->files.front()), std::move(by));
}

Task<Result<jobs::TaskAccepted>> batched(DocumentService& documents, Result<UploadForm> form, Caller by) {
  if (!form) co_return Failure(std::move(form.error()));
  co_return co_await documents.upload_many(std::move(form->files), std::move(form->fields), std::move(by));
}

struct VersionQuery {
  std::optional<std::int64_t> version;
  static constexpr std::string_view type_name = "DocumentVersionQuery";
  static std::vector<schema::Field> fields() {
    return {{"version", &VersionQuery::version, "Default: the current one", {schema::range(1, 1e9)}}};
  }
};

struct BatchDelete {
  std::vector<std::int64_t> ids;
  static constexpr std::string_view type_name = "DocumentBatchDelete";
  static std::vector<schema::Field> fields() {
    return {{"ids", &BatchDelete::ids, "Documents to delete", {schema::items(1, 100)}}};
  }
};

Task<Result<std::vector<BatchResult>>> removed(DocumentService& documents, std::vector<std::int64_t> ids,
                                               Caller by) {
  std::vector<BatchResult> out;
  for (const auto id : ids) {
    BatchResult one;
    one.document_id = DocumentId{id};
    auto done = co_await documents.remove({id}, by);
    if (!done) {
      one.error_code = done.error().code;
      one.error = done.error().detail;
    }
    out.push_back(std::move(one));
  }
  co_return out;
}

}  // namespace

std::vector<Route> document_routes(DocumentService& documents) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Documents")); };
  const auto person = Access::signed_in();
  const std::vector<ErrorKind> absent{ErrorKind::not_found, forbidden};
  // A file that is a little too large is told so; the body as a whole has a harder limit.
  const auto file_limit = static_cast<std::uint64_t>(documents.rules().most_bytes) + (std::uint64_t{2} << 20);
  const auto takes_file = [&](Route route) {
    route.body_required = true;
    route.body_media = {"multipart/form-data", "application/octet-stream"};
    return std::move(route)
        .limited(RateClass::upload)
        .by_itself()
        .accepts_up_to(file_limit)
        .takes_into([&documents](const Context& context) {
          UploadRules rules;
          rules.content_type = context.head->header("Content-Type");
          rules.most_bytes = documents.rules().most_bytes;
          rules.repeatable = !context.head->header("Idempotency-Key").empty();
          return std::make_shared<UploadSink>(documents.store(), documents.pool(), std::move(rules));
        });
  };

  add(takes_file(
      post("/api/v1/documents", "Upload a document", person, {malformed, refused, too_large, unavailable},
           [&](RawRequest request, Caller by) { return uploaded(documents, read_form(request), by); })
          .with_status(201)
          .documented_as<Document>()
          .explained("A form with the part `file` and, as it pleases, `title`, `book_id` and "
                     "`visibility`. What the file is, its content says. The same bytes again: 200 "
                     "with the first one and `duplicate_of`.")));
  auto batch = takes_file(post("/api/v1/documents/batch", "Upload several documents", person,
                               {malformed, refused, too_large, unavailable},
                               [&](RawRequest request, Caller by) {
                                 return jobs::accepted(batched(documents, read_form(request), by));
                               })
                              .with_status(202)
                              .documented_as<jobs::TaskAccepted>()
                              .explained("Several parts `file`; the result of the task tells of each."));
  add(std::move(batch).accepts_up_to(5 * file_limit));
  add(post("/api/v1/documents/batch/delete", "Delete several documents", person, {},
           [&](Body<BatchDelete> what, Caller by) { return removed(documents, what->ids, by); }));
  add(get("/api/v1/documents", "List the documents one may read", person, {},
          [&](Query<DocumentFilter> filter, Paging page, Caller by) {
            return documents.list(*filter, *page, by);
          }));
  add(get("/api/v1/documents/popular", "Documents that are opened most", person, {},
          [&](Caller by) { return documents.popular(by); }));
  add(get("/api/v1/documents/{id}", "Read what is known of a document", person, absent,
          [&](Path<DocumentId> id, Caller by) { return versioned(documents.find(*id, by)); }));
  add(patch("/api/v1/documents/{id}", "Change a document", person,
            {ErrorKind::not_found, forbidden, refused, stale},
            [&](Path<DocumentId> id, Body<DocumentChanges> changes, IfMatch seen, Caller by) {
              return versioned(documents.change(*id, *changes, *seen, by));
            }));
  add(del("/api/v1/documents/{id}", "Delete a document with everything made of it", person, absent,
          [&](Path<DocumentId> id, Caller by) { return documents.remove(*id, by); }));
  add(get("/api/v1/documents/{id}/text", "Read the text of a document, page by page", person, absent,
          [&](Path<DocumentId> id, Query<TextQuery> query, Caller by) {
            return documents.text(*id, *query, by);
          }));
  add(get("/api/v1/documents/{id}/content", "Download a document", person, absent,
          [&](Path<DocumentId> id, Query<VersionQuery> which, RawRequest request, Caller by) {
            return send_file(documents, *id, which->version.value_or(0), Purpose::download,
                             file_wishes(request), by);
          })
          .answers_media("application/octet-stream")
          .limited(download_class)
          .explained("The bytes as they were uploaded, also in parts (Range)."));
  add(get("/api/v1/documents/{id}/view", "Show a document in the browser", person, absent,
          [&](Path<DocumentId> id, RawRequest request, Caller by) {
            return send_file(documents, *id, 0, Purpose::view, file_wishes(request), by);
          })
          .answers_media("application/octet-stream")
          .limited(download_class)
          .explained("The same bytes inline, in a sandbox without scripts."));
  add(get("/api/v1/documents/{id}/thumbnail", "See the first page", person, absent,
          [&](Path<DocumentId> id, Caller by) { return send_thumbnail(documents, *id, by); })
          .answers_media("image/png"));
  add(get("/api/v1/documents/{id}/versions", "List the versions of a document", person, absent,
          [&](Path<DocumentId> id, Caller by) { return documents.versions(*id, by); }));
  add(takes_file(put("/api/v1/documents/{id}/file", "Replace the file of a document", person,
                     {ErrorKind::not_found, forbidden, malformed, refused, conflict, too_large, unavailable},
                     [&](Path<DocumentId> id, RawRequest request, Caller by) {
                       return versioned(replaced(documents, *id, read_form(request), by));
                     })));
  add(post("/api/v1/documents/{id}/versions/{version}/restore", "Make an earlier version the current one",
           person, {ErrorKind::not_found, forbidden, conflict},
           [&](Path<DocumentId> id, Path<std::int64_t> version, Caller by) {
             return versioned(documents.restore(*id, *version, by));
           }));
  add(get("/api/v1/documents/{id}/grants", "Who was given access", person, absent,
          [&](Path<DocumentId> id, Caller by) { return documents.grants(*id, by); }));
  add(put("/api/v1/documents/{id}/grants/{user_id}", "Give somebody access", person, absent,
          [&](Path<DocumentId> id, Path<UserId> user, Body<NewGrant> made, Caller by) {
            return documents.grant(*id, *user, *made, by);
          }));
  add(del(
      "/api/v1/documents/{id}/grants/{user_id}", "Take access away", person, absent,
      [&](Path<DocumentId> id, Path<UserId> user, Caller by) { return documents.revoke(*id, *user, by); }));
  for (auto& alias :
       also_at(routes, Method::get, "/api/v1/documents/{id}/content", {"/api/v1/documents/{id}/download"}))
    routes.push_back(std::move(alias));
  return routes;
}

}  // namespace lumina::ai

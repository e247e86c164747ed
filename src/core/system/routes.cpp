#include "core/system/routes.hpp"

#include "core/http/answer.hpp"
#include "core/http/compress.hpp"
#include "core/http/handler.hpp"
#include "core/json/codec.hpp"
#include "core/system/docs_page.hpp"

namespace lumina::system {
namespace {

using namespace http;

struct Alive {
  std::string status = "healthy";
  static constexpr std::string_view type_name = "Alive";
  static std::vector<schema::Field> fields() { return {{"status", &Alive::status, "healthy"}}; }
};

struct About {
  std::string name = "LuminaLib", version = LUMINA_VERSION, api = "/api/v1", docs = "/docs",
              openapi = "/openapi.json", health = "/health", ready = "/ready", metrics = "/metrics";
  static constexpr std::string_view type_name = "About";
  static std::vector<schema::Field> fields() {
    return {{"name", &About::name, "What this is"},
            {"version", &About::version, "Its release"},
            {"api", &About::api, "Where the API begins"},
            {"docs", &About::docs, "Documentation to click through"},
            {"openapi", &About::openapi, "The API as a document"},
            {"health", &About::health, "Is it alive"},
            {"ready", &About::ready, "Is it ready"},
            {"metrics", &About::metrics, "How it is doing"}};
  }
};

Response text(std::string body, std::string_view media) {
  Response response;
  response.content_type = media;
  response.body = std::move(body);
  response.set("Cache-Control", "no-cache");
  return response;
}

// Spellings of load balancers; the checks are there with and without.
struct ReadyQuery {
  std::optional<std::string> verbose;
  static constexpr std::string_view type_name = "ReadyQuery";
  static std::vector<schema::Field> fields() {
    return {{"verbose", &ReadyQuery::verbose, "Taken and without effect: the checks are always listed"}};
  }
};

// What goes on inside is told to administrators; everybody else hears which part is well.
Task<Result<Response>> answer_ready(const Probes& probes, bool in_words) {
  Readiness readiness = co_await probes.ready();
  if (!in_words)
    for (Check& check : readiness.checks) check.detail.reset();
  Response response;
  response.status = readiness.status == "ready" ? 200 : 503;
  response.body = json::encode(readiness);
  response.set("Cache-Control", "no-store");
  if (response.status == 503) response.set("Retry-After", "1");
  co_return response;
}

Result<Response> answer_asset(const Asset& asset, const RawRequest& request) {
  Response response;
  response.content_type = asset.content_type;
  const bool packed = negotiate(request.header("Accept-Encoding")) != Coding::identity &&
                      request.header("Accept-Encoding").find("gzip") != std::string_view::npos;
  if (packed) {
    response.body = asset.bytes;
    response.set("Content-Encoding", "gzip");
    response.etag = asset.etag.substr(1, asset.etag.size() - 2);
  } else {
    response.body = unpack(asset);
    response.etag = make_etag(response.body);
    response.set("Content-Encoding", "identity");
  }
  response.set("Content-Security-Policy", std::string(docs_content_security_policy));
  response.set("Cache-Control", "no-cache");
  return response;
}

Route unlimited(Route route) {
  auto out = std::move(route).limited(RateClass::unlimited).tagged("Operations");
  return out;
}
Route hidden(Route route) {
  route.hidden = true;
  return route;
}

}  // namespace

std::vector<schema::Field> Check::fields() {
  return {{"name", &Check::name, "What was looked at"},
          {"ok", &Check::ok, "Whether it is well"},
          {"detail", &Check::detail, "In words; null for all but administrators"}};
}
std::vector<schema::Field> Readiness::fields() {
  return {{"status", &Readiness::status, "ready or unavailable"},
          {"checks", &Readiness::checks, "What was looked at"}};
}

std::vector<Route> system_routes(Probes given) {
  const auto probes = std::make_shared<Probes>(std::move(given));
  std::vector<Route> routes;
  const auto everybody = Access::anyone();
  const auto alive = [] { return Result<Alive>(Alive{}); };
  const auto ready = [probes](Query<ReadyQuery>, Caller by) {
    return answer_ready(*probes, by.signed_in() && by.role == Role::admin);
  };

  routes.push_back(unlimited(get("/", "What this is", everybody, {}, [] { return Result<About>(About{}); })));
  routes.push_back(unlimited(get("/health", "Is the process alive", everybody, {}, alive)));
  routes.push_back(hidden(unlimited(get("/livez", "Alive", everybody, {}, alive))));
  routes.push_back(hidden(unlimited(get("/healthz", "Alive", everybody, {}, alive))));
  routes.push_back(unlimited(get("/ready", "Can it serve", everybody, {ErrorKind::unavailable}, ready))
                       .documented_as<Readiness>());
  routes.push_back(hidden(unlimited(get("/readyz", "Ready", everybody, {ErrorKind::unavailable}, ready))));
  routes.push_back(unlimited(get("/metrics", "Figures for Prometheus", everybody, {}, [probes] {
                     return Result<Response>(
                         text(probes->metrics(), "text/plain; version=0.0.4; charset=utf-8"));
                   })).answers_media("text/plain"));
  routes.push_back(unlimited(get("/openapi.json", "This API as OpenAPI 3.1", everybody, {}, [probes] {
    auto response = text(probes->openapi(), "application/json");
    response.etag = make_etag(response.body);
    return Result<Response>(std::move(response));
  })));
  // Where people who come from elsewhere look for the same pages.
  routes.push_back(hidden(unlimited(get("/redoc", "Documentation", everybody, {}, [] {
    auto response = text("", "text/plain");
    response.status = 302;
    response.set("Location", "/docs");
    return Result<Response>(std::move(response));
  }))));
  for (const Asset& asset : docs_assets()) {
    auto route =
        unlimited(get(std::string(asset.path), "Documentation", everybody, {}, [&asset](RawRequest request) {
          return answer_asset(asset, request);
        })).answers_media(asset.content_type);
    routes.push_back(asset.path == "/docs" ? std::move(route) : hidden(std::move(route)));
  }
  return routes;
}

}  // namespace lumina::system

#include "core/calls/idempotency.hpp"

#include "core/base/text.hpp"
#include "core/calls/refusal.hpp"
#include "core/calls/run_here.hpp"
#include "core/db/joined.hpp"
#include "core/http/body_sink.hpp"
#include "core/http/form_digest.hpp"
#include "core/http/problem.hpp"
#include "core/http/route.hpp"
#include "core/security/random.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace lumina::calls {
namespace {

using http::Context;
using http::Response;

constexpr auto kept_for = std::chrono::hours(24);
constexpr auto longest_run = std::chrono::minutes(10);  // of another instance
constexpr std::size_t largest_kept = 1024 * 1024;       // bytes
constexpr std::size_t longest_key = 255;

bool is_key(std::string_view key) {
  return key.size() <= longest_key && std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string owner_of(UserId user) { return "user:" + std::to_string(user.value); }

// The server's failures, and refusals for the moment: the same request may do better later.
bool is_kept(const Response& response) { return response.status < 500 && response.status != 429; }
// Refused before anything was done.
bool nothing_begun(const Response& response) {
  return response.status == 429 || response.problem_code == "overloaded" ||
         response.problem_code == "storage_full";
}

Response in_progress(const Context& context) {
  auto response = refusal(context, 409, "idempotency_in_progress",
                          "The first request with this key is still being served; try again shortly");
  response.set("Retry-After", "1");
  return response;
}

std::string lines_of(const Response& response) {
  std::string lines = response.header_block;
  for (const auto& [name, value] : response.headers) lines += name + ": " + value + "\r\n";
  return lines;
}
http::Headers headers_of(std::string_view lines) {
  http::Headers headers;
  while (!lines.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    const auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    if (const auto colon = line.find(": "); colon != std::string_view::npos)
      headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return headers;
}

// What of the answer is kept; a secret's, a large one's or a binary one's body is not.
void fill(KeptAnswer& kept, const http::Route& route, const Response& response) {
  kept.status = response.status;
  const auto bytes = response.bytes();
  const bool secret = route.repeat == http::Repeat::withheld && response.status < 400;
  if (secret || bytes.size() > largest_kept || !is_valid_utf8(bytes) ||
      bytes.find('\0') != std::string_view::npos)
    return;
  kept.content_type = response.content_type;
  kept.etag = response.etag;
  kept.headers = lines_of(response);
  kept.body = bytes;
}

Task<Response> awaited(Eventual<Response> answer) {
  if (answer.ready()) co_return std::move(answer.value());
  co_return co_await std::move(answer.task());
}

}  // namespace

Task<Response> Idempotency::serve(Context& context) {
  if (context.route->repeat == http::Repeat::served)
    co_return co_await awaited(context.route->handler(context));
  KeptAnswer asked;
  asked.key = context.request->head.header("Idempotency-Key");
  if (!is_key(asked.key))
    co_return http::problem(
        context,
        Error{ErrorKind::invalid,
              "validation_failed",
              "The request has invalid fields",
              {{{"header", "Idempotency-Key"}, "must have 1 to 255 visible ASCII characters", "characters"}},
              0});
  asked.owner = context.caller.user ? owner_of(context.caller.id()) : "address:" + context.caller.address;
  asked.fingerprint = fingerprint(*context.request);
  asked.claimed_by = origin_;
  asked.created_at = clock_.now();
  asked.expires_at = asked.created_at + kept_for;

  const std::string name = asked.owner + "\n" + asked.key;
  {
    std::lock_guard lock(mutex_);
    if (!running_.insert(name).second) co_return in_progress(context);
  }
  struct Running {
    Idempotency& all;
    const std::string& name;
    ~Running() {
      std::lock_guard lock(all.mutex_);
      all.running_.erase(name);
    }
  } running{*this, name};
  if (context.route->joins) co_return co_await serve_joined(context, std::move(asked));
  co_return co_await serve_in_steps(context, std::move(asked));
}

Task<Response> Idempotency::serve_joined(Context& context, KeptAnswer asked) {
  auto failed = std::make_shared<std::optional<Response>>();  // an answer whose effects are taken back
  auto work = [this, &context, asked = std::move(asked), failed](db::Transaction& tx) -> Result<Response> {
    failed->reset();
    IdempotencyRepository answers(tx);
    if (auto answer = known(answers, context, asked)) return std::move(*answer);
    Context attempt = context;  // the unit of work may run more than once
    Response response;
    {
      db::Joined joined(database_, tx);
      response = run_here(attempt);
      joined.rethrow_broken();
    }
    if (!is_kept(response)) {
      failed->emplace(std::move(response));
      return Failure(Error{});
    }
    KeptAnswer kept = asked;
    fill(kept, *context.route, response);
    answers.insert(kept);
    return response;
  };
  auto response = co_await database_.write(std::move(work));
  if (response) co_return std::move(*response);
  if (*failed) co_return std::move(**failed);
  co_return http::problem(context, std::move(response.error()));
}

Task<Response> Idempotency::serve_in_steps(Context& context, KeptAnswer claim) {
  auto begin = [this, &context, &claim](db::Transaction& tx) -> std::optional<Response> {
    IdempotencyRepository answers(tx);
    if (auto answer = known(answers, context, claim)) return answer;
    answers.insert(claim);
    return std::nullopt;
  };
  auto answer = co_await database_.write(std::move(begin));
  if (!answer) co_return http::problem(context, std::move(answer.error()));
  if (*answer) co_return std::move(**answer);

  std::optional<Response> response;
  std::exception_ptr thrown;
  try {
    response.emplace(co_await awaited(context.route->handler(context)));
  } catch (...) {
    thrown = std::current_exception();
  }
  const bool keeps = response && is_kept(*response);
  // Otherwise the claim stays, and a repetition hears that nobody knows; also when the write below fails.
  if (keeps || (response && nothing_begun(*response))) {
    if (keeps) fill(claim, *context.route, *response);
    auto end = [&claim, keeps](db::Transaction& tx) {
      IdempotencyRepository answers(tx);
      if (keeps)
        answers.finish(claim);
      else
        answers.erase(claim.owner, claim.key, claim.claimed_by);
    };
    (void)co_await database_.write(std::move(end));
  }
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*response);
}

std::optional<Response> Idempotency::known(IdempotencyRepository& answers, const Context& context,
                                           const KeptAnswer& asked) const {
  if (!answers.hold(asked.owner, asked.key)) return in_progress(context);
  if (const auto first = answers.find(asked.owner, asked.key, asked.created_at))
    return repeated(context, *first, asked);
  return std::nullopt;
}

Response Idempotency::repeated(const Context& context, const KeptAnswer& first, const KeptAnswer& now) const {
  if (!security::constant_time_equal(first.fingerprint, now.fingerprint))
    return refusal(context, 422, "idempotency_key_reused",
                   "This Idempotency-Key was used for another request; a new request takes a new key");
  if (!first.status) {
    const bool may_run = database_.dialect() == db::Dialect::postgresql && first.claimed_by != origin_ &&
                         first.created_at + longest_run > now.created_at;
    if (may_run) return in_progress(context);
    return refusal(
        context, 409, "idempotency_interrupted",
        "The first request with this key was interrupted, and whether it took effect is not known; look "
        "before you repeat it with a new key");
  }
  if (!first.body)
    return refusal(context, 409, "idempotency_answer_not_kept",
                   "The first request with this key took effect; its answer was not kept, because it is "
                   "secret or large");
  Response response;
  response.status = *first.status;
  response.content_type = first.content_type.value_or("");
  response.etag = first.etag.value_or("");
  response.headers = headers_of(first.headers.value_or(""));
  response.body = *first.body;
  response.set("Idempotency-Replayed", "true");
  return response;
}

std::string Idempotency::fingerprint(const http::Request& request) const {
  std::string text(http::to_string(request.head.method));
  text += ' ';
  text += request.head.target;
  text += '\n';
  const auto type = request.head.header("Content-Type");
  const bool form = http::is_form(type);
  text += form ? std::string_view("multipart/form-data") : type;
  text += '\n';
  std::optional<std::string> said;
  if (form && !request.sink) said = http::form_digest(request.body, type);
  if (request.sink)
    text += request.sink->digest();
  else
    text += said ? *said : hex_encode(security::sha256(request.body));
  return hex_encode(security::hmac_sha256(secret_, text));
}

Task<Result<std::int64_t>> Idempotency::purge() {
  auto work = [now = clock_.now()](db::Transaction& tx) { return IdempotencyRepository(tx).purge(now); };
  co_return co_await database_.write(std::move(work));
}

void forget_answers_of(db::Transaction& tx, UserId user) {
  IdempotencyRepository(tx).erase_of(owner_of(user));
}

}  // namespace lumina::calls

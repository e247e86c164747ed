#include "core/llm/wire.hpp"

#include "core/base/text.hpp"
#include "core/json/parse.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace lumina::llm {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_line = 1 << 20;
constexpr int longest_pause = 3600;  // seconds that a server may ask for

Failure down(std::string detail) {
  return Failure(Error{ErrorKind::unavailable, "llm_unavailable", std::move(detail), {}, 0});
}

// The member of an object, or null.
const json::value* member(const json::value* value, std::string_view name) {
  if (value == nullptr || !value->is_object()) return nullptr;
  return value->get_object().if_contains(name);
}
const json::value* first(const json::value* value) {
  if (value == nullptr || !value->is_array() || value->get_array().empty()) return nullptr;
  return &value->get_array().front();
}
std::string_view text_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}
int count_of(const json::value* value) {
  if (value == nullptr || !value->is_int64()) return 0;
  const auto n = value->get_int64();
  return n < 0 || n > 1'000'000'000 ? 0 : static_cast<int>(n);
}

json::array messages_of(const Prompt& prompt) {
  json::array messages;
  if (!prompt.system.empty())
    messages.push_back(json::object{{"role", "system"}, {"content", prompt.system}});
  messages.push_back(json::object{{"role", "user"}, {"content", prompt.user}});
  return messages;
}

http::Outgoing post(const Server& server, std::string_view path, const json::object& body) {
  http::Outgoing out;
  out.url = base_of(server) + std::string(path);
  out.headers = {{"Content-Type", "application/json"}};
  if (!server.api_key.empty()) out.headers.emplace_back("Authorization", "Bearer " + server.api_key);
  out.body = json::serialize(body);
  return out;
}

// Whether people write the version into the base URL or not.
std::string_view openai_root(const Server& server) { return base_of(server).ends_with("/v1") ? "" : "/v1"; }

std::string model_path(const Server& server) {
  std::string path = "/models";
  std::string_view rest = server.model;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    path += "/" + percent_encode(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return path;
}

std::optional<std::vector<float>> numbers_of(const json::value& value) {
  if (!value.is_array()) return {};
  std::vector<float> out;
  out.reserve(value.get_array().size());
  for (const auto& each : value.get_array()) {
    if (!each.is_number()) return {};
    const auto number = each.to_number<double>();
    if (!std::isfinite(number)) return {};
    out.push_back(static_cast<float>(number));
  }
  return out;
}

// Some models of feature extraction answer a vector for every token: their mean speaks for the text.
std::optional<std::vector<float>> vector_of(const json::value& value) {
  if (first(&value) == nullptr || !first(&value)->is_array()) return numbers_of(value);
  std::vector<float> sum;
  for (const auto& token : value.get_array()) {
    const auto one = numbers_of(token);
    if (!one || one->empty() || (!sum.empty() && sum.size() != one->size())) return {};
    sum.resize(one->size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (*one)[i];
  }
  return sum;
}

}  // namespace

std::string_view to_string(Wire wire) {
  switch (wire) {
    case Wire::ollama:
      return "ollama";
    case Wire::openai:
      return "openai";
    case Wire::huggingface:
      break;
  }
  return "huggingface";
}

std::string base_of(const Server& server) {
  std::string base = server.base_url;
  if (base.empty())
    base = server.wire == Wire::ollama   ? "http://127.0.0.1:11434"
           : server.wire == Wire::openai ? "https://api.openai.com"
                                         : "https://api-inference.huggingface.co";
  while (base.ends_with('/')) base.pop_back();
  return base;
}

http::Outgoing chat_request(const Server& server, const Prompt& prompt) {
  if (server.wire == Wire::ollama)
    return post(server, "/api/chat",
                {{"model", server.model},
                 {"messages", messages_of(prompt)},
                 {"stream", true},
                 {"options", json::object{{"num_predict", prompt.max_tokens},
                                          {"temperature", prompt.temperature},
                                          {"top_p", prompt.top_p}}}});
  if (server.wire == Wire::openai)
    return post(server, std::string(openai_root(server)) + "/chat/completions",
                {{"model", server.model},
                 {"messages", messages_of(prompt)},
                 {"max_tokens", prompt.max_tokens},
                 {"temperature", prompt.temperature},
                 {"top_p", prompt.top_p},
                 {"stream", true},
                 {"stream_options", json::object{{"include_usage", true}}}});
  json::object parameters{{"max_new_tokens", prompt.max_tokens}, {"return_full_text", false}};
  // It refuses a temperature of 0 and a top_p of 1, both of which mean: do not draw lots.
  if (prompt.temperature > 0) {
    parameters["temperature"] = prompt.temperature;
    if (prompt.top_p < 1) parameters["top_p"] = prompt.top_p;
  } else {
    parameters["do_sample"] = false;
  }
  const std::string inputs =
      prompt.system.empty() ? prompt.user : fmt::format("{}\n\n{}", prompt.system, prompt.user);
  return post(server, model_path(server), {{"inputs", inputs}, {"parameters", std::move(parameters)}});
}

http::Outgoing embedding_request(const Server& server, const std::vector<std::string>& texts) {
  json::array input;
  for (const auto& text : texts) input.emplace_back(text);
  if (server.wire == Wire::ollama)
    return post(server, "/api/embed",
                {{"model", server.model}, {"input", std::move(input)}, {"truncate", true}});
  if (server.wire == Wire::openai)
    return post(server, std::string(openai_root(server)) + "/embeddings",
                {{"model", server.model}, {"input", std::move(input)}, {"encoding_format", "float"}});
  return post(server, model_path(server), {{"inputs", std::move(input)}, {"truncate", true}});
}

bool ChatReader::broken(std::string why) {
  fault_ = std::move(why);
  return false;
}

bool ChatReader::say(std::string_view piece) {
  if (piece.empty()) return true;
  out_.text += piece;
  if (on_token_ && !on_token_(piece)) {
    cancelled_ = true;
    return false;
  }
  return true;
}

bool ChatReader::feed(std::string_view bytes) {
  if (fault_ || cancelled_) return false;
  pending_ += bytes;
  if (wire_ == Wire::huggingface) return true;  // the client bounds it
  std::size_t at = 0;
  for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', at)) {
    std::string_view one = std::string_view(pending_).substr(at, end - at);
    if (one.ends_with('\r')) one.remove_suffix(1);
    at = end + 1;
    if (!line(one)) return false;
  }
  pending_.erase(0, at);
  if (pending_.size() > longest_line) return broken("a line of the answer is too long");
  return true;
}

bool ChatReader::line(std::string_view text) {
  if (trim_ascii(text).empty() || done_) return true;
  if (wire_ == Wire::ollama) return ollama_line(text);
  // Comments, event names and ids of the stream say nothing to us.
  if (!text.starts_with("data:")) {
    const bool known = text.starts_with(':') || text.starts_with("event:") || text.starts_with("id:") ||
                       text.starts_with("retry:");
    return known || broken("the answer is no event stream");
  }
  return openai_event(trim_ascii(text.substr(5)));
}

bool ChatReader::ollama_line(std::string_view text) {
  const auto parsed = lumina::json::parse(text);
  if (!parsed || !parsed->value.is_object()) return broken("a line of the answer is no JSON object");
  const auto* value = &parsed->value;
  if (member(value, "error") != nullptr) return broken("the provider reported an error");
  if (!say(text_of(member(member(value, "message"), "content")))) return false;
  const auto* done = member(value, "done");
  if (done != nullptr && done->is_bool() && done->get_bool()) {
    done_ = true;
    out_.prompt_tokens = count_of(member(value, "prompt_eval_count"));
    out_.completion_tokens = count_of(member(value, "eval_count"));
  }
  return true;
}

bool ChatReader::openai_event(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return true;
  }
  const auto parsed = lumina::json::parse(data);
  if (!parsed || !parsed->value.is_object()) return broken("an event of the answer is no JSON object");
  const auto* value = &parsed->value;
  if (const auto* error = member(value, "error"); error != nullptr && !error->is_null())
    return broken("the provider reported an error");
  if (const auto* usage = member(value, "usage"); usage != nullptr && usage->is_object()) {
    out_.prompt_tokens = count_of(member(usage, "prompt_tokens"));
    out_.completion_tokens = count_of(member(usage, "completion_tokens"));
  }
  return say(text_of(member(member(first(member(value, "choices")), "delta"), "content")));
}

void ChatReader::whole_document() {
  const auto parsed = lumina::json::parse(pending_);
  if (!parsed) {
    broken("the answer is no JSON");
    return;
  }
  // A list with one object, or the object by itself.
  const auto* value = parsed->value.is_array() ? first(&parsed->value) : &parsed->value;
  const auto* text = member(value, "generated_text");
  if (text == nullptr || !text->is_string()) {
    broken("the answer holds no text");
    return;
  }
  done_ = true;
  say(text_of(text));
}

Result<Generated> ChatReader::finish() {
  if (!fault_ && !cancelled_) {
    if (wire_ == Wire::huggingface) {
      whole_document();
    } else if (!pending_.empty()) {
      const std::string rest = std::exchange(pending_, {});
      line(trim_ascii(rest));
    }
  }
  if (cancelled_) return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
  if (!fault_ && !done_) fault_ = "the answer broke off";
  if (fault_) return down("The language model gave no usable answer: " + *fault_);
  return std::move(out_);
}

bool normalize(std::vector<float>& vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  if (!std::isfinite(sum) || sum <= 0) return false;
  const auto scale = static_cast<float>(1 / std::sqrt(sum));
  for (float& x : vector) x *= scale;
  return true;
}

Result<std::vector<std::vector<float>>> read_embeddings(Wire wire, std::string_view body, std::size_t count) {
  const auto broken = [] { return down("The embedding model gave no usable answer"); };
  const auto parsed = lumina::json::parse(body);
  if (!parsed) return broken();
  const json::value* list = &parsed->value;
  if (wire == Wire::ollama) list = member(list, "embeddings");
  if (wire == Wire::openai) list = member(list, "data");
  if (list == nullptr || !list->is_array() || list->get_array().size() != count) return broken();
  std::vector<std::vector<float>> out(count);
  std::size_t place = 0;
  for (const auto& each : list->get_array()) {
    std::size_t at = place++;
    const json::value* numbers = &each;
    if (wire == Wire::openai) {
      numbers = member(&each, "embedding");
      if (const auto* index = member(&each, "index"); index != nullptr)
        at = static_cast<std::size_t>(count_of(index));
    }
    if (numbers == nullptr || at >= count || !out[at].empty()) return broken();
    auto vector = vector_of(*numbers);
    if (!vector || vector->empty() || !normalize(*vector)) return broken();
    out[at] = std::move(*vector);
  }
  for (const auto& vector : out)
    if (vector.size() != out.front().size()) return broken();
  return out;
}

Error error_of_status(const http::Incoming& answer) {
  Error error{ErrorKind::unavailable, "llm_unavailable", {}, {}, 0};
  error.detail = fmt::format("The language model's server answered with status {}", answer.status);
  if (answer.status == 429 || answer.status == 503) {
    const auto text = trim_ascii(answer.header("Retry-After"));
    int seconds = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (fault == std::errc{} && end == text.data() + text.size())
      error.retry_after_seconds = std::clamp(seconds, 0, longest_pause);
    return error;
  }
  // 4xx: asking again changes nothing. A key or a name that is wrong is the provider's trouble, the rest is
  // the request's.
  if (answer.status == 400 || answer.status == 413 || answer.status == 422) {
    error.kind = ErrorKind::refused;
    error.code = "llm_refused";
  }
  return error;
}

}  // namespace lumina::llm

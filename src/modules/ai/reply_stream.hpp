// How a reply of the mind is given: at once as a task, after a while in the answer (Prefer: wait=30, RFC
// 7240), or as a stream of tokens (Accept: text/event-stream).
//
// A stream is `event: token` with {"text":"..."} for each piece, then `event: done` with the whole answer, or
// `event: error` with a problem's code and detail. A client that has gone ends the work.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/http/extract.hpp"
#include "core/http/message.hpp"
#include "core/http/prefer.hpp"
#include "core/llm/language_model.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace lumina::ai {

using http::preferred_wait;
bool wants_stream(const http::RawRequest& request);

// Begins at once; `work` gets the listener for pieces and gives the JSON of the answer.
using StreamedWork = std::function<Task<Result<std::string>>(llm::OnToken)>;
Task<Result<http::Response>> streamed(StreamedWork work);
// An answer that was waited for.
http::Response waited_for(std::string body, std::chrono::seconds wait);

}  // namespace lumina::ai

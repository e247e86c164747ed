#include "modules/ai/service.hpp"

#include "core/base/text.hpp"
#include "core/llm/fence.hpp"
#include "core/runtime/run_on.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"
#include "core/text/guess_language.hpp"
#include "core/text/language_tag.hpp"
#include "core/text/sentences.hpp"
#include "modules/ai/extractive.hpp"
#include "modules/ai/repository.hpp"
#include "modules/books/service.hpp"

#include <fmt/format.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace lumina::ai {
namespace {

constexpr std::size_t title_bytes = 500, description_bytes = 6000;
constexpr std::size_t part_bytes = 6000, most_parts = 24, texts_kept = 256;
constexpr auto quiet_for = std::chrono::seconds(10);  // after a change, before a summary is made by itself

Failure no_book() { return not_found("Book not found"); }

events::Change about(std::string_view type, BookId book) {
  return {.type = type, .resource = "book", .resource_id = book.value, .book = book};
}

template <class Ask>
std::string shown(Ask ask, const char* locale) {
  UErrorCode status = U_ZERO_ERROR;
  std::array<UChar, 96> buffer{};
  const auto size = ask(locale, "en", buffer.data(), static_cast<std::int32_t>(buffer.size()), &status);
  std::string out;
  if (U_SUCCESS(status) && size > 0) icu::UnicodeString(buffer.data(), size).toUTF8String(out);
  return out;
}

// What a person calls the language with that tag, in English: "German", "Portuguese (Brazil)". Only what ICU
// knows a name for, so that no tag brings words of its own into a prompt.
std::string name_of(const std::string& tag) {
  UErrorCode status = U_ZERO_ERROR;
  std::array<char, ULOC_FULLNAME_CAPACITY> locale{};
  uloc_forLanguageTag(tag.c_str(), locale.data(), ULOC_FULLNAME_CAPACITY, nullptr, &status);
  if (U_FAILURE(status)) return "English";
  auto out = shown(&uloc_getDisplayLanguage, locale.data());
  if (out.empty()) return "English";
  for (const auto& more :
       {shown(&uloc_getDisplayScript, locale.data()), shown(&uloc_getDisplayCountry, locale.data())})
    if (!more.empty()) out += " (" + more + ")";
  return out;
}

std::string language_of(const Material& material, const std::string& wanted) {
  if (!wanted.empty()) return text::parse_language_tag(wanted).value_or(wanted);
  const auto own = material.language.substr(0, material.language.find('-'));
  return own.size() == 2 || own.size() == 3 ? own : "en";
}

// What the built-in method writes in: the language of what it is given.
std::string language_of_text(std::string_view text, const std::string& otherwise) {
  auto guessed = text::guess_language(text);
  const auto primary = otherwise.substr(0, otherwise.find('-'));
  return guessed.empty() || guessed == primary ? otherwise : guessed;
}

std::string line(std::string_view name, std::string_view text, std::size_t most) {
  if (text.empty()) return {};
  return fmt::format("{}:\n{}", name, llm::fence(ascii_lower(name), text, most));
}

std::string text_of(const Material& m) {
  std::string out = m.description;
  for (const auto& review : m.reviews) {
    out += "\n\n";
    out += review;
  }
  return out;
}

// A long text in pieces of whole sentences.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts(1);
  for (const auto& sentence : text::sentences(text)) {
    std::string_view rest = sentence.text;
    while (!rest.empty()) {
      if (parts.back().size() + rest.size() > part_bytes && !parts.back().empty()) parts.emplace_back();
      std::size_t take = std::min(rest.size(), part_bytes);
      while (take < rest.size() && (static_cast<unsigned char>(rest[take]) & 0xC0U) == 0x80U) --take;
      if (!parts.back().empty()) parts.back() += ' ';
      parts.back() += rest.substr(0, take);
      rest.remove_prefix(take);
    }
  }
  if (parts.size() > most_parts) parts.resize(most_parts);
  return parts;
}

}  // namespace

std::string SummaryService::key_of(const Material& m, const std::string& language) const {
  std::string all = prompts_.version("book_summary") + '\0' + model_.model() + '\0' + language;
  for (const auto* part : {&m.title, &m.author, &m.genre, &m.description}) all += '\0' + *part;
  return security::sha256_hex(all);
}

jobs::NewJob SummaryService::job_for(BookId book, const std::string& language, bool refresh,
                                     std::optional<UserId> user) const {
  jobs::NewJob job;
  job.kind = summary_job;
  job.payload =
      fmt::format(R"({{"book_id":{},"language":"{}","refresh":{}}})", book.value, language, refresh);
  job.priority = user ? jobs::Priority::interactive : jobs::Priority::bulk;
  job.unique_key = fmt::format("{}:{}", book.value, language);
  job.user = user;
  return job;
}

Task<Result<BookSummary>> SummaryService::find(BookId book, SummaryChoice choice) {
  auto work = [this, book, choice = std::move(choice)](db::Transaction& tx) -> Result<BookSummary> {
    SummaryRepository summaries(tx);
    const auto material = summaries.material(book);
    if (!material) return no_book();
    const auto wanted = language_of(*material, choice.lang.value_or(""));
    auto found = summaries.find(book, wanted);
    // Nobody here can translate: what there is, and it says what it is written in.
    if (!found && !model_.configured()) {
      found = summaries.find(book, language_of(*material, ""));
      if (found) found->requested_language = wanted;
    }
    if (!found)
      return fail(ErrorKind::not_found, "no_summary", "This book has no summary in that language yet");
    return std::move(*found);
  };
  return database_.read(std::move(work));
}

Task<Result<jobs::TaskAccepted>> SummaryService::request(BookId book, SummaryWish wish, Caller by) {
  auto work = [this, book, wish = std::move(wish),
               by = std::move(by)](db::Transaction& tx) -> Result<jobs::TaskAccepted> {
    const auto material = SummaryRepository(tx).material(book);
    if (!material) return no_book();
    jobs::TaskAccepted accepted;
    accepted.task_id = queue_.enqueue(tx, job_for(book, language_of(*material, wish.lang.value_or("")),
                                                  wish.refresh.value_or(false), by.id()));
    return accepted;
  };
  return database_.write(std::move(work));
}

// The model's text, or the built-in method's. Never fails: what went wrong with the model is in the log.
Task<SummaryService::Written> SummaryService::write(llm::Prompt prompt, const Wish& wish,
                                                    std::string material, std::string language,
                                                    std::string own, int words) {
  Written out;
  const auto most = static_cast<std::size_t>(words);
  if (model_.configured()) {
    prompt.lane = wish.lane;
    prompt.budget = wish.budget;
    prompt.user_id = wish.user;
    const std::string version = prompt.version;
    auto written = co_await model_.generate(std::move(prompt), wish.on_token);
    if (written) {
      out.text = trimmed_to_words(llm::without_markers(written->text), most);
      out.source = Source::llm;
      out.language = language;
      out.trace = trace_of(*written, version);
      if (!out.text.empty()) co_return out;
    } else {
      log::info("a summary is made without the language model", {{"why", written.error().code}});
    }
  }
  const auto began = std::chrono::steady_clock::now();
  out.language = language_of_text(material, own);
  auto think = [&] { return extract(material, most, out.language); };
  auto extracted = co_await runtime::run_on(cpu_, std::move(think));
  out.text = extracted ? *extracted : trimmed_to_words(material, most);
  out.source = Source::extractive;
  out.trace = {};
  out.trace.model = "";
  out.trace.took_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
  co_return out;
}

Task<Result<BookSummary>> SummaryService::make(BookId book, Wish wish, Caller by) {
  return make(book, std::move(wish), std::move(by), {});
}

Task<Result<BookSummary>> SummaryService::make(BookId book, Wish wish, Caller by, AndThen and_then) {
  struct Found {
    Material material;
    std::optional<BookSummary> summary;
    std::string language;
  };
  auto read = [book, wanted = wish.language](db::Transaction& tx) -> Result<Found> {
    SummaryRepository summaries(tx);
    auto material = summaries.material(book);
    if (!material) return no_book();
    const auto language = language_of(*material, wanted);
    auto summary = summaries.find(book, language);
    return Found{std::move(*material), std::move(summary), language};
  };
  auto found = co_await database_.read(std::move(read));
  if (!found) co_return Failure(std::move(found.error()));
  const std::string key = key_of(found->material, found->language);
  const bool kept =
      found->summary && (found->summary->locked || (!wish.refresh && found->summary->key == key));
  Written written;
  if (kept) {
    ++hits_;
  } else {
    ++misses_;
    const auto& m = found->material;
    auto prompt =
        prompts_.make("book_summary", {{"title", line("Title", m.title, title_bytes)},
                                       {"author", line("Author", m.author, title_bytes)},
                                       {"genre", line("Genre", m.genre, title_bytes)},
                                       {"description", line("Description", m.description, description_bytes)},
                                       {"language", name_of(found->language)},
                                       {"words", std::to_string(summary_words)}});
    auto material = text_of(m);
    if (trim(material).empty()) material = fmt::format("{} is a book by {}.", m.title, m.author);
    written = co_await write(std::move(prompt), wish, std::move(material), found->language,
                             language_of(m, ""), summary_words);
  }
  BookSummary fresh;
  fresh.book_id = book;
  fresh.requested_language = found->language;
  fresh.language = written.language;
  fresh.summary = std::move(written.text);
  fresh.source = written.source;
  fresh.model = written.trace.model;
  fresh.ai = std::move(written.trace);
  if (fresh.ai.prompt_version.empty()) fresh.ai.prompt_version = "builtin";
  // A model that failed is asked again at the next wish: what stands in for it has another key.
  fresh.key = fresh.source == Source::llm || !model_.configured() ? key : "stand-in " + key;
  auto keep = [this, book, kept, fresh = std::move(fresh), version = found->material.version,
               by = std::move(by), and_then = std::move(and_then),
               own = language_of(found->material, "")](db::Transaction& tx) mutable -> Result<BookSummary> {
    SummaryRepository summaries(tx);
    const auto material = summaries.material(book);
    if (!material) return no_book();
    auto standing = summaries.find_locked(book, fresh.requested_language);
    if (!kept && !(standing && standing->locked)) {
      fresh.generated_at = clock_.now();
      summaries.put(fresh);
      if (fresh.requested_language == own) books::set_book_summary(tx, book, fresh.summary);
      journal_.record(tx, by, about("summary.generated", book));
      standing = summaries.find(book, fresh.requested_language);
    }
    if (!standing) return fail(ErrorKind::not_found, "no_summary", "The summary is gone");
    summaries.mark(book, version);
    if (and_then)
      if (auto done = and_then(tx, *standing); !done) return Failure(std::move(done.error()));
    return std::move(*standing);
  };
  co_return co_await database_.write(std::move(keep));
}

Task<Result<BookSummary>> SummaryService::edit(BookId book, SummaryChoice choice, SummaryEdit edit,
                                               Caller by) {
  auto work = [this, book, choice = std::move(choice), edit = std::move(edit),
               by = std::move(by)](db::Transaction& tx) -> Result<BookSummary> {
    SummaryRepository summaries(tx);
    const auto material = summaries.material(book);
    if (!material) return no_book();
    const auto own = language_of(*material, "");
    BookSummary summary;
    summary.book_id = book;
    summary.language = summary.requested_language = language_of(*material, choice.lang.value_or(""));
    summary.summary = trim(edit.summary);
    summary.source = Source::human;
    summary.locked = true;
    summary.generated_at = clock_.now();
    summary.ai.provider = "human";
    summary.key = "human";
    summaries.find_locked(book, summary.language);
    summaries.put(summary);
    if (summary.language == own) books::set_book_summary(tx, book, summary.summary);
    journal_.record(tx, by, about("summary.edited", book));
    return *summaries.find(book, summary.language);
  };
  return database_.write(std::move(work));
}

Task<Result<jobs::TaskAccepted>> SummaryService::unlock(BookId book, SummaryChoice choice, Caller by) {
  auto work = [this, book, choice = std::move(choice),
               by = std::move(by)](db::Transaction& tx) -> Result<jobs::TaskAccepted> {
    SummaryRepository summaries(tx);
    const auto material = summaries.material(book);
    if (!material) return no_book();
    const auto language = language_of(*material, choice.lang.value_or(""));
    if (!summaries.unlock(book, language))
      return fail(ErrorKind::not_found, "not_locked", "This summary is not locked");
    journal_.record(tx, by, about("summary.unlocked", book));
    jobs::TaskAccepted accepted;
    accepted.task_id = queue_.enqueue(tx, job_for(book, language, true, by.id()));
    return accepted;
  };
  return database_.write(std::move(work));
}

lumina::Status SummaryService::check(const SummaryRequest& request) {
  if (utf8_length(request.content) <= most_summary_letters) return {};
  return fail(ErrorKind::too_large, "text_too_long",
              fmt::format("A text to sum up has at most {} characters", most_summary_letters));
}

Task<Result<TextSummary>> SummaryService::summarize(SummaryRequest request, Wish wish) {
  if (auto fits = check(request); !fits) co_return Failure(std::move(fits.error()));
  const std::string asked = request.language.value_or("en");
  const std::string language = text::parse_language_tag(asked).value_or(asked);
  const int words = request.max_words.value_or(summary_words);
  const std::string key =
      security::sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}", prompts_.version("text_summary"), model_.model(),
                                       language, words, request.content));
  if (!wish.refresh) {
    const std::scoped_lock lock(mutex_);
    const auto known = std::ranges::find(texts_, key, &std::pair<std::string, TextSummary>::first);
    if (known != texts_.end()) {
      ++hits_;
      texts_.splice(texts_.begin(), texts_, known);
      co_return texts_.front().second;
    }
  }
  ++misses_;
  const auto until = std::chrono::steady_clock::now() + wish.budget;
  const auto prompt_for = [&](std::string_view text, int most) {
    return prompts_.make("text_summary", {{"content", llm::fence("text", text, 4 * part_bytes)},
                                          {"words", std::to_string(most)},
                                          {"language", name_of(language)}});
  };
  const auto left = [&] {
    return std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(
                                                      until - std::chrono::steady_clock::now()));
  };
  TextSummary out;
  std::string material = request.content;
  if (model_.configured() && material.size() > part_bytes) {
    auto parts = parts_of(material);
    out.parts = static_cast<int>(parts.size());
    std::string gathered;
    for (auto& part : parts) {
      Wish quiet = wish;
      quiet.on_token = {};
      quiet.budget = left();
      const auto prompt = prompt_for(part, 80);
      const auto each = co_await write(prompt, quiet, std::move(part), language, language, 80);
      gathered += each.text + "\n\n";
    }
    material = std::move(gathered);
  }
  wish.budget = left();
  const auto written = co_await write(prompt_for(material, words), wish, material, language, language, words);
  out.summary = written.text;
  out.language = written.language;
  out.source = written.source;
  out.model = written.trace.model;
  out.ai = written.trace;
  if (out.source == Source::llm || !model_.configured()) {
    const std::scoped_lock lock(mutex_);
    texts_.emplace_front(key, out);
    if (texts_.size() > texts_kept) texts_.pop_back();
  }
  co_return out;
}

Result<std::int64_t> SummaryService::start_due(int most) {
  auto work = [this, most](db::Transaction& tx) -> Result<std::int64_t> {
    SummaryRepository summaries(tx);
    std::int64_t started = 0;
    for (const auto book : summaries.due(clock_.now() - quiet_for, most)) {
      const auto material = summaries.material(book);
      if (!material) continue;
      summaries.mark(book, material->version);
      queue_.enqueue(tx, job_for(book, language_of(*material, ""), false, std::nullopt));
      ++started;
    }
    return started;
  };
  return database_.write_now(std::move(work));
}

}  // namespace lumina::ai

#include "modules/ai/document_upload.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace lumina::ai {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_field = 64 * 1024;
constexpr auto between_tries = 20ms;
constexpr int most_tries = 1'000;  // so for some twenty seconds

Error unreadable(const std::string& why) {
  return {ErrorKind::malformed, "malformed_multipart", "The form cannot be read: " + why, {}, 0};
}

}  // namespace

UploadSink::UploadSink(const blobs::Store& store, runtime::Pool& pool, UploadRules rules)
    : store_(store), pool_(pool), rules_(std::move(rules)) {
  if (http::is_form(rules_.content_type)) {
    reader_.emplace(rules_.content_type,
                    http::MultipartReader::Taker{[this](http::Part&& part) { begin(std::move(part)); },
                                                 [this](std::string_view bytes) { more(bytes); }});
  } else {
    files_.emplace_back();
    in_file_ = true;
  }
  if (rules_.repeatable) whole_.emplace();
  if (rules_.repeatable && reader_) said_.emplace();
}

// Removing files takes the disk as writing them does.
UploadSink::~UploadSink() {
  if (!files_.empty()) (void)pool_.try_submit([files = std::move(files_)] {});
}

Task<bool> UploadSink::take(std::string bytes) {
  if (failed_ && !rules_.repeatable) co_return false;
  for (int tries = 0;; ++tries) {
    bool begun = false;
    auto work = [this, &bytes, &begun]() -> Status {
      begun = true;
      add(bytes);
      return {};
    };
    auto adding = runtime::run_on(pool_, std::move(work));
    auto added = co_await std::move(adding);
    if (added) break;
    // Turned away: the disk has enough to do, and the client waits.
    if (begun || tries == most_tries) {
      failed_ = std::move(added.error());
      co_return false;
    }
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>
        pause(co_await boost::asio::this_coro::executor, between_tries);
    co_await pause.async_wait(boost::asio::use_awaitable_t<IoExecutor>());
  }
  co_return !failed_ || rules_.repeatable;
}

std::string UploadSink::digest() const {
  if (!whole_) return digest_;
  if (reader_) reader_->finish();
  const bool readable = said_ && reader_->fault().empty();
  digest_ = readable ? said_->finish_hex() : whole_->finish_hex();
  whole_.reset();
  said_.reset();
  return digest_;
}

void UploadSink::add(std::string_view bytes) {
  if (whole_) whole_->add(bytes);
  if (failed_ && !said_) return;
  if (!reader_) return add_to_file(bytes);
  reader_->feed(bytes);
  if (!failed_ && !reader_->fault().empty()) failed_ = unreadable(reader_->fault());
}

void UploadSink::begin(http::Part&& part) {
  if (said_) said_->begin(part);
  in_file_ = part.name == "file" || part.name == "files";
  if (in_file_)
    files_.push_back({std::move(part.filename), 0, nullptr});
  else
    pairs_.emplace_back(std::move(part.name), "");
}

void UploadSink::more(std::string_view bytes) {
  if (said_) said_->bytes(bytes);
  if (in_file_) return add_to_file(bytes);
  auto& value = pairs_.back().second;
  if (value.size() + bytes.size() <= longest_field)
    value += bytes;
  else if (!failed_)
    failed_ = unreadable("a field is too long");
}

void UploadSink::add_to_file(std::string_view bytes) {
  auto& file = files_.back();
  file.size += static_cast<std::int64_t>(bytes.size());
  if (failed_ || file.size > rules_.most_bytes) return file.draft.reset();
  if (!file.draft) file.draft = store_.draft();
  if (auto written = file.draft->write(bytes); !written) failed_ = std::move(written.error());
}

Result<UploadForm> UploadSink::form() {
  if (failed_) return Failure(*failed_);
  if (reader_) {
    reader_->finish();
    if (!reader_->fault().empty()) return Failure(unreadable(reader_->fault()));
  }
  UploadForm form;
  std::vector<FieldError> faults;
  json::decode_pairs(schema::type_of<UploadFields>(), &form.fields, pairs_, "body", faults);
  if (files_.empty()) faults.push_back({{"body", "file"}, "is required", "missing"});
  if (!faults.empty()) return lumina::invalid(std::move(faults));
  form.files = std::exchange(files_, {});
  return form;
}

}  // namespace lumina::ai

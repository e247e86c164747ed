#include "modules/books/history.hpp"

#include "core/json/codec.hpp"
#include "modules/books/book_row.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lumina::books {
namespace {

namespace bj = boost::json;

bj::object object_of(std::string_view text) {
  auto value = bj::parse({text.data(), text.size()});
  return std::move(value.as_object());
}

bj::object fields_of(const Book& book) { return object_of(json::encode(editable(book))); }

}  // namespace

std::string changed_fields(const Book& before, const Book& after) {
  const auto was = fields_of(before), is = fields_of(after);
  bj::object out;
  for (const auto& [name, value] : is)
    if (const auto& old = was.at(name); old != value) out[name] = bj::array{old, value};
  return bj::serialize(out);
}

std::string current_fields(const Book& book) { return json::encode(editable(book)); }

std::vector<FieldChange> unpack_changes(std::string_view changes) {
  std::vector<FieldChange> out;
  for (const auto& [name, pair] : object_of(changes)) {
    const auto& values = pair.as_array();
    out.push_back({std::string(name), {bj::serialize(values.at(0))}, {bj::serialize(values.at(1))}});
  }
  return out;
}

void remember(db::Transaction& tx, BookId book, std::int64_t version, HistoryAction action, const Caller& by,
              Timestamp at, std::string_view changes) {
  tx.execute(
      "INSERT INTO book_history (book_id, version, at, user_id, action, changes) VALUES ($1, $2, $3, $4, $5, "
      "$6)",
      book, version, at, by.user, action, changes);
}

std::optional<NewBook> taken_back(const Book& now, const std::vector<std::string>& changes) {
  auto fields = fields_of(now);
  for (const auto& step : changes)
    for (const auto& [name, pair] : object_of(step)) fields[name] = pair.as_array().at(0);
  for (auto field = fields.begin(); field != fields.end();)
    field = field->value().is_null() ? fields.erase(field) : field + 1;
  auto book = json::decode<NewBook>(bj::serialize(fields));
  if (!book) return {};
  return std::move(*book);
}

}  // namespace lumina::books

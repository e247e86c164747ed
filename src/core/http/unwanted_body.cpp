#include "core/http/unwanted_body.hpp"

#include "core/http/extract.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace lumina::http {
namespace {

struct Nothing {
  static constexpr std::string_view type_name = "Nothing";
  static std::vector<schema::Field> fields() { return {}; }
};

}  // namespace

bool takes_no_body(const Route& row) {
  const bool changes = row.method == Method::post || row.method == Method::put ||
                       row.method == Method::patch || row.method == Method::del;
  return changes && row.body == nullptr && !row.body_required && !row.sink;
}

void refuse_bodies(Route& row) {
  // The faults join those that the handler finds and are answered with them.
  row.handler = [inner = std::move(row.handler)](Context& context) -> Eventual<Response> {
    Nothing nothing;
    detail::read_json_body(context, schema::type_of<Nothing>(), &nothing, false);
    return inner(context);
  };
}

}  // namespace lumina::http

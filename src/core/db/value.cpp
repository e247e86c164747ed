#include "core/db/value.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace lumina::db {

std::string pack_list(const std::vector<std::string>& list) {
  boost::json::array array;
  for (const auto& item : list) array.emplace_back(item);
  return boost::json::serialize(array);
}

std::vector<std::string> unpack_list(std::string_view text) {
  std::vector<std::string> list;
  boost::system::error_code error;
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_array()) return list;
  for (const auto& item : value.get_array())
    if (item.is_string()) list.emplace_back(item.get_string().data(), item.get_string().size());
  return list;
}

}  // namespace lumina::db

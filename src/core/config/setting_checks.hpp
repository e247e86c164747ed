// What the text of a setting must be, beyond its type: each gives what is wrong, or nothing, and may rewrite
// the text to its usual form. Pure; any thread.
#pragma once
#include <optional>
#include <string>

namespace lumina::config {

std::optional<std::string> check_database_url(std::string& url);
std::optional<std::string> check_replica_url(std::string& url);
std::optional<std::string> check_base_url(std::string& url);
std::optional<std::string> check_origin(std::string& text);
std::optional<std::string> check_email(std::string& text);
std::optional<std::string> check_currency(std::string& text);
std::optional<std::string> check_data_dir(std::string& text);
std::optional<std::string> check_time_zone(std::string& text);

}  // namespace lumina::config

// What the text of a setting must look like, beyond its type. Each puts an accepted value into its usual
// spelling and gives nothing, or gives what is wrong: "must be ...". Any thread.
#pragma once
#include <optional>
#include <string>

namespace lumina::config {

// PostgreSQL or SQLite; drops the driver that SQLAlchemy names (postgresql+asyncpg).
std::optional<std::string> check_database_url(std::string& url);
// PostgreSQL, or empty.
std::optional<std::string> check_replica_url(std::string& url);
// http or https, or empty.
std::optional<std::string> check_base_url(std::string& url);
// Several, with spaces between them.
std::optional<std::string> check_base_urls(std::string& urls);
// A web origin (RFC 6454), or *.
std::optional<std::string> check_origin(std::string& origin);
// One address, or empty.
std::optional<std::string> check_email(std::string& email);
// A web address to which paths are added, or empty; drops a slash at the end.
std::optional<std::string> check_public_url(std::string& url);
// The name or address of a server, or empty.
std::optional<std::string> check_host(std::string& host);
// Text that fits on one line of a message.
std::optional<std::string> check_line(std::string& text);
// A whole number of days from 1 to 365.
std::optional<std::string> check_day_number(std::string& text);
// A part of the collaborative model of recommendations.
std::optional<std::string> check_recs_algorithm(std::string& text);
// A code of ISO 4217.
std::optional<std::string> check_currency(std::string& code);
std::optional<std::string> check_listen_address(std::string& text);
// A folder, there or not.
std::optional<std::string> check_document_kind(std::string& kind);
std::optional<std::string> check_data_dir(std::string& path);
// A name of the IANA time zone database.
std::optional<std::string> check_time_zone(std::string& name);

}  // namespace lumina::config

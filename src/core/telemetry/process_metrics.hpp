// What the process and its disk use, under the names Prometheus client libraries give them.
#pragma once
#include "core/telemetry/metrics.hpp"

#include <filesystem>
#include <string>

namespace lumina::metrics {

struct ProcessFacts {
  std::filesystem::path data_dir;
  std::string version;
  std::string commit;
  std::string database;  // "sqlite" or "postgresql"
};

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds,
// process_max_fds, process_threads, process_start_time_seconds,
// process_network_{receive,transmit}_bytes_total, luminalib_data_dir_free_bytes,
// luminalib_data_dir_size_bytes, luminalib_log_lines_dropped_total and
// luminalib_build_info{version,commit,db}. Read from /proc at every scrape; what cannot be read is left out.
void register_process_metrics(Registry&, const ProcessFacts&);

}  // namespace lumina::metrics

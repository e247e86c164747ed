#include "core/extract/archive.hpp"

#include <zip.h>

namespace lumina::extract {

struct Archive::State {
  zip_t* archive = nullptr;
  ~State() {
    if (archive != nullptr) zip_discard(archive);
  }
};

Archive::Archive(std::string_view bytes) : state_(std::make_unique<State>()) {
  zip_error_t error;
  zip_error_init(&error);
  auto* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source != nullptr) state_->archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (state_->archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  if (state_->archive == nullptr) throw std::runtime_error("no archive");
  if (zip_get_num_entries(state_->archive, 0) > most_entries) throw Bomb("too many entries");
}

Archive::~Archive() = default;

std::optional<std::string> Archive::read(const std::string& name) {
  const auto index = zip_name_locate(state_->archive, name.c_str(), 0);
  if (index < 0) return {};
  zip_stat_t stat;
  zip_stat_init(&stat);
  const auto at = static_cast<zip_uint64_t>(index);
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_ENCRYPTION_METHOD;
  if (zip_stat_index(state_->archive, at, 0, &stat) != 0 || (stat.valid & needed) != needed) return {};
  if (stat.encryption_method != ZIP_EM_NONE) throw std::runtime_error("encrypted");
  constexpr std::uint64_t harmless = 1 << 20;
  if (stat.size > most_of_entry || taken_ + stat.size > most_of_all ||
      (stat.size > harmless && stat.size / (stat.comp_size + 1) > most_ratio))
    throw Bomb(name);
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(state_->archive, at, 0),
                                                               &zip_fclose);
  if (!file) throw std::runtime_error("an entry cannot be read");
  // One byte more than it says it holds: what is longer lies.
  std::string out(stat.size + 1, '\0');
  std::uint64_t have = 0;
  while (have < out.size()) {
    const auto n = zip_fread(file.get(), out.data() + have, out.size() - have);
    if (n < 0) throw std::runtime_error("an entry is damaged");
    if (n == 0) break;
    have += static_cast<std::uint64_t>(n);
  }
  if (have > stat.size) throw Bomb(name);
  taken_ += have;
  out.resize(have);
  return out;
}

}  // namespace lumina::extract

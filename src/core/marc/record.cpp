#include "core/marc/record.hpp"

#include <algorithm>

namespace lumina::marc {

std::string_view Field::get(char code) const {
  const auto found = std::ranges::find(subfields, code, &Subfield::code);
  return found == subfields.end() ? std::string_view{} : std::string_view(found->value);
}

const Field* Record::find(std::string_view tag) const {
  const auto found = std::ranges::find(fields, tag, &Field::tag);
  return found == fields.end() ? nullptr : &*found;
}

void Record::control(std::string tag, std::string data) {
  Field field;
  field.tag = std::move(tag);
  field.data = std::move(data);
  fields.push_back(std::move(field));
}

void Record::add(std::string tag, char first, char second, std::vector<Subfield> subfields) {
  fields.push_back({std::move(tag), {}, first, second, std::move(subfields)});
}

}  // namespace lumina::marc

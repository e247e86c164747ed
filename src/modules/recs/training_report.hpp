// A trained model as the registry writes it down: figures as JSON.
#pragma once
#include "modules/recs/model.hpp"
#include "modules/recs/trainer.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lumina::recs {

// Of everything but file, cause and version.
ModelVersion described(const TrainedModel& model);
// Milliseconds of each step.
std::string steps_json(std::span<const StepTime> steps);
// Adds a member `search`, the table of what was tried, to the report.
void add_search(ModelVersion& version, std::span<const Trial> trials);

}  // namespace lumina::recs

// SPDX-License-Identifier: BSD-3-Clause
#include "stream_plan.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

namespace sensor_analytics {

namespace {

namespace fs = std::filesystem;

/// The median time from one row to the next; 1 s at least.
std::chrono::seconds usual_interval(const nab::series& data) {
  std::vector<std::chrono::seconds> steps;
  for (std::size_t i = 1; i < data.rows.size(); ++i)
    steps.push_back(data.rows[i].time - data.rows[i - 1].time);
  if (steps.empty())
    return std::chrono::seconds{1};
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return std::max(*middle, std::chrono::seconds{1});
}

std::vector<std::string> names_below(const fs::path& folder) {
  std::error_code problem;
  std::vector<std::string> names;
  fs::recursive_directory_iterator entry{folder, problem};
  if (problem)
    throw text::input_error{folder.string() + ": cannot be read: " + problem.message()};
  for (; entry != fs::recursive_directory_iterator{}; entry.increment(problem))
    if (entry->path().extension() == ".csv")
      names.push_back(fs::relative(entry->path(), folder).string());
  if (problem) // the walk has ended early
    throw text::input_error{folder.string() + ": cannot be read to its end: " + problem.message()};
  std::sort(names.begin(), names.end());
  if (names.empty())
    throw text::input_error{folder.string() + ": holds no series (<group>/<name>.csv)"};
  return names;
}

} // namespace

std::vector<recording> read_recordings(const std::string& folder, double speed) {
  const fs::path data = fs::path{folder} / "data";
  std::vector<recording> all;
  for (const auto& name : names_below(data)) {
    recording one{nab::read_series((data / name).string(), name), fs::path{name}.begin()->string()};
    if (one.data.rows.empty())
      throw text::input_error{(data / name).string() + ": holds no rows"};
    if (speed > 0)
      one.interval = std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(usual_interval(one.data)) / speed);
    all.push_back(std::move(one));
  }
  return all;
}

stream_plan::stream_plan(const std::vector<recording>& recordings, std::size_t device)
    : source_{&recordings[device % recordings.size()]}, series_{device % recordings.size()},
      first_{readings() * (device / recordings.size() % phases) / phases} {
  // Multiples of the golden ratio fill the interval evenly however many there are.
  const double share = std::fmod(static_cast<double>(device) * 0.6180339887498949, 1.0);
  offset_ = std::chrono::nanoseconds{static_cast<std::int64_t>(share * static_cast<double>(source_->interval.count()))};
}

} // namespace sensor_analytics

// SPDX-License-Identifier: BSD-3-Clause
#include "corpus.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace nab {

namespace {

nlohmann::json read_json(const std::string& path) {
  std::string all;
  for (const auto& line : text::read_lines(path))
    all += line + '\n';
  try {
    return nlohmann::json::parse(all);
  } catch (const nlohmann::json::parse_error& e) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, all.size()));
    throw input_error{fmt::format("{}:{}: is not JSON", path, 1 + std::count(all.begin(), end, '\n'))};
  } catch (const nlohmann::json::out_of_range&) {
    throw input_error{path + ": holds a number that is out of range"};
  }
}

time_point time_of(const nlohmann::json& text, const std::string& place) {
  const auto time = text.is_string() ? parse_time(text.get<std::string>()) : std::nullopt;
  if (!time)
    throw input_error{fmt::format("{}: {} is not a time \"YYYY-MM-DD hh:mm:ss\"", place, text.dump())};
  return *time;
}

std::vector<std::pair<time_point, time_point>> windows_of(const nlohmann::json& list, const std::string& place) {
  if (!list.is_array())
    throw input_error{place + ": is not a list of windows"};
  std::vector<std::pair<time_point, time_point>> times;
  for (const auto& pair : list) {
    if (!pair.is_array() || pair.size() != 2)
      throw input_error{place + ": a window is not a pair of times"};
    times.emplace_back(time_of(pair[0], place), time_of(pair[1], place));
  }
  return times;
}

std::size_t row_at(time_point time, const series& data, const std::string& place) {
  const auto row =
      std::find_if(data.rows.begin(), data.rows.end(), [time](const observation& o) { return o.time == time; });
  if (row == data.rows.end())
    throw input_error{fmt::format("{}: the series has no row at {}", place, to_text(time))};
  return static_cast<std::size_t>(row - data.rows.begin());
}

} // namespace

std::vector<window> rows_of(const std::vector<std::pair<time_point, time_point>>& times, const series& data,
                            const std::string& place) {
  std::vector<window> windows;
  for (const auto& [first, last] : times) {
    const window w{row_at(first, data, place), row_at(last, data, place)};
    if (w.last <= w.first || (!windows.empty() && w.first <= windows.back().last))
      throw input_error{
          fmt::format("{}: the window from {} is empty or not behind the one before", place, to_text(first))};
    windows.push_back(w);
  }
  return windows;
}

std::vector<labelled_series> read_corpus(const std::string& folder) {
  const std::string labels_path = folder + "/labels/combined_windows.json";
  const auto labels = read_json(labels_path);
  if (!labels.is_object())
    throw input_error{labels_path + ": is not an object of series"};
  std::vector<labelled_series> corpus;
  for (const auto& [name, list] : labels.items()) { // in order of name
    const std::string place = labels_path + ": " + name;
    labelled_series one{read_series(folder + "/data/" + name, name), {}};
    one.windows = rows_of(windows_of(list, place), one.data, place);
    corpus.push_back(std::move(one));
  }
  return corpus;
}

std::string results_path(const std::string& folder, std::string_view detector, const std::string& series_name) {
  const std::filesystem::path name{series_name};
  return fmt::format("{}/{}/{}_{}", folder, name.parent_path().string(), detector, name.filename().string());
}

std::map<std::string, double, std::less<>> read_thresholds(const std::string& path, const std::string& detector) {
  const auto all = read_json(path);
  if (!all.is_object() || !all.contains(detector))
    throw input_error{fmt::format("{}: no thresholds for '{}'", path, detector)};
  std::map<std::string, double, std::less<>> thresholds;
  for (const auto& p : profiles) {
    const auto pointer = nlohmann::json::json_pointer{fmt::format("/{}/threshold", p.name)};
    const auto& mine = all[detector];
    if (!mine.contains(pointer) || !mine[pointer].is_number())
      throw input_error{fmt::format("{}: {}: no threshold for profile {}", path, detector, p.name)};
    thresholds.emplace(p.name, mine[pointer].get<double>());
  }
  return thresholds;
}

} // namespace nab

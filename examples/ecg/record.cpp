// SPDX-License-Identifier: BSD-3-Clause
#include "record.hpp"

#include "text/csv.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

namespace ecg {

namespace {

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

} // namespace

std::vector<lead> read_record(const std::string& path) {
  std::vector<lead> record;
  std::size_t lines = 0;
  text::for_each_line(path, [&](std::size_t number, std::string_view line) {
    lines = number;
    const auto fields = text::fields_of(line);
    if (number == 1) {
      if (fields.size() < 2 || fields[0] != "sample")
        text::fail(path, 1, fmt::format("the header is '{}', not 'sample' and the names of leads", text::shown(line)));
      for (std::size_t i = 1; i < fields.size(); ++i)
        record.push_back({std::string{fields[i]}, {}});
      return;
    }
    if (fields.size() != record.size() + 1)
      text::fail(path, number, fmt::format("{} fields, not {}", fields.size(), record.size() + 1));
    if (std::uint64_t sample = 0; !read_number(fields[0], sample) || sample != number - 2)
      text::fail(path, number, fmt::format("sample: '{}' is not {}", text::shown(fields[0]), number - 2));
    for (std::size_t i = 0; i < record.size(); ++i) {
      double value = std::numeric_limits<double>::quiet_NaN();
      if (!fields[i + 1].empty() && (!read_number(fields[i + 1], value) || std::isinf(value)))
        text::fail(path, number, fmt::format("{}: '{}' is not a number", record[i].name, text::shown(fields[i + 1])));
      record[i].samples.push_back(value);
    }
  });
  if (lines < 2)
    throw text::input_error{path + ": holds no samples"};
  return record;
}

const lead& find_lead(const std::vector<lead>& record, std::string_view name, const std::string& path) {
  std::string names;
  for (const auto& l : record) {
    if (name.empty() || l.name == name)
      return l;
    names += (names.empty() ? "" : ", ") + l.name;
  }
  throw text::input_error{fmt::format("{}: no lead '{}'; there are {}", path, text::shown(name), names)};
}

} // namespace ecg

// SPDX-License-Identifier: BSD-3-Clause
#include "csv.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace text {

void fail(const std::string& path, std::size_t line, std::string_view problem) {
  throw input_error{fmt::format("{}:{}: {}", path, line, problem)};
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos)
      return fields;
    line.remove_prefix(comma + 1);
  }
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

void for_each_line(const std::string& path, const std::function<void(std::size_t, std::string_view)>& take) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    throw input_error{path + ": is a directory"};
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file)
    throw input_error{fmt::format("{}: cannot be opened: {}", path, std::generic_category().message(errno))};
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    std::string_view text = line;
    if (number == 0 && text.starts_with("\xef\xbb\xbf")) // a byte order mark
      text.remove_prefix(3);
    if (text.ends_with('\r'))
      text.remove_suffix(1);
    take(++number, text);
  }
  if (file.bad())
    throw input_error{path + ": cannot be read to its end"};
  if (number == 0)
    throw input_error{path + ": is empty"};
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  for_each_line(path, [&lines](std::size_t, std::string_view line) { lines.emplace_back(line); });
  return lines;
}

} // namespace text

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace text {

/// Input that cannot be used; `what()` is one line that names the file and, where there is one, the line.
class input_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Throws an `input_error`: `path:line: problem`.
[[noreturn]] void fail(const std::string& path, std::size_t line, std::string_view problem);

/// Text as it may stand in a one-line message: no control characters, at most 40 bytes and an ellipsis.
inline std::string shown(std::string_view text) {
  std::string result{text.substr(0, 40)};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text.size() > 40 ? result + "..." : result;
}

/// What stands between the commas of a line without quotes; of an empty line one empty field.
std::vector<std::string_view> fields_of(std::string_view line);

/// Reads a finite number that takes up all of `text`.
std::optional<double> parse_number(std::string_view text);

/// Calls `take(number, line)` for each line of a file, from 1 on, without its end (LF or CRLF)
/// and without the byte order mark that may stand before the first.
/// An `input_error` if the file cannot be read to its end or is empty.
void for_each_line(const std::string& path, const std::function<void(std::size_t, std::string_view)>& take);

/// All of them.
std::vector<std::string> read_lines(const std::string& path);

} // namespace text

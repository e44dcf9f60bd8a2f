// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace text {

/// A file that could not be written; `what()` is one line that names it.
class output_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Why a later `write_output(path, ...)` is bound to fail, or nothing. Creates and removes a temporary file beside
/// `path` to find out, since permissions alone tell neither about read-only file systems nor about root.
std::optional<std::string> output_obstacle(const std::string& path);

/// Writes `text` to `path`: afterwards the file holds all of it, or, on `output_error`, what it held before.
///
/// The text goes to a temporary file in the same directory, is synchronised to the disk and then renamed. A symbolic
/// link keeps pointing where it did; a pipe or a device is written to directly.
void write_output(const std::string& path, std::string_view text);

} // namespace text

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ecg {

/// One lead of an electrocardiogram, in the unit of its file. NaN where a sample is missing.
struct lead {
  std::string name;
  std::vector<double> samples;
};

/// Reads a text file whose first line names its columns, `sample` first, and whose n-th line after that holds the sample
/// number n - 1 and a number for each lead, or nothing where it is missing. A `text::input_error` if it is otherwise.
std::vector<lead> read_record(const std::string& path);

/// The lead called `name`; with no name the first. A `text::input_error` that lists the names if there is no such lead.
const lead& find_lead(const std::vector<lead>& record, std::string_view name, const std::string& path);

} // namespace ecg

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "field.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sensor_analytics {

/// One line, not terminated, about what has come since `before`.
std::string plain_line(const field_figures& now, const field_figures& before);

/// The table, of at most `columns` columns, without line ends.
std::vector<std::string> table_lines(const field_figures& now, const field_figures& before, std::size_t columns,
                                     bool color);

} // namespace sensor_analytics

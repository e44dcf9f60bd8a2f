// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "hospital.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace patient_monitor {

/// One line, not terminated.
std::string plain_line(const hospital_figures& now);

/// The table, of at most `columns` columns where these are 60 or more, without line ends. At most twenty wards.
std::vector<std::string> table_lines(const hospital_figures& now, std::size_t columns, bool color);

} // namespace patient_monitor

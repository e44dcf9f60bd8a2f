// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/rows.hpp>

#include <string>
#include <string_view>

namespace journal_tool {

/// "2026-01-31 23:59:59.123456Z", to the microsecond; "-" for 0.
std::string time_text(troupe::row_time t);

/// Bold, or red, if standard output is a terminal and NO_COLOR is not set.
std::string bold(std::string_view text);
std::string red(std::string_view text);

} // namespace journal_tool

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <string_view>

namespace support {

/// A folder of the recorded data that is no part of the repository: below the directory that TROUPE_DATA names, or beside
/// the source tree. If it is not at hand, the path is empty, the case says so and returns, and the program ends as skipped.
std::filesystem::path shared_data(std::string_view folder);

} // namespace support

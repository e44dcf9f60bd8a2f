// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <typeinfo>

namespace troupe {

/// The type's name as written in C++, for reports.
std::string type_name(const std::type_info& type);

} // namespace troupe

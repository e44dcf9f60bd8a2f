// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/supervision/exit_reason.hpp>

namespace troupe::detail {

/// The plain CAF actor `face` of a cell ends: its CAF monitors and links are told. Takes the cell's count on it over.
void caf_face_stopped(void* face, exit_reason why) noexcept;

} // namespace troupe::detail

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace troupe {
class system;
}

namespace troupe::detail {

/// Ends a stepped system at once: every actor is killed before it handles anything more, and its object destroyed.
/// *Requires*: the system's conductor admits every turn.
void tear_down(system& sys) noexcept;

} // namespace troupe::detail

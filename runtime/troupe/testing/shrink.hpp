// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/testing/schedule.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace troupe::detail {

/// The choices that a run by the given schedule really made, if it fails in the way that matters; else nothing.
using failing_run = std::function<std::optional<schedule>(const schedule&)>;

/// A schedule that still fails, from which no single choice can be left out, unless `runs` are not enough.
///
/// Leaves out halves, quarters and so on down to single choices (A. Zeller, R. Hildebrandt, "Simplifying and isolating
/// failure-inducing input", 2002, without its test of subsets), then lowers values. Returns `failing` itself if it does
/// not fail again.
schedule shrink(const schedule& failing, const failing_run& fails, std::uint64_t runs);

} // namespace troupe::detail

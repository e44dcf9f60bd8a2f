// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::engine {

/// How many workers this process should have: the CPUs it may run on, limited by its control group's CPU time, rounded
/// up; at least 1.
///
/// Looks at sched_getaffinity, and below `root` at /proc/self/cgroup and at each group from the process's own up to the
/// top: cgroup v2 `cpu.max`, and v1 `cpu.cfs_quota_us` with `cpu.cfs_period_us`. What is missing or unreadable limits
/// nothing.
unsigned cpu_quota(const std::filesystem::path& root = "/");

/// CPUs that a `cpu.max` file allows ("150000 100000" is 1.5), or nothing for "max" and for malformed contents.
std::optional<double> parse_cpu_max(std::string_view contents);

/// CPUs that a pair of v1 files allows, or nothing for quota -1 and for malformed contents.
std::optional<double> parse_cfs_quota(std::string_view quota, std::string_view period);

/// The process's group for a v1 `controller`, or in the v2 hierarchy if `controller` is empty, as /proc/self/cgroup
/// names it; nothing if it is not listed.
std::optional<std::string> parse_cgroup(std::string_view proc_self_cgroup, std::string_view controller);

/// Workers for `cpus` processors under a limit: the smaller, rounded up; at least 1.
unsigned workers_for(unsigned cpus, std::optional<double> limit);

} // namespace troupe::engine

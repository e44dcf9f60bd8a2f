// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cpu_quota.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sched.h>
#include <thread>
#include <vector>

namespace troupe::engine {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> read(const fs::path& file) {
  std::ifstream in{file};
  if (!in)
    return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

/// The number that `text` begins with, after blanks; `text` moves past it.
std::optional<std::int64_t> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<double> ratio(std::optional<std::int64_t> quota, std::optional<std::int64_t> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0)
    return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

void lower(std::optional<double>& limit, std::optional<double> other) {
  if (other)
    limit = std::min(limit.value_or(*other), *other);
}

std::optional<double> group_limit(const fs::path& group) {
  std::optional<double> limit;
  if (const auto max = read(group / "cpu.max"))
    lower(limit, parse_cpu_max(*max));
  const auto quota = read(group / "cpu.cfs_quota_us");
  const auto period = read(group / "cpu.cfs_period_us");
  if (quota && period)
    lower(limit, parse_cfs_quota(*quota, *period));
  return limit;
}

/// The lowest limit from `group` up to the top of the hierarchy mounted at `mount`. In a container the path may be the
/// host's and not exist below the mount, whose top then is the container's own group; the walk ends there in any case.
std::optional<double> hierarchy_limit(const fs::path& mount, const fs::path& group) {
  std::optional<double> limit;
  for (auto at = group.relative_path(); !at.empty(); at = at.parent_path())
    lower(limit, group_limit(mount / at));
  lower(limit, group_limit(mount));
  return limit;
}

/// How many processors the scheduler of the kernel may put this process on.
unsigned affinity() {
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) { // the call fails while the mask is too small for the machine
    std::vector<cpu_set_t> mask(static_cast<std::size_t>(cpus) / CPU_SETSIZE);
    const auto bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0)
      return static_cast<unsigned>(CPU_COUNT_S(bytes, mask.data()));
  }
  return std::thread::hardware_concurrency();
}

} // namespace

std::optional<double> parse_cpu_max(std::string_view contents) {
  const auto quota = take_number(contents); // "max" is not a number: no limit
  return ratio(quota, take_number(contents));
}

std::optional<double> parse_cfs_quota(std::string_view quota, std::string_view period) {
  return ratio(take_number(quota), take_number(period));
}

std::optional<std::string> parse_cgroup(std::string_view proc_self_cgroup, std::string_view controller) {
  while (!proc_self_cgroup.empty()) { // lines of the form id:controllers:path; v2 has id 0 and no controllers
    const auto end = std::min(proc_self_cgroup.find('\n'), proc_self_cgroup.size());
    const auto line = proc_self_cgroup.substr(0, end);
    proc_self_cgroup.remove_prefix(std::min(end + 1, proc_self_cgroup.size()));
    const auto first = line.find(':');
    const auto second = line.find(':', first == line.npos ? first : first + 1);
    if (second == line.npos)
      continue;
    const auto listed = "," + std::string{line.substr(first + 1, second - first - 1)} + ",";
    const bool found =
        controller.empty() ? listed == ",," : listed.find("," + std::string{controller} + ",") != listed.npos;
    if (found)
      return std::string{line.substr(second + 1)};
  }
  return std::nullopt;
}

unsigned workers_for(unsigned cpus, std::optional<double> limit) {
  if (limit)
    cpus = static_cast<unsigned>(std::min(std::ceil(*limit), static_cast<double>(cpus)));
  return std::max(cpus, 1u);
}

unsigned cpu_quota(const std::filesystem::path& root) {
  std::optional<double> limit;
  const auto groups = read(root / "proc/self/cgroup").value_or("");
  const auto mounts = root / "sys/fs/cgroup";
  if (const auto group = parse_cgroup(groups, ""))
    for (const auto* mount : {"", "unified"}) // the second where v1 and v2 are mounted side by side
      lower(limit, hierarchy_limit(mounts / mount, *group));
  if (const auto group = parse_cgroup(groups, "cpu"))
    for (const auto* mount : {"cpu", "cpu,cpuacct"})
      lower(limit, hierarchy_limit(mounts / mount, *group));
  return workers_for(affinity(), limit);
}

} // namespace troupe::engine

// SPDX-License-Identifier: BSD-3-Clause
// Claims: the number of workers follows the control group's CPU time in both versions, and never falls below 1.
// Observed on sample file contents and on a made-up root folder.
#include <troupe/engine/cpu_quota.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace troupe::engine;
namespace fs = std::filesystem;

namespace {

struct fake_root {
  fake_root() {
    auto name = (fs::temp_directory_path() / "cpu_quota_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~fake_root() { fs::remove_all(path); }

  void write(const std::string& file, const std::string& contents) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream{path / file} << contents;
  }

  fs::path path;
};

} // namespace

TEST_CASE("cpu_quota: reads cpu.max") {
  CHECK(parse_cpu_max("max 100000\n") == std::nullopt);
  CHECK(parse_cpu_max("150000 100000\n") == 1.5);
  CHECK(parse_cpu_max("50000 100000") == 0.5);
  for (const auto* bad : {"", "\n", "100000", "x y", "-1 100000", "0 100000", "100000 0", "99999999999999999999 1"}) {
    CAPTURE(bad);
    CHECK(parse_cpu_max(bad) == std::nullopt);
  }
}

TEST_CASE("cpu_quota: reads the quota and period of version 1") {
  CHECK(parse_cfs_quota("-1\n", "100000\n") == std::nullopt);
  CHECK(parse_cfs_quota("400000\n", "100000\n") == 4.0);
  CHECK(parse_cfs_quota("400000\n", "\n") == std::nullopt);
}

TEST_CASE("cpu_quota: finds the group of a controller") {
  const auto* hybrid = "9:name=systemd:/\n4:cpu,cpuacct:/a/b\n3:cpuset:/c\n0::/u:v/w\n";
  CHECK(parse_cgroup(hybrid, "cpu") == "/a/b");
  CHECK(parse_cgroup(hybrid, "cpuacct") == "/a/b");
  CHECK(parse_cgroup(hybrid, "cpuset") == "/c");
  CHECK(parse_cgroup(hybrid, "") == "/u:v/w");
  CHECK(parse_cgroup(hybrid, "memory") == std::nullopt);
  CHECK(parse_cgroup("", "") == std::nullopt);
  CHECK(parse_cgroup("no colons\n:\n::", "cpu") == std::nullopt);
  CHECK(parse_cgroup("0::/last", "") == "/last");
}

TEST_CASE("cpu_quota: rounds a limit up and stays between 1 and the processors") {
  CHECK(workers_for(8, std::nullopt) == 8);
  CHECK(workers_for(8, 1.5) == 2);
  CHECK(workers_for(8, 2.0) == 2);
  CHECK(workers_for(8, 0.1) == 1);
  CHECK(workers_for(8, 1e9) == 8);
  CHECK(workers_for(0, std::nullopt) == 1);
}

TEST_CASE("cpu_quota: nothing readable means the processors of this process") {
  const fake_root root;
  CHECK(cpu_quota(root.path) >= 1);
  CHECK(cpu_quota(root.path) >= cpu_quota());
}

TEST_CASE("cpu_quota: the lowest limit on the way up counts in version 2") {
  const fake_root root;
  root.write("proc/self/cgroup", "0::/pod/container\n");
  root.write("sys/fs/cgroup/pod/cpu.max", "100000 100000\n");
  root.write("sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
  CHECK(cpu_quota(root.path) == 1);
}

TEST_CASE("cpu_quota: a path that only exists on the host ends at the top of the mount in version 1") {
  const fake_root root;
  root.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/0123\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "60000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK(cpu_quota(root.path) == 1);
}

TEST_CASE("cpu_quota: version 2 beside version 1 is found") {
  const fake_root root;
  root.write("proc/self/cgroup", "1:cpu:/\n0::/here\n");
  root.write("sys/fs/cgroup/unified/here/cpu.max", "10000 100000\n");
  CHECK(cpu_quota(root.path) == 1);
}

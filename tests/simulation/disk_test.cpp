// SPDX-License-Identifier: BSD-3-Clause
// Claims: the simulated disk keeps at a crash what was synced, a beginning of the rest, and nothing else.
// Observed: by contents after crashes, with a chance that the test decides.
#include <troupe/testing/simulated_disk.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <vector>

using namespace troupe;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void write(simulated_disk& disk, const std::string& path, const std::string& text, bool sync) {
  const auto f = disk.open(path, open_mode::append);
  f->write(bytes_of(text));
  if (sync)
    f->sync();
}

simulated_disk::chance drawing(std::mt19937_64& random) {
  simulated_disk::chance c;
  c.draw = [&random](std::uint64_t below) { return random() % below; };
  return c;
}

} // namespace

TEST_CASE("simulated disk: what programs read does not depend on syncing") {
  simulated_disk disk;
  disk.create_directories("a/b");
  write(disk, "a/b/file", "one", false);
  write(disk, "a/b/file", "two", false);
  CHECK(disk.content("a/b/file") == "onetwo");
  CHECK(disk.list("a/b") == std::vector<std::string>{"file"});
  disk.rename("a/b/file", "a/b/other");
  CHECK_FALSE(disk.exists("a/b/file"));
  CHECK(disk.content("a/b/other") == "onetwo");
  CHECK(disk.remove("a/b/other"));
  CHECK_FALSE(disk.remove("a/b/other"));
  CHECK_THROWS_AS(disk.open("a/b/other", open_mode::read), std::system_error);
  CHECK_THROWS_AS(disk.open("nowhere/file", open_mode::write), std::system_error);
}

TEST_CASE("simulated disk: a file is read, cut and written from its start again") {
  simulated_disk disk;
  write(disk, "file", "0123456789", false);
  const auto f = disk.open("file", open_mode::append);
  f->truncate(4);
  f->write(bytes_of("x"));
  CHECK(f->size() == 5);
  std::vector<std::byte> buffer(3);
  CHECK_THROWS_AS(f->read(buffer), std::system_error);
  const auto r = disk.open("file", open_mode::read);
  CHECK(r->read(buffer) == 3);
  CHECK(r->read(buffer) == 2);
  CHECK(r->read(buffer) == 0);
  CHECK(static_cast<char>(buffer[1]) == 'x');
  r->close();
  CHECK_THROWS_AS(r->size(), std::system_error);
  disk.open("file", open_mode::write);
  CHECK(disk.content("file").empty());
}

TEST_CASE("simulated disk: at a crash nothing stays but what was synced, if chance keeps nothing") {
  simulated_disk disk;
  write(disk, "file", "synced", true);
  disk.sync_directory(".");
  write(disk, "file", "not synced", false);
  write(disk, "nameless", "synced, but not its name", true);
  disk.crash();
  CHECK(disk.content("file") == "synced");
  CHECK_FALSE(disk.exists("nameless"));
}

TEST_CASE("simulated disk: a synced rename is whole after a crash and another is there or not") {
  std::mt19937_64 random{1};
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    simulated_disk disk;
    disk.faults(drawing(random));
    disk.put("file", "old");
    write(disk, "new", "new", true);
    disk.rename("new", "file");
    disk.crash();
    seen.insert(disk.content("file"));
  }
  CHECK(seen == std::set<std::string>{"new", "old"});
  simulated_disk disk;
  disk.put("file", "old");
  write(disk, "new", "new", true);
  disk.rename("new", "file");
  disk.sync_directory(".");
  disk.crash();
  CHECK(disk.content("file") == "new");
  CHECK_FALSE(disk.exists("new"));
}

TEST_CASE("simulated disk: a name that was synced away into another directory does not come back") {
  std::mt19937_64 random{4};
  for (int i = 0; i < 50; ++i) {
    simulated_disk disk;
    disk.faults(drawing(random));
    for (const auto* d : {"a", "b"})
      disk.create_directories(d);
    disk.sync_directory(".");
    write(disk, "a/file", "text", true);
    disk.rename("a/file", "b/file");
    disk.sync_directory("b");
    if (i % 2 == 0)
      disk.sync_directory("a");
    disk.crash();
    REQUIRE_FALSE(disk.exists("a/file"));
    REQUIRE(disk.content("b/file") == "text");
  }
}

TEST_CASE("simulated disk: of what was not synced a beginning stays, in the order of writing, and it may be torn") {
  std::mt19937_64 random{2};
  std::set<std::size_t> lengths;
  const std::string whole = std::string(700, 'a') + std::string(700, 'b') + std::string(700, 'c');
  for (int i = 0; i < 300; ++i) {
    simulated_disk disk;
    disk.faults(drawing(random));
    disk.put("file", "");
    for (const char c : {'a', 'b', 'c'})
      write(disk, "file", std::string(700, c), false);
    disk.crash();
    const auto left = disk.content("file");
    REQUIRE(whole.starts_with(left));
    lengths.insert(left.size());
  }
  CHECK(lengths.contains(0));
  CHECK(lengths.contains(whole.size()));
  CHECK(lengths.size() > 20);
}

TEST_CASE("simulated disk: a failed sync loses what it should have kept, and the next one says nothing") {
  simulated_disk disk;
  int syncs = 0;
  simulated_disk::chance c;
  c.sync_fails = [&] { return ++syncs == 1; };
  disk.put("file", "");
  disk.faults(c);
  const auto f = disk.open("file", open_mode::append);
  f->write(bytes_of("lost"));
  CHECK_THROWS_AS(f->sync(), std::system_error);
  f->write(bytes_of("kept"));
  f->sync();
  CHECK(disk.content("file") == "lostkept");
  disk.crash();
  CHECK(disk.content("file") == std::string{"\0\0\0\0kept", 8});
}

TEST_CASE("simulated disk: a full disk writes a part, and rot changes one bit") {
  simulated_disk disk;
  simulated_disk::chance c;
  c.write_fails = [] { return true; };
  c.read_rots = [] { return true; };
  c.draw = [](std::uint64_t below) { return below / 2; };
  disk.put("file", "");
  disk.faults(c);
  const auto f = disk.open("file", open_mode::append);
  CHECK_THROWS_AS(f->write(bytes_of("12345678")), std::system_error);
  CHECK(disk.content("file") == "1234");
  std::vector<std::byte> buffer(4);
  CHECK(disk.open("file", open_mode::read)->read(buffer) == 4);
  CHECK(std::string(reinterpret_cast<const char*>(buffer.data()), 4) != "1234");
}

TEST_CASE("simulated disk: what is open at a crash stays usable and leads nowhere") {
  simulated_disk disk;
  disk.put("file", "old");
  const auto f = disk.open("file", open_mode::append);
  disk.crash();
  f->write(bytes_of("late"));
  f->sync();
  CHECK(disk.content("file") == "old");
  disk.create_directories("lost");
  write(disk, "lost/file", "x", true);
  disk.sync_directory("lost");
  disk.crash();
  CHECK_FALSE(disk.exists("lost/file"));
}

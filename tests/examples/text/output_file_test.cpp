// SPDX-License-Identifier: BSD-3-Clause

// Claim: an output file is written whole or left as it was. Observed on what a directory holds afterwards, with a file
// size limit in the place of a full disk.
#include "text/output_file.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

using text::output_error;
using text::output_obstacle;
using text::write_output;

namespace fs = std::filesystem;

namespace {

struct temporary_directory {
  temporary_directory() {
    std::string name = (fs::temp_directory_path() / "output_file_test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~temporary_directory() { fs::remove_all(path); }

  std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator{path}, fs::directory_iterator{}); }

  fs::path path;
};

std::string content_of(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Makes every write beyond some bytes of a file fail with EFBIG, as a full disk would with ENOSPC.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : handler_{std::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  void (*handler_)(int);
  rlimit before_{};
};

} // namespace

TEST_CASE("output_file: a new file holds the text and nothing else is left") {
  const temporary_directory place;
  write_output(place.path / "r.json", "text\n");
  CHECK(content_of(place.path / "r.json") == "text\n");
  CHECK(place.entries() == 1);
}

TEST_CASE("output_file: an old file is replaced and keeps its permissions") {
  const temporary_directory place;
  const fs::path file = place.path / "r.json";
  std::ofstream{file} << "a much longer text than the new one";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  write_output(file, "new");
  CHECK(content_of(file) == "new");
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("output_file: a link keeps pointing where it did") {
  const temporary_directory place;
  std::ofstream{place.path / "real"} << "old";
  fs::create_symlink("real", place.path / "link");
  write_output(place.path / "link", "new");
  CHECK(fs::is_symlink(place.path / "link"));
  CHECK(content_of(place.path / "real") == "new");
}

TEST_CASE("output_file: a disk that is full leaves the old file and no other") {
  const temporary_directory place;
  const fs::path file = place.path / "r.json";
  write_output(file, "old");
  std::string message;
  {
    const file_size_limit limit{4096};
    try {
      write_output(file, std::string(100'000, 'x'));
    } catch (const output_error& error) {
      message = error.what();
    }
  }
  CHECK(message == file.string() + ": cannot be written: File too large");
  CHECK(content_of(file) == "old");
  CHECK(place.entries() == 1);
}

TEST_CASE("output_file: devices are written to and stay devices") {
  write_output("/dev/null", "text");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK_FALSE(output_obstacle("/dev/null").has_value());
  if (fs::exists("/dev/full"))
    CHECK_THROWS_WITH_AS(write_output("/dev/full", "text"), "/dev/full: cannot be written: No space left on device",
                         output_error);
}

TEST_CASE("output_file: obstacles are told without leaving a trace") {
  const temporary_directory place;
  CHECK_FALSE(output_obstacle(place.path / "r.json").has_value());
  CHECK(place.entries() == 0);
  CHECK(output_obstacle("") == "the file name is empty");
  CHECK(output_obstacle(place.path) == "is a directory");
  CHECK(output_obstacle(place.path / "no/r.json") == "cannot be written: No such file or directory");
  CHECK_THROWS_AS(write_output(place.path / "no/r.json", "text"), output_error);
}

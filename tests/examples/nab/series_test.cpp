// SPDX-License-Identifier: BSD-3-Clause
// Claim: series and labels are read exactly, and what is wrong with them is said with its place.
// Observed: small files, and the messages in full.
#include "nab/corpus.hpp"
#include "nab/series.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

using namespace nab;

namespace {

/// A folder of its own, removed at the end.
struct scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("troupe_nab_test_" + std::to_string(::getpid()));

  scratch() { std::filesystem::create_directories(path); }
  ~scratch() { std::filesystem::remove_all(path); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::string file(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream{path / name} << text;
    return (path / name).string();
  }
};

template <class Function>
std::string message_of(Function f) {
  try {
    f();
  } catch (const input_error& e) {
    return e.what();
  }
  return {};
}

} // namespace

TEST_CASE("nab series: times and values are read exactly") {
  const scratch folder;
  const auto one = read_series(
      folder.file("a.csv", "timestamp,value\r\n2014-02-28 23:59:59,-1.5e3\n2016-02-29 00:00:00,20.0\n"), "a");
  REQUIRE(one.rows.size() == 2);
  CHECK(to_text(one.rows[0].time) == "2014-02-28 23:59:59");
  CHECK(one.rows[0].value == -1500);
  CHECK(to_text(one.rows[1].time) == "2016-02-29 00:00:00");
  CHECK(parse_time("2014-04-10 07:15:00.000000") == parse_time("2014-04-10 07:15:00"));
}

TEST_CASE("nab series: a fault is named with its file and line") {
  const scratch folder;
  const auto fault = [&](std::string_view text) {
    const auto path = folder.file("x.csv", text);
    auto said = message_of([&] { read_series(path, "x"); });
    return said.starts_with(path) ? said.substr(path.size()) : said;
  };
  CHECK(fault("") == ": is empty");
  CHECK(fault("\xef\xbb\xbftimestamp,value\r\n2014-02-28 00:00:00,1\r\n") == "");
  CHECK(fault("timestamp,value\n\xef\xbb\xbf"
              "2014-02-28 00:00:00,1\n")
            .starts_with(":2: timestamp: "));
  CHECK(fault("time,value\n") == ":1: the header is 'time,value', not 'timestamp,value'");
  CHECK(fault("timestamp,value\n2014-02-28 00:00:00\n") == ":2: 1 fields, not 2");
  CHECK(fault("timestamp,value\n2014-02-30 00:00:00,1\n") ==
        ":2: timestamp: '2014-02-30 00:00:00' is not a time YYYY-MM-DD hh:mm:ss");
  CHECK(fault("timestamp,value\n2014-02-28 00:00:00,1\n2014-02-28 00:05:00,nan\n") ==
        ":3: value: 'nan' is not a finite number");
  CHECK(message_of([&] { read_series(folder.path.string(), "x"); }) == folder.path.string() + ": is a directory");
}

TEST_CASE("nab corpus: windows are rows and a label that fits no row is named") {
  const scratch folder;
  folder.file("data/g/a.csv", "timestamp,value\n2014-01-01 00:00:00,1\n2014-01-01 00:05:00,2\n2014-01-01 00:10:00,3\n");
  const auto labels = [&](std::string_view text) { return folder.file("labels/combined_windows.json", text); };
  const auto read = [&] { return read_corpus(folder.path.string()); };

  labels(R"({"g/a.csv": [["2014-01-01 00:05:00.000000", "2014-01-01 00:10:00.000000"]]})");
  const auto corpus = read();
  REQUIRE(corpus.size() == 1);
  REQUIRE(corpus[0].windows.size() == 1);
  CHECK(corpus[0].windows[0].first == 1);
  CHECK(corpus[0].windows[0].last == 2);

  const auto path = labels(R"({"g/a.csv": [["2014-01-01 00:05:00", "2014-01-01 00:11:00"]]})");
  CHECK(message_of(read) == path + ": g/a.csv: the series has no row at 2014-01-01 00:11:00");
  labels(R"({"g/a.csv": [["2014-01-01 00:10:00", "2014-01-01 00:05:00"]]})");
  CHECK(message_of(read) ==
        path + ": g/a.csv: the window from 2014-01-01 00:10:00 is empty or not behind the one before");
  labels(R"({"g/b.csv": []})");
  CHECK(message_of(read) == folder.path.string() + "/data/g/b.csv: cannot be opened: No such file or directory");
  labels("{\n\n nonsense");
  CHECK(message_of(read) == path + ":3: is not JSON");
}

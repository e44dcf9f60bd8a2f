// SPDX-License-Identifier: BSD-3-Clause
// Claim: records are read exactly, faults are named with their place, and the beats of a real record are found.
// Observed: small files and messages in full; record 100 of the MIT-BIH Arrhythmia Database, if it is at
// hand (see support/shared_data.hpp), of which 2,273 beats are published, on two leads.
#include <troupe/analytics/beat_detector.hpp>

#include "ecg/record.hpp"
#include "support/shared_data.hpp"
#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;
using ecg::read_record;

namespace {

/// What is said of a file that holds `text`, without its name.
std::string fault(std::string_view text) {
  const auto path = (fs::temp_directory_path() / ("troupe_ecg_test_" + std::to_string(::getpid()))).string();
  std::ofstream{path} << text;
  std::string said;
  try {
    read_record(path);
  } catch (const text::input_error& e) {
    said = e.what();
  }
  fs::remove(path);
  return said.starts_with(path) ? said.substr(path.size()) : said;
}

std::vector<std::uint64_t> beats_of(const ecg::lead& lead) {
  troupe::analytics::beat_detector detector{360};
  std::vector<std::uint64_t> beats;
  for (const double s : lead.samples)
    for (const auto& b : detector.add(s))
      beats.push_back(b.sample);
  for (const auto& b : detector.finish())
    beats.push_back(b.sample);
  return beats;
}

} // namespace

TEST_CASE("ecg record: a fault is named with its file and line") {
  CHECK(fault("sample,II\n0,1.5\n1,\n") == "");
  CHECK(fault("") == ": is empty");
  CHECK(fault("sample,II\n") == ": holds no samples");
  CHECK(fault("time,II\n0,1\n") == ":1: the header is 'time,II', not 'sample' and the names of leads");
  CHECK(fault("sample,II\n0,1\n2,1\n") == ":3: sample: '2' is not 1");
  CHECK(fault("sample,II\n0,1,2\n") == ":2: 3 fields, not 2");
  CHECK(fault("sample,II\n0,x\n") == ":2: II: 'x' is not a number");
}

TEST_CASE("ecg record: the beats of a real record are found on both leads") {
  const auto path = support::shared_data("ecg/mitbih_100.csv");
  if (path.empty())
    return;
  const auto record = read_record(path.string());
  REQUIRE(record.size() == 2);
  CHECK(&ecg::find_lead(record, "", path.string()) == &record[0]);
  CHECK(&ecg::find_lead(record, "v5_adu", path.string()) == &record[1]);
  const auto first = beats_of(record[0]);
  const auto second = beats_of(record[1]);
  CHECK(first.size() == 2'273);
  CHECK(second.size() >= 2'271);
  std::size_t alone = 0; // beats of the second lead that the first has not within 150 ms
  for (const auto b : second) {
    bool seen = false;
    for (const auto a : first)
      seen = seen || (a > b ? a - b : b - a) <= 54;
    alone += seen ? 0 : 1;
  }
  CHECK(alone == 0);
}

// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a file of one of the formats that the examples and Nexmark read; the first byte says which. Read, or refused
// with one line that names the file.
#include "ecg/record.hpp"
#include "market_data/rate_files.hpp"
#include "memory_file.hpp"
#include "nab/corpus.hpp"
#include "text/csv.hpp"

#include <bench/nexmark/event_log.hpp>
#include <cmath>
#include <stdexcept>
#include <string_view>

namespace {

using fuzz::require;

void read(char format, const std::string& path) {
  switch (format) {
    case 'e': {
      const auto record = ecg::read_record(path);
      require(!record.empty());
      for (const auto& lead : record)
        require(lead.samples.size() == record.front().samples.size());
      return;
    }
    case 's': {
      const auto series = nab::read_series(path, "one");
      for (const auto& row : series.rows)
        require(std::isfinite(row.value) && nab::parse_time(nab::to_text(row.time)) == row.time);
      return;
    }
    case 'a': return (void)nab::read_scores(path);
    case 't': return (void)nab::read_thresholds(path, "numenta");
    case 'b': {
      const auto rates = market_data::read_ecb(path);
      for (const auto& currency : rates.currencies())
        for (const auto& [day, rate] : rates.days_of(currency))
          require(rate > 0 && market_data::parse_date(market_data::to_text(day)) == day);
      return;
    }
    case 'f': return (void)market_data::read_fed(path);
    default: (void)nexmark::event_log::read(path);
  }
}

/// `how` is what the reader of that format throws.
void expect_place(const std::exception& how, const std::string& path) {
  const std::string_view what{how.what()};
  require(what.starts_with(path) && what.find('\n') == what.npos);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const fuzz::memory_file file{data + 1, size - 1};
  try {
    read(static_cast<char>(data[0]), file.path());
  } catch (const text::input_error& e) {
    expect_place(e, file.path());
  } catch (const nexmark::event_log_error& e) {
    expect_place(e, file.path());
  }
  return 0;
}

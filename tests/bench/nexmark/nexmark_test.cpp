// SPDX-License-Identifier: BSD-3-Clause
// Claim: each of Nexmark's queries gives, as a pipeline, the answer that SQL gives over the same events: in order and
// disordered, with any number of workers, with failures; and so do the loops that it is measured against.
// Observed: over generated events of several seeds, and over the stored series where they are at hand.
#include <troupe/system.hpp>

#include "support/shared_data.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bench/nexmark/event_log.hpp>
#include <bench/nexmark/plans.hpp>
#include <bench/nexmark/sql_oracle.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace nexmark;
namespace pl = troupe::pipeline;
namespace fs = std::filesystem;

namespace {

struct setting {
  std::size_t disorder;
  unsigned workers;
  double crash_rate;
  std::size_t batch;
};

std::vector<std::string> answer_of(const query& q, const std::vector<event>& events, const setting& s) {
  troupe::system_options options;
  options.workers = s.workers;
  if (s.crash_rate > 0)
    options.faults = std::make_shared<troupe::fault_injector>(s.crash_rate, 7);
  troupe::system sys{options};
  auto to = std::make_shared<answer>(true);
  pl::options how;
  how.partitions = s.workers;
  how.stages.batch_size = s.batch;
  const feed from{std::span<const event>{events}, std::chrono::milliseconds{lateness_of(events)}, s.workers};
  const auto end = q.plan(from, to).start(sys, std::string{q.name}, how).wait(std::chrono::seconds{60});
  CHECK_MESSAGE(end, (end ? "" : end.error().what));
  auto rows = to->rows.take();
  std::ranges::sort(rows);
  if (s.crash_rate > 0)
    CHECK(sys.restarts() > 0);
  return rows;
}

void compare_with_sql(const std::vector<event>& in_order, const std::vector<setting>& settings) {
  const support::sql_oracle oracle{in_order};
  for (const auto& q : queries()) {
    if (q.name == "q22")
      continue; // SQLite has no function to split text
    CAPTURE(q.name);
    const auto expected = oracle.answer(q.name);
    for (const auto& s : settings) {
      CAPTURE(s.disorder);
      CAPTURE(s.workers);
      CAPTURE(s.crash_rate);
      const auto rows = answer_of(q, disordered(in_order, s.disorder), s);
      CHECK(rows.size() == expected.size());
      CHECK_MESSAGE((rows == expected), "the answer differs from SQL's");
    }
  }
}

std::vector<event> generated(const generator& g, std::uint64_t n) {
  std::vector<event> events;
  for (std::uint64_t i = 0; i < n; ++i)
    events.push_back(g.make(i));
  return events;
}

std::string error_of(const std::string& content) {
  const auto path = fs::temp_directory_path() / ("nexmark_test_" + std::to_string(std::hash<std::string>{}(content)));
  std::ofstream{path} << content;
  std::string what;
  try {
    event_log::read(path.string());
  } catch (const event_log_error& e) {
    what = e.what();
  }
  fs::remove(path);
  const auto at = what.find(path.string());
  return at == 0 ? what.substr(path.string().size()) : what;
}

} // namespace

TEST_CASE("nexmark: pipelines answer as SQL does over generated events") {
  const generator g{11};
  compare_with_sql(generated(g, 25'000), {{1, 1, 0, 512}, {1'000, 2, 0, 100}, {1'000, 3, 0.2, 100}});
}

TEST_CASE("nexmark: pipelines answer as SQL does over few events of many seeds") {
  for (std::uint64_t seed = 100; seed < 105; ++seed) {
    const generator g{seed};
    compare_with_sql(generated(g, 120 + seed % 7), {{50, 2, 0.2, 3}});
  }
}

TEST_CASE("nexmark: pipelines answer as SQL does over the stored series") {
  const auto large = support::shared_data("nexmark-100k/events.csv");
  const auto small = support::shared_data("nexmark-small");
  if (large.empty() || small.empty())
    return;
  compare_with_sql(event_log::read(large.string()).events, {{1'000, 2, 0.1, 512}});
  compare_with_sql(event_log::read(small.string()).events, {{1, 1, 0, 512}, {10, 2, 0.1, 4}});
}

TEST_CASE("nexmark: the loops come to the same as the pipelines") {
  const generator g{5};
  const auto events = generated(g, 60'000);
  troupe::system sys{{.workers = 2}};
  for (const auto& q : queries()) {
    CAPTURE(q.name);
    auto to = std::make_shared<answer>(false);
    CHECK(q.plan(feed{std::span<const event>{events}}, to).start(sys, std::string{q.name}).wait());
    CHECK(to->total == q.loop(events));
  }
}

TEST_CASE("nexmark: a written file of events reads back as it was made, and streams as it reads") {
  const generator g{21};
  const auto path = (fs::temp_directory_path() / "nexmark_test_events.csv").string();
  {
    std::ofstream file{path};
    file << generator::header() << '\n';
    for (std::uint64_t n = 0; n < 500; ++n)
      file << g.line(n) << '\n';
  }
  const auto log = event_log::read(path);
  fs::remove(path);
  REQUIRE(log.events.size() == 500);
  for (std::uint64_t n = 0; n < 500; ++n) {
    const auto e = g.make(n);
    const auto& r = log.events[n];
    CHECK(r.time == e.time);
    CHECK(r.sequence == e.sequence);
    REQUIRE(r.what == e.what);
    if (is_bid(e))
      CHECK(std::tuple{r.bid.auction, r.bid.bidder, r.bid.price, r.bid.channel, r.bid.url} ==
            std::tuple{e.bid.auction, e.bid.bidder, e.bid.price, e.bid.channel, e.bid.url});
    if (e.what == event::kind::auction)
      CHECK(std::tuple{r.auction.id, r.auction.seller, r.auction.category, r.auction.expires} ==
            std::tuple{e.auction.id, e.auction.seller, e.auction.category, e.auction.expires});
  }
  std::vector<event> streamed;
  generated_events source{g, 500, 100};
  while (source.pull(7, [&](const event& e) { streamed.push_back(e); }))
    ;
  const auto shuffled = disordered(log.events, 100);
  REQUIRE(streamed.size() == 500);
  for (std::size_t i = 0; i < 500; ++i)
    CHECK(streamed[i].sequence == shuffled[i].sequence);
  CHECK(lateness_of(shuffled) < 100);
  CHECK(lateness_of(shuffled) > 0);
  CHECK_THROWS_AS(disordered(log.events, 953), std::invalid_argument);
}

TEST_CASE("nexmark: files that are not what they should be are refused with their line") {
  const std::string header = generator::header() + "\n";
  const std::string bid = "0,B,1436918400000,,,,,,,,,,,,,,1000,1001,100,Apple,https://x/item.htm\n";
  CHECK(error_of(header + bid) == "");
  CHECK(error_of(header + bid + "1,B,1436918400000,,,\n") == ":3: has 6 fields, not 21");
  CHECK(error_of(header + "0,X,1436918400000,,,,,,,,,,,,,,1,1,1,a,b\n") == ":2: type 'X' is none of P, A and B");
  CHECK(error_of(header + "0,B,1436918400000,,,,,,,,,,,,,,1,1,1x,a,b\n") == ":2: '1x' in column 'price' is no number");
  CHECK(error_of(header + "0,B,2015-07-99 00:00:00,,,,,,,,,,,,,,1,1,1,a,b\n") ==
        ":2: '2015-07-99 00:00:00' in column 'date_time' is no time");
  CHECK(error_of(header + "0,B,2015-07-15 00:00:00.005,,,,,,,,,,,,,,1,1,1,a,b\n") == "");
  for (const char* const time : {"-2015-07-15 00:00:00", "2015-07-15 -1:00:00", "2015-257-15 00:00:00"})
    CHECK(error_of(header + "0,B," + time + ",,,,,,,,,,,,,,1,1,1,a,b\n") ==
          ":2: '" + std::string{time} + "' in column 'date_time' is no time");
  CHECK(error_of("seq,type\n") == ":1: no column 'id'");
  CHECK(error_of("seq,type,seq\n") == ":1: two columns 'seq'");
  CHECK(error_of("") == ":1: no header line");
}

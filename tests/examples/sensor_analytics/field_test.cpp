// SPDX-License-Identifier: BSD-3-Clause
// Claim: whatever fails, every reading is processed or declared lost, alerts are those of one run over the same readings,
// silence is noticed, and the report says so when it is not so.
// Observed: the sample corpus and, if it is at hand (see support/shared_data.hpp), the real one in simulated time, the
// log, and books that were tampered with.
#include "sensor_analytics/field.hpp"
#include "support/shared_data.hpp"
#include "support/stepped_system.hpp"
#include "support/temporary_directory.hpp"
#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace sensor_analytics;
using namespace std::chrono_literals;

namespace {

const std::string sample = TROUPE_SOURCE_DIR "/examples/nab/sample";

report run(const std::vector<recording>& recordings, const field_options& options, std::chrono::nanoseconds time) {
  field f{recordings, options, support::stepped(options.seed)};
  for (auto passed = 0ns; passed < time && !f.finished(); passed += 50ms)
    f.pass(50ms);
  return f.finish();
}

void check_holds(const report& r) {
  for (const auto& i : r.invariants) {
    CAPTURE(i.what);
    CHECK(i.holds);
  }
}

bool holds(const report& r, std::string_view part) {
  const auto found = std::find_if(r.invariants.begin(), r.invariants.end(),
                                  [&](const invariant& i) { return i.what.find(part) != std::string::npos; });
  REQUIRE(found != r.invariants.end());
  return found->holds;
}

/// Books of four devices that have gone well.
struct books {
  std::vector<recording> recordings = read_recordings(sample, 0);
  group_figures figures;
  std::vector<std::shared_ptr<device_book>> devices;
  std::vector<std::shared_ptr<monitor_book>> monitors;
  alert_counts logged;

  books() {
    for (std::size_t i = 0; i < 4; ++i) {
      const stream_plan plan{recordings, i};
      devices.push_back(std::make_shared<device_book>(plan));
      monitors.push_back(std::make_shared<monitor_book>(plan, i, figures));
      devices[i]->incarnations = monitors[i]->incarnations = 1;
      for (; devices[i]->sent < 1'000; ++devices[i]->sent)
        monitors[i]->take({devices[i]->sent, plan[devices[i]->sent]}, {});
      for (std::size_t k = 0; k < alert_kinds; ++k)
        logged[plan.series()][k] += monitors[i]->alerts[k];
    }
  }

  report judged(std::uint64_t lost = 0) const {
    audit a{recordings, devices, monitors, logged};
    a.lost = lost;
    a.log_ended = a.at_rest = a.clean_end = true;
    return make_report(a);
  }
};

} // namespace

TEST_CASE("sensor field: a run without failures processes all readings and notices each silence once") {
  const auto recordings = read_recordings(sample, 6'000);
  field_options o{.devices = 14, .silence_rate = 0.004};
  const auto r = run(recordings, o, 40s);
  check_holds(r);
  CHECK(r.accepted > 14 * 200);
  CHECK(r.lost == 0);
  CHECK(r.restarts == 0);
  CHECK(r.went_silent > 5);
  CHECK(r.noticed <= r.went_silent);
  CHECK(r.noticed + 14 >= r.went_silent); // those under way at the end
  std::uint64_t alerts = 0;
  for (const auto& s : r.series)
    alerts += s.alerts[0] + s.alerts[1];
  CHECK(alerts > 0);
}

TEST_CASE("sensor field: the same seed gives the same run") {
  const auto recordings = read_recordings(sample, 6'000);
  const field_options o{.devices = 9, .crash_rate = 0.05, .silence_rate = 0.004, .seed = 5};
  CHECK(to_json(run(recordings, o, 10s)) == to_json(run(recordings, o, 10s)));
}

TEST_CASE("sensor field: with failures everywhere readings are lost by declaration alone and the alerts stay exact") {
  const auto recordings = read_recordings(sample, 6'000);
  const auto r = run(recordings, {.devices = 14, .crash_rate = 0.3, .seed = 3}, 40s);
  check_holds(r);
  CHECK(r.lost > 10); // 0.3^4 of them
  CHECK(r.accepted == r.processed + r.lost);
  CHECK(r.failures > 1'000);
}

TEST_CASE("sensor field: at full speed each device replays its whole series and waits for its monitor") {
  const auto recordings = read_recordings(sample, 0);
  const auto r = run(recordings, {.devices = 8, .crash_rate = 0.01}, 60s);
  check_holds(r);
  CHECK(r.finished == 8);
  CHECK(r.accepted == 8 * 1'344);
}

TEST_CASE("sensor field: with the real series and failures the alerts of each series are those of one run over it") {
  const auto folder = support::shared_data("nab");
  if (folder.empty())
    return;
  const auto recordings = read_recordings(folder.string(), 6'000);
  REQUIRE(recordings.size() == 58);
  const auto r = run(recordings, {.devices = 116, .crash_rate = 0.02, .silence_rate = 0.002}, 20s);
  check_holds(r);
  std::uint64_t alerts = 0;
  for (const auto& s : r.series)
    for (const auto k : {alert_kind::level, alert_kind::pattern}) {
      CHECK(s.alerts[static_cast<std::size_t>(k)] == s.expected[static_cast<std::size_t>(k)]);
      alerts += s.alerts[static_cast<std::size_t>(k)];
    }
  CHECK(alerts > 100);
}

TEST_CASE("sensor field: the log has a line for each alert") {
  const support::temporary_directory folder;
  const auto recordings = read_recordings(sample, 0);
  const auto path = folder / "alerts.csv";
  const auto r = run(recordings, {.devices = 6, .crash_rate = 0.1, .alerts = path}, 60s);
  check_holds(r);
  std::uint64_t alerts = 0;
  for (const auto& s : r.series)
    for (const auto n : s.alerts)
      alerts += n;
  const auto lines = text::read_lines(path);
  CHECK(lines.size() == alerts + 1);
  CHECK(lines.front() == "time,device,series,what,value,score");
  for (const auto& line : lines)
    CHECK(text::fields_of(line).size() == 6);
}

TEST_CASE("sensor field: a log that cannot be opened is named") {
  const auto recordings = read_recordings(sample, 0);
  CHECK_THROWS_WITH(run(recordings, {.devices = 1, .alerts = "/nowhere/alerts.csv"}, 1s),
                    "/nowhere/alerts.csv: cannot be written: No such file or directory");
}

TEST_CASE("sensor report: good books hold and each kind of fault is seen") {
  check_holds(books{}.judged());
  {
    books b;
    b.devices[0]->sent += 1; // accepted, and never seen again
    CHECK_FALSE(holds(b.judged(), "processed or declared lost"));
  }
  {
    books b;
    b.monitors[1]->take({999, b.monitors[1]->plan[999]}, {});
    CHECK_FALSE(holds(b.judged(), "processed twice"));
  }
  {
    books b;
    const auto with =
        std::find_if(b.monitors.begin(), b.monitors.end(), [](const auto& m) { return !m->found.empty(); });
    REQUIRE(with != b.monitors.end());
    (*with)->found.back().number -= 1;
    CHECK_FALSE(holds(b.judged(), "alerts of every device"));
  }
  {
    books b;
    b.logged[0][0] += 1;
    CHECK_FALSE(holds(b.judged(), "in the log once"));
  }
  {
    books b;
    b.devices[2]->incarnations = 2;
    CHECK_FALSE(holds(b.judged(), "followed by a restart"));
  }
  {
    books b;
    b.devices[2]->silences = 1;
    CHECK_FALSE(holds(b.judged(), "silent was noticed"));
  }
}

TEST_CASE("sensor report: a reading that was declared lost is left out of the batch run too") {
  books b;
  b.devices[3]->sent += 3;
  b.monitors[3]->take({1'001, b.monitors[3]->plan[1'001]}, {}); // 1'000 is a gap, and 1'002 was the last one
  b.logged.clear();
  for (const auto& m : b.monitors)
    for (std::size_t k = 0; k < alert_kinds; ++k)
      b.logged[m->plan.series()][k] += m->alerts[k];
  check_holds(b.judged(2));
  CHECK_FALSE(holds(b.judged(1), "processed or declared lost"));
}

TEST_CASE("sensor streams: devices with one series start in different parts of it, and each goes round once") {
  const auto recordings = read_recordings(sample, 6'000);
  REQUIRE(recordings.size() == 3);
  CHECK(recordings[0].group == "made");
  CHECK(recordings[0].interval == 150ms); // 15 minutes
  const stream_plan first{recordings, 1};
  const stream_plan second{recordings, 4};
  CHECK(first.series() == second.series());
  CHECK(first.first_row() == 0);
  CHECK(second.first_row() == 336);
  CHECK(second[0].time == first[336].time);
  CHECK(second[1'343].time == first[335].time);
  CHECK(second.offset() < recordings[1].interval);
  CHECK(second.offset() != first.offset());
}

TEST_CASE("sensor streams: findings of a prefix are those of the whole as far as it goes") {
  const auto recordings = read_recordings(sample, 0);
  for (std::size_t d = 0; d < 3; ++d) {
    const stream_plan plan{recordings, d};
    auto all = findings_of(plan, plan.readings());
    std::erase_if(all, [](const located_finding& f) { return f.number >= 700; });
    CHECK(findings_of(plan, 700) == all);
    for (const auto& f : all)
      CHECK(f.number >= stream_watch::warm_up);
  }
}

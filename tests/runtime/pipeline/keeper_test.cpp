// SPDX-License-Identifier: BSD-3-Clause
// Claim: once all sinks have ended a pipeline's keeper waits for its stages, and not for ever: 5 s after the last one was
// told to finish, or after its own restart.
// Observed: a keeper beside stages of the test's own, on a stepped system.
#include <troupe/pause.hpp>
#include <troupe/pipeline/keeper.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <support/stepped_system.hpp>

using namespace std::chrono_literals;
using troupe::pipeline::keeper;
using troupe::pipeline::run_record;
using troupe::pipeline::sink_ended;

namespace {

struct work {
  std::chrono::seconds duration{};
};

/// Works as long as it is told to.
class stage : public troupe::actor<stage, work> {
public:
  troupe::task<void> on(const work& m) { return troupe::pause(self(), m.duration); }
};

/// A keeper of one sink and two stages.
struct kept_run {
  troupe::system sys{support::stepped()};
  troupe::ref<stage> stages[2]{sys.spawn<stage>(), sys.spawn<stage>()};
  std::shared_ptr<run_record> record = std::make_shared<run_record>();

  kept_run() {
    record->sinks = 1;
    record->stages = {stages[0], stages[1]};
  }
  troupe::ref<keeper> start() { return sys.spawn<keeper>(record); }
  void work_for(std::chrono::seconds first, std::chrono::seconds second) {
    stages[0].tell(work{first});
    stages[1].tell(work{second});
    sys.run_until_idle();
  }
};

} // namespace

TEST_CASE("pipeline keeper: ends when its stages have handled what they were sent") {
  kept_run run;
  const auto k = run.start();
  run.work_for(1s, 3s);
  k.tell(sink_ended{0});
  run.sys.advance(2s);
  CHECK(run.record->outcome());
  CHECK(run.stages[0].has_stopped());
  CHECK_FALSE(k.has_stopped());
  run.sys.advance(1s);
  CHECK(run.stages[1].has_stopped());
  CHECK(k.has_stopped());
}

TEST_CASE("pipeline keeper: does not wait for a stage that is late") {
  kept_run run;
  const auto k = run.start();
  run.work_for(1s, 1h);
  k.tell(sink_ended{0});
  run.sys.advance(4'900ms);
  CHECK_FALSE(k.has_stopped());
  run.sys.advance(200ms);
  CHECK(k.has_stopped());
  CHECK(run.record->outcome()->has_value());
}

TEST_CASE("pipeline keeper: one that is restarted meanwhile waits as long as a new one") {
  kept_run run;
  run.work_for(1s, 1h);
  {
    const auto first = run.start();
    first.tell(sink_ended{0});
    run.sys.advance(3s);
    first.kill();
    run.sys.run_until_idle();
  }
  const auto second = run.start();
  run.sys.advance(4'900ms);
  CHECK_FALSE(second.has_stopped());
  run.sys.advance(200ms);
  CHECK(second.has_stopped());
}

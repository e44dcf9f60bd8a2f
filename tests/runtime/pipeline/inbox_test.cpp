// SPDX-License-Identifier: BSD-3-Clause
// Claim: an inbox takes elements from many threads, and loses none that it took: not when it is flooded, and not when its
// stages fail.
// Observed: on systems with workers; what was taken is compared with what came out.
#include <troupe/pipeline/pipeline.hpp>
#include <troupe/system.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

TEST_CASE("inbox: a flood from many threads is refused beyond the capacity, and everything taken comes out once") {
  for (const double rate : {0.0, 0.02}) {
    CAPTURE(rate);
    system_options options;
    options.workers = 2;
    if (rate > 0)
      options.faults = std::make_shared<fault_injector>(rate, 3);
    troupe::system sys{options};
    pl::inbox<std::int64_t> box{{.capacity = 50}};
    pl::collection<std::int64_t> out;
    auto plan = pl::from(box)
                    .boundary()
                    .key_by([](std::int64_t x) { return x % 5; }, 2)
                    .scan(std::int64_t{-1}, [](std::int64_t&, std::int64_t x) { return x; })
                    .collect(out);
    pl::options o;
    o.stages.batch_size = 8;
    o.demand = {2, 1};
    auto running = plan.start(sys, "p", o);
    constexpr std::int64_t each = 5'000;
    std::atomic<std::int64_t> refused_by_mailbox{0};
    std::vector<std::thread> senders;
    for (std::int64_t t = 0; t < 3; ++t)
      senders.emplace_back([&, t] {
        for (std::int64_t i = 0; i < each; ++i)
          if (box.tell(t * each + i) != delivery::accepted)
            ++refused_by_mailbox;
      });
    for (auto& s : senders)
      s.join();
    for (bool taken = false; !taken; std::this_thread::yield()) { // there is room again once enough has flowed on
      const auto reply = box.ask(3 * each).try_get();
      taken = reply && *reply;
    }
    box.close();
    CHECK(running.wait(20s));
    auto seen = out.take();
    std::uint64_t refused = 0;
    for (const auto& f : running.figures())
      refused += f.refused;
    std::ranges::sort(seen);
    CHECK(std::ranges::adjacent_find(seen) == seen.end());
    CHECK(!seen.empty());
    CHECK(seen.back() == 3 * each);
    CHECK(seen.size() + refused >= 3 * each + 1 - static_cast<std::uint64_t>(refused_by_mailbox));
    CHECK(seen.size() <= 3 * each + 1 - static_cast<std::uint64_t>(refused_by_mailbox));
  }
}

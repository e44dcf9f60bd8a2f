// SPDX-License-Identifier: BSD-3-Clause
#include "bench/driver/rows.hpp"

namespace bench {

namespace {

constexpr std::string_view bounded =
    "Go: channels of 1024; tokio: unbounded channels, which beat bounded ones here; "
    "Erlang: off-heap message queues; troupe: bounded, acknowledged every 200 messages";

const std::vector<row> table{
    {"ping-pong", 1'000'000, 1'000'000, "round trip", "", "two actors, one worker's work"},
    {"pairs", 2'000'000, 2'000'000, "round trip", "caf", "50 ping-pong pairs at once"},
    {"counting", 2'400'000, 2'400'000, "message", "caf tokio", bounded},
    {"fan-in", 2'400'000, 2'400'000, "message", "caf", bounded},
    {"ring-100", 1'000'000, 1'000'000, "hop", "", "one token"},
    {"ring-503", 1'000'000, 1'000'000, "hop", "", "one token"},
    {"fan-out", 2'400'000, 2'400'000, "message", "caf", bounded},
    {"request-reply", 500'000, 500'000, "request with reply", "",
     "CAF: request().then; Erlang: a monitored call; Go: one reply channel per client; tokio: a oneshot per request"},
    {"spawn", 200'000, 200'000, "actor", "", "create, one message, reply, stop; CAF: policy=sharing, its best here"},
    {"big", 600'000, 600'000, "ping with pong", "", "Savina: 120 actors, random partners"},
    {"bounded-buffer", 400'000, 400'000, "item", "", "Savina: 40 producers, 40 consumers, a manager with room for 50"},
    {"banking", 300'000, 1'000'000, "transfer", "",
     "Savina: 1,000 accounts, 500 transfers at a time; check: the money"},
    {"concurrent-dictionary", 400'000, 400'000, "request", "", "Savina: 20 clients, one write in ten"},
    {"fork-join", 200'000, 200'000, "actor", "", "Savina fjcreate: create, one message, stop; CAF: policy=sharing"},
    {"chameneos", 500'000, 1'000'000, "meeting", "", "Savina: 100 creatures meet at one actor"},
    {"skynet", 1'000'000, 499'999'500'000, "leaf", "", "a tree, ten under each; CAF: policy=sharing", 120},
    {"memory-per-idle-actor", 100'000, 100'000, "actor", "", "resident memory; Go: unbuffered channels"},
    {"idle-cpu", 10'000, 10'000, "10 s", "", "10,000 idle actors: CPU seconds, and context switches"},
    {"wake-up", 400, 400, "wake-up", "",
     "p50 and p99 of send from outside to handler; bare: a futex; Erlang: from another scheduler, it has no thread "
     "outside"},
    {"head-of-line", 40, 40, "message", "", "p90; an actor sends to an idle one and then computes for 20 ms"},
    {"latency-1", 20'000, -1, "request", "",
     "p99, from due to done, at 1 % of the peer's own capacity; Erlang: a process that spins sends the requests"},
    {"latency-10", 20'000, -1, "request", "", "as latency-1, at 10 %"},
    {"latency-50", 20'000, -1, "request", "", "as latency-1, at 50 %"},
    {"latency-95", 20'000, -1, "request", "", "as latency-1, at 95 %"},
    {"timer", 100'000, 100'000, "timer", "", "p99 of lateness, due after 1 to 2 s; and CPU per timer"},
    {"journal-append-1", 400, 400, "event", "",
     "durable: one event to a transaction and a sync; bare: a loop over a prepared statement, same table and groups"},
    {"journal-append-16", 8'000, 8'000, "event", "", "as journal-append-1, 16 events of 16 journals to a sync"},
    {"journal-append-256", 102'400, 102'400, "event", "", "as journal-append-1, 256 events of 256 journals to a sync"},
    {"journal-postgres-16", 8'000, 8'000, "event", "",
     "as journal-append-16 on a private PostgreSQL server with fsync; bare: a pipeline of prepared statements"},
    {"journal-postgres-256", 51'200, 51'200, "event", "", "as journal-postgres-16, 256 events to a transaction"},
    {"journal-recovery", 1'000'000, 1'000'000, "event", "",
     "replay of one journal, each event checked and decoded; bare: the rows read and looked at"},
    {"journal-cold-start", 100'000, 100'000, "", "",
     "opening a file of 100,000 durable actors with ten events each, to the first answer of one of them"},
    {"marketplace", 60'000, 60'000, "transaction", "",
     "the order simulation with SQLite, its end and checks not timed; bare: the same with --journal memory", 180},
    {"scaling", 2'000'000, -1, "", "", "pairs with 1 to N workers: round trip in ns, and the speed-up"},
};

} // namespace

const std::vector<row>& all_rows() { return table; }

} // namespace bench

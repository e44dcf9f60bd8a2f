// SPDX-License-Identifier: BSD-3-Clause
// `message_cost ROW N` does N operations of one row, for tests/cost/check, which counts the instructions.
#include "cost/workloads.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace {

template <class Workload>
void run(std::uint64_t n) {
  Workload{}.run(n);
}

const std::map<std::string, void (*)(std::uint64_t)> rows{
    {"counting", &run<cost::flood<1>>},   {"fan-in", &run<cost::flood<8>>},
    {"ping-pong", &run<cost::ping_pong>}, {"request-reply", &run<cost::request_reply>},
    {"spawn", &run<cost::spawn>},         {"timers", &run<cost::timers>},
};

} // namespace

int main(int argc, char** argv) {
  const auto row = argc == 3 ? rows.find(argv[1]) : rows.end();
  const auto n = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (row == rows.end() || n == 0) {
    std::fprintf(stderr, "usage: message_cost ROW N, with one of these rows:\n");
    for (const auto& [name, function] : rows)
      std::fprintf(stderr, "  %s\n", name.c_str());
    return 2;
  }
  row->second(n);
}

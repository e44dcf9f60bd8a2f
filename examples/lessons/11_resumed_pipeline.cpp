// SPDX-License-Identifier: BSD-3-Clause
// Shows: a pipeline whose run outlives its process. The first life ends in the middle, the second goes on from a checkpoint.
//
// Run:   build/release/bin/11_resumed_pipeline
//
// Output:
//   life 1: cut off in the middle
//   life 2: read only the rest: yes, and found all: yes

#include <troupe/journal/sqlite_store.hpp>
#include <troupe/pipeline/pipeline.hpp>
#include <troupe/system.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

using namespace std::chrono_literals;
namespace pipeline = troupe::pipeline;

// [snippet state]
struct order { // some wait in `throttle`
  void archive(auto& a) { a(article, pieces); }
  int article = 0;
  int pieces = 0;
};
struct demand {                                // the state of an article
  void archive(auto& a) { a(orders, pieces); } // how it is written down, and read back
  int orders = 0;
  long pieces = 0;
};
// [end]

order to_order(std::string_view line) {
  order o;
  if (std::sscanf(std::string{line}.c_str(), "%d,%d", &o.article, &o.pieces) != 2)
    throw std::runtime_error{"not an article and a number of pieces"};
  return o;
}

int main() {
  const auto here = std::filesystem::temp_directory_path() / "troupe-resumed-pipeline";
  std::filesystem::remove_all(here);
  std::filesystem::create_directories(here);
  const std::string orders = here / "orders.csv", result = here / "demand.csv", journal = here / "journal";
  constexpr int all = 60'000;
  {
    std::ofstream out{orders};
    for (int i = 0; i < all; ++i)
      out << i % 100 << ',' << i % 7 << '\n';
  }

  std::atomic<int> read{0};
  for (const int life : {1, 2}) {
    read = 0;
    // [snippet plan]
    const auto plan = pipeline::from_lines(orders, to_order)
                          .map([&](const order& o) {
                            ++read;
                            return o;
                          })
                          .throttle(1'000, 2ms) // so that the first life does not reach the end
                          .key_by(&order::article, 2)
                          .fold(demand{},
                                [](demand& d, const order& o) {
                                  ++d.orders;
                                  d.pieces += o.pieces;
                                })
                          .write_lines(result, [](const std::pair<int, demand>& d) {
                            return std::to_string(d.first) + ',' + std::to_string(d.second.orders);
                          });

    troupe::system sys;
    const auto store = troupe::open_sqlite_store(journal);
    const auto running = plan.start(sys, "demand", {.checkpoints = {.store = store, .every = 10ms}});
    // [end]
    if (life == 1) {
      while (store->keys("pipeline/").empty()) // as soon as there is a checkpoint, pull the plug
        std::this_thread::sleep_for(1ms);
      running.stop();
      running.wait().error();
      std::printf("life 1: cut off in the middle\n");
      continue;
    }
    if (const auto end = running.wait(); !end) {
      std::printf("%s\n", end.error().what.c_str());
      return 1;
    }
    int found = 0;
    std::ifstream in{result};
    for (std::string line; std::getline(in, line);)
      found += std::stoi(line.substr(line.find(',') + 1));
    std::printf("life 2: read only the rest: %s, and found all: %s\n", read < all ? "yes" : "no",
                found == all ? "yes" : "no");
  }
  std::filesystem::remove_all(here);
}

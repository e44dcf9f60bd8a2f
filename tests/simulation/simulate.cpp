// SPDX-License-Identifier: BSD-3-Clause
// Runs whole applications in simulation, seed after seed, with all faults on: `./dev simulate`.
// Exit status: 0 if everything held, 1 with the finding if something did not, 2 for a wrong option.
#include "programs/programs.hpp"
#include "recorded_runs.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;

struct settings {
  std::uint64_t seeds = 2'000;
  std::uint64_t first = 1;
  double seconds = 0; // 0: no limit
  std::vector<std::string> only{};
  std::string export_to{};
  std::string compare_with{};
  bool record = false;
};

/// Shows how far an exploration is: on a terminal in one line, else a line every ten seconds.
class progress {
public:
  progress(std::string name, const settings& s) : name_{std::move(name)}, settings_{s} {}

  bool operator()(const troupe::exploration& e) {
    const auto now = steady::now();
    if (now - shown_ > (terminal_ ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000})) {
      shown_ = now;
      std::fprintf(stderr, "%s%s: %llu of %llu runs, %.0f messages/s%s", terminal_ ? "\r\033[K" : "", name_.c_str(),
                   static_cast<unsigned long long>(e.runs), static_cast<unsigned long long>(settings_.seeds),
                   static_cast<double>(e.messages) / elapsed(), terminal_ ? "" : "\n");
    }
    return settings_.seconds == 0 || elapsed() < settings_.seconds;
  }

  double elapsed() const { return std::chrono::duration<double>(steady::now() - began_).count(); }
  void clear() const {
    if (terminal_)
      std::fprintf(stderr, "\r\033[K");
  }

private:
  const std::string name_;
  const settings& settings_;
  const bool terminal_ = ::isatty(2) != 0;
  const steady::time_point began_ = steady::now();
  steady::time_point shown_ = began_;
};

/// Returns whether everything held.
bool run(const simulated::application& a, const settings& s) {
  progress shown{a.options.name, s};
  auto options = a.options;
  options.seeds = s.seeds;
  options.first_seed = s.first;
  options.arguments = "--only " + options.name;
  options.progress = [&](const troupe::exploration& e) { return shown(e); };
  const auto e = troupe::explore(options, a.run);
  shown.clear();
  if (!e.found) {
    std::printf("%-18s holds: %s, %.1f s\n", options.name.c_str(), e.text().c_str(), shown.elapsed());
    return true;
  }
  std::printf("%s\n", e.found->text().c_str());
  if (!s.export_to.empty())
    std::ofstream{s.export_to, std::ios::app} << e.found->test_case("simulated::" + std::string{a.made_by} + "().run")
                                              << '\n';
  return false;
}

} // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"Runs whole applications in simulation, seed after seed, with all faults on."};
  app.add_option("--seeds", s.seeds, "Runs of each application, one per seed")->capture_default_str();
  app.add_option("--first", s.first, "The first seed")->capture_default_str();
  app.add_option("--seconds", s.seconds, "At most so long for each application; 0: no limit")->capture_default_str();
  app.add_option("--only", s.only, "Applications to run; default: all");
  app.add_option("--export", s.export_to, "Append a test case for each finding to this file");
  app.add_option("--compare", s.compare_with, "Instead: compare the first runs with those that this file has recorded");
  app.add_flag("--record", s.record, "Instead: record the first runs, so that other builds are compared with this one");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  auto known = simulated::all();
  try {
    if (!s.compare_with.empty())
      return simulated::compare_runs(known, s.compare_with);
    if (s.record)
      return simulated::record_runs(known, TROUPE_RECORDED_RUNS), 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "simulate: %s\n", e.what());
    return 1;
  }
  if (std::find(s.only.begin(), s.only.end(), "rotting-shop") != s.only.end())
    known.push_back(simulated::rotting_shop());
  for (const auto& name : s.only) {
    const auto is_it = [&](const simulated::application& a) { return a.options.name == name; };
    if (std::none_of(known.begin(), known.end(), is_it)) {
      std::fprintf(stderr, "--only: there is no application \"%s\"; there are", name.c_str());
      for (const auto& a : known)
        std::fprintf(stderr, " %s", a.options.name.c_str());
      std::fprintf(stderr, "\n");
      return 2;
    }
  }
  bool all_hold = true;
  for (const auto& a : known) {
    if (!s.only.empty() && std::find(s.only.begin(), s.only.end(), a.options.name) == s.only.end())
      continue;
    try {
      all_hold &= run(a, s);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s: %s\n", a.options.name.c_str(), e.what());
      all_hold = false;
    }
  }
  return all_hold ? 0 : 1;
}

// SPDX-License-Identifier: BSD-3-Clause
// Nexmark's queries as pipelines: answers, and how fast.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <bench/nexmark/event_log.hpp>
#include <bench/nexmark/options.hpp>
#include <bench/nexmark/queries.hpp>
#include <cstdio>
#include <exception>
#include <string>

namespace {

std::string names_of_queries() {
  std::string all;
  for (const auto& q : nexmark::queries())
    all += (all.empty() ? "" : ", ") + std::string{q.name};
  return all;
}

} // namespace

int main(int argc, char** argv) {
  nexmark::run_options o;
  bool bench = false;
  bool list = false;
  CLI::App app{"Nexmark's queries as pipelines"};
  app.add_option("--query", o.query, "which: " + names_of_queries());
  app.add_option("--input", o.input, "a file of events, or a folder with person.csv, auction.csv and bid.csv");
  app.add_option("--generate", o.generate,
                 "so many generated events in the place of an input; without --query, they are written")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{4'000'000'000}));
  app.add_option("--seed", o.seed, "of generated events and injected failures")->capture_default_str();
  app.add_option("--disorder", o.disorder, "events come out of order within groups of so many")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_option("--bound", o.bound_ms, "disorder that watermarks allow for, in ms; what the input has, if not given")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--workers", o.workers, "threads, and partitions of keyed stages")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  app.add_option("--crash-rate", o.crash_rate, "probability that the handling of a batch fails")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--batch", o.batch, "elements in a batch")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--out", o.out, "where the answer goes; standard output, if not given");
  app.add_flag("--stream", o.stream, "generated events are made while they flow; says only a digest of the answer");
  app.add_flag("--bench", bench, "measure all queries, or the one given, beside loops written by hand");
  app.add_flag("--cpu-time", o.cpu_time, "measure the time of processors and not that of the clock: for busy machines");
  app.add_option("--rounds", o.rounds, "of a measurement")->check(CLI::Range(1U, 1'000U))->capture_default_str();
  app.add_flag("--list", list, "name the queries");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  const auto refuse = [](const std::string& what) {
    fmt::print(stderr, "{}\n", what);
    return 2;
  };
  try {
    if (list) {
      for (const auto& q : nexmark::queries())
        fmt::print("{:5} {}\n", q.name, q.meaning);
      return 0;
    }
    if (!o.query.empty() && nexmark::find_query(o.query) == nullptr)
      return refuse("--query: there is no query '" + o.query + "'; there are " + names_of_queries());
    if (o.disorder > 1 && o.disorder % 953 == 0)
      return refuse("--disorder: a group must not be a multiple of 953");
    if (!o.input.empty() && o.generate > 0)
      return refuse("--input and --generate exclude each other");
    if (bench) {
      if (o.input.empty() && o.generate == 0)
        o.generate = 1'000'000;
      return nexmark::measure(o);
    }
    if (o.query.empty() && o.generate > 0)
      return nexmark::write_events(o);
    if (o.query.empty())
      return refuse("--query: which? There are " + names_of_queries());
    if (o.input.empty() && o.generate == 0)
      return refuse("--input or --generate: where do the events come from?");
    if (o.stream && !o.input.empty())
      return refuse("--stream needs --generate");
    return nexmark::run_query(o);
  } catch (const std::exception& e) {
    return refuse(e.what());
  }
}

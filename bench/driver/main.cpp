// SPDX-License-Identifier: BSD-3-Clause
// Runs the rows on all peers, round by round: each round visits every peer once per row, starting with another one each
// time, so that a drift of the machine meets all of them.
#include "bench/driver/peer.hpp"
#include "bench/driver/results.hpp"
#include "bench/driver/rows.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <vector>

namespace {

struct settings {
  std::vector<std::string> peers; // NAME=COMMAND
  std::vector<std::string> only_peers;
  std::vector<std::string> only_rows;
  std::vector<std::string> machine;
  unsigned rounds = 5;
  unsigned workers = 2;
  std::string json;
  std::string docs;
  std::string mimalloc;
  bool check = false;
};

bool wanted(const std::vector<std::string>& only, std::string_view name) {
  return only.empty() || std::ranges::find(only, name) != only.end();
}

/// Says why `path` cannot be written, before hours are spent on what is to stand there.
bool writable(const std::string& path) {
  const auto draft = path + ".new";
  if (std::ofstream{draft} && std::filesystem::is_directory(path) == false) {
    std::filesystem::remove(draft);
    return true;
  }
  std::fprintf(stderr, "%s cannot be written.\n", path.c_str());
  return false;
}

/// All or nothing: what stood there stays until the new text is complete.
bool write(const std::string& path, const std::string& text) {
  const auto draft = path + ".new";
  std::ofstream out{draft};
  out << text;
  out.close();
  std::error_code why;
  if (out)
    std::filesystem::rename(draft, path, why);
  if (out && !why)
    return true;
  std::fprintf(stderr, "%s could not be written.\n", path.c_str());
  return false;
}

std::string page(const settings& s, const bench::results& r) {
  std::string text = "<!-- SPDX-License-Identifier: BSD-3-Clause -->\n# Benchmarks\n\nWritten by `./dev bench --docs`. "
                     "Supervision, bounded mailboxes and accounting are on: there is no Troupe without them.\n\n";
  for (const auto& line : s.machine)
    text += "- " + line + "\n";
  text += "- " + std::to_string(s.workers) + " workers, " + std::to_string(s.rounds) +
          " interleaved rounds; the last column is the median of the ratios within the rounds\n\n" +
          bench::markdown(r) + "\n## What the rows measure\n\n| row | one operation | notes |\n|---|---|---|\n";
  for (const auto& w : bench::all_rows())
    text += "| " + std::string{w.name} + " | " + std::string{w.operation} + " | " + std::string{w.note} +
            (w.mimalloc.empty() ? "" : "; with mimalloc: " + std::string{w.mimalloc}) + " |\n";
  return text;
}

} // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"Runs Troupe's benchmarks beside the same work on its peers."};
  app.add_option("--peer", s.peers, "NAME=COMMAND, with {row} {n} {workers}");
  app.add_option("--peers", s.only_peers, "only these")->delimiter(',');
  app.add_option("--rows", s.only_rows, "only these")->delimiter(',');
  app.add_option("--rounds", s.rounds, "rounds")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--workers", s.workers, "threads that run actors")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--json", s.json, "write the figures to this file");
  app.add_option("--docs", s.docs, "write README.md into this directory");
  app.add_option("--mimalloc", s.mimalloc, "the library, for rows and peers that gain by it");
  app.add_option("--machine", s.machine, "lines that describe the machine");
  app.add_flag("--check", s.check, "look at the arguments and run nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  const auto& rows = bench::all_rows();
  for (const auto& name : s.only_rows)
    if (std::ranges::none_of(rows, [&](auto& w) { return w.name == name; })) {
      std::fprintf(stderr, "There is no row '%s'. There are:", name.c_str());
      for (const auto& w : rows)
        std::fprintf(stderr, " %s", std::string{w.name}.c_str());
      std::fprintf(stderr, "\n");
      return 2;
    }
  if ((!s.json.empty() && !writable(s.json)) || (!s.docs.empty() && !writable(s.docs + "/README.md")))
    return 2;
  if (s.check)
    return 0;

  std::vector<bench::peer> peers;
  for (const auto& p : s.peers) {
    const auto equals = p.find('=');
    bench::peer candidate{p.substr(0, equals), p.substr(equals + 1)};
    if (!wanted(s.only_peers, candidate.name()))
      continue;
    if (candidate.look())
      peers.push_back(std::move(candidate));
    else
      std::fprintf(stderr, "skipping %s: its program does not start\n", candidate.name().c_str());
  }
  for (const auto& name : s.only_peers)
    if (std::ranges::none_of(peers, [&](auto& p) { return p.name() == name; }))
      std::fprintf(stderr, "skipping %s: it is not here\n", name.c_str());

  bool anything = false;
  for (const auto& p : peers)
    for (const auto& w : rows) {
      if (wanted(s.only_rows, w.name) && p.has(w.name))
        anything = true;
      else if (!s.only_rows.empty() && wanted(s.only_rows, w.name))
        std::fprintf(stderr, "skipping %s on %s: it has no such row\n", std::string{w.name}.c_str(), p.name().c_str());
    }
  if (!anything) {
    std::fprintf(stderr, "Nothing is left to run.\n");
    return 1;
  }

  bench::results by_row;
  std::vector<std::string> faults;
  std::map<std::string, bench::results> collected;
  for (unsigned round = 0; round < s.rounds; ++round)
    for (const auto& w : rows) {
      if (!wanted(s.only_rows, w.name))
        continue;
      for (std::size_t i = 0; i < peers.size(); ++i) {
        const auto& p = peers[(i + round) % peers.size()];
        if (!p.has(w.name))
          continue;
        std::fprintf(stderr, "round %u of %u: %s on %s\n", round + 1, s.rounds, std::string{w.name}.c_str(),
                     p.name().c_str());
        std::string wrong;
        for (const auto& f : p.run(w, s.workers, s.mimalloc, wrong))
          collected[std::string{w.name}].add(f.name, p.name(), f.unit, round, f.value);
        if (!wrong.empty())
          faults.push_back(std::string{w.name} + " on " + p.name() + ", round " + std::to_string(round + 1) + ": " +
                           wrong);
      }
    }

  // In the order of the rows, then of their figures, then of the peers.
  for (const auto& w : rows) {
    const auto& of_row = collected[std::string{w.name}].all();
    std::vector<std::string> figures;
    for (const auto& f : of_row)
      if (std::ranges::find(figures, f.figure) == figures.end())
        figures.push_back(f.figure);
    for (const auto& name : figures)
      for (const auto& p : peers)
        for (const auto& f : of_row)
          if (f.figure == name && f.peer == p.name())
            for (const auto& [round, value] : f.by_round)
              by_row.add(f.figure, f.peer, f.unit, round, value);
  }

  for (const auto& line : s.machine)
    std::printf("%s\n", line.c_str());
  std::printf("\n%s", bench::table(by_row).c_str());
  for (const auto& fault : faults)
    std::printf("FAILED: %s\n", fault.c_str());
  const bool written = (s.json.empty() || write(s.json, bench::json(by_row))) &&
                       (s.docs.empty() || write(s.docs + "/README.md", page(s, by_row)));
  return faults.empty() && written ? 0 : 1;
}

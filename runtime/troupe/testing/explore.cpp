// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/chooser.hpp>
#include <troupe/testing/explore.hpp>
#include <troupe/testing/shrink.hpp>
#include <troupe/testing/trace.hpp>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Who asks for one run wants to see all of it.
constexpr std::size_t whole_trace = 10'000'000;

/// One run and its end.
struct run_result {
  simulation_figures figures{};
  std::vector<std::uint64_t> neighbours{};
  schedule taken{};
  std::map<std::string, std::string> outcomes{};
  std::optional<violation> broken{};
  std::string trace{};
};

/// Leaves free blocks of all small sizes in a random order, so that what is made next has other addresses, in another order.
void shuffle_heap(std::uint64_t seed) {
  std::vector<std::unique_ptr<std::byte[]>> blocks(4'096);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i] = std::make_unique<std::byte[]>(16 + i % 64 * 8);
  for (auto left = blocks.size(); left > 0; --left)
    std::swap(blocks[mixed(seed, left) % left], blocks[left - 1]);
  for (auto& b : blocks)
    b.reset();
}

class explorer {
public:
  explorer(const exploration_options& options, const simulated_program& program)
      : options_{options}, program_{program} {}

  exploration run() {
    if (const auto* only = std::getenv("TROUPE_SIMULATION"); only != nullptr && replay(only))
      return std::move(result_);
    const auto reference = run_once(reference_options(), nullptr, false);
    count(reference);
    turns_expected_ = static_cast<std::uint32_t>(reference.figures.turns);
    if (reference.broken) {
      found(reference_options().seed, *reference.broken, schedule{.seed = reference_options().seed});
      return std::move(result_);
    }
    if (options_.same_outcome)
      expected_ = reference.outcomes;
    if (options_.exhaustive)
      search();
    else
      sample();
    return std::move(result_);
  }

private:
  simulation_options plain_options() const {
    simulation_options o;
    o.depth = options_.depth;
    o.faults_max = options_.faults_max;
    o.run_for = options_.run_for;
    o.turns_max = options_.turns_max;
    o.deadlock_is_violation = options_.deadlock_is_violation;
    o.turns_expected = turns_expected_;
    return o;
  }

  simulation_options reference_options() const {
    auto o = plain_options();
    o.seed = options_.first_seed;
    o.strategy = exploration_strategy::first_in_first_out;
    return o;
  }

  simulation_options options_of(std::uint64_t seed) const {
    auto o = plain_options();
    o.seed = seed;
    o.strategy = options_.strategy;
    o.faults = options_.swarm ? drawn_faults(options_.faults, seed) : options_.faults;
    return o;
  }

  simulation_options options_of(schedule s) const {
    auto o = plain_options();
    o.faults.slow_by = options_.faults.slow_by;
    o.faults.link_delay_by = options_.faults.link_delay_by;
    o.faults.link_down_for = options_.faults.link_down_for;
    o.faults.crash_at_sends = options_.faults.crash_at_sends;
    o.faults.process_crashes_max = options_.faults.process_crashes_max;
    o.replay = std::move(s);
    return o;
  }

  run_result run_once(const simulation_options& o, detail::search_path* path, bool record) const {
    run_result r;
    simulation sim{o, path, record};
    try {
      program_(sim);
      r.outcomes = sim.outcomes();
      for (const auto& [name, value] : expected_)
        if (!sim.figures().redundant && r.outcomes[name] != value)
          throw violation{name, "\"" + r.outcomes[name] + "\" instead of \"" + value + "\" as without faults"};
    } catch (const violation& v) {
      r.broken = v;
    } catch (...) {
      std::fprintf(stderr, "troupe: %s: seed %llu throws\n", options_.name.c_str(),
                   static_cast<unsigned long long>(o.replay ? o.replay->seed : o.seed));
      throw;
    }
    r.figures = sim.figures();
    r.neighbours.assign(sim.neighbours().begin(), sim.neighbours().end());
    if (record)
      r.taken = sim.taken();
    if (o.trace_capacity != 0)
      r.trace = sim.trace_text();
    return r;
  }

  void count(const run_result& r) {
    ++result_.runs;
    result_.redundant += r.figures.redundant;
    result_.turns += r.figures.turns;
    result_.messages += r.figures.messages;
    result_.faults += r.figures.faults;
    result_.restarts += r.figures.restarts;
    result_.process_crashes += r.figures.boots > 1 ? r.figures.boots - 1 : 0;
    result_.hash = mixed(result_.hash, r.figures.hash);
    if (!r.figures.redundant)
      note(r.figures.interleaving);
    for (std::size_t i = 0; i < neighbours_.size(); ++i)
      if (const auto fresh = r.neighbours[i] & ~neighbours_[i]; fresh != 0) {
        neighbours_[i] |= fresh;
        result_.neighbours += static_cast<unsigned>(std::popcount(fresh));
        result_.last_new = result_.runs;
      }
  }

  void note(std::uint64_t interleaving) {
    const auto times = ++seen_[interleaving];
    if (times == 1)
      ++once_;
    else if (times == 2)
      --once_;
    result_.interleavings = seen_.size();
    result_.unseen = static_cast<double>(once_) / static_cast<double>(result_.runs - result_.redundant);
  }

  bool goes_on() const { return !options_.progress || options_.progress(result_); }

  void sample() {
    for (std::uint64_t i = 0; i < options_.seeds; ++i) {
      const auto seed = options_.first_seed + i;
      const auto o = options_of(seed);
      const auto r = run_once(o, nullptr, false);
      count(r);
      if (r.broken) {
        const auto again = run_once(o, nullptr, true);
        return again.figures.hash == r.figures.hash ? found(seed, *r.broken, again.taken) : not_the_same(seed);
      }
      if (options_.repeat_every != 0 && i % options_.repeat_every == 0) {
        shuffle_heap(seed);
        if (run_once(o, nullptr, false).figures.hash != r.figures.hash)
          return not_the_same(seed);
      }
      if (!goes_on())
        return;
    }
  }

  void search() {
    detail::search_path path{options_.reduce};
    auto o = plain_options();
    o.seed = options_.first_seed;
    o.faults = options_.faults;
    do {
      path.restart();
      const auto r = run_once(o, &path, true);
      count(r);
      if (r.broken)
        return found(o.seed, *r.broken, r.taken);
      if (result_.runs >= options_.seeds || !goes_on())
        return;
    } while (path.advance());
    result_.complete = true;
  }

  void found(std::uint64_t seed, const violation& v, const schedule& taken) {
    finding f;
    f.program = options_.name;
    f.rule = v.rule();
    f.what = v.what();
    f.seed = seed;
    f.runs = result_.runs;
    f.choices = taken.choices.size();
    f.settings = settings();
    if (const auto e = expected_.find(v.rule()); e != expected_.end())
      f.expected = e->second;
    if (options_.progress) // what follows may take a while
      std::fprintf(stderr, "troupe: %s: seed %llu: %s; looking for the smallest schedule\n", options_.name.c_str(),
                   static_cast<unsigned long long>(seed), v.what());
    const auto fails = [&](const schedule& s) -> std::optional<schedule> {
      const auto r = run_once(options_of(s), nullptr, true);
      return r.broken && r.broken->rule() == v.rule() ? std::optional{r.taken} : std::nullopt;
    };
    f.smallest = detail::shrink(taken, fails, options_.shrink_runs);
    auto o = options_of(f.smallest);
    o.trace_capacity = options_.trace_capacity;
    const auto last = run_once(o, nullptr, true);
    f.trace = last.trace;
    if (last.broken)
      f.what = last.broken->what();
    f.command = command(to_string(f.smallest) + (f.smallest.choices.empty() ? "/" : ""));
    f.seed_command = command(std::to_string(seed));
    result_.found = std::move(f);
  }

  void not_the_same(std::uint64_t seed) {
    finding f;
    f.program = options_.name;
    f.rule = "determinism";
    f.what = "determinism (two runs of the same seed differ: something escapes the seams, such as a real clock, "
             "std::random_device, a thread, or an order that depends on addresses)";
    f.seed = seed;
    f.runs = result_.runs;
    f.seed_command = f.command = command(std::to_string(seed));
    result_.found = std::move(f);
  }

  /// What a replay takes from these options, so far as it is not the default.
  std::string settings() const {
    const auto& f = options_.faults;
    const simulation_options plain;
    const auto nanoseconds = [](std::chrono::nanoseconds t) {
      return "std::chrono::nanoseconds{" + std::to_string(t.count()) + "}";
    };
    std::string faults, text;
    const auto add = [](std::string& to, const char* name, bool wanted, const std::string& value) {
      if (wanted)
        to += (to.empty() ? "." : ", .") + std::string{name} + " = " + value;
    };
    add(faults, "crash_at_sends", !f.crash_at_sends, "false");
    add(faults, "slow_by", f.slow_by != plain.faults.slow_by, nanoseconds(f.slow_by));
    add(faults, "process_crashes_max", f.process_crashes_max != plain.faults.process_crashes_max,
        std::to_string(f.process_crashes_max));
    add(faults, "link_delay_by", f.link_delay_by != plain.faults.link_delay_by, nanoseconds(f.link_delay_by));
    add(faults, "link_down_for", f.link_down_for != plain.faults.link_down_for, nanoseconds(f.link_down_for));
    add(text, "faults", !faults.empty(), "{" + faults + "}");
    add(text, "run_for", options_.run_for != plain.run_for, nanoseconds(options_.run_for));
    add(text, "turns_max", options_.turns_max != plain.turns_max, std::to_string(options_.turns_max));
    add(text, "deadlock_is_violation", !options_.deadlock_is_violation, "false");
    return text;
  }

  std::string command(const std::string& what) const {
    return "TROUPE_SIMULATION='" + options_.name + " " + what + "' " + program_invocation_name +
           (options_.arguments.empty() ? "" : " " + options_.arguments);
  }

  /// Returns whether the variable is meant for this program.
  bool replay(std::string_view wanted) {
    const auto blank = wanted.find(' ');
    if (blank == wanted.npos)
      throw std::invalid_argument{"TROUPE_SIMULATION must be \"NAME SEED\" or \"NAME SCHEDULE\""};
    if (wanted.substr(0, blank) != options_.name)
      return false;
    auto text = wanted.substr(blank + 1);
    const bool whole = text.find('/') != text.npos;
    if (text.ends_with('/'))
      text.remove_suffix(1);
    const auto s = parse_schedule(text);
    const auto reference = run_once(reference_options(), nullptr, false);
    turns_expected_ = static_cast<std::uint32_t>(reference.figures.turns);
    if (options_.same_outcome)
      expected_ = reference.outcomes;
    auto o = whole ? options_of(s) : options_of(s.seed);
    o.trace_capacity = whole_trace;
    const auto r = run_once(o, nullptr, true);
    count(r);
    std::fprintf(stderr, "%s", r.trace.c_str());
    std::fprintf(stderr, "troupe: %s %.*s: %s\n", options_.name.c_str(), static_cast<int>(text.size()), text.data(),
                 r.broken ? r.broken->what() : "everything holds");
    if (r.broken) {
      finding f;
      f.program = options_.name;
      f.rule = r.broken->rule();
      f.what = r.broken->what();
      f.seed = s.seed;
      f.runs = 1;
      f.choices = r.taken.choices.size();
      f.smallest = r.taken;
      f.trace = r.trace;
      f.command = f.seed_command = command(std::string{text});
      result_.found = std::move(f);
    }
    return true;
  }

  const exploration_options& options_;
  const simulated_program& program_;
  std::uint32_t turns_expected_ = 1'000;
  std::map<std::string, std::string> expected_;
  std::unordered_map<std::uint64_t, std::uint32_t> seen_; // how often
  std::uint64_t once_ = 0;                                // of them seen once
  std::vector<std::uint64_t> neighbours_ = std::vector<std::uint64_t>(1'024);
  exploration result_;
};

} // namespace

exploration explore(const exploration_options& options, const simulated_program& program) {
  return explorer{options, program}.run();
}

simulation_faults drawn_faults(const simulation_faults& faults, std::uint64_t seed) noexcept {
  auto drawn = faults;
  std::uint64_t number = 0;
  const auto thin_out = [&](double& rate) {
    const auto bits = mixed(mixed(seed, 0x737761726d), ++number);
    constexpr double scales[] = {1.0, 0.25, 0.0625};
    rate = bits % 2 == 0 ? 0 : rate * scales[(bits >> 8) % 3];
  };
  for (auto* rate : {&drawn.crash, &drawn.preempt, &drawn.slow, &drawn.full, &drawn.clock_step, &drawn.process_crash,
                     &drawn.disk_full, &drawn.sync_failure, &drawn.bit_rot, &drawn.disk_slow, &drawn.link_delay,
                     &drawn.link_loss, &drawn.link_down}) // new ones last: seeds keep their draws
    thin_out(*rate);
  return drawn;
}

std::string finding::text() const {
  return program + ": " + what + "\n  found by seed " + std::to_string(seed) + " in run " + std::to_string(runs) +
         ", with " + std::to_string(choices) + " choices; " + std::to_string(smallest.choices.size()) +
         " are enough\n  run again: " + command + "\n  as found:  " + seed_command + "\n" + trace;
}

std::string finding::test_case(std::string_view call) const {
  std::string name;
  for (const char c : what.substr(0, what.find('\n')))
    name += c == '"' || c == '\\' ? '\'' : c == ';' ? ',' : c;
  const auto text = [](const std::string& s) { return "R\"text(" + s + ")text\""; };
  return "// Found by seed " + std::to_string(seed) + ".\nTEST_CASE(\"" + program + ": " + name +
         "\") {\n  troupe::simulation_options o" + (settings.empty() ? "" : "{" + settings + "}") +
         ";\n  o.replay = troupe::parse_schedule(\"" + to_string(smallest) +
         "\");\n  troupe::simulation sim{o};\n  CHECK_NOTHROW(" + std::string{call} + "(sim));\n" +
         (expected ? "  CHECK(sim.outcomes().at(" + text(rule) + ") == " + text(*expected) + ");\n" : "") + "}\n";
}

std::string exploration::text() const {
  char next[16];
  std::snprintf(next, sizeof next, "%.2g", unseen);
  return std::to_string(runs) + " runs, " + std::to_string(interleavings) +
         " interleavings (one more run is new with " + "probability " + next + "), " + std::to_string(neighbours) +
         " pairs of neighbours (the last new one in run " + std::to_string(last_new) + "), " +
         std::to_string(messages) + " messages, " + std::to_string(faults) + " faults, " + std::to_string(restarts) +
         " restarts, " + std::to_string(process_crashes) + " crashes of the process";
}

} // namespace troupe

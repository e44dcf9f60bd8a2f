// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/simulation_core.hpp>

#include <utility>

namespace troupe {

violation::violation(std::string rule, std::string details)
    : std::runtime_error{rule + " (" + details + ")"}, rule_{std::move(rule)} {}

simulation::simulation(const simulation_options& options) : simulation{options, nullptr, false} {}

simulation::simulation(const simulation_options& options, detail::search_path* path, bool record)
    : core_{std::make_unique<detail::simulation_core>(options, path, record)} {}

simulation::~simulation() = default;

void simulation::invariant(std::string name, condition holds) {
  core_->invariants.push_back({std::move(name), std::move(holds)});
}

void simulation::eventually(std::string name, condition holds) {
  core_->in_the_end.push_back({std::move(name), std::move(holds)});
}

void simulation::outcome(std::string name, std::function<std::string()> value) {
  core_->outcomes_wanted.push_back({std::move(name), std::move(value)});
}

void simulation::journals(std::function<std::shared_ptr<journal_store>()> open) {
  core_->open_journals = std::move(open);
}

void simulation::node(std::string path, std::string name) { core_->links.place(std::move(path), std::move(name)); }

void simulation::crash() { core_->crash_wanted = true; }

void simulation::run(const program& p) { core_->run(p); }

manual_clock& simulation::time() const noexcept { return *core_->clock; }

simulated_disk& simulation::disk() const noexcept { return *core_->disk; }

std::uint64_t simulation::now() const noexcept { return core_->figures.turns; }

unsigned simulation::boot() const noexcept { return core_->figures.boots == 0 ? 0 : core_->figures.boots - 1; }

const simulation_options& simulation::options() const noexcept { return core_->options; }

simulation_figures simulation::figures() const { return core_->figures; }

const std::map<std::string, std::string>& simulation::outcomes() const noexcept { return core_->outcomes; }

std::span<const std::uint64_t> simulation::neighbours() const noexcept { return core_->neighbours; }

schedule simulation::taken() const {
  const auto& o = core_->options;
  return {o.replay ? o.replay->seed : o.seed, core_->choices.recorded()};
}

std::string simulation::trace_text() const { return core_->happened.text(); }

void simulation::note(std::string text) {
  if (core_->happened.readable())
    core_->happened.remark(trace::kind::note, core_->clock->now(), 0, std::move(text));
}

} // namespace troupe

// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/open_asks.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/testing/ask_circle.hpp>
#include <troupe/testing/simulation_core.hpp>
#include <troupe/testing/teardown.hpp>

#include <exception>
#include <functional>
#include <utility>

namespace troupe::detail {

using namespace std::chrono_literals;

namespace {

/// Thrown through the program when its process crashes. No std::exception: nobody is to catch it.
struct process_crashed {};

/// Thrown through the program when a search need not go on with this run.
struct run_is_redundant {};

class no_threads final : public thread_factory {
public:
  std::jthread start(std::string name, std::function<void()>) override { // seams: refused
    throw usage_error{"a simulated system starts no threads, but was asked for \"" + name + "\""};
  }
};

/// Random numbers that tell when one is drawn: in a search, turns that draw cannot change places.
class noted_random final : public random_source {
public:
  noted_random(std::shared_ptr<random_source> source, bool& drawn) : source_{std::move(source)}, drawn_{drawn} {}
  std::uint64_t next() noexcept override {
    drawn_ = true;
    return source_->next();
  }

private:
  const std::shared_ptr<random_source> source_;
  bool& drawn_;
};

} // namespace

simulation_core::simulation_core(const simulation_options& given, search_path* path, bool record)
    : options{given}, choices{given, path, record}, happened{given.trace_capacity},
      links{options.faults,
            [this](auto subject, double rate, auto n) { return strike(choice_kind::link, subject, rate, n); }},
      path_{path} {
  const auto seed = given.replay ? given.replay->seed : given.seed;
  random_ = std::make_shared<noted_random>(seeded_random(mixed(seed, 0x72616e64)), made_.everything);
  memory_ = std::make_shared<memory_store>();
  const auto& f = options.faults;
  disk->faults({
      .write_fails = [this, &f] { return strike(choice_kind::disk, 1, f.disk_full, 1) != 0; },
      .sync_fails = [this, &f] { return strike(choice_kind::disk, 2, f.sync_failure, 1) != 0; },
      .read_rots = [this, &f] { return strike(choice_kind::disk, 3, f.bit_rot, 1) != 0; },
      .draw = [this](std::uint64_t below) { return random_->below(below); },
  });
}

simulation_core::~simulation_core() {
  if (system_ != nullptr)
    destroy_system();
}

// -- a run -------------------------------------------------------------------------------------------------------------

void simulation_core::run(const simulation::program& p) {
  if (figures.boots != 0)
    throw usage_error{"a simulation runs once: make another one"};
  try {
    for (;;) {
      start_system();
      try {
        p(*system_);
        go_on();
        finish();
        break;
      } catch (const process_crashed&) {
        if (happened.readable())
          remark(0, "== the process crashes");
        crash_wanted = false;
        disk->crash();
        destroy_system();
      }
    }
  } catch (const run_is_redundant&) {
    figures.redundant = true;
    destroy_system();
  } catch (const violation&) {
    destroy_system();
    throw;
  } catch (const std::exception& e) {
    const violation wrapped{"program", describe(std::current_exception())};
    destroy_system();
    throw wrapped;
  } catch (...) {
    destroy_system();
    throw;
  }
}

void simulation_core::start_system() {
  ++figures.boots;
  phase_ = phase::running;
  notes_.clear();
  open_store();
  system_options o;
  o.turn_messages = 1;
  o.journals = journals_;
  o.quarantine_capacity = options.quarantine_capacity;
  o.through = {.clock = clock, .random = random_, .files = disk, .threads = std::make_shared<no_threads>()};
  o.stepped = 0;
  o.conducted = this;
  system_ = std::make_unique<system>(o);
  if (!happened.readable())
    return;
  events_ = system_->events().subscribe([this, root = system_->root().name()](const event& e) {
    if (const auto* s = std::get_if<supervision_event>(&e))
      remark(0, "   " + (s->supervisor == root ? "root" : s->supervisor) + ": " + plain_name(s->child) + " " +
                    to_string(s->what) + (s->why.empty() ? "" : ", " + s->why) +
                    (s->delay.count() != 0 ? ", after " + readable(s->delay) : ""));
    else if (const auto* d = std::get_if<dead_letter>(&e))
      remark(0, "   dead letter: " + plain_name(d->message_type) + " to " + d->receiver + ", " + to_string(d->why));
  });
}

void simulation_core::open_store() {
  auto behind = open_journals ? open_journals() : memory_;
  const auto how_long = [this]() -> std::chrono::nanoseconds {
    return options.faults.slow_by * strike(choice_kind::disk, 4, options.faults.disk_slow, 8) / 8;
  };
  disk_timer_.fire = &on_written;
  disk_timer_.owner = this;
  journals_ =
      std::make_shared<slow_store>(std::move(behind), slow_store::pace{how_long, [this] { return clock->now(); },
                                                                       [this](time_point t) { wake_disk(t); }});
}

void simulation_core::wake_disk(time_point when) {
  auto& timers = *system_->core().timers;
  (void)timers.disarm(disk_timer_);
  timers.arm(disk_timer_, when, 0);
}

void simulation_core::on_written(engine::timer_node& node) noexcept {
  static_cast<disk_timer&>(node).owner->journals_->write_due();
}

/// Until nothing is left to do, or the time is over.
void simulation_core::go_on() {
  const auto end = time_point{} + options.run_for;
  for (;;) {
    if (crash_wanted)
      throw process_crashed{};
    if (system_->step())
      continue;
    const auto next = system_->core().timers->next_deadline();
    if (next == time_point::max() || next > end)
      return;
    let_time_pass(next);
  }
}

void simulation_core::let_time_pass(time_point to) {
  if (options.deadlock_is_violation)
    check_for_deadlock(to);
  if (const auto jump = strike(choice_kind::clock_step, 0, options.faults.clock_step, 16); jump != 0) {
    const auto by = (static_cast<int>(jump) - 8) * 450s; // an hour in either direction
    clock->shift_wall(by);
    remark(0, "   calendar time jumps by " + std::to_string(std::chrono::seconds{by}.count()) + " s");
  }
  clock->advance_to(to);
  happened.add(trace::kind::time, clock->now(), 0, 0, 0, nullptr);
  system_->core().timers->run_due(clock->now());
}

void simulation_core::finish() {
  for (const auto& r : in_the_end)
    check(r, "in the end");
  for (const auto& o : outcomes_wanted)
    outcomes[o.name] = o.value();
  if (happened.readable())
    remark(0, "== nothing is left to do: shutdown");
  phase_ = phase::stopping;
  release_held();
  links.reset();
  journals_->flush();
  const auto report = system_->shutdown(60s);
  figures.restarts += system_->restarts();
  if (report.unaccounted != 0 || !report.books.balanced())
    throw violation{"accounting", std::to_string(report.unaccounted) + " accepted messages have no outcome"};
  if (!report.complete)
    throw violation{"shutdown", to_string(report)};
  events_ = {};
  stop_disk();
  system_.reset();
  journals_.reset();
  figures.hash = mixed(happened.hash(), figures.messages);
}

/// As when the power fails: no handler runs any more, but destructors must.
void simulation_core::destroy_system() noexcept {
  if (system_ == nullptr)
    return;
  phase_ = phase::dead;
  figures.restarts += system_->restarts();
  figures.hash = mixed(happened.hash(), figures.messages);
  events_ = {};
  release_held();
  links.reset();
  stop_disk();
  tear_down(*system_);
  system_.reset();
  journals_.reset();
}

void simulation_core::stop_disk() noexcept {
  (void)system_->core().timers->disarm(disk_timer_);
  journals_->drop();
}

// -- what is checked ---------------------------------------------------------------------------------------------------

void simulation_core::check(const rule& r, const char* when) {
  bool holds = false;
  std::string why = when;
  within_check_ = true;
  try {
    holds = r.holds();
  } catch (...) {
    why += ": " + describe(std::current_exception());
  }
  within_check_ = false;
  if (!holds)
    throw violation{r.name, why};
}

/// Nothing is ready, and an ask is about to time out. If it is part of a circle of asks, one of whose actors serves
/// nothing else meanwhile, then that is why.
void simulation_core::check_for_deadlock(time_point next) {
  const auto now = next.time_since_epoch().count();
  ask_deadlines_.erase(ask_deadlines_.begin(), ask_deadlines_.lower_bound(now));
  if (!ask_deadlines_.contains(now)) // most of the time: to look at all actors is dear
    return;
  std::vector<pending_ask> asks;
  std::map<std::uint64_t, std::string> names;
  const std::function<void(supervisor_core&)> look = [&](supervisor_core& under) {
    for (const auto& child : under.children()) {
      if (child->supervisor() != nullptr)
        look(*child->supervisor());
      if (child->open() == nullptr)
        continue;
      child->open()->for_each([&](const reply_slot& slot) {
        if (slot.settled())
          return;
        asks.push_back({child->id(), slot.receiver()->id(), child->type().suspended_max == 1, slot.at <= next});
        names[child->id()] = plain_name(child->name());
      });
    }
  };
  look(*system_->core().root);
  const auto circle = ask_circle(std::move(asks));
  if (circle.empty())
    return;
  std::string text;
  for (const auto id : circle)
    text += names[id] + " waits for ";
  throw violation{"deadlock", text + names[circle.front()]};
}

void simulation_core::turn_over() {
  if (depth_ != 0 || phase_ == phase::dead || within_check_)
    return;
  ++figures.turns;
  if (path_ != nullptr) {
    path_->turn_over(made_);
    if (path_->redundant())
      throw run_is_redundant{};
  }
  figures.time = clock->now().time_since_epoch();
  if (figures.turns > options.turns_max)
    throw violation{"turns_max", "still busy after " + std::to_string(options.turns_max) + " turns"};
  if (phase_ != phase::running)
    return;
  for (const auto& r : invariants)
    check(r, "after a turn");
  if (crash_wanted || (figures.boots <= options.faults.process_crashes_max &&
                       strike(choice_kind::process_crash, 0, options.faults.process_crash, 1) != 0))
    throw process_crashed{};
}

} // namespace troupe::detail

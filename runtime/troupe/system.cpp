// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/caf_system.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/scheduler.hpp>
#include <troupe/engine/stepper.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/engine/timer_service.hpp>
#include <troupe/engine/worker.hpp>
#include <troupe/journal/durable_directory.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace troupe {

using namespace std::chrono_literals;

namespace {

const system_options& checked(const system_options& o) {
  const auto wrong = [](const char* what) { throw request_error{error{errc::bad_options, what}}; };
  if (o.turn_messages < 8 && !(o.conducted != nullptr && o.turn_messages == 1))
    wrong("turn_messages must be at least 8");
  if (o.turn_time.count() < 1)
    wrong("turn_time must be at least 1 us");
  if (o.handler_budget.count() < 0 || o.handler_budget > option_time_max)
    wrong("handler_budget must be 0..24 h");
  if (o.spare_workers > 64)
    wrong("spare_workers must be 0..64");
  if (o.shutdown_timeout.count() < 0)
    wrong("shutdown_timeout must not be negative");
  if (o.stepped && std::dynamic_pointer_cast<manual_clock>(o.through.clock) == nullptr)
    wrong("a stepped system needs a manual_clock as its clock");
  if (!o.stepped && std::dynamic_pointer_cast<manual_clock>(o.through.clock) != nullptr)
    wrong("with a manual_clock, which stands still for threads, a system must be stepped: set `stepped`");
  return o;
}

} // namespace

/// Everything behind a system. Members end in reverse order: what others use comes first.
struct system::engine_room {
  explicit engine_room(const system_options& o) : options{checked(o)} {
    core.through = o.through;
    core.recent_lag = core.through.clock->recent_lag().count();
    core.journals = o.journals != nullptr ? o.journals : std::make_shared<memory_store>();
    core.durable = std::make_shared<detail::durable_directory>(core);
    core.faults = o.faults;
    core.turn_messages_max = o.turn_messages;
    core.turn_time_max = o.turn_time;
    core.gave_up = [this](const std::string& why) { on_gave_up(why); };
    const engine::thread_starter start_thread = [threads = o.through.threads](std::string name,
                                                                              std::function<void()> body) {
      return threads->start(std::move(name), std::move(body));
    };
    core.conducted = o.stepped ? o.conducted : nullptr;
    core.meddled = core.faults != nullptr || core.conducted != nullptr;
    core.turn_begins_at = o.turn_messages < 8 ? 8 - o.turn_messages : 0; // it looks at every eighth
    if (o.stepped) {
      if (core.conducted != nullptr)
        stepper.emplace(*core.conducted);
      else
        stepper.emplace(*o.stepped);
      core.blocking = std::make_unique<engine::blocking_pool>(*stepper);
      clock = std::dynamic_pointer_cast<manual_clock>(o.through.clock);
      core.executor = &*stepper;
      core.timers = std::make_unique<engine::timer_service>(engine::timer_service::stepped);
      core.drive = [this](const std::function<bool()>& done) { drive(done); };
    } else {
      core.blocking = std::make_unique<engine::blocking_pool>(engine::blocking_pool_options{}, start_thread);
      engine::scheduler_options so;
      so.workers = o.workers;
      so.spare_workers = o.spare_workers;
      so.spin = o.spin;
      so.seed = o.through.random->next();
      scheduler.emplace(so, start_thread);
      core.executor = &*scheduler;
      core.timers =
          std::make_unique<engine::timer_service>(*core.through.clock, *core.through.threads, scheduler->workers() + 1);
    }
    core.quarantine.limit(o.quarantine_capacity);
    core.handler_budget = o.handler_budget;
    core.check_starts = o.check_starts;
    core.stop_time = o.shutdown_timeout * 9 / 10; // then it kills
    core.watch = std::make_unique<detail::handler_watch>(*core.through.clock, scheduler ? core.timers.get() : nullptr,
                                                         scheduler ? scheduler->seats() : 1);
    if (scheduler)
      core.compensate = [this](unsigned worker) { return scheduler->compensate(worker); };
  }

  void on_gave_up(const std::string& why) {
    std::unique_lock guard{mutex};
    gave_up = true;
    std::fprintf(stderr, "troupe: gave up: %s\n", why.c_str());
    changed.notify_all();
  }

  std::size_t run_until_idle(std::size_t limit) {
    std::size_t n = 0;
    while (stepper->step())
      if (++n > limit)
        throw usage_error{"run_until_idle: still busy after " + std::to_string(limit) + " turns"};
    return n;
  }

  /// To the next timer, or not at all if there is none before `end`.
  bool advance_to_next(time_point end) {
    const auto next = core.timers->next_deadline();
    if (next > end)
      return false;
    if (next > clock->now())
      clock->advance(next - clock->now());
    core.timers->run_due(clock->now());
    return true;
  }

  void drive(const std::function<bool()>& done) {
    while (!done()) {
      if (!stepper->step() && !advance_to_next(time_point::max()))
        throw usage_error{"a stepped system waits for something that nobody will do"};
    }
  }

  /// Waits, or lets a stepped system run, until `done` or the deadline.
  bool await(const std::function<bool()>& done, time_point deadline) {
    if (stepper) {
      for (;;) {
        run_until_idle(100'000'000);
        if (done())
          return true;
        if (!advance_to_next(deadline))
          return false;
      }
    }
    auto pause = 50us;
    while (!done()) {
      if (core.now() >= deadline)
        return false;
      std::this_thread::sleep_for(pause); // seams: threaded systems only
      pause = std::min<std::chrono::microseconds>(pause * 2, 5ms);
    }
    return true;
  }

  ledger books() const {
    auto sum = root.core().books();
    sum.refused += core.refused_stopped.load(std::memory_order_relaxed);
    return sum;
  }

  /// Nothing is queued, and nothing was accepted between two looks: then nothing was on its way between them either.
  bool quiescent() {
    const auto first = books();
    if (first.queued != 0)
      return false;
    const auto second = books();
    return second.queued == 0 && second.accepted == first.accepted;
  }

  /// A handler of a replaced actor has not returned.
  bool orphaned() {
    const auto all = core.watch->orphans();
    for (const auto& o : all)
      o.of->release();
    return !all.empty();
  }

  std::vector<survivor> survivors() {
    std::vector<detail::cell_pointer> alive;
    collect(root.core(), alive);
    const auto asking = askers(alive);
    std::vector<survivor> result;
    for (const auto& c : alive) {
      result.push_back(describe(*c));
      if (const auto by = asking.find(c.get()); by != asking.end())
        result.back().awaited_by = by->second;
    }
    for (const auto& o : core.watch->orphans()) {
      survivor s;
      s.name = o.of->name() + " (replaced)";
      s.id = o.of->id();
      s.handler = type_name(*o.how->message->info);
      s.since = std::chrono::duration_cast<std::chrono::milliseconds>(o.since);
      result.push_back(std::move(s));
      o.of->release();
    }
    return result;
  }

  void collect(detail::supervisor_core& under, std::vector<detail::cell_pointer>& out) {
    for (const auto& c : under.children()) {
      if (c->supervisor() != nullptr)
        collect(*c->supervisor(), out);
      else if (c->lifecycle() != detail::cell::state::stopped)
        out.push_back(c);
    }
  }

  /// Who has asked each of the living and waits: actors by their names, other threads as "outside".
  using askers_of = std::unordered_map<const detail::cell*, std::vector<std::string>>; // seams: looked up only
  askers_of askers(const std::vector<detail::cell_pointer>& alive) {
    askers_of result;
    for (const auto& asker : alive)
      if (const auto* receiver = asker->awaited())
        result[receiver].push_back(asker->name());
    core.timers->for_each([&](engine::timer_node& node) {
      if (const auto* slot = detail::reply_slot::from_timer(node))
        result[slot->receiver()].push_back("outside");
    });
    return result;
  }

  survivor describe(const detail::cell& c) {
    survivor s;
    s.name = c.name();
    s.id = c.id();
    s.queued = c.depth();
    if (const auto* h = c.handling())
      s.handler = type_name(*h->message->info);
    for (unsigned i = 0; scheduler && i < scheduler->seats(); ++i) { // on a spare one, perhaps
      const auto& w = scheduler->at(i);
      if (w.running() == &c)
        s.since = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch() - w.turn_started()); // seams: threaded systems only
    }
    return s;
  }

  const system_options options;
  detail::system_core core;
  std::optional<engine::scheduler> scheduler;
  std::optional<engine::stepper> stepper;
  std::shared_ptr<manual_clock> clock;
  supervisor root;
  detail::caf_system caf;

  // -- guarded by mutex --
  std::mutex mutex;
  std::condition_variable changed;
  bool gave_up = false;
  bool shutdown_wanted = false;

  // -- guarded by shutdown_mutex --
  std::mutex shutdown_mutex;
  std::optional<shutdown_report> report;
};

system::system(system_options options) : room_{std::make_unique<engine_room>(options)} {
  auto& core = room_->core;
  core.owner = this;
  room_->root = supervisor::make(core, nullptr, "root",
                                 {.strategy = dynamic, .group_intensity = unlimited, .children_max = std::size_t(-1)});
  core.root = &room_->root.core();
  if (room_->scheduler)
    room_->scheduler->start();
}

system::~system() {
  const auto report = shutdown();
  if (!report.complete)
    std::fprintf(stderr, "troupe: %s\n", to_string(report).c_str());
  room_->core.durable->close();
  const bool returned = room_->caf.end() && report.complete;
  room_->core.timers->stop();                                           // with it the watch over handlers
  room_->core.blocking->stop(std::chrono::steady_clock::now() + 100ms); // seams: threaded systems only
  if (room_->scheduler && !room_->scheduler->stop_within(returned ? 10s : 100ms)) {
    // A handler does not return. Its thread cannot be ended, so what it may touch must outlive it; within reach, so that who
    // looks for leaks sees that it is meant.
    static std::mutex mutex;
    static auto& rooms = *new std::vector<std::unique_ptr<engine_room>>;
    const std::unique_lock guard{mutex};
    rooms.push_back(std::move(room_));
    return;
  }
}

supervisor system::supervise(std::string_view name, const supervisor_options& options) {
  return room_->root.supervise(name, options);
}

const supervisor& system::root() const noexcept { return room_->root; }

actor_tree system::tree() const {
  auto t = room_->root.tree();
  t.name = "system";
  return t;
}

std::vector<tree_finding> system::check_tree() const {
  // The shutdown drains for half of its time at most, and kills at nine tenths.
  return troupe::check_tree(tree(), room_->options.shutdown_timeout * 4 / 10);
}

std::uint64_t system::late_replies() const noexcept { return room_->core.late_replies.load(std::memory_order_relaxed); }

event_stream& system::events() noexcept { return room_->core.events; }

quarantine& system::quarantine() noexcept { return room_->core.quarantine; }

ledger system::books() const { return room_->books(); }

std::uint64_t system::restarts() const noexcept { return room_->core.restarts.load(std::memory_order_relaxed); }

std::uint64_t system::escalations() const noexcept { return room_->core.escalations.load(std::memory_order_relaxed); }

unsigned system::workers() const noexcept { return room_->scheduler ? room_->scheduler->workers() : 1; }

std::vector<worker_figures> system::worker_statistics() const {
  std::vector<worker_figures> result;
  if (room_->scheduler)
    for (const auto& w : room_->scheduler->statistics())
      result.push_back({w.turns, w.handled, w.steals, w.parks, w.queued});
  return result;
}

time_point system::now() const noexcept { return room_->core.now(); }

const seams& system::through() const noexcept { return room_->core.through; }

bool system::wait() {
  if (detail::cell::current() != nullptr)
    throw usage_error{"wait would block a worker: an actor learns of the end by its on_stop"};
  std::unique_lock guard{room_->mutex};
  room_->changed.wait(guard, [&] { return room_->gave_up || room_->shutdown_wanted; });
  return !room_->gave_up;
}

void system::request_shutdown() {
  std::unique_lock guard{room_->mutex};
  room_->shutdown_wanted = true;
  room_->changed.notify_all();
}

shutdown_report system::shutdown() { return shutdown(room_->options.shutdown_timeout); }

shutdown_report system::shutdown(std::chrono::milliseconds timeout) {
  if (detail::cell::current() != nullptr)
    throw usage_error{"shutdown waits for every actor: use request_shutdown inside an actor"};
  std::unique_lock once{room_->shutdown_mutex};
  if (room_->report)
    return *room_->report;
  request_shutdown();
  auto& core = room_->core;
  auto& root = *detail::required(room_->root.pointer()).supervisor();
  const auto begin = core.now();
  shutdown_report report;

  // Drain.
  report.drained = room_->await([&] { return room_->quiescent(); }, begin + timeout / 2);
  // Stop.
  const auto ended = [&] { return room_->root.has_stopped(); };
  root.self().send_control(detail::make_control([](detail::cell& c) { c.order_stop(); }));
  if (!room_->await(ended, begin + timeout * 9 / 10)) {
    // Kill.
    root.self().send_control(detail::make_control([](detail::cell& c) { c.order_kill(); }));
    room_->await(ended, begin + timeout);
  }
  // Handlers of replaced actors are nobody's turn, but may still return in time.
  room_->await([&] { return !room_->orphaned(); }, begin + timeout);
  core.journals->flush(); // what the actors wrote last is durable, or known not to be
  report.survivors = room_->survivors();
  report.complete = report.survivors.empty() && ended();
  report.books = room_->books();
  report.unaccounted = core.unaccounted.load(std::memory_order_relaxed);
  report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(core.now() - begin);
  {
    std::unique_lock guard{room_->mutex};
    report.gave_up = room_->gave_up;
  }
  room_->report = report;
  return report;
}

bool system::wait_stopped(const any_ref& who, std::chrono::milliseconds timeout) {
  if (detail::cell::current() != nullptr)
    throw usage_error{"wait_stopped would block a worker: use a watch inside an actor"};
  return room_->await([&] { return who.has_stopped(); }, room_->core.now() + timeout);
}

caf::actor_system& system::caf() {
  if (!room_->scheduler)
    throw usage_error{"a stepped system has no CAF beside it"};
  return room_->caf.get(room_->core, room_->scheduler->seats());
}

bool system::step() {
  if (!room_->stepper)
    throw usage_error{"step: not a stepped system"};
  return room_->stepper->step();
}

std::size_t system::run_until_idle(std::size_t limit) {
  if (!room_->stepper)
    throw usage_error{"run_until_idle: not a stepped system"};
  return room_->run_until_idle(limit);
}

void system::advance(std::chrono::nanoseconds by) {
  if (!room_->stepper)
    throw usage_error{"advance: not a stepped system"};
  const auto end = room_->clock->now() + by;
  run_until_idle();
  while (room_->advance_to_next(end))
    run_until_idle();
  room_->clock->advance(end - room_->clock->now());
}

detail::system_core& system::core() const noexcept { return room_->core; }

detail::supervisor_core& system::root_core() const noexcept { return *room_->core.root; }

std::shared_ptr<const detail::cell_options> system::plain_options() noexcept {
  // For good, so that nobody need count its users: the counter would travel between those who spawn and those who stop.
  static const auto* plain = [] {
    auto* o = new detail::cell_options{};
    o->spec.restart = transient;
    return o;
  }();
  return {std::shared_ptr<void>{}, plain};
}

std::optional<any_ref> system::find_any(std::string_view path, const detail::actor_type* type) const {
  auto* c = room_->core.names.find(std::string{path});
  if (c == nullptr)
    return std::nullopt;
  any_ref found{*c};
  c->release();
  if (type != nullptr && &c->type() != type)
    return std::nullopt;
  return found;
}

} // namespace troupe

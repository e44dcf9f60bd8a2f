// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/stepper.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/testing/simulation_core.hpp>
#include <troupe/testing/teardown.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>
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

constexpr unsigned depth_max = 6;
constexpr std::uint32_t senders_kept = 1u << 16;

const std::type_info& type_of(const envelope& e) { return *e.how->message->info; }

std::string without_namespaces(const std::string& name) {
  const auto colons = name.rfind("::", name.find('<'));
  return colons == name.npos ? name : name.substr(colons + 2);
}

} // namespace

simulation_core::simulation_core(const simulation_options& given, search_path* path, bool record)
    : options{given}, choices{given, path, record}, happened{given.trace_capacity}, path_{path} {
  const auto seed = given.replay ? given.replay->seed : given.seed;
  random_ = std::make_shared<noted_random>(seeded_random(mixed(seed, 0x72616e64)), made_.everything);
  journals_ = std::make_shared<memory_store>();
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
      remark(0, "   " + (s->supervisor == root ? "root" : s->supervisor) + ": " + without_namespaces(s->child) + " " +
                    to_string(s->what) + (s->why.empty() ? "" : ", " + s->why) +
                    (s->delay.count() != 0 ? ", after " + std::to_string(s->delay.count()) + " ms" : ""));
    else if (const auto* d = std::get_if<dead_letter>(&e))
      remark(0, "   dead letter: " + without_namespaces(d->message_type) + " to " + d->receiver + ", " +
                    to_string(d->why));
  });
}

/// Until nothing is left to do, or the time is over.
void simulation_core::go_on() {
  const auto end = time_point{} + options.run_for;
  for (;;) {
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
  const auto report = system_->shutdown(60s);
  figures.restarts += system_->restarts();
  if (report.unaccounted != 0 || !report.books.balanced())
    throw violation{"accounting", std::to_string(report.unaccounted) + " accepted messages have no outcome"};
  if (!report.complete)
    throw violation{"shutdown", to_string(report)};
  events_ = {};
  system_.reset();
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
  tear_down(*system_);
  system_.reset();
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
  struct edge {
    const cell* asker;
    const cell* asked;
    bool expires;
  };
  std::vector<edge> asks;
  bool any = false;
  system_->core().timers->for_each([&](engine::timer_node& node) {
    const auto* slot = reply_slot::from_timer(node);
    if (slot == nullptr || slot->asker() == nullptr || slot->settled())
      return;
    asks.push_back({slot->asker(), slot->receiver(), node.at <= next});
    any |= node.at <= next;
  });
  if (!any)
    return;
  std::sort(asks.begin(), asks.end(), [](const edge& a, const edge& b) {
    return std::pair{a.asker->id(), a.asked->id()} < std::pair{b.asker->id(), b.asked->id()};
  });
  const auto blocked = [](const cell& c) { return c.type().suspended_max == 1; };
  for (const auto& start : asks) {
    if (!start.expires)
      continue;
    // Depth-first from the actor asked, back to the asker.
    std::vector<const cell*> way{start.asker};
    std::set<const cell*> seen; // seams: looked up only
    const std::function<bool(const cell*)> leads_back = [&](const cell* at) {
      if (at == start.asker)
        return std::any_of(way.begin(), way.end(), [&](const cell* c) { return blocked(*c); });
      if (!seen.insert(at).second)
        return false;
      way.push_back(at);
      for (const auto& e : asks)
        if (e.asker == at && leads_back(e.asked))
          return true;
      way.pop_back();
      return false;
    };
    if (!leads_back(start.asked))
      continue;
    std::string text;
    for (const auto* c : way)
      text += without_namespaces(c->name()) + " waits for ";
    throw violation{"deadlock", text + without_namespaces(start.asker->name())};
  }
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
  if (figures.boots <= options.faults.process_crashes_max &&
      strike(choice_kind::process_crash, 0, options.faults.process_crash, 1) != 0)
    throw process_crashed{};
}

// -- what is decided ---------------------------------------------------------------------------------------------------

std::uint32_t simulation_core::strike(choice_kind kind, std::uint64_t subject, double rate, std::uint32_t values) {
  if (phase_ != phase::running || within_check_)
    return 0;
  const auto value = choices.strike(kind, static_cast<std::uint32_t>(subject), rate, values);
  figures.faults += value != 0;
  return value;
}

bool simulation_core::admit(engine::runnable& r) noexcept {
  if (path_ != nullptr) {
    made_.touch(r.subject());
    made_.everything |= r.subject() > last_id_; // just started: ids are given out in order
    last_id_ = std::max(last_id_, r.subject());
  }
  const auto eighths = strike(choice_kind::slow, r.subject(), options.faults.slow, 8);
  if (eighths == 0)
    return true;
  auto& held = held_.emplace_back();
  held.fire = &on_release;
  held.owner = this;
  held.what = &r;
  held.self = std::prev(held_.end());
  system_->core().timers->arm(held, clock->now() + options.faults.slow_by * eighths / 8, 0);
  return false;
}

void simulation_core::on_release(engine::timer_node& node) noexcept {
  auto& held = static_cast<held_turn&>(node);
  auto& owner = *held.owner;
  static_cast<engine::stepper*>(owner.system_->core().executor)->submit_now(*held.what);
  owner.held_.erase(held.self);
}

void simulation_core::release_held() noexcept {
  while (!held_.empty()) {
    auto& first = held_.front();
    (void)system_->core().timers->disarm(first);
    on_release(first);
  }
}

std::size_t simulation_core::choose(const std::deque<engine::runnable*>& ready) noexcept {
  if (phase_ == phase::dead || (phase_ == phase::stopping && path_ != nullptr)) // a search is not about the shutdown
    return 0;
  const auto place = choices.order(ready);
  if (path_ != nullptr && depth_ == 0) {
    made_ = {};
    made_.actor = ready[place]->subject();
    made_.touch(made_.actor);
  }
  happened.add(trace::kind::turn, clock->now(), ready[place]->subject(), place, 0, nullptr);
  return place;
}

void simulation_core::let_others_go_first() {
  if (depth_ >= depth_max)
    return;
  const auto turns = strike(choice_kind::preempt, 0, options.faults.preempt, 4);
  ++depth_;
  for (std::uint32_t i = 0; i < turns && system_->step(); ++i) {
  }
  --depth_;
}

void simulation_core::doom(cell& by, const envelope& in_hand) {
  auto& notes = notes_of(by);
  if (notes.doomed != &in_hand || --notes.doom_in != 0)
    return;
  notes.doomed = nullptr;
  if (std::uncaught_exceptions() == 0) // a destructor sends: it is failing already
    throw injected_failure{};
}

void simulation_core::controlling(cell& to) noexcept {
  if (path_ != nullptr)
    made_.touch(to.id());
}

bool simulation_core::sending(cell* from, cell& to, envelope& e) {
  if (phase_ == phase::dead)
    return true;
  if (path_ != nullptr)
    made_.touch(to.id());
  const auto number = ++last_number_;
  if (number % senders_kept >= senders_.size())
    senders_.resize(std::min<std::size_t>(std::max<std::size_t>(256, senders_.size() * 2), senders_kept));
  e.mark = number;
  const auto sender = from != nullptr ? from->id() : 0;
  senders_[number % senders_kept] = static_cast<std::uint32_t>(sender);
  if (from != nullptr) {
    name(*from);
    if (from->in_hand() != nullptr) {
      if (options.faults.crash_at_sends)
        doom(*from, *from->in_hand());
      let_others_go_first();
    }
  }
  name(to);
  const bool full = from != nullptr && from != &to && from->in_hand() != nullptr &&
                    strike(choice_kind::full, to.id(), options.faults.full, 1) != 0;
  happened.add(full ? trace::kind::refused : trace::kind::sent, clock->now(), sender, to.id(), number, &type_of(e));
  return !full;
}

void simulation_core::handling(cell& by, envelope& e) {
  if (phase_ == phase::dead)
    return;
  name(by);
  if (path_ != nullptr && e.reply != nullptr && e.reply->asker() != nullptr)
    made_.touch(e.reply->asker()->id());
  ++figures.messages;
  auto& notes = notes_of(by);
  const auto sender = sender_of(e.mark);
  const auto before = happened.hash_of(type_of(e));
  notes.order = mixed(notes.order ^ before, sender);
  figures.interleaving += mixed(notes.order, by.id());
  happened.add(trace::kind::handled, clock->now(), sender, by.id(), e.mark, &type_of(e));
  notes.doomed = nullptr;
  const auto place = strike(choice_kind::crash, by.id(), options.faults.crash, 4);
  if (place == 1)
    throw injected_failure{};
  if (place > 1) {
    notes.doomed = &e;
    notes.doom_in = place - 1;
  }
}

bool simulation_core::resuming(cell& by, envelope& e) noexcept {
  if (phase_ == phase::dead)
    return false;
  if (path_ != nullptr && e.reply != nullptr && e.reply->asker() != nullptr)
    made_.touch(e.reply->asker()->id());
  happened.add(trace::kind::resumed, clock->now(), 0, by.id(), e.mark, &type_of(e));
  return true;
}

void simulation_core::fault_point(cell& by) {
  if (phase_ == phase::running && by.in_hand() != nullptr)
    doom(by, *by.in_hand());
}

void simulation_core::failed(cell& by, const envelope& e, const std::exception_ptr& why) noexcept {
  if (phase_ == phase::dead)
    return;
  made_.everything = true;
  happened.add(trace::kind::failed, clock->now(), by.id(), 0, e.mark, nullptr);
  if (happened.readable())
    happened.remark(trace::kind::failed, clock->now(), by.id(), describe(why));
}

// -- notes -------------------------------------------------------------------------------------------------------------

simulation_core::actor_notes& simulation_core::notes_of(const cell& c) {
  if (c.id() >= notes_.size())
    notes_.resize(c.id() + 64);
  return notes_[c.id()];
}

std::uint32_t simulation_core::sender_of(std::uint32_t number) const noexcept {
  return number == 0 || number + senders_kept <= last_number_ ? 0 : senders_[number % senders_kept];
}

void simulation_core::name(const cell& c) {
  if (happened.readable() && !happened.knows(c.id()))
    happened.name(c.id(), without_namespaces(c.name()));
}

void simulation_core::remark(std::uint64_t who, std::string text) {
  if (happened.readable())
    happened.remark(trace::kind::note, clock->now(), who, std::move(text));
}

} // namespace troupe::detail

// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/stepper.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/testing/simulation_core.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace troupe::detail {

namespace {

/// Turns inside of handlers inside of turns.
constexpr unsigned depth_max = 6;
constexpr std::uint32_t numbered_mark = 2; // in `envelope::mark`
constexpr std::uint32_t senders_kept = 1u << 16;

const std::type_info& type_of(const envelope& e) { return *e.how->message->info; }

} // namespace

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

/// Whether `e` is to arrive now.
bool simulation_core::pass_link(const cell& from, cell& to, envelope& e) {
  made_.everything = true;
  const auto number = number_of(e);
  const auto& type = type_of(e);
  const auto f = links.carry(system_->core(), from, to, e);
  if (!f.taken)
    return true;
  happened.add(f.lost ? trace::kind::lost : trace::kind::sent, clock->now(), from.id(), to.id(), number, &type);
  if (f.late.count() != 0)
    remark(0, "     it is " + std::to_string(f.late.count() / 1'000'000) + " ms late");
  if (f.reply_lost)
    remark(0, "     its reply will be lost on the link");
  return false;
}

void simulation_core::controlling(cell& to) noexcept {
  if (path_ != nullptr)
    made_.touch(to.id());
}

passage simulation_core::sending(cell* from, cell& to, envelope& e) {
  if (phase_ == phase::dead)
    return passage::open;
  if (path_ != nullptr)
    made_.touch(to.id());
  const auto number = ++last_number_;
  if (number % senders_kept >= senders_.size())
    senders_.resize(std::min<std::size_t>(std::max<std::size_t>(256, senders_.size() * 2), senders_kept));
  e.mark = e.mark | numbered_mark;
  numbers_[&e] = number;
  const auto sender = from != nullptr ? from->id() : 0;
  senders_[number % senders_kept] = static_cast<std::uint32_t>(sender);
  if (from != nullptr) {
    if (e.reply != nullptr)
      ask_deadlines_.insert(e.deadline);
    name(*from);
    if (from->in_hand() != nullptr) {
      if (options.faults.crash_at_sends)
        doom(*from, *from->in_hand());
      let_others_go_first();
    }
  }
  name(to);
  if (from != nullptr && links.between(*from, to) && !pass_link(*from, to, e))
    return passage::taken;
  const bool full = from != nullptr && from != &to && from->in_hand() != nullptr &&
                    strike(choice_kind::full, to.id(), options.faults.full, 1) != 0;
  happened.add(full ? trace::kind::refused : trace::kind::sent, clock->now(), sender, to.id(), number, &type_of(e));
  return full ? passage::full : passage::open;
}

void simulation_core::handling(cell& by, envelope& e) {
  if (phase_ == phase::dead)
    return;
  name(by);
  if (path_ != nullptr && e.reply != nullptr && e.reply->asker() != nullptr)
    made_.touch(e.reply->asker()->id());
  ++figures.messages;
  auto& notes = notes_of(by);
  const auto sender = sender_of(number_of(e));
  const auto type = happened.hash_of(type_of(e));
  notes.order = mixed(notes.order ^ type, sender);
  figures.interleaving += mixed(notes.order, by.id());
  const auto pair = mixed(mixed(happened.hash_of(*by.type().info), std::exchange(notes.last, type)), type);
  neighbours[pair / 64 % neighbours.size()] |= std::uint64_t{1} << pair % 64;
  happened.add(trace::kind::handled, clock->now(), sender, by.id(), number_of(e), &type_of(e));
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
  happened.add(trace::kind::resumed, clock->now(), 0, by.id(), number_of(e), &type_of(e));
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
  happened.add(trace::kind::failed, clock->now(), by.id(), 0, number_of(e), nullptr);
  if (happened.readable())
    happened.remark(trace::kind::failed, clock->now(), by.id(), describe(why));
}

// -- notes -------------------------------------------------------------------------------------------------------------

simulation_core::actor_notes& simulation_core::notes_of(const cell& c) {
  if (c.id() >= notes_.size())
    notes_.resize(c.id() + 64);
  return notes_[c.id()];
}

/// 0: it was not sent, as a timer's.
std::uint32_t simulation_core::number_of(const envelope& e) const noexcept {
  const auto found = (e.mark & numbered_mark) != 0 ? numbers_.find(&e) : numbers_.end();
  return found == numbers_.end() ? 0 : found->second;
}

std::uint32_t simulation_core::sender_of(std::uint32_t number) const noexcept {
  return number == 0 || number + senders_kept <= last_number_ ? 0 : senders_[number % senders_kept];
}

void simulation_core::name(const cell& c) {
  if (happened.readable() && !happened.knows(c.id()))
    happened.name(c.id(), plain_name(c.name()));
}

void simulation_core::remark(std::uint64_t who, std::string text) {
  if (happened.readable())
    happened.remark(trace::kind::note, clock->now(), who, std::move(text));
}

} // namespace troupe::detail

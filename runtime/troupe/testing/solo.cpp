// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/actor_timer.hpp>
#include <troupe/engine/cell.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/testing/manual_clock.hpp>
#include <troupe/testing/solo.hpp>
#include <troupe/testing/teardown.hpp>
#include <troupe/type_name.hpp>

#include <algorithm>

namespace troupe {

stage::stage() {
  system_options o;
  o.turn_messages = 1;
  o.through.clock = std::make_shared<manual_clock>();
  o.through.random = seeded_random(1);
  o.stepped = 0;
  o.conducted = this;
  system_ = std::make_unique<troupe::system>(o);
}

stage::~stage() {
  over_ = true;
  for (auto* r : std::exchange(waiting_, {}))
    system_->core().executor->submit(*r);
  detail::tear_down(*system_);
}

void stage::begin(std::uint64_t actor) {
  actor_ = actor;
  std::erase_if(waiting_, [this](engine::runnable* r) {
    if (r->subject() != actor_)
      return false;
    system_->core().executor->submit(*r);
    return true;
  });
  run();
}

void stage::run() {
  system_->run_until_idle();
  if (auto e = std::exchange(failure_, nullptr))
    std::rethrow_exception(e);
}

std::vector<pending_timer> stage::timers_of(const any_ref& who) {
  const auto& cell = *who.pointer();
  std::vector<pending_timer> result;
  for (const auto* t = cell.timers(); t != nullptr; t = t->next())
    result.push_back({t->key(), t->at - cell.core().now()});
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.in < b.in; });
  return result;
}

bool stage::admit(engine::runnable& r) noexcept {
  // The root too: it is told when the actor fails.
  if (over_ || r.subject() == actor_ || system_ == nullptr || r.subject() == system_->root().id())
    return true;
  waiting_.push_back(&r);
  return false;
}

detail::passage stage::sending(detail::cell* from, detail::cell& to, detail::envelope& e) {
  if (over_ || from == nullptr || from->id() != actor_)
    return detail::passage::open;
  const auto& type = *e.how->message;
  sent_message s{.to = to.name(), .type = type_name(*type.info), .info = type.info};
  for (const auto& k : keepers_)
    if (auto copy = k(*type.info, detail::payload_of(e, type)))
      s.copy = std::move(copy);
  sent_.push_back(std::move(s));
  return detail::passage::open;
}

void stage::fault_point(detail::cell& by) {
  if (by.id() == actor_ && at_fault_point_ != nullptr)
    std::rethrow_exception(std::exchange(at_fault_point_, nullptr));
}

void stage::failed(detail::cell& by, const detail::envelope&, const std::exception_ptr& why) noexcept {
  if (by.id() == actor_)
    failure_ = why;
}

} // namespace troupe

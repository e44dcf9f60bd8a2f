// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/engine/reply_slot.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/testing/simulated_links.hpp>

#include <algorithm>
#include <string_view>

namespace troupe::detail {

namespace {

/// In the subject of a decision, beside the link.
enum fault : std::uint32_t { late, lost, down, reply_lost, faults_of_a_link };

bool at_or_below(std::string_view name, std::string_view path) noexcept {
  return name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '/');
}

} // namespace

simulated_links::~simulated_links() { reset(); }

void simulated_links::place(std::string path, std::string node) {
  auto at = std::ranges::find(nodes_, node);
  if (at == nodes_.end())
    at = nodes_.insert(nodes_.end(), std::move(node));
  places_.emplace_back(std::move(path), static_cast<std::uint32_t>(at - nodes_.begin()));
}

/// The longest path that holds it.
std::uint32_t simulated_links::node_of(const cell& c) {
  if (c.id() >= known_.size())
    known_.resize(c.id() + 64);
  auto& known = known_[c.id()];
  if (known == 0) {
    const auto name = c.name();
    std::size_t longest = 0;
    for (const auto& [path, node] : places_)
      if (path.size() >= longest && at_or_below(name, path)) {
        longest = path.size();
        known = node;
      }
    ++known;
  }
  return known - 1;
}

bool simulated_links::between(const cell& from, const cell& to) {
  return !places_.empty() && node_of(from) != node_of(to);
}

simulated_links::link& simulated_links::link_of(std::uint32_t from, std::uint32_t to) {
  auto& l = links_[{from, to}];
  if (l.fire == nullptr) {
    l.fire = &on_arrival;
    l.number = static_cast<std::uint32_t>(links_.size() - 1);
  }
  return l;
}

simulated_links::fate simulated_links::carry(system_core& core, const cell& from, cell& to, envelope& e) {
  auto& there = link_of(node_of(from), node_of(to));
  auto& back = link_of(node_of(to), node_of(from));
  const auto now = core.now();
  const auto strikes = [&](fault f, double rate, std::uint32_t values) {
    return decide_(there.number * faults_of_a_link + f, rate, values);
  };
  if (now >= there.down_until)
    if (const auto eighths = strikes(down, faults_.link_down, 16); eighths != 0) {
      const auto until = now + faults_.link_down_for * (eighths > 8 ? eighths - 8 : eighths) / 8;
      cut(there, until);
      if (eighths <= 8) // both ways
        cut(back, until);
    }
  if (now < there.down_until || strikes(lost, faults_.link_loss, 1) != 0) {
    lose(&e);
    return {.taken = true, .lost = true};
  }
  const bool one_way = e.reply != nullptr && (now < back.down_until || strikes(reply_lost, faults_.link_loss, 1) != 0);
  if (one_way)
    std::exchange(e.reply, nullptr)->release();
  auto due = now + faults_.link_delay_by * strikes(late, faults_.link_delay, 8) / 8;
  if (!there.on_their_way.empty())
    due = std::max(due, there.on_their_way.back().due);
  else if (due == now && !one_way)
    return {};
  there.on_their_way.push_back({cell_pointer{to}, &e, due});
  if (there.on_their_way.size() == 1) {
    there.core = &core;
    core.timers->arm(there, due, 0);
  }
  return {.taken = true, .reply_lost = one_way, .late = due - now};
}

void simulated_links::on_arrival(engine::timer_node& node) noexcept {
  auto& l = static_cast<link&>(node);
  auto first = std::move(l.on_their_way.front());
  l.on_their_way.pop_front();
  if (!l.on_their_way.empty())
    l.core->timers->arm(l, l.on_their_way.front().due, 0);
  first.to->arrive(first.what);
}

/// As when a connection breaks: what is on its way is lost, too.
void simulated_links::cut(link& l, time_point until) noexcept {
  l.down_until = until;
  if (l.on_their_way.empty())
    return;
  (void)l.core->timers->disarm(l);
  for (auto& p : l.on_their_way)
    lose(p.what);
  l.on_their_way.clear();
}

/// An asker learns nothing of it until its deadline.
void simulated_links::lose(envelope* e) noexcept {
  if (e->reply != nullptr)
    std::exchange(e->reply, nullptr)->release();
  destroy(e);
}

void simulated_links::reset() noexcept {
  for (auto& [nodes, l] : links_)
    cut(l, {});
  known_.clear();
}

} // namespace troupe::detail

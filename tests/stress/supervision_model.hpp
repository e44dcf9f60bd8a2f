// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A naive model of supervision, written as a recursion over a tree, and the actors whose trees it is about.
namespace support {

using namespace std::chrono_literals;
using namespace troupe;

using lines = std::vector<std::string>;

struct world {
  lines births; // and ends
  std::map<std::string, std::vector<int>> handled;
  std::map<std::string, int> starts_to_fail;
  std::map<int, int> failures_left; // by message
};

struct work {
  int id;
};
struct finish {};

class worker : public actor<worker, work, finish> {
public:
  worker(std::shared_ptr<world> w, std::string n) : world_{std::move(w)}, name_{std::move(n)} {
    if (world_->starts_to_fail[name_] > 0) {
      --world_->starts_to_fail[name_];
      world_->births.push_back("!" + name_);
      throw std::runtime_error{"no start"};
    }
    world_->births.push_back("+" + name_);
  }
  ~worker() { world_->births.push_back("-" + name_); }
  void on(const work& m) {
    if (world_->failures_left[m.id] > 0) {
      --world_->failures_left[m.id];
      throw std::runtime_error{"work"};
    }
    world_->handled[name_].push_back(m.id);
  }
  void on(const finish&) { stop(); }
  void on_stop() { world_->births.push_back("stop " + name_); }

private:
  const std::shared_ptr<world> world_;
  const std::string name_;
};

// -- the model ---------------------------------------------------------------------------------------------------------

constexpr int pause_ms = 10; // of every restart

struct model_budget {
  unsigned intensity = 0;
  int period = 0;
  std::vector<int> times{};
  bool charge(int now) {
    times.push_back(now);
    return std::ranges::count_if(times, [&](int t) { return t >= now - period; }) >
           static_cast<std::ptrdiff_t>(intensity);
  }
};

struct model_message {
  int id; // -1: finish
  unsigned attempts = 0;
};

struct node {
  std::string name;
  node* parent = nullptr;
  bool is_supervisor = false;
  restart_type type = permanent;
  model_budget own{};
  bool gone = false;
  bool out = false; // stopped by name

  // a worker
  unsigned retries = 0;
  bool up = true;
  bool object = true;
  int starts_to_fail = 0;
  std::deque<model_message> queue{};
  std::vector<int> handled{};
  unsigned accepted = 0, done = 0, quarantined = 0, dropped = 0, incarnation = 0;

  // a supervisor
  strategy how = one_for_one;
  model_budget group{};
  std::vector<std::unique_ptr<node>> children{};
  bool busy = false;           // a sequence is under way
  std::deque<node*> waiting{}; // failures of children, until it is over
  int epoch = 0;               // makes what it has planned void
  std::function<void()> failed_revival{};
};

struct model {
  using then = std::function<void()>;

  lines births;
  bool ordered = true;
  unsigned restarts = 0, escalations = 0;
  int now = 0;
  std::map<int, int> failures_left;
  std::multimap<int, then> agenda;

  void run_until(int end) {
    while (!agenda.empty() && agenda.begin()->first <= end) {
      auto first = agenda.extract(agenda.begin());
      now = first.key();
      first.mapped()();
    }
    now = end;
  }

  void later(node& s, then f) {
    agenda.emplace(now + pause_ms, [&s, epoch = s.epoch, f = std::move(f)] {
      if (epoch == s.epoch)
        f();
    });
  }

  bool in_sequence(const node* s) const {
    for (; s != nullptr; s = s->parent)
      if (s->busy)
        return true;
    return false;
  }

  void serve(node& w) {
    while (w.up && !w.queue.empty()) {
      auto& m = w.queue.front();
      if (m.id < 0) {
        w.queue.pop_front();
        ++w.done;
        births.push_back("stop " + w.name);
        births.push_back("-" + w.name);
        w.up = w.object = false;
        if (w.type == permanent)
          return down(w, false);
        return end(w, false);
      }
      if (failures_left[m.id] > 0) {
        --failures_left[m.id];
        ++m.attempts;
        w.up = false;
        if (in_sequence(w.parent))
          ordered = false;
        return down(w, true);
      }
      w.handled.push_back(m.id);
      w.queue.pop_front();
      ++w.done;
    }
  }

  void down(node& n, bool failed) {
    auto& s = *n.parent;
    if (s.busy)
      return s.waiting.push_back(&n);
    if (failed && n.type == temporary)
      return end(n, false);
    if (charge(n))
      return escalate(s);
    if (s.how == one_for_one || s.how == dynamic)
      return later(s, [this, &n] { try_again(n); });
    std::vector<node*> group;
    for (auto& c : s.children)
      if (!c->gone && !c->out && (s.how == one_for_all || &*c == &n || !group.empty()))
        group.push_back(&*c);
    s.busy = true;
    for (auto i = group.rbegin(); i != group.rend(); ++i)
      if (*i != &n)
        take_down(**i);
    later(s, [this, &s, group] { revive_from(s, group, 0, [this, &s] { sequence_over(s); }); });
  }

  bool charge(node& n) {
    const bool own = n.own.charge(now);
    return n.parent->group.charge(now) || own;
  }

  /// One attempt to restart a single child, and the next ones if it fails.
  void try_again(node& n) {
    if (n.gone)
      return;
    revive(
        n, [] {}, [this, &n] { down(n, true); });
  }

  void revive_from(node& s, std::vector<node*> group, std::size_t i, then over) {
    while (i < group.size() && (group[i]->gone || group[i]->out || group[i]->type == temporary))
      ++i;
    if (i == group.size())
      return over();
    revive(
        *group[i], [=, this, &s] { revive_from(s, group, i + 1, over); },
        [=, this, &s] {
          if (charge(*group[i]))
            return escalate(s);
          later(s, [=, this, &s] { revive_from(s, group, i, over); });
        });
  }

  void revive(node& n, then good, then bad) {
    if (n.is_supervisor) {
      n.group.times.clear();
      for (auto& c : n.children)
        c->own.times.clear();
      n.busy = true;
      n.failed_revival = std::move(bad);
      std::vector<node*> all;
      for (auto& c : n.children)
        all.push_back(&*c);
      return revive_from(n, all, 0, [this, &n, good] {
        n.failed_revival = nullptr;
        ++restarts;
        good();
        sequence_over(n);
      });
    }
    if (!n.queue.empty() && n.queue.front().attempts > n.retries) {
      n.queue.pop_front();
      ++n.quarantined;
    }
    if (n.object)
      births.push_back("-" + n.name);
    n.object = false;
    if (n.starts_to_fail > 0) {
      --n.starts_to_fail;
      births.push_back("!" + n.name);
      return bad();
    }
    births.push_back("+" + n.name);
    n.up = n.object = true;
    ++n.incarnation;
    ++restarts;
    serve(n);
    good();
  }

  void sequence_over(node& s) {
    s.busy = false;
    while (!s.busy && !s.waiting.empty()) {
      auto* n = s.waiting.front();
      s.waiting.pop_front();
      down(*n, true);
    }
  }

  void escalate(node& s) {
    ++escalations;
    auto revival = std::exchange(s.failed_revival, nullptr);
    take_down(s);
    if (revival)
      return revival();
    down(s, true);
  }

  /// Halts a child, or ends it if it is temporary.
  void take_down(node& n) {
    if (n.gone || n.out)
      return;
    if (n.is_supervisor) {
      ++n.epoch;
      n.waiting.clear();
      n.failed_revival = nullptr;
      for (auto i = n.children.rbegin(); i != n.children.rend(); ++i)
        take_down(**i);
      n.busy = false;
      return;
    }
    if (n.type == temporary)
      return end(n, n.up);
    if (n.object)
      births.push_back("-" + n.name);
    n.up = n.object = false;
  }

  // Requests by name; each returns the error that it ends with, or nothing. Their supervisors are at rest.

  std::optional<errc> stop_by_name(node& w) {
    if (w.gone)
      return errc::not_found;
    if (w.out)
      return std::nullopt;
    w.own.times.clear();
    if (w.type == temporary) {
      end(w, true);
      return std::nullopt;
    }
    births.push_back("stop " + w.name);
    births.push_back("-" + w.name);
    w.up = w.object = false;
    w.out = true;
    return std::nullopt;
  }

  std::optional<errc> restart_by_name(node& w) {
    if (w.gone)
      return errc::not_found;
    if (!w.out)
      return errc::not_stopped;
    if (w.starts_to_fail > 0) {
      --w.starts_to_fail;
      births.push_back("!" + w.name);
      return errc::failed;
    }
    births.push_back("+" + w.name);
    w.up = w.object = true;
    w.out = false;
    ++w.incarnation;
    return std::nullopt;
  }

  std::optional<errc> remove_by_name(node& w) {
    if (w.gone)
      return errc::not_found;
    if (!w.out)
      return errc::not_stopped;
    end(w, false);
    return std::nullopt;
  }

  void end(node& n, bool hook) {
    if (n.gone)
      return;
    n.gone = true;
    ++n.epoch;
    if (n.is_supervisor) {
      unsigned alive = 0;
      for (auto i = n.children.rbegin(); i != n.children.rend(); ++i) {
        alive += !(*i)->gone;
        end(**i, hook && (*i)->up);
      }
      if (n.how == dynamic && alive > 1)
        ordered = false;
      return;
    }
    if (n.object) {
      if (hook)
        births.push_back("stop " + n.name);
      births.push_back("-" + n.name);
    }
    n.up = n.object = false;
    n.dropped += static_cast<unsigned>(n.queue.size());
    n.queue.clear();
  }
};

} // namespace support

// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/trace.hpp>

#include "programs.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace simulated {

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct work {
  int number;
};
struct go {};

/// What outlives incarnations.
struct worker_record {
  std::string name;
  int alive = 0; // objects
  int last = 0;  // number handled
  std::uint64_t handled = 0;
  bool disordered = false;
  bool ended = false; // from outside: it does not come back
  ref<class tree_worker> address{};
};

struct tree_record {
  std::map<std::string, worker_record> workers;
  std::vector<std::string> ends;                                         // on_stop, in order
  std::vector<std::pair<std::string, std::vector<std::string>>> ordered; // supervisors that stop in reverse start order
};

class tree_worker : public actor<tree_worker, work> {
public:
  tree_worker(tree_record* all, const std::string& name) : all_{all}, mine_{&all->workers[name]} { ++mine_->alive; }
  ~tree_worker() { --mine_->alive; }
  void on(const work& w) {
    fault_point();
    mine_->disordered |= w.number <= mine_->last;
    mine_->last = w.number;
    ++mine_->handled;
  }
  void on_stop() { all_->ends.push_back(mine_->name); }

private:
  tree_record* const all_;
  worker_record* const mine_;
};

/// Sends numbered work to everybody, now and then, and ends somebody in one of three ways.
class tree_source : public actor<tree_source, go> {
public:
  explicit tree_source(tree_record* all, int* next) : all_{all}, next_{next} { self().tell(go{}); }
  void on(const go&) {
    for (auto& [name, w] : all_->workers)
      for (auto n = 1 + random().below(3); n > 0; --n)
        w.address.tell(work{++*next_});
    if (random().below(4) == 0)
      end_one();
    if (*next_ < 200)
      after(std::chrono::milliseconds{1 + random().below(30)}, go{});
  }

private:
  void end_one() {
    auto w = all_->workers.begin();
    std::advance(w, static_cast<std::ptrdiff_t>(random().below(all_->workers.size())));
    w->second.ended = true;
    switch (random().below(3)) {
      case 0: return w->second.address.stop();
      case 1: return w->second.address.kill();
      default: return w->second.address.drain();
    }
  }

  tree_record* const all_;
  int* const next_; // numbers only grow, whatever becomes of the sender
};

class tree_builder {
public:
  tree_builder(std::uint64_t seed, tree_record& all) : draw_{mixed(seed, 0x74726565)}, all_{all} {}

  void grow(const supervisor& under, const supervisor_options& how, const std::string& name, int depth) {
    std::vector<std::string> children;
    for (auto n = 1 + pick(4); n > 0; --n) {
      if (depth < 3 && pick(3) == 0) {
        const auto o = options(false);
        const auto inner = "s" + std::to_string(++names_);
        grow(under.supervise(inner, o), o, inner, depth + 1);
        continue;
      }
      const auto worker = "w" + std::to_string(++names_);
      all_.workers[worker].name = worker;
      child_options o;
      o.retries = static_cast<unsigned>(pick(3));
      all_.workers[worker].address = under.start<tree_worker>(worker, o, &all_, worker);
      children.push_back(worker);
    }
    if (how.strategy != dynamic)
      all_.ordered.push_back({name, std::move(children)});
  }

  supervisor_options options(bool top) {
    constexpr strategy kinds[] = {one_for_one, one_for_all, rest_for_one, dynamic};
    supervisor_options o;
    o.strategy = kinds[pick(4)];
    o.intensity = top ? unlimited : static_cast<unsigned>(1 + pick(5));
    o.group_intensity = top ? unlimited : static_cast<unsigned>(2 + pick(8));
    o.backoff = {.min = std::chrono::milliseconds{1 + pick(50)}, .max = 200ms};
    return o;
  }

private:
  std::uint64_t pick(std::uint64_t n) { return draw_() % n; }

  std::mt19937_64 draw_;
  tree_record& all_;
  int names_ = 0;
};

/// The workers of one supervisor that nobody else has ended end in reverse start order.
bool reversed(const tree_record& all, const std::vector<std::string>& started) {
  std::vector<std::string> seen;
  for (const auto& e : all.ends)
    if (std::ranges::find(started, e) != started.end() && !all.workers.at(e).ended)
      seen.push_back(e);
  return std::is_sorted(seen.begin(), seen.end(), [&](const auto& a, const auto& b) {
    return std::ranges::find(started, a) > std::ranges::find(started, b);
  });
}

void run_tree(simulation& sim) {
  const auto seed = sim.options().replay ? sim.options().replay->seed : sim.options().seed;
  tree_record all;
  int next = 0;
  const auto each = [&](auto holds) {
    return std::ranges::all_of(all.workers, [&](const auto& entry) { return holds(entry.second); });
  };
  sim.invariant("one object per actor",
                [&] { return each([](const worker_record& w) { return w.alive >= 0 && w.alive <= 1; }); });
  sim.invariant("messages keep their order across restarts",
                [&] { return each([](const worker_record& w) { return !w.disordered; }); });
  sim.eventually("whoever failed is back", [&] {
    return each(
        [](const worker_record& w) { return w.ended ? w.alive == 0 && w.address.has_stopped() : w.alive == 1; });
  });
  sim.eventually("the books are those of the handlers", [&] {
    return each([](const worker_record& w) {
      const auto b = w.address.books();
      return b.balanced() && b.queued == 0 && (b.dropped == 0 || w.ended) && b.handled == w.handled;
    });
  });
  sim.run([&](troupe::system& sys) {
    tree_builder builder{seed, all};
    const auto o = builder.options(true);
    builder.grow(sys.supervise("top", o), o, "top", 1);
    child_options child;
    child.retries = unlimited;
    sys.supervise("sources", {.intensity = unlimited, .group_intensity = unlimited})
        .start<tree_source>("source", child, &all, &next);
  });
  for (const auto& [name, started] : all.ordered)
    if (!reversed(all, started))
      throw violation{"children stop in reverse start order", "under " + name};
  if (!each([](const worker_record& w) { return w.alive == 0; }))
    throw violation{"nobody is left after the shutdown", "an object is"};
}

} // namespace

application supervision_tree() {
  return {{.name = "supervision-tree", .faults = {.crash = 0.1, .preempt = 0.2, .slow = 0.05, .slow_by = 50ms}},
          run_tree,
          "supervision_tree"};
}

} // namespace simulated

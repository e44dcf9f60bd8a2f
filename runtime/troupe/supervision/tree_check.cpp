// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/supervision/backoff.hpp>
#include <troupe/supervision/tree_check.hpp>

#include <algorithm>
#include <set>

namespace troupe {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using grade = tree_finding::grade;

constexpr double leaf_restarts_max = 1'000;

/// What a child's budget and pauses are once its supervisor's defaults are in.
struct effective {
  unsigned intensity;
  milliseconds period;
  backoff_options backoff;
};

effective effective_of(const child_options& child, const supervisor_options& above) {
  return {child.intensity.value_or(above.intensity), child.period.value_or(above.period),
          child.backoff.value_or(above.backoff)};
}

/// The least time from one charge to the `intensity`-th after it, if each attempt fails at once and chance adds nothing.
nanoseconds least_span(const effective& e) {
  nanoseconds sum{0};
  for (unsigned i = 0; i < e.intensity && sum <= e.period; ++i) {
    if (e.backoff.immediate_first && i == 0)
      continue;
    sum += delay(e.backoff.immediate_first ? i - 1 : i, e.backoff, 0.0);
  }
  return sum;
}

class tree_inspection {
public:
  explicit tree_inspection(milliseconds time_to_stop) : time_to_stop_{time_to_stop} {}

  std::vector<tree_finding> of(const actor_tree& root) {
    visit(root, 1);
    const auto needed = stop_time(root);
    if (needed > time_to_stop_)
      note(grade::warning, root,
           "may take " + std::to_string(needed.count()) + " ms to stop, and " + std::to_string(time_to_stop_.count()) +
               " ms are left for that: what is late is killed");
    return std::move(found_);
  }

private:
  /// `product`: restarts of `t` before everybody above has given up, at most.
  void visit(const actor_tree& t, double product) {
    if (!t.supervisor)
      return;
    const auto& s = *t.supervisor;
    if (auto wrong = validate(s))
      note(grade::error, t, *wrong);
    std::set<std::string> names;
    for (const auto& c : t.children) {
      if (auto wrong = validate(c.options))
        note(grade::error, c, *wrong);
      if (!c.name.empty() && !names.insert(c.name).second)
        note(grade::error, c, "there are two children of this name");
      const auto e = effective_of(c.options, s);
      const auto tolerated = std::min(e.intensity, s.group_intensity);
      if (e.intensity != unlimited && e.intensity != 0 && least_span(e) > e.period)
        note(grade::warning, c,
             "its pauses are so long that " + std::to_string(std::uint64_t{e.intensity} + 1) +
                 " restarts never fall within " + std::to_string(e.period.count()) + " ms: it is restarted for ever");
      const double restarts = product * (tolerated == unlimited ? 1.0 : static_cast<double>(tolerated) + 1.0);
      if (restarts > leaf_restarts_max && product <= leaf_restarts_max && tolerated != unlimited)
        note(grade::warning, c,
             "may be restarted " + std::to_string(static_cast<std::uint64_t>(restarts)) +
                 " times before everybody above has given up: choose smaller intensities further up");
      visit(c, restarts);
    }
  }

  /// How long a stop may take if every child uses its whole time.
  static milliseconds stop_time(const actor_tree& t) {
    if (!t.supervisor)
      return t.options.shutdown;
    milliseconds sum{0};
    for (const auto& c : t.children)
      sum = t.supervisor->strategy == dynamic ? std::max(sum, stop_time(c)) : sum + stop_time(c);
    return sum;
  }

  void note(grade how, const actor_tree& where, std::string what) {
    found_.push_back({how, where.name, std::move(what)});
  }

  const milliseconds time_to_stop_;
  std::vector<tree_finding> found_;
};

} // namespace

std::vector<tree_finding> check_tree(const actor_tree& root, milliseconds time_to_stop) {
  return tree_inspection{time_to_stop}.of(root);
}

std::string to_string(const tree_finding& f) {
  return std::string{f.how == grade::error ? "error: " : "warning: "} + f.where + ": " + f.what;
}

} // namespace troupe

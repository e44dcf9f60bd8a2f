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
using topic = tree_finding::topic;

constexpr double leaf_restarts_max = 1'000;

/// What a child's budget and pauses are once its supervisor's defaults are in.
struct effective {
  unsigned intensity;
  milliseconds period;
  const backoff_options& backoff;
};

effective effective_of(const child_options& child, const supervisor_options& above) {
  return {child.intensity.value_or(above.intensity), child.period.value_or(above.period),
          child.backoff ? *child.backoff : above.backoff};
}

/// Whether the `intensity` restarts after the first take longer than the period, if each attempt fails at once and chance
/// adds nothing: then one more within the period cannot be.
bool outlasts(const effective& e) {
  const auto most = static_cast<double>(e.backoff.max.count());
  const double period = static_cast<double>(nanoseconds{e.period}.count());
  double pause = static_cast<double>(e.backoff.min.count());
  double sum = 0;
  for (unsigned i = e.backoff.immediate_first ? 1 : 0; i < e.intensity && sum <= period; ++i) {
    if (pause == most || e.backoff.factor == 1.0) // equivalent: it grows no more, and this is quicker
      return sum + pause * (e.intensity - i) > period;
    sum += pause;
    pause = std::min(most, pause * e.backoff.factor);
  }
  return sum > period;
}

std::string endless_text(const effective& e) {
  return "its pauses are so long that " + std::to_string(std::uint64_t{e.intensity} + 1) +
         " restarts never fall within " + std::to_string(e.period.count()) + " ms: it is restarted for ever";
}

std::string product_text(double restarts) {
  return "may be restarted " + std::to_string(static_cast<std::uint64_t>(restarts)) +
         " times before everybody above has given up: choose smaller intensities further up";
}

std::string late_text(milliseconds shutdown, milliseconds left) {
  return "its shutdown of " + std::to_string(shutdown.count()) + " ms is longer than the " +
         std::to_string(left.count()) + " ms that a shutdown of the system leaves: it is killed before";
}

class tree_inspection {
public:
  explicit tree_inspection(milliseconds time_to_stop) : time_to_stop_{time_to_stop} {}

  std::vector<tree_finding> of(const actor_tree& root) {
    visit(root, 1);
    const auto needed = stop_time(root);
    if (needed > time_to_stop_)
      found_.push_back({grade::warning, topic::shutdown_time, root.name,
                        "may take " + std::to_string(needed.count()) + " ms to stop, and " +
                            std::to_string(time_to_stop_.count()) + " ms are left for that: what is late is killed"});
    return std::move(found_);
  }

private:
  void visit(const actor_tree& t, double lives_above) {
    if (!t.supervisor)
      return;
    const auto& s = *t.supervisor;
    if (auto wrong = validate(s))
      found_.push_back({grade::error, topic::options, t.name, *wrong});
    std::set<std::string> names;
    for (const auto& c : t.children) {
      if (!c.name.empty() && !names.insert(c.name).second)
        found_.push_back({grade::error, topic::name, c.name, "there are two children of this name"});
      if (auto wrong = validate(c.options))
        found_.push_back({grade::error, topic::options, c.name, *wrong});
      else
        for (auto& f : check_child({c.name, c.options, s, lives_above, c.supervisor.has_value()}, option_time_max))
          found_.push_back(std::move(f));
      visit(c, lives_above * lives(c.options, s));
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

  const milliseconds time_to_stop_;
  std::vector<tree_finding> found_;
};

} // namespace

double lives(const child_options& child, const supervisor_options& above) noexcept {
  const auto tolerated = std::min(child.intensity.value_or(above.intensity), above.group_intensity);
  return tolerated == unlimited ? 1.0 : static_cast<double>(tolerated) + 1.0;
}

std::vector<tree_finding> check_child(const child_place& child, milliseconds shutdown_time) {
  std::vector<tree_finding> found;
  const auto warn = [&](topic about, std::string what) {
    found.push_back({grade::warning, about, std::string{child.name}, std::move(what)});
  };
  const auto& o = child.options;
  const auto e = effective_of(o, child.above);
  if (e.intensity != unlimited && e.intensity != 0 && outlasts(e))
    warn(topic::endless, endless_text(e));
  const double own = lives(o, child.above);
  // Once, where it crosses the limit.
  if (child.lives_above <= leaf_restarts_max && child.lives_above * own > leaf_restarts_max)
    warn(topic::product, product_text(child.lives_above * own));
  if (!child.supervises && o.shutdown > child_options{}.shutdown && o.shutdown > shutdown_time)
    warn(topic::shutdown_time, late_text(o.shutdown, shutdown_time));
  if (o.significant && child.above.auto_shutdown == auto_shutdown::never)
    warn(topic::no_effect, "is significant, and the auto_shutdown of its supervisor is never");
  if (o.retries != 0 && o.restart == temporary)
    warn(topic::no_effect, "has retries, and is temporary: it is not restarted, so nothing is tried again");
  return found;
}

std::vector<tree_finding> check_tree(const actor_tree& root, milliseconds time_to_stop) {
  return tree_inspection{time_to_stop}.of(root);
}

std::string to_string(const tree_finding& f) {
  return std::string{f.how == grade::error ? "error: " : "warning: "} + f.where + ": " + f.what;
}

} // namespace troupe

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/mailbox_options.hpp>
#include <troupe/supervision/thrown.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Which children are restarted when one of them is. Children are ordered by their start.
enum class strategy : unsigned char {
  /// Only the one that failed.
  one_for_one,
  /// All: the others are stopped in reverse start order, then all are started in start order.
  one_for_all,
  /// The one that failed and those started after it, which are stopped in reverse start order first.
  rest_for_one,
  /// Only the one that failed. Children come and go at run time, have no order, and are stopped in parallel.
  dynamic,
};

/// Which ends of a child lead to a restart. A child that somebody stops or kills through its ref stays stopped.
enum class restart_type : unsigned char {
  /// A failure, and an end by itself.
  permanent,
  /// A failure, but not an end by itself.
  transient,
  /// None; the spec is forgotten when the child ends.
  temporary,
};

/// What a supervisor does about an exception that left a handler.
enum class failure_action : unsigned char {
  /// New state at the same address; the message is retried or quarantined. Charged to the budgets.
  restart,
  /// The state is kept, and with it timers and suspended handlers; the message is dropped and counted. Not charged. A
  /// constructor that throws, and a supervisor that fails, have no state to keep: they are restarted.
  resume,
  /// The child is stopped and stays stopped, whatever its restart type.
  stop,
  /// The supervisor itself fails, and its own supervisor decides.
  escalate,
};

/// Whether a supervisor stops, for good, when significant children end by themselves: not those that are stopped from
/// outside or because of a sibling.
enum class auto_shutdown : unsigned char {
  /// It does not.
  never,
  /// When the first significant child has ended.
  any_significant,
  /// When the last significant child has ended.
  all_significant,
};

/// What follows when a handler exceeds its time budget. It is reported in any case, and cannot be interrupted.
enum class overrun_action : unsigned char {
  /// Nothing else: the actor goes on when its handler returns.
  report,
  /// The supervisor fails, and its own supervisor decides.
  escalate,
  /// A fresh incarnation takes the actor over at once, on another thread: same address, same mailbox. The message is
  /// dropped and its asker told. The old object goes when its handler returns, whose result is discarded. Charged to the
  /// budgets like a restart. What follows a co_await is only reported. Refused for journaled actors.
  replace,
};

using enum strategy;
using enum restart_type;

/// An intensity or a number of retries without a limit.
inline constexpr unsigned unlimited = std::numeric_limits<unsigned>::max();

/// The largest finite intensity: a budget remembers that many restarts, 8 bytes each.
inline constexpr unsigned intensity_max = 10'000;

/// The longest time that options may name: 24 hours.
inline constexpr std::chrono::milliseconds option_time_max = std::chrono::hours{24};

/// What to do about an exception, by its class. Made by `decide_by`:
///
///     .on_failure = decide_by<declined>(failure_action::resume).by<std::bad_alloc>(failure_action::escalate)
///
/// The first rule whose class matches wins, so a derived class comes before its base. Where no rule of a child matches,
/// those of its supervisor are asked, and where none of these does, the child is restarted.
class failure_rules {
public:
  /// No rules.
  failure_rules() = default;

  /// Adds a rule for exceptions of class `E`.
  template <class E>
  failure_rules by(failure_action action) && {
    rules_.push_back({&is<E>, action});
    return std::move(*this);
  }

  /// For every exception that no rule matches.
  failure_rules otherwise(failure_action action) && {
    otherwise_ = action;
    return std::move(*this);
  }

  /// The action of the first rule that matches, or nothing.
  std::optional<failure_action> action_for(const std::exception_ptr& why) const {
    if (why != nullptr)
      for (const auto& r : rules_)
        if (r.matches(why))
          return r.action;
    return otherwise_;
  }

  friend bool operator==(const failure_rules&, const failure_rules&) = default;

private:
  struct rule {
    bool (*matches)(const std::exception_ptr&);
    failure_action action;
    friend bool operator==(const rule&, const rule&) = default;
  };

  template <class E>
  static bool is(const std::exception_ptr& why) {
    return detail::thrown_as<E>(why) != nullptr;
  }

  std::vector<rule> rules_;
  std::optional<failure_action> otherwise_;
};

/// Rules that begin with one for exceptions of class `E`.
template <class E>
failure_rules decide_by(failure_action action) {
  return failure_rules{}.by<E>(action);
}

/// How long a supervisor waits before a restart: 0, 100 ms, 200 ms, 400 ms, ... 30 s by default, each up to 20 % more.
struct backoff_options {
  /// The first delay, above 0, at most 24 h.
  std::chrono::nanoseconds min = std::chrono::milliseconds{100};

  /// No delay is longer, jitter included; min..24 h.
  std::chrono::nanoseconds max = std::chrono::seconds{30};

  /// Each delay is the one before times this, 1..100.
  double factor = 2.0;

  /// A delay is lengthened by a random part of at most this fraction, 0..1.
  double jitter = 0.2;

  /// A child that lived so long since its last restart starts again at the first delay. Above 0, at most 24 h.
  /// Default: (min + max) / 2.
  std::optional<std::chrono::nanoseconds> reset_after{};

  /// The first restart does not wait; the second waits `min`.
  bool immediate_first = true;

  friend bool operator==(const backoff_options&, const backoff_options&) = default;
};

/// How one child is supervised. `{.restart = transient, .mailbox = {.capacity = 100}}` changes what it names.
struct child_options {
  restart_type restart = permanent;

  /// How often a failing message is tried again on fresh state before it is quarantined. 0 = at its first failure.
  unsigned retries = 0;

  /// Restarts of this child tolerated per `period`, 0..10'000 or `unlimited`. Default: the supervisor's.
  std::optional<unsigned> intensity{};

  /// 1 ms..24 h. Default: the supervisor's.
  std::optional<std::chrono::milliseconds> period{};

  /// Default: the supervisor's.
  std::optional<backoff_options> backoff{};

  /// What to do about an exception that leaves a handler. Default: what the supervisor's rules say.
  failure_rules on_failure{};

  /// How long an orderly stop may take before the child is killed, 0..24 h; 0 = it is killed at once.
  std::chrono::milliseconds shutdown{5'000};

  /// Its own end counts for the supervisor's `auto_shutdown`. Not for a permanent child.
  bool significant = false;

  mailbox_options mailbox{};

  /// What becomes of a request that comes while the child waits for its restart. false: it waits in the mailbox, like
  /// other messages. true: it is refused at once with `errc::unavailable`.
  bool refuse_asks_in_backoff = false;

  /// How many of its last messages the actor remembers, to be shown with a crash and in the tree; 0..10'000. 0 = none, at
  /// no cost; otherwise two readings of the clock and a lock for each message.
  std::size_t flight_recorder = 0;

  /// How long a handler may run, up to its end or to its next co_await; 1 ms..24 h, 0 = without limit. Costs as much as
  /// the recorder. Default: the system's.
  std::optional<std::chrono::milliseconds> handler_budget{};

  overrun_action on_overrun = overrun_action::report;

  /// How long a restart may take the actor itself: its constructor, with what that recovers from a journal, the rehearsal,
  /// and `after_restart`; 0..24 h, 0 = without limit. Then `on_overrun` follows, but for `replace`: it is only reported.
  std::chrono::milliseconds start_budget{0};

  /// Journaled actors only: after a failure so many of the last messages are handled again by the new incarnation, on
  /// trial, before it goes live: see docs/how-to/supervise.md. 0..1'000, 0 = none.
  std::size_t rehearse = 0;

  friend bool operator==(const child_options&, const child_options&) = default;
};

/// How a supervisor treats its children.
///
/// A restart is charged to the child's budget and to the group's; when either is exceeded, the supervisor gives up,
/// stops all children and fails. Restarts multiply down a tree: three levels that tolerate 10 each allow 1000 restarts
/// of a leaf before the root gives up, so choose smaller values further up.
struct supervisor_options {
  troupe::strategy strategy = one_for_one;

  /// Restarts of each single child tolerated per `period`, 0..10'000 or `unlimited`.
  unsigned intensity = 5;

  /// 1 ms..24 h.
  std::chrono::milliseconds period{5'000};

  /// Restarts of all children together tolerated per `group_period`, 0..10'000 or `unlimited`.
  unsigned group_intensity = 10;

  /// 1 ms..24 h.
  std::chrono::milliseconds group_period{10'000};

  backoff_options backoff{};

  /// What to do about an exception for which a child has no rule. Default: restart.
  failure_rules on_failure{};

  troupe::auto_shutdown auto_shutdown = troupe::auto_shutdown::never;

  /// Children at a time, at least 1; one more is refused.
  std::size_t children_max = 100'000;

  friend bool operator==(const supervisor_options&, const supervisor_options&) = default;
};

/// The enumerator's own spelling.
constexpr std::string_view to_string(strategy value) noexcept {
  constexpr std::string_view names[] = {"one_for_one", "one_for_all", "rest_for_one", "dynamic"};
  return value <= strategy::dynamic ? names[static_cast<std::size_t>(value)] : "invalid strategy";
}

/// The enumerator's own spelling.
constexpr std::string_view to_string(restart_type value) noexcept {
  constexpr std::string_view names[] = {"permanent", "transient", "temporary"};
  return value <= restart_type::temporary ? names[static_cast<std::size_t>(value)] : "invalid restart_type";
}

/// The enumerator's own spelling.
constexpr std::string_view to_string(failure_action value) noexcept {
  constexpr std::string_view names[] = {"restart", "resume", "stop", "escalate"};
  return value <= failure_action::escalate ? names[static_cast<std::size_t>(value)] : "invalid failure_action";
}

/// The enumerator's own spelling.
constexpr std::string_view to_string(auto_shutdown value) noexcept {
  constexpr std::string_view names[] = {"never", "any_significant", "all_significant"};
  return value <= auto_shutdown::all_significant ? names[static_cast<std::size_t>(value)] : "invalid auto_shutdown";
}

/// The enumerator's own spelling.
constexpr std::string_view to_string(overrun_action value) noexcept {
  constexpr std::string_view names[] = {"report", "escalate", "replace"};
  return value <= overrun_action::replace ? names[static_cast<std::size_t>(value)] : "invalid overrun_action";
}

namespace detail {

inline constexpr std::size_t flight_recorder_max = 10'000;
inline constexpr std::size_t rehearse_max = 1'000;

inline std::optional<std::string> validate_intensity(std::string_view field, unsigned value) {
  if (value <= intensity_max || value == unlimited)
    return std::nullopt;
  return std::string{field} + " must be 0..10000 or unlimited, not " + std::to_string(value);
}

inline std::optional<std::string> validate_time(std::string_view field, std::chrono::milliseconds value,
                                                std::chrono::milliseconds least) {
  if (value >= least && value <= option_time_max)
    return std::nullopt;
  return std::string{field} + " must be " + std::to_string(least.count()) + " ms..24 h, not " +
         std::to_string(value.count()) + " ms";
}

inline std::optional<std::string> validate_delay(std::string_view field, std::chrono::nanoseconds value,
                                                 std::chrono::nanoseconds least) {
  if (value >= least && value <= option_time_max)
    return std::nullopt;
  const bool positive = least == std::chrono::nanoseconds{1};
  return std::string{field} + " must be " +
         (positive ? "above 0" : "at least " + std::to_string(least.count()) + " ns") + " and at most 24 h, not " +
         std::to_string(value.count()) + " ns";
}

} // namespace detail

/// Returns what is wrong with `options`, naming the first wrong field, or nothing.
inline std::optional<std::string> validate(const backoff_options& options) {
  using std::chrono::nanoseconds;
  if (auto wrong = detail::validate_delay("backoff.min", options.min, nanoseconds{1}))
    return wrong;
  if (auto wrong = detail::validate_delay("backoff.max", options.max, options.min))
    return wrong;
  if (!(options.factor >= 1.0 && options.factor <= 100.0)) // written so that it refuses NaN
    return "backoff.factor must be 1..100, not " + std::to_string(options.factor);
  if (!(options.jitter >= 0.0 && options.jitter <= 1.0))
    return "backoff.jitter must be 0..1, not " + std::to_string(options.jitter);
  return options.reset_after ? detail::validate_delay("backoff.reset_after", *options.reset_after, nanoseconds{1})
                             : std::nullopt;
}

/// Returns what is wrong with `options`, naming the first wrong field, or nothing.
inline std::optional<std::string> validate(const child_options& options) {
  using std::chrono::milliseconds;
  if (options.restart > restart_type::temporary)
    return std::string{"restart must be permanent, transient or temporary"};
  if (auto wrong = detail::validate_intensity("intensity", options.intensity.value_or(0)))
    return wrong;
  if (auto wrong = detail::validate_time("period", options.period.value_or(milliseconds{1}), milliseconds{1}))
    return wrong;
  if (auto wrong = validate(options.backoff.value_or(backoff_options{})))
    return wrong;
  if (auto wrong = detail::validate_time("shutdown", options.shutdown, milliseconds{0}))
    return wrong;
  if (options.significant && options.restart == permanent)
    return std::string{"significant needs restart to be transient or temporary: a permanent child never ends"};
  if (options.flight_recorder > detail::flight_recorder_max)
    return "flight_recorder must be 0..10000, not " + std::to_string(options.flight_recorder);
  if (auto wrong =
          detail::validate_time("handler_budget", options.handler_budget.value_or(milliseconds{0}), milliseconds{0}))
    return wrong;
  if (options.on_overrun > overrun_action::replace)
    return std::string{"on_overrun must be report, escalate or replace"};
  if (auto wrong = detail::validate_time("start_budget", options.start_budget, milliseconds{0}))
    return wrong;
  if (options.rehearse > detail::rehearse_max)
    return "rehearse must be 0..1000, not " + std::to_string(options.rehearse);
  return validate(options.mailbox);
}

/// Returns what is wrong with `options`, naming the first wrong field, or nothing.
inline std::optional<std::string> validate(const supervisor_options& options) {
  using std::chrono::milliseconds;
  if (options.strategy > strategy::dynamic)
    return std::string{"strategy must be one_for_one, one_for_all, rest_for_one or dynamic"};
  if (auto wrong = detail::validate_intensity("intensity", options.intensity))
    return wrong;
  if (auto wrong = detail::validate_time("period", options.period, milliseconds{1}))
    return wrong;
  if (auto wrong = detail::validate_intensity("group_intensity", options.group_intensity))
    return wrong;
  if (auto wrong = detail::validate_time("group_period", options.group_period, milliseconds{1}))
    return wrong;
  if (auto wrong = validate(options.backoff))
    return wrong;
  if (options.auto_shutdown > auto_shutdown::all_significant)
    return std::string{"auto_shutdown must be never, any_significant or all_significant"};
  if (options.children_max < 1)
    return std::string{"children_max must be at least 1"};
  return std::nullopt;
}

} // namespace troupe

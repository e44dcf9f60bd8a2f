// SPDX-License-Identifier: BSD-3-Clause
// Claim: the options have the documented defaults, read well, and wrong ones are refused by a text naming the field.
// Observed: on the values and texts themselves, one row per field and bound.
#include <troupe/supervision/child_spec.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using troupe::backoff_options;
using troupe::child_options;
using troupe::mailbox_options;
using troupe::supervisor_options;

namespace {

/// Whether `text` says that `field` is wrong.
bool blames(const std::optional<std::string>& text, const std::string& field) {
  return text && text->rfind(field + ' ', 0) == 0;
}

template <class Options>
struct row {
  const char* what;
  std::function<void(Options&)> change;
  std::string field; // the one to be blamed; empty = none
};

template <class Options, std::size_t N>
void check_grid(const row<Options> (&rows)[N]) {
  for (const auto& r : rows) {
    CAPTURE(r.what);
    Options options;
    r.change(options);
    const auto wrong = validate(options);
    CAPTURE(wrong.value_or("accepted"));
    if (r.field.empty())
      CHECK_FALSE(wrong.has_value());
    else
      CHECK(blames(wrong, r.field));
  }
}

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

} // namespace

TEST_CASE("child_spec: defaults are valid and as documented") {
  CHECK_FALSE(validate(mailbox_options{}).has_value());
  CHECK_FALSE(validate(backoff_options{}).has_value());
  CHECK_FALSE(validate(child_options{}).has_value());
  CHECK_FALSE(validate(supervisor_options{}).has_value());

  CHECK(mailbox_options{}.capacity == 10'000);
  CHECK(mailbox_options{}.overflow == troupe::reject);
  CHECK(child_options{}.restart == troupe::permanent);
  CHECK(child_options{}.retries == 0);
  CHECK(child_options{}.shutdown == 5s);
  CHECK_FALSE(child_options{}.intensity.has_value());
  CHECK_FALSE(child_options{}.refuse_asks_in_backoff);
  CHECK(child_options{}.flight_recorder == 0);
  CHECK_FALSE(child_options{}.handler_budget.has_value());
  CHECK(child_options{}.on_overrun == troupe::overrun_action::report);
  CHECK(child_options{}.start_budget == 0ms);
  CHECK(child_options{}.rehearse == 0);
  CHECK(supervisor_options{}.strategy == troupe::one_for_one);
  CHECK(supervisor_options{}.intensity == 5);
  CHECK(supervisor_options{}.period == 5s);
  CHECK(supervisor_options{}.group_intensity == 10);
  CHECK(supervisor_options{}.group_period == 10s);
  CHECK(backoff_options{}.min == 100ms);
  CHECK(backoff_options{}.max == 30s);
  CHECK(backoff_options{}.immediate_first);
  CHECK(troupe::unlimited > troupe::intensity_max);
}

TEST_CASE("child_spec: options are written with designated initialisers") {
  const child_options child{
      .restart = troupe::transient,
      .retries = 3,
      .intensity = troupe::unlimited,
      .backoff = backoff_options{.min = 10ms, .max = 1s},
      .shutdown = 0s,
      .significant = true,
      .mailbox = {.capacity = 100, .overflow = troupe::drop_oldest},
  };
  CHECK_FALSE(validate(child).has_value());
  CHECK(child.backoff->max == 1s);

  const supervisor_options parent{.strategy = troupe::rest_for_one, .intensity = 3, .period = 1min};
  CHECK_FALSE(validate(parent).has_value());
  CHECK(parent.group_intensity == 10);
}

TEST_CASE("child_spec: wrong mailbox options are refused by name") {
  check_grid<mailbox_options>({
      {"capacity 0", [](auto& o) { o.capacity = 0; }, "mailbox.capacity"},
      {"capacity 1", [](auto& o) { o.capacity = 1; }, ""},
      {"capacity most", [](auto& o) { o.capacity = 500'000; }, ""},
      {"capacity beyond", [](auto& o) { o.capacity = 500'001; }, "mailbox.capacity"},
      {"drop_newest", [](auto& o) { o.overflow = troupe::drop_newest; }, ""},
      {"no such policy", [](auto& o) { o.overflow = troupe::overflow_policy{3}; }, "mailbox.overflow"},
  });
}

TEST_CASE("child_spec: wrong back-off options are refused by name") {
  check_grid<backoff_options>({
      {"min 0", [](auto& o) { o.min = 0ms; }, "backoff.min"},
      {"min negative", [](auto& o) { o.min = -1ns; }, "backoff.min"},
      {"min 1 ns", [](auto& o) { o.min = 1ns; }, ""},
      {"min beyond a day", [](auto& o) { o.min = 24h + 1ms; }, "backoff.min"},
      {"max below min", [](auto& o) { o.max = 99ms; }, "backoff.max"},
      {"max equal to min", [](auto& o) { o.max = 100ms; }, ""},
      {"max a day", [](auto& o) { o.max = 24h; }, ""},
      {"max beyond a day", [](auto& o) { o.max = 24h + 1ms; }, "backoff.max"},
      {"factor below 1", [](auto& o) { o.factor = 0.99; }, "backoff.factor"},
      {"factor 1", [](auto& o) { o.factor = 1; }, ""},
      {"factor 100", [](auto& o) { o.factor = 100; }, ""},
      {"factor 101", [](auto& o) { o.factor = 101; }, "backoff.factor"},
      {"factor not a number", [](auto& o) { o.factor = not_a_number; }, "backoff.factor"},
      {"jitter negative", [](auto& o) { o.jitter = -0.1; }, "backoff.jitter"},
      {"jitter 0", [](auto& o) { o.jitter = 0; }, ""},
      {"jitter 1", [](auto& o) { o.jitter = 1; }, ""},
      {"jitter beyond 1", [](auto& o) { o.jitter = 1.1; }, "backoff.jitter"},
      {"jitter not a number", [](auto& o) { o.jitter = not_a_number; }, "backoff.jitter"},
      {"reset_after 0", [](auto& o) { o.reset_after = 0ms; }, "backoff.reset_after"},
      {"reset_after 1 s", [](auto& o) { o.reset_after = 1s; }, ""},
      {"reset_after 1 ns", [](auto& o) { o.reset_after = 1ns; }, ""},
  });
}

TEST_CASE("child_spec: wrong child options are refused by name") {
  check_grid<child_options>({
      {"no such restart type", [](auto& o) { o.restart = troupe::restart_type{3}; }, "restart"},
      {"temporary", [](auto& o) { o.restart = troupe::temporary; }, ""},
      {"intensity 0", [](auto& o) { o.intensity = 0; }, ""},
      {"intensity most", [](auto& o) { o.intensity = 10'000; }, ""},
      {"intensity beyond", [](auto& o) { o.intensity = 10'001; }, "intensity"},
      {"intensity unlimited", [](auto& o) { o.intensity = troupe::unlimited; }, ""},
      {"period 0", [](auto& o) { o.period = 0ms; }, "period"},
      {"period 1 ms", [](auto& o) { o.period = 1ms; }, ""},
      {"period negative", [](auto& o) { o.period = -1ms; }, "period"},
      {"wrong back-off", [](auto& o) { o.backoff = backoff_options{.min = 0ms}; }, "backoff.min"},
      {"shutdown 0", [](auto& o) { o.shutdown = 0ms; }, ""},
      {"shutdown a day", [](auto& o) { o.shutdown = 24h; }, ""},
      {"shutdown negative", [](auto& o) { o.shutdown = -1ms; }, "shutdown"},
      {"shutdown beyond a day", [](auto& o) { o.shutdown = 24h + 1ms; }, "shutdown"},
      {"significant permanent", [](auto& o) { o.significant = true; }, "significant"},
      {"wrong mailbox", [](auto& o) { o.mailbox.capacity = 0; }, "mailbox.capacity"},
      {"flight_recorder most", [](auto& o) { o.flight_recorder = 10'000; }, ""},
      {"flight_recorder beyond", [](auto& o) { o.flight_recorder = 10'001; }, "flight_recorder"},
      {"handler_budget 0", [](auto& o) { o.handler_budget = 0ms; }, ""},
      {"handler_budget negative", [](auto& o) { o.handler_budget = -1ms; }, "handler_budget"},
      {"no such overrun_action", [](auto& o) { o.on_overrun = troupe::overrun_action{3}; }, "on_overrun"},
      {"replace", [](auto& o) { o.on_overrun = troupe::overrun_action::replace; }, ""},
      {"start_budget 0", [](auto& o) { o.start_budget = 0ms; }, ""},
      {"start_budget negative", [](auto& o) { o.start_budget = -1ms; }, "start_budget"},
      {"rehearse most", [](auto& o) { o.rehearse = 1'000; }, ""},
      {"rehearse beyond", [](auto& o) { o.rehearse = 1'001; }, "rehearse"},
  });
}

TEST_CASE("child_spec: wrong supervisor options are refused by name") {
  check_grid<supervisor_options>({
      {"no such strategy", [](auto& o) { o.strategy = troupe::strategy{4}; }, "strategy"},
      {"dynamic", [](auto& o) { o.strategy = troupe::dynamic; }, ""},
      {"intensity 0", [](auto& o) { o.intensity = 0; }, ""},
      {"intensity beyond", [](auto& o) { o.intensity = 10'001; }, "intensity"},
      {"period 0", [](auto& o) { o.period = 0ms; }, "period"},
      {"period 1 ms", [](auto& o) { o.period = 1ms; }, ""},
      {"group_intensity beyond", [](auto& o) { o.group_intensity = 10'001; }, "group_intensity"},
      {"group_intensity unlimited", [](auto& o) { o.group_intensity = troupe::unlimited; }, ""},
      {"group_period 0", [](auto& o) { o.group_period = 0ms; }, "group_period"},
      {"group_period 1 ms", [](auto& o) { o.group_period = 1ms; }, ""},
      {"wrong back-off", [](auto& o) { o.backoff.factor = 0; }, "backoff.factor"},
      {"no such auto_shutdown", [](auto& o) { o.auto_shutdown = troupe::auto_shutdown{3}; }, "auto_shutdown"},
      {"all_significant", [](auto& o) { o.auto_shutdown = troupe::auto_shutdown::all_significant; }, ""},
      {"children_max 0", [](auto& o) { o.children_max = 0; }, "children_max"},
      {"children_max 1", [](auto& o) { o.children_max = 1; }, ""},
  });
}

TEST_CASE("child_spec: a refusal says what would be right") {
  CHECK(validate(child_options{.period = 0ms}) == "period must be 1 ms..24 h, not 0 ms");
  CHECK(validate(backoff_options{.min = 0ns}) == "backoff.min must be above 0 and at most 24 h, not 0 ns");
  CHECK(validate(backoff_options{.max = 1ms}) ==
        "backoff.max must be at least 100000000 ns and at most 24 h, not 1000000 ns");
  CHECK(validate(supervisor_options{.intensity = 10'001}) == "intensity must be 0..10000 or unlimited, not 10001");
}

TEST_CASE("child_spec: options are equal if all members are") {
  using troupe::decide_by;
  using troupe::failure_action;
  const child_options child{.backoff = backoff_options{},
                            .on_failure = decide_by<std::runtime_error>(failure_action::stop)};
  CHECK(child == child_options{child});
  for (auto rules :
       {decide_by<std::runtime_error>(failure_action::resume), decide_by<std::logic_error>(failure_action::stop),
        decide_by<std::runtime_error>(failure_action::stop).otherwise(failure_action::stop)}) {
    auto other = child;
    other.on_failure = std::move(rules);
    CHECK_FALSE(child == other);
  }
  auto other = child;
  other.backoff->factor = 3;
  CHECK_FALSE(child == other);
  CHECK(supervisor_options{} == supervisor_options{});
  CHECK_FALSE(supervisor_options{} == supervisor_options{.intensity = 6});
}

TEST_CASE("failure_rules: the first rule that matches decides, and the last word is for whatever none does") {
  using troupe::failure_action;
  const auto by = [](const troupe::failure_rules& rules, auto what) {
    return rules.action_for(std::make_exception_ptr(std::move(what)));
  };
  const auto rules =
      troupe::decide_by<std::out_of_range>(failure_action::resume).by<std::logic_error>(failure_action::stop);
  CHECK(by(rules, std::out_of_range{"x"}) == failure_action::resume);
  CHECK(by(rules, std::logic_error{"x"}) == failure_action::stop);
  CHECK_FALSE(by(rules, std::runtime_error{"x"}).has_value());
  CHECK_FALSE(rules.action_for(nullptr).has_value());
  const auto all = troupe::failure_rules{rules}.otherwise(failure_action::escalate);
  CHECK(by(all, std::out_of_range{"x"}) == failure_action::resume);
  CHECK(by(all, std::runtime_error{"x"}) == failure_action::escalate);
  CHECK(all.action_for(nullptr) == failure_action::escalate);
}

TEST_CASE("child_spec: every enumerator has a name of its own") {
  CHECK(to_string(troupe::one_for_one) == "one_for_one");
  CHECK(to_string(troupe::one_for_all) == "one_for_all");
  CHECK(to_string(troupe::rest_for_one) == "rest_for_one");
  CHECK(to_string(troupe::dynamic) == "dynamic");
  CHECK(to_string(troupe::strategy{4}) == "invalid strategy");
  CHECK(to_string(troupe::permanent) == "permanent");
  CHECK(to_string(troupe::transient) == "transient");
  CHECK(to_string(troupe::temporary) == "temporary");
  CHECK(to_string(troupe::restart_type{3}) == "invalid restart_type");
  CHECK(to_string(troupe::failure_action::restart) == "restart");
  CHECK(to_string(troupe::failure_action::resume) == "resume");
  CHECK(to_string(troupe::failure_action::stop) == "stop");
  CHECK(to_string(troupe::failure_action::escalate) == "escalate");
  CHECK(to_string(troupe::failure_action{4}) == "invalid failure_action");
  CHECK(to_string(troupe::overrun_action::report) == "report");
  CHECK(to_string(troupe::overrun_action::escalate) == "escalate");
  CHECK(to_string(troupe::overrun_action::replace) == "replace");
  CHECK(to_string(troupe::overrun_action{3}) == "invalid overrun_action");
  CHECK(to_string(troupe::auto_shutdown::never) == "never");
  CHECK(to_string(troupe::auto_shutdown::any_significant) == "any_significant");
  CHECK(to_string(troupe::auto_shutdown::all_significant) == "all_significant");
  CHECK(to_string(troupe::reject) == "reject");
  CHECK(to_string(troupe::drop_newest) == "drop_newest");
  CHECK(to_string(troupe::drop_oldest) == "drop_oldest");
}

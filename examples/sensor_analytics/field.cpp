// SPDX-License-Identifier: BSD-3-Clause
#include "field.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

namespace sensor_analytics {

namespace {

using namespace std::chrono_literals;

// A device is silent if it has sent nothing for so many intervals, and at least so long: others have to be served too.
constexpr int silent_intervals = 8;
constexpr std::chrono::nanoseconds silence_least = 250ms;

constexpr unsigned reading_retries = 3; // after that, a reading that fails again is declared lost
constexpr auto patience = 60s;          // for what is on its way at the end

std::chrono::nanoseconds silence_of(const recording& source) {
  return source.interval.count() == 0 ? 0ns : std::max(silent_intervals * source.interval, silence_least);
}

/// A device or monitor that fails often is still worth starting again, and soon.
troupe::supervisor_options tolerant() {
  troupe::supervisor_options o;
  o.strategy = troupe::dynamic;
  o.intensity = troupe::unlimited;
  o.group_intensity = troupe::unlimited;
  o.backoff.min = 1ms;
  o.backoff.max = 20ms;
  return o;
}

troupe::system_options with_faults(troupe::system_options how, std::shared_ptr<troupe::fault_injector> faults) {
  how.faults = std::move(faults);
  how.quarantine_capacity = 100'000; // evidence of what was lost
  return how;
}

/// Whether an event says that a reading was given up.
bool is_lost_reading(const troupe::event& e) {
  const auto is_reading = [](std::string_view type) { return type.ends_with("reading"); };
  if (const auto* s = std::get_if<troupe::supervision_event>(&e))
    return s->what == troupe::supervision_event::kind::quarantined && is_reading(s->message_type);
  const auto& l = std::get<troupe::dead_letter>(e);
  return l.why == troupe::dead_letter::cause::dropped && is_reading(l.message_type);
}

/// Whether an event says that a device or a monitor has failed; the log's stages fail too.
bool is_own_failure(const troupe::event& e) {
  const auto* s = std::get_if<troupe::supervision_event>(&e);
  return s != nullptr && s->what == troupe::supervision_event::kind::failed &&
         (s->supervisor.ends_with("monitors") || s->supervisor.ends_with("devices"));
}

} // namespace

field::field(const std::vector<recording>& recordings, const field_options& options, troupe::system_options how)
    : recordings_{recordings}, options_{options}, stepped_{how.stepped.has_value()},
      faults_{options.crash_rate > 0 ? std::make_shared<troupe::fault_injector>(options.crash_rate, options.seed)
                                     : nullptr},
      system_{with_faults(std::move(how), faults_)} {
  events_ = system_.events().subscribe([this](const troupe::event& e) {
    if (is_lost_reading(e))
      lost_.fetch_add(1, std::memory_order_relaxed);
    if (is_own_failure(e))
      failures_.fetch_add(1, std::memory_order_relaxed);
  });
  log_ = std::make_unique<alert_log>(system_, recordings_, options_.alerts);
  start_ = system_.now();
  build();
}

void field::build() {
  troupe::child_options of_monitor;
  of_monitor.retries = reading_retries;
  of_monitor.mailbox.capacity = 64; // a device that is faster than its monitor has to wait
  troupe::child_options of_device;
  of_device.retries = troupe::unlimited; // a tick has nothing in it that could be at fault
  for (std::size_t i = 0; i < options_.devices; ++i) {
    const stream_plan plan{recordings_, i};
    auto& at = site_of(plan.source().group);
    ++at.devices;
    const auto silence = silence_of(plan.source());
    monitor_books_.push_back(std::make_shared<monitor_book>(plan, i, at.figures));
    monitors_.push_back(at.monitors.start<monitor>("", of_monitor, monitor_books_.back(),
                                                   monitor_options{silence, over_}, log_->inbox()));
    device_books_.push_back(std::make_shared<device_book>(plan));
    devices_.push_back(at.sensors.start<device>("", of_device, device_books_.back(),
                                                device_options{options_.silence_rate, silence * 5 / 2, over_, done_},
                                                monitors_.back()));
  }
}

field::site& field::site_of(const std::string& group) {
  auto& found = sites_[group];
  if (found == nullptr) {
    found = std::make_unique<site>();
    found->name = group;
    const auto top = system_.supervise(group, tolerant());
    found->monitors = top.supervise("monitors", tolerant());
    found->sensors = top.supervise("devices", tolerant());
  }
  return *found;
}

void field::pass(std::chrono::nanoseconds time) {
  if (stepped_)
    system_.advance(time);
  else
    std::this_thread::sleep_for(time);
}

field_figures field::figures() const {
  field_figures f;
  f.elapsed = system_.now() - start_;
  for (const auto& [name, at] : sites_) {
    group_row row{name, at->devices, at->figures.readings.load(std::memory_order_relaxed), {}, 0};
    for (std::size_t k = 0; k < alert_kinds; ++k)
      row.alerts[k] = at->figures.alerts[k].load(std::memory_order_relaxed);
    row.silent = static_cast<std::uint64_t>(at->figures.silent.load(std::memory_order_relaxed));
    f.readings += row.readings;
    f.groups.push_back(std::move(row));
  }
  f.failures = faults_ == nullptr ? 0 : faults_->injected();
  f.restarts = system_.restarts();
  f.done = done_->load(std::memory_order_relaxed);
  return f;
}

/// Waits until no device or monitor has anything to do. False if that takes too long.
bool field::come_to_rest() {
  const auto queued = [this] {
    std::uint64_t sum = 0;
    for (const auto& [name, at] : sites_)
      sum += at->monitors.books().queued + at->sensors.books().queued;
    return sum;
  };
  for (const auto end = system_.now() + patience; system_.now() < end; pass(5ms))
    if (queued() == 0 && queued() == 0) // a device between two looks may have sent something
      return true;
  return false;
}

/// Monitors that keep alerts for which the log had no room try again; then the log ends.
void field::drain_log() {
  for (int round = 0; round < 3; ++round) {
    for (const auto& m : monitors_)
      m.tell(look{});
    come_to_rest();
  }
  log_->close();
  for (const auto end = system_.now() + patience; system_.now() < end && !log_->running().outcome(); pass(5ms)) {
  }
}

report field::finish() {
  const auto ran = system_.now() - start_;
  over_->store(true, std::memory_order_relaxed);
  for (const auto& d : devices_) // nobody's timer is to run on
    d.tell(tick{});
  const bool at_rest = come_to_rest();
  drain_log();
  const auto outcome = log_->running().outcome();
  const auto end = system_.shutdown();
  const auto logged = log_->finish();
  // The shutdown has joined the workers: the books are the owner's now.
  audit a{recordings_, device_books_, monitor_books_, logged};
  a.seconds = std::chrono::duration<double>(ran).count();
  a.now = system_.now();
  a.lost = lost_.load(std::memory_order_relaxed);
  a.failures = failures_.load(std::memory_order_relaxed);
  a.log_ended = outcome.has_value() && outcome->has_value();
  a.at_rest = at_rest;
  a.unaccounted = end.unaccounted;
  a.clean_end = end.exit_code() == 0;
  return make_report(a);
}

} // namespace sensor_analytics

// SPDX-License-Identifier: BSD-3-Clause
#include "hospital.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

namespace patient_monitor {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s; // for what is on its way at the end

/// A patient whose actor fails often is still worth starting again, and at once: nobody else can watch him.
troupe::supervisor_options of_ward() {
  troupe::supervisor_options o;
  o.intensity = troupe::unlimited;
  o.group_intensity = troupe::unlimited;
  o.backoff.min = 1ms;
  o.backoff.max = 10ms;
  return o;
}

troupe::system_options with_faults(troupe::system_options how, std::shared_ptr<troupe::fault_injector> faults) {
  how.faults = std::move(faults);
  return how;
}

std::string name_of_patient(std::uint64_t number) { return fmt::format("patient {}", number); }

} // namespace

hospital::hospital(const recording& source, std::shared_ptr<const rhythm_model> model, const hospital_options& options,
                   troupe::system_options how)
    : source_{source}, model_{std::move(model)}, options_{options}, stepped_{how.stepped.has_value()},
      faults_{options.crash_rate > 0 ? std::make_shared<troupe::fault_injector>(options.crash_rate, options.seed)
                                     : nullptr},
      system_{with_faults(std::move(how), faults_)} {
  events_ = system_.events().subscribe([this](const troupe::event& e) { note(e); });
  log_ = std::make_unique<alert_log>(system_, source_.rate, options_.alerts);
  start_ = system_.now();
  admit();
}

/// Each patient gets the record from a sample of its own, which the golden ratio spreads evenly, and round to it.
void hospital::admit() {
  troupe::child_options o;
  o.retries = troupe::unlimited; // a tick has nothing in it that could be at fault
  o.mailbox.capacity = 16;
  const auto record = static_cast<std::uint64_t>(source_.samples.size());
  const auto length = options_.length > 0  ? static_cast<std::uint64_t>(options_.length * source_.rate)
                      : source_.speed == 0 ? record
                                           : ~std::uint64_t{0};
  for (std::uint32_t w = 0; w < options_.wards; ++w) {
    wards_.push_back(std::make_unique<ward>());
    wards_.back()->supervisor = system_.supervise(fmt::format("ward {}", w + 1), of_ward());
  }
  for (std::uint64_t i = 0; i < options_.patients; ++i) {
    const auto number = static_cast<std::uint32_t>(i % options_.wards);
    auto& in = *wards_[number];
    ++in.patients;
    const double share = static_cast<double>(i) * 0.6180339887498949;
    const auto first = static_cast<std::uint64_t>((share - static_cast<double>(static_cast<std::uint64_t>(share))) *
                                                  static_cast<double>(record));
    charts_.push_back(std::make_shared<chart>(i, number + 1, first, length, source_, model_, in.figures));
    patients_.push_back(in.supervisor.start<patient>(name_of_patient(i), o, charts_.back(), &source_,
                                                     patient_options{over_, done_}, log_->inbox()));
  }
}

void hospital::note(const troupe::event& e) {
  const auto* s = std::get_if<troupe::supervision_event>(&e);
  if (s == nullptr || s->what != troupe::supervision_event::kind::failed)
    return;
  const auto slash = s->child.rfind('/');
  const std::scoped_lock lock{mutex_};
  ++failures_[slash == std::string::npos ? s->child : s->child.substr(slash + 1)];
}

void hospital::pass(std::chrono::nanoseconds time) {
  if (stepped_)
    system_.advance(time);
  else
    std::this_thread::sleep_for(time);
}

hospital_figures hospital::figures() const {
  hospital_figures f;
  f.elapsed = system_.now() - start_;
  f.rate = source_.rate;
  for (const auto& w : wards_) {
    ward_row row{w->patients,
                 w->figures.samples.load(std::memory_order_relaxed),
                 w->figures.beats.load(std::memory_order_relaxed),
                 {}};
    for (std::size_t k = 0; k < alert_kinds; ++k)
      row.alerts[k] = w->figures.alerts[k].load(std::memory_order_relaxed);
    f.wards.push_back(row);
  }
  f.failures = faults_ == nullptr ? 0 : faults_->injected();
  f.restarts = system_.restarts();
  f.done = done_->load(std::memory_order_relaxed);
  return f;
}

/// Waits until no patient's actor has anything to do. False if that takes too long.
bool hospital::come_to_rest() {
  const auto queued = [this] {
    std::uint64_t sum = 0;
    for (const auto& w : wards_)
      sum += w->supervisor.books().queued;
    return sum;
  };
  for (const auto end = system_.now() + patience; system_.now() < end; pass(5ms))
    if (queued() == 0)
      return true;
  return false;
}

report hospital::finish() {
  const auto ran = system_.now() - start_;
  over_->store(true, std::memory_order_relaxed);
  bool at_rest = come_to_rest();
  for (int round = 0; round < 3; ++round) { // whoever keeps alerts for which the log had no room tries again
    for (const auto& p : patients_)
      p.tell(packet_due{});
    at_rest = come_to_rest() && at_rest;
  }
  log_->close();
  for (const auto end = system_.now() + patience; system_.now() < end && !log_->running().outcome(); pass(5ms)) {
  }
  const auto outcome = log_->running().outcome();
  const auto end = system_.shutdown();
  const auto logged = log_->finish();
  // The shutdown has joined the workers: the charts are the owner's now.
  audit a{source_, model_, charts_, logged};
  a.seconds = std::chrono::duration<double>(ran).count();
  a.reaching_most = options_.reaching_most;
  a.log_ended = outcome.has_value() && outcome->has_value();
  a.at_rest = at_rest;
  a.unaccounted = end.unaccounted;
  a.clean_end = end.exit_code() == 0;
  for (const auto& c : charts_) {
    const auto found = failures_.find(name_of_patient(c->patient));
    a.failures_of.push_back(found == failures_.end() ? 0 : found->second);
  }
  return make_report(a);
}

} // namespace patient_monitor

// SPDX-License-Identifier: BSD-3-Clause
#include "patient.hpp"

#include <algorithm>
#include <utility>

namespace patient_monitor {

namespace {

using namespace std::chrono_literals;

constexpr int packets_most = 8; // in a turn, for one that is behind: others are too

} // namespace

patient::patient(std::shared_ptr<chart> book, const recording* source, patient_options options,
                 troupe::pipeline::inbox<alert> to)
    : chart_{std::move(book)}, source_{source}, options_{std::move(options)}, to_{std::move(to)} {
  ++chart_->incarnations;
  if (!std::exchange(chart_->started, true)) {
    // Patients do not come all at the same moment: the golden ratio spreads them over a packet.
    const double share = static_cast<double>(chart_->patient) * 0.6180339887498949;
    chart_->start =
        now() + std::chrono::nanoseconds{static_cast<std::int64_t>(
                    static_cast<double>(source_->time_of(static_cast<std::uint64_t>(packet * source_->rate)).count()) *
                    (share - static_cast<double>(static_cast<std::uint64_t>(share))))};
  }
  after("packet", 0ns, packet_due{}); // also after a failure, which has ended the timer
}

void patient::on(const packet_due&) {
  auto& c = *chart_;
  const auto size = static_cast<std::uint64_t>(packet * source_->rate);
  for (int i = 0; i < packets_most && c.watch.samples() < c.length; ++i) {
    if (options_.over->load(std::memory_order_relaxed))
      break;
    const std::uint64_t next = std::min(c.watch.samples() + size, c.length);
    if (now() < c.start + source_->time_of(next))
      break;
    fault_point(); // what follows changes the chart, and cannot fail
    take_packet(next - c.watch.samples());
    if (next == c.length)
      options_.done->fetch_add(1, std::memory_order_relaxed); // a figure for the owner
  }
  send_alerts();
  const bool more = c.watch.samples() < c.length && !options_.over->load(std::memory_order_relaxed);
  if (more || !c.unsent.empty()) {
    const auto due = c.start + source_->time_of(std::min(c.watch.samples() + size, c.length));
    after("packet", std::max<std::chrono::nanoseconds>(due - now(), c.unsent.empty() ? 0ns : 1ms), packet_due{});
  } else {
    cancel_timer("packet"); // one may still run, if somebody else has sent this message
  }
}

void patient::take_packet(std::uint64_t samples) {
  auto& c = *chart_;
  const auto began = now();
  const auto beats = c.watch.beats();
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto at = (c.first + c.watch.samples()) % source_->samples.size();
    for (const auto& f : c.watch.add(source_->samples[at])) {
      c.found.push_back(f);
      c.figures.alerts[static_cast<std::size_t>(f.what)].fetch_add(1, std::memory_order_relaxed);
      const auto due = source_->speed == 0 ? began : c.start + source_->time_of(f.decided + 1);
      c.unsent.push_back({c.patient, c.ward, f, due});
    }
  }
  c.figures.samples.fetch_add(samples, std::memory_order_relaxed);
  c.figures.beats.fetch_add(c.watch.beats() - beats, std::memory_order_relaxed);
}

void patient::send_alerts() {
  while (!chart_->unsent.empty() && to_.tell(chart_->unsent.front()) == troupe::delivery::accepted)
    chart_->unsent.pop_front();
}

} // namespace patient_monitor

// SPDX-License-Identifier: BSD-3-Clause
#include "monitor.hpp"

#include <utility>

namespace sensor_analytics {

void monitor_book::take(const reading& r, troupe::time_point now) {
  if (r.number < next) {
    ++repeated;
    return;
  }
  for (; next < r.number; ++next)
    lost.push_back(next);
  ++next;
  ++processed;
  last = r.value;
  last_at = now;
  if (std::exchange(silent, false)) {
    figures.silent.fetch_sub(1, std::memory_order_relaxed);
    raise(alert_kind::back, 1);
  }
  for (const auto& f : watch.add(r.value)) {
    found.push_back({r.number, f.what});
    raise(f.what, f.score);
  }
  figures.readings.fetch_add(1, std::memory_order_relaxed);
}

void monitor_book::check(troupe::time_point now, std::chrono::nanoseconds timeout) {
  // Before its first reading and behind its last one a device has nothing to say.
  if (silent || processed == 0 || next == plan.readings() || now - last_at < timeout)
    return;
  silent = true;
  figures.silent.fetch_add(1, std::memory_order_relaxed);
  raise(alert_kind::silent, 1);
}

void monitor_book::raise(alert_kind what, double score) {
  const auto k = static_cast<std::size_t>(what);
  ++alerts[k];
  figures.alerts[k].fetch_add(1, std::memory_order_relaxed);
  unsent.push_back({last.time, device, plan.series(), last.value, score, what});
}

monitor::monitor(std::shared_ptr<monitor_book> book, monitor_options options, troupe::pipeline::inbox<alert> to)
    : book_{std::move(book)}, options_{std::move(options)}, to_{std::move(to)} {
  ++book_->incarnations;
  look_again();
}

void monitor::on(const reading& r) {
  fault_point(); // what follows changes the book, and cannot fail
  book_->take(r, now());
  send_alerts();
}

void monitor::on(const look&) {
  fault_point();
  if (!options_.over->load(std::memory_order_relaxed))
    book_->check(now(), options_.silence);
  send_alerts();
  look_again();
}

void monitor::send_alerts() {
  while (!book_->unsent.empty() && to_.tell(book_->unsent.front()) == troupe::delivery::accepted)
    book_->unsent.pop_front();
}

void monitor::look_again() {
  const bool over = options_.over->load(std::memory_order_relaxed);
  if (options_.silence.count() > 0 && (!over || !book_->unsent.empty()))
    after("look", options_.silence / 4, look{});
  else
    cancel_timer("look"); // one may still run, if somebody else has sent this message
}

} // namespace sensor_analytics

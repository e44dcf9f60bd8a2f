// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/seams.hpp>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::pipeline::steps {

/// Makes windows of any kind say by the system's clock what they hold so far: `every` after the first change that they have
/// not said, all that have changed say it, once for each key.
///
/// `Window` says what changes with an element, `changed_by(x)`, and says its open windows: `say_so_far(change, next)`.
template <class In, class Window>
class live_window : public Window {
  using change = typename Window::change;

public:
  live_window(Window window, std::chrono::nanoseconds every) : Window{std::move(window)}, every_{every} {}

  template <class Next>
  void on(const In& x, Next&& next) {
    changes_.touch(this->changed_by(x), {});
    if (!due_.get())
      due_.change() = now_ + every_;
    Window::on(x, next);
  }

  void begin(time_point now) noexcept { now_ = now; }
  std::optional<time_point> due() const noexcept { return due_.get(); }

  template <class Next>
  void on_time(time_point now, Next&& next) {
    if (!due_.get() || *due_.get() > now)
      return;
    due_.change().reset();
    std::vector<change> all;
    changes_.for_each([&](const change& c, const nothing_more&) { all.push_back(c); });
    for (const auto& c : all) {
      changes_.erase(c);
      this->say_so_far(c, next);
    }
  }

  void commit() {
    Window::commit();
    changes_.commit();
    due_.commit();
  }
  void rollback() {
    Window::rollback();
    changes_.rollback();
    due_.rollback();
  }

  template <class A>
  void archive(A& a) requires archivable<change> && requires(Window& w, A& to) {
    w.archive(to);
  }
  {
    Window::archive(a);
    changes_.archive(a);
    if constexpr (A::reads) { // the clocks of two processes have nothing in common: at once
      due_.change() = changes_.empty() ? std::nullopt : std::optional{time_point{}};
      due_.commit();
    }
  }

private:
  struct nothing_more {
    void archive(auto&) noexcept {}
  };

  std::chrono::nanoseconds every_;
  keyed_table<change, nothing_more> changes_; // that have not been said
  restorable<std::optional<time_point>> due_;
  time_point now_{};
};

} // namespace troupe::pipeline::steps

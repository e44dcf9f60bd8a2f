// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
      text += "[" + line + "] ";
    return text.c_str();
  }
};
} // namespace doctest

namespace support {

using namespace std::chrono_literals;
using namespace troupe;

using lines = std::vector<std::string>;

/// What the actors of one test write, and what they are told to do.
struct diary {
  lines written;
  std::map<std::string, int> starts_to_fail;
  std::map<std::string, int> handlings_to_fail; // of `fragile`

  lines take() { return std::exchange(written, {}); }
};

struct note {
  std::string text;
};
struct crash {};
struct fragile { // fails as often as the diary says
  using reply = int;
};
struct finish {};
struct query {
  using reply = int;
};
struct slow_read { // waits for `query` of another actor
  using reply = int;
};
struct tick {};
struct boom_memory {};
struct decline {};

struct declined : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class worker : public actor<worker, note, crash, fragile, finish, query, tick, boom_memory, decline> {
public:
  worker(std::shared_ptr<diary> d, std::string n) : diary_{std::move(d)}, name_{std::move(n)} {
    if (diary_->starts_to_fail[name_] > 0) {
      --diary_->starts_to_fail[name_];
      diary_->written.push_back("!" + name_);
      throw std::runtime_error{"no start for " + name_};
    }
    diary_->written.push_back("+" + name_);
  }
  ~worker() { diary_->written.push_back("-" + name_); }

  void on(const note& m) {
    ++handled_;
    diary_->written.push_back(name_ + ":" + m.text);
  }
  void on(const crash&) { throw std::runtime_error{"crash"}; }
  int on(const fragile&) {
    if (diary_->handlings_to_fail[name_] > 0) {
      --diary_->handlings_to_fail[name_];
      throw std::runtime_error{"fragile"};
    }
    diary_->written.push_back(name_ + ":fragile");
    return ++handled_;
  }
  void on(const finish&) { stop(); }
  int on(const query&) const { return handled_; }
  void on(const tick&) { every(10ms, note{"tick"}); }
  void on(const boom_memory&) { throw std::bad_alloc{}; }
  void on(const decline&) { throw declined{"declined"}; }
  void on_stop() { diary_->written.push_back("stop " + name_); }

private:
  const std::shared_ptr<diary> diary_;
  const std::string name_;
  int handled_ = 0;
};

class watcher : public actor<watcher, note> {
public:
  watcher(std::shared_ptr<diary> d, any_ref whom) : diary_{std::move(d)} { watch(whom); }
  void on(const note&) {}
  void on(const stopped& s) { diary_->written.push_back("saw " + s.name + " " + to_string(s.reason)); }

private:
  const std::shared_ptr<diary> diary_;
};

class waiting : public actor<waiting, slow_read, crash> {
public:
  explicit waiting(ref<worker> whom) : whom_{std::move(whom)} {}
  task<int> on(const slow_read&) {
    auto answer = whom_.ask(query{}, 1h);
    const int n = co_await answer;
    co_return n + 100;
  }
  void on(const crash&) { throw std::runtime_error{"crash"}; }

private:
  const ref<worker> whom_;
};

struct stage {
  explicit stage(std::uint64_t seed = 0, std::size_t quarantine = 1'000)
      : sys{system_options{.quarantine_capacity = quarantine,
                           .through = {.clock = std::make_shared<manual_clock>()},
                           .stepped = seed}} {
    listening = sys.events().subscribe([this](const event& e) {
      if (const auto* s = std::get_if<supervision_event>(&e))
        events.push_back(*s);
    });
  }

  ref<worker> start(const supervisor& s, const std::string& name, child_options o = {}) {
    o.shutdown = o.shutdown == child_options{}.shutdown ? 100ms : o.shutdown;
    return s.start<worker>(name, o, book, name);
  }

  void settle() { sys.run_until_idle(); }

  /// What was written since the last call, once nothing is left to do.
  lines done() {
    settle();
    return book->take();
  }

  lines event_lines(std::initializer_list<supervision_event::kind> kinds) const {
    lines result;
    for (const auto& e : events)
      for (auto k : kinds)
        if (e.what == k)
          result.push_back(std::string{to_string(k)} + " " + e.child);
    return result;
  }

  std::shared_ptr<diary> book = std::make_shared<diary>();
  std::vector<supervision_event> events;
  troupe::system sys;
  event_stream::subscription listening;
};

using kind = supervision_event::kind;

inline const supervisor_options patient{.intensity = unlimited, .group_intensity = unlimited};

inline supervisor_options with(strategy how, supervisor_options o = patient) {
  o.strategy = how;
  return o;
}

/// Delays 100, 200, 400, ... 3200 ms, exact.
inline constexpr backoff_options doubling{.min = 100ms, .max = 3'200ms, .jitter = 0.0, .immediate_first = false};

/// Crashes `a` once and lets it come back at once.
inline void crash_once(stage& s, const ref<worker>& a) {
  a.tell(crash{});
  s.sys.advance(1ms);
}

inline constexpr backoff_options at_once{.min = 1ms, .max = 1ms, .jitter = 0.0};

} // namespace support

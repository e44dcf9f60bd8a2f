// SPDX-License-Identifier: BSD-3-Clause
// From the Savina suite: big, chameneos, concurrent dictionary.
#include "bench/caf/rows.hpp"

#include <atomic>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace bench {

namespace {

struct finish_line {
  stopwatch clock;
  std::atomic<std::int64_t> running{0};
  std::atomic<std::int64_t> sum{0};

  void arrive(std::int64_t share) {
    sum += share;
    if (running.fetch_sub(1) == 1)
      clock.arrive();
  }
};

void end_all(const std::vector<caf::actor>& all) {
  for (auto& a : all)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

class big_actor : public caf::event_based_actor {
public:
  big_actor(caf::actor_config& cfg, finish_line* line, const std::vector<caf::actor>* all, std::size_t own)
      : event_based_actor{cfg}, line_{line}, all_{all}, own_{own}, dice_{static_cast<std::int64_t>(own)} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::int64_t count) {
          left_ = count;
          ping();
        },
        [this](std::uint64_t from) { send((*all_)[from], caf::unit); },
        [this](const caf::unit_t&) {
          ++pongs_;
          ping();
        },
    };
  }

private:
  void ping() {
    if (left_-- > 0)
      send((*all_)[static_cast<std::size_t>(dice_.next()) % all_->size()], std::uint64_t{own_});
    else
      line_->arrive(pongs_);
  }

  finish_line* line_;
  const std::vector<caf::actor>* all_;
  std::size_t own_;
  savina_random dice_;
  std::int64_t left_ = 0;
  std::int64_t pongs_ = 0;
};

void big(const run_size& size) {
  constexpr std::size_t actors = 120;
  finish_line line;
  line.running = actors;
  std::vector<caf::actor> all;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  for (std::size_t i = 0; i < actors; ++i)
    all.push_back(sys.spawn<big_actor>(&line, &all, i));
  settle_down();
  line.clock.start();
  for (auto& a : all)
    caf::anon_send(a, static_cast<std::int64_t>(size.n / actors));
  line.clock.wait();
  line.clock.print("big", size.n, line.sum);
  end_all(all);
}

class mall : public caf::event_based_actor {
public:
  mall(caf::actor_config& cfg, std::int64_t meetings) : event_based_actor{cfg}, left_{meetings} {}

  caf::behavior make_behavior() override {
    return {[this](const caf::actor& who, std::int32_t colour) {
      if (left_ == 0) {
        send(who, caf::unit);
      } else if (!waiting_) {
        waiting_ = who;
        colour_ = colour;
      } else {
        --left_;
        send(who, colour_);
        send(waiting_, colour);
        waiting_ = nullptr;
      }
    }};
  }

private:
  std::int64_t left_;
  caf::actor waiting_;
  std::int32_t colour_ = 0;
};

class creature : public caf::event_based_actor {
public:
  creature(caf::actor_config& cfg, finish_line* line, caf::actor at, std::int32_t colour)
      : event_based_actor{cfg}, line_{line}, mall_{std::move(at)}, colour_{colour} {}

  caf::behavior make_behavior() override {
    return {
        [this](bool) { meet(); },
        [this](std::int32_t colour) {
          ++meetings_;
          colour_ = (colour_ + colour) % 3;
          meet();
        },
        [this](const caf::unit_t&) { line_->arrive(meetings_); },
    };
  }

private:
  void meet() { send(mall_, caf::actor_cast<caf::actor>(this), colour_); }

  finish_line* line_;
  caf::actor mall_;
  std::int32_t colour_;
  std::int64_t meetings_ = 0;
};

void chameneos(const run_size& size) {
  constexpr int creatures = 100;
  finish_line line;
  line.running = creatures;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto at = sys.spawn<mall>(static_cast<std::int64_t>(size.n));
  std::vector<caf::actor> all;
  for (int i = 0; i < creatures; ++i)
    all.push_back(sys.spawn<creature>(&line, at, i % 3));
  settle_down();
  line.clock.start();
  for (auto& c : all)
    caf::anon_send(c, true);
  line.clock.wait();
  line.clock.print("chameneos", size.n, line.sum);
  all.push_back(at);
  end_all(all);
}

class dictionary : public caf::event_based_actor {
public:
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {
        [this](std::int64_t key, std::int64_t value) { return entries_[key] = value; },
        [this](std::int64_t key) {
          const auto found = entries_.find(key);
          return found != entries_.end() ? found->second : std::int64_t{0};
        },
    };
  }

private:
  std::unordered_map<std::int64_t, std::int64_t> entries_;
};

class reader : public caf::event_based_actor {
public:
  reader(caf::actor_config& cfg, finish_line* line, caf::actor at, std::int64_t seed)
      : event_based_actor{cfg}, line_{line}, at_{std::move(at)}, dice_{seed} {}

  caf::behavior make_behavior() override {
    return {[this](std::int64_t count) {
      count_ = count;
      ask();
    }};
  }

private:
  void ask() {
    if (asked_ == count_)
      return line_->arrive(answers_);
    const auto key = dice_.next() % 512;
    const auto on_answer = [this](std::int64_t value) {
      answers_ += value >= 0 ? 1 : 0;
      ask();
    };
    const auto i = asked_++;
    if (i % 10 == 0)
      request(at_, std::chrono::seconds{5}, key, i).then(on_answer);
    else
      request(at_, std::chrono::seconds{5}, key).then(on_answer);
  }

  finish_line* line_;
  caf::actor at_;
  savina_random dice_;
  std::int64_t count_ = 0;
  std::int64_t asked_ = 0;
  std::int64_t answers_ = 0;
};

void concurrent_dictionary(const run_size& size) {
  constexpr int readers = 20;
  finish_line line;
  line.running = readers;
  caf_options cfg{size};
  caf::actor_system sys{cfg};
  auto at = sys.spawn<dictionary>();
  std::vector<caf::actor> all;
  for (int i = 0; i < readers; ++i)
    all.push_back(sys.spawn<reader>(&line, at, i + 1));
  settle_down();
  line.clock.start();
  for (auto& r : all)
    caf::anon_send(r, static_cast<std::int64_t>(size.n / readers));
  line.clock.wait();
  line.clock.print("concurrent-dictionary", size.n, line.sum);
  all.push_back(at);
  end_all(all);
}

} // namespace

void add_savina_rows(row_table& rows) {
  rows["big"] = &big;
  rows["chameneos"] = &chameneos;
  rows["concurrent-dictionary"] = &concurrent_dictionary;
}

} // namespace bench

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/conductor.hpp>
#include <troupe/engine/timer_queue.hpp>
#include <troupe/testing/chooser.hpp>
#include <troupe/testing/simulated_links.hpp>
#include <troupe/testing/simulation.hpp>
#include <troupe/testing/slow_store.hpp>
#include <troupe/testing/trace.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::detail {

/// The machine behind `simulation`: conducts one system after the other, one per start of the process.
///
///     phase       turns are of            faults   what is checked after a turn
///     running     the program             yes      invariants
///     stopping    the shutdown            no       -
///     dead        what is to be destroyed no       -
///
/// Threads: one.
class simulation_core final : public conductor {
public:
  simulation_core(const simulation_options& options, search_path* path, bool record);
  ~simulation_core() override;

  void run(const simulation::program& p);

  struct rule {
    std::string name;
    simulation::condition holds;
  };
  struct observed {
    std::string name;
    std::function<std::string()> value;
  };

  const simulation_options options;
  chooser choices;
  trace happened;
  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
  simulated_links links;
  std::vector<rule> invariants;
  std::vector<rule> in_the_end;
  std::vector<observed> outcomes_wanted;
  std::map<std::string, std::string> outcomes;
  simulation_figures figures;
  std::vector<std::uint64_t> neighbours = std::vector<std::uint64_t>(1'024); // see `simulation::neighbours`
  std::function<std::shared_ptr<journal_store>()> open_journals;             // empty: in memory, for all boots
  bool crash_wanted = false;

  // -- conductor --
  bool admit(engine::runnable& r) noexcept override;
  std::size_t choose(const std::deque<engine::runnable*>& ready) noexcept override;
  void turn_over() override;
  passage sending(cell* from, cell& to, envelope& e) override;
  void controlling(cell& to) noexcept override;
  void handling(cell& by, envelope& e) override;
  bool resuming(cell& by, envelope& e) noexcept override;
  void fault_point(cell& by) override;
  void failed(cell& by, const envelope& e, const std::exception_ptr& why) noexcept override;

private:
  enum class phase : std::uint8_t { running, stopping, dead };

  /// What is known of one actor, by its id. Ids begin anew with each start of the process.
  struct actor_notes {
    const envelope* doomed = nullptr; // the message whose handling is to fail
    std::uint32_t doom_in = 0;        // at that many sends or fault points from now
    std::uint64_t order = 0;          // hash of what it has handled
    std::uint64_t last = 0;           // hash of the type that it has handled last
  };

  /// A turn that is held back.
  struct held_turn : engine::timer_node {
    simulation_core* owner = nullptr;
    engine::runnable* what = nullptr;
    std::list<held_turn>::iterator self{};
  };

  /// When the writes that wait have come to their time.
  struct disk_timer : engine::timer_node {
    simulation_core* owner = nullptr;
  };

  void start_system();
  void open_store();
  void wake_disk(time_point when);
  void go_on();
  void let_time_pass(time_point to);
  void finish();
  void destroy_system() noexcept;
  void release_held() noexcept;
  void stop_disk() noexcept;
  void check(const rule& r, const char* when);
  void check_for_deadlock(time_point next);
  std::uint32_t strike(choice_kind kind, std::uint64_t subject, double rate, std::uint32_t values);
  void doom(cell& by, const envelope& in_hand);
  void let_others_go_first();
  bool pass_link(const cell& from, cell& to, envelope& e);
  void name(const cell& c);
  void remark(std::uint64_t who, std::string text);
  actor_notes& notes_of(const cell& c);
  std::uint32_t number_of(const envelope& e) const noexcept;
  std::uint32_t sender_of(std::uint32_t number) const noexcept;
  static void on_release(engine::timer_node& node) noexcept;
  static void on_written(engine::timer_node& node) noexcept;

  search_path* const path_; // null but in an exhaustive search
  footprint made_;          // by the turn under way
  std::shared_ptr<random_source> random_;
  std::shared_ptr<journal_store> memory_; // what all boots share
  std::shared_ptr<slow_store> journals_;
  disk_timer disk_timer_;
  std::unique_ptr<system> system_;
  event_stream::subscription events_;
  phase phase_ = phase::running;
  unsigned depth_ = 0; // of turns inside of handlers
  bool within_check_ = false;
  std::uint64_t last_id_ = 0; // of an actor that was ever ready
  std::uint32_t last_number_ = 0;
  std::unordered_map<const envelope*, std::uint32_t> numbers_; // seams: never walked
  std::vector<std::uint32_t> senders_;                         // by the number of the message, the latest 2^16
  std::vector<actor_notes> notes_;
  std::list<held_turn> held_;
  std::set<std::int64_t> ask_deadlines_; // of asks by actors, whether or not they are answered
};

} // namespace troupe::detail

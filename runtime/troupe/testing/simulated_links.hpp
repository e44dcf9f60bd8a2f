// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/engine/timer_queue.hpp>
#include <troupe/ref.hpp>
#include <troupe/testing/simulation_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::detail {

struct envelope;
struct system_core;

/// The connections between the nodes of a simulated system. What is sent from one node to another is late, or lost; what
/// is not lost arrives in the order of sending, as on a TCP connection.
///
/// Node 0 has every actor that `place` does not put on another, and whoever asks from outside. Threads: the simulation's.
class simulated_links {
public:
  /// What the seed decides at one occasion: 0, or with probability `rate` one of 1..`values`. `subject`: which link, and
  /// which of its faults.
  using decide = std::function<std::uint32_t(std::uint32_t subject, double rate, std::uint32_t values)>;

  simulated_links(const simulation_faults& faults, decide decision) : faults_{faults}, decide_{std::move(decision)} {}
  ~simulated_links();

  /// The actor of that path and those below it are on a node of their own, together with whatever else is given `node`.
  void place(std::string path, std::string node);

  /// Whether a message from one to the other passes a link.
  bool between(const cell& from, const cell& to);

  struct fate {
    bool taken = false; ///< If not, the message is to arrive now.
    bool lost = false;
    bool reply_lost = false;
    std::chrono::nanoseconds late{0};
  };
  /// `e` passes a link of the system `core` to `to`. A request whose reply is to be lost has none any more.
  fate carry(system_core& core, const cell& from, cell& to, envelope& e);

  /// Everything that is on its way is lost, and all links are up.
  void reset() noexcept;

private:
  struct parcel {
    cell_pointer to;
    envelope* what;
    time_point due;
  };
  /// One direction. Its timer stands at the first of those on their way.
  struct link : engine::timer_node {
    system_core* core = nullptr; // while anything is on its way
    std::uint32_t number = 0;
    time_point down_until{};
    std::deque<parcel> on_their_way;
  };

  std::uint32_t node_of(const cell& c);
  link& link_of(std::uint32_t from, std::uint32_t to);
  void cut(link& l, time_point until) noexcept;
  static void on_arrival(engine::timer_node& node) noexcept;
  static void lose(envelope* e) noexcept;

  const simulation_faults& faults_;
  const decide decide_;
  std::vector<std::pair<std::string, std::uint32_t>> places_; // path, node
  std::vector<std::string> nodes_{std::string{}};
  std::vector<std::uint32_t> known_; // node + 1 of an actor, by id; 0: not looked up yet
  std::map<std::pair<std::uint32_t, std::uint32_t>, link> links_;
};

} // namespace troupe::detail

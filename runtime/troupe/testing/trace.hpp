// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <typeinfo>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Two 64-bit words made one, differently for every pair. The mixing step of wyhash (Wang Yi) on other constants.
constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15) * (b ^ 0xbf58476d1ce4e5b9);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A type or actor as people call it: without namespaces.
std::string plain_name(const std::string& name);

/// What happened in a run, in order: always as a hash, and as entries that can be read if there is a capacity.
///
/// The hash depends on ids, message types by name, times and choices, so it is the same for every build of the same
/// code. Threads: the simulation's.
class trace {
public:
  enum class kind : std::uint8_t { sent, refused, handled, resumed, failed, turn, time, note, lost };

  explicit trace(std::size_t capacity = 0) : capacity_{capacity} {}

  bool readable() const noexcept { return capacity_ != 0; }

  /// `from` 0: outside, or a timer of the actor's own for number 0. `number`: of the message, counted from 1.
  void add(kind k, time_point at, std::uint64_t from, std::uint64_t to, std::uint32_t number,
           const std::type_info* type) {
    hash_ =
        mixed(hash_ ^ (static_cast<std::uint64_t>(k) << 56 | from << 28 | to),
              static_cast<std::uint64_t>(at.time_since_epoch().count()) ^ (type != nullptr ? hash_of(*type) : number));
    if (capacity_ != 0)
      keep({k, at, from, to, number, type, {}});
  }

  /// A line for people, not part of the hash. *Requires*: `readable()`.
  void remark(kind k, time_point at, std::uint64_t who, std::string text);

  /// How an actor is called in the text.
  void name(std::uint64_t id, std::string name);
  bool knows(std::uint64_t id) const { return names_.contains(id); }

  std::uint64_t hash() const noexcept { return hash_; }

  /// A stable hash of a type's name.
  std::uint64_t hash_of(const std::type_info& type) {
    auto& slot = cache_[reinterpret_cast<std::uintptr_t>(&type) / 16 % cache_.size()];
    if (slot.type != &type)
      slot = {&type, hash_of_name(type.name())};
    return slot.hash;
  }

  /// All that was kept, one line each.
  std::string text() const;

private:
  struct entry {
    kind what;
    time_point at;
    std::uint64_t from;
    std::uint64_t to;
    std::uint32_t number;
    const std::type_info* type;
    std::string text;
  };
  struct cached {
    const std::type_info* type = nullptr;
    std::uint64_t hash = 0;
  };

  static std::uint64_t hash_of_name(const char* name) noexcept;
  void keep(entry e);
  std::string called(std::uint64_t id) const;

  const std::size_t capacity_;
  std::uint64_t hash_ = 0;
  std::vector<cached> cache_ = std::vector<cached>(256);
  std::deque<entry> entries_;
  std::uint64_t forgotten_ = 0;
  std::map<std::uint64_t, std::string> names_;
};

} // namespace troupe

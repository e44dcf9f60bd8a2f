// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "bench/driver/rows.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bench {

/// A line that a program printed.
struct figure {
  std::string name;
  std::string unit;
  double value;
  std::int64_t check;
};

/// A program that does the rows' work in its own way.
class peer {
public:
  /// `command` is a shell command in which {row}, {n} and {workers} are replaced.
  peer(std::string name, std::string command) : name_{std::move(name)}, command_{std::move(command)} {}

  const std::string& name() const noexcept { return name_; }

  /// Asks the program which rows it has. False if it cannot be run.
  bool look();
  bool has(std::string_view row) const { return rows_.contains(std::string{row}); }

  /// Runs `r` once. Empty, with the reason in `wrong`, if that fails or comes to a wrong result.
  std::vector<figure> run(const row& r, unsigned workers, const std::string& mimalloc, std::string& wrong) const;

private:
  std::string name_;
  std::string command_;
  std::set<std::string> rows_;
};

} // namespace bench

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

/// The figures of one peer for one row: one per round, so that rounds can be compared.
struct series {
  std::string figure; ///< name of the row or of what it prints besides
  std::string peer;
  std::string unit;
  std::map<unsigned, double> by_round;

  double median() const;
  double min() const;
  double max() const;
};

double median_of(std::vector<double> values);

/// All that was measured, in the order in which it first came up.
class results {
public:
  void add(const std::string& figure, const std::string& peer, const std::string& unit, unsigned round, double value);
  const std::vector<series>& all() const noexcept { return all_; }

  /// How many times better than `other` troupe is in the same rounds; nothing if one of them is missing.
  std::optional<double> advantage(const series& other) const;

private:
  const series* find(const std::string& figure, const std::string& peer) const;
  std::vector<series> all_;
};

/// The table for people.
std::string table(const results& r);
/// The same as Markdown.
std::string markdown(const results& r);
/// A list of {row, peer, unit, median, min, max, rounds}.
std::string json(const results& r);

} // namespace bench

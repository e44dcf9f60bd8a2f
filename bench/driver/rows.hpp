// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// One thing that is measured. The size of a run is the same for all peers.
struct row {
  std::string_view name;
  std::uint64_t n;            ///< operations in one run, as the row counts them
  std::int64_t check;         ///< the number that every program must come to; -1: any
  std::string_view operation; ///< what one figure stands for
  std::string_view mimalloc;  ///< peers that are faster with mimalloc here, and get it, separated by blanks
  std::string_view note;      ///< what a reader must know about the peers' variants
  int timeout_s = 60;
};

const std::vector<row>& all_rows();

/// What is better: more of it. Everything else is time or space.
inline bool more_is_better(std::string_view figure) { return figure == "scaling"; }

} // namespace bench

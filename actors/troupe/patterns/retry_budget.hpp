// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

namespace troupe {

/// Keeps retries a bounded share of all requests, so that a service in trouble does not get more load than usual.
///
/// The idea is Finagle's RetryBudget: every first attempt pays in, every retry draws one. With a share of 0.2 at most
/// one retry goes with five requests in the long run, besides the `reserve` that is there at the start and is the
/// most that is ever saved up. Counts in thousandths, so that long runs do not drift.
/// Threads: owner only.
class retry_budget {
public:
  /// `share`: retries for each request, 0 to 10. `reserve`: retries, 0 to 1'000'000.
  explicit retry_budget(double share = 0.2, std::uint32_t reserve = 10) noexcept
      : paid_in_{static_cast<std::uint64_t>(std::clamp(share, 0.0, 10.0) * 1'000 + 0.5)},
        most_{std::uint64_t{reserve} * 1'000}, balance_{most_} {}

  /// A first attempt is made.
  void request() noexcept { balance_ = std::min(most_, balance_ + paid_in_); }

  /// Whether a retry may be made; if so, it is charged.
  [[nodiscard]] bool try_retry() noexcept {
    if (balance_ < 1'000)
      return false;
    balance_ -= 1'000;
    return true;
  }

private:
  std::uint64_t paid_in_; // thousandths, as the others
  std::uint64_t most_;
  std::uint64_t balance_;
};

} // namespace troupe

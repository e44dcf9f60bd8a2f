// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/shrink.hpp>

#include <algorithm>
#include <utility>

namespace troupe::detail {

namespace {

class shrinker {
public:
  shrinker(const failing_run& fails, std::uint64_t runs) : fails_{fails}, runs_left_{runs} {}

  schedule run(const schedule& failing) {
    best_ = failing;
    try {
      if (accept(failing)) // takes over what the run really made
        while (leave_out() | lower()) {
        }
    } catch (const out_of_runs&) {
    }
    return std::move(best_);
  }

private:
  struct out_of_runs {};

  /// Takes `candidate` over if it fails and is not larger.
  bool accept(const schedule& candidate) {
    if (runs_left_-- == 0)
      throw out_of_runs{};
    auto made = fails_(candidate);
    if (!made || made->choices.size() > candidate.choices.size())
      return false;
    best_ = std::move(*made);
    return true;
  }

  bool leave_out() {
    bool any = false;
    for (auto size = best_.choices.size(); size > 0; size /= 2) {
      for (auto end = best_.choices.size(); end > 0;) { // from the back: it disturbs less
        const auto begin = end - std::min(end, size);
        auto candidate = best_;
        candidate.choices.erase(candidate.choices.begin() + static_cast<std::ptrdiff_t>(begin),
                                candidate.choices.begin() + static_cast<std::ptrdiff_t>(end));
        any |= accept(candidate);
        end = std::min(begin, best_.choices.size());
      }
    }
    return any;
  }

  bool lower() {
    bool any = false;
    for (std::size_t i = 0; i < best_.choices.size(); ++i) {
      for (std::uint32_t value = 1; value < best_.choices[i].value; value *= 2) {
        auto candidate = best_;
        candidate.choices[i].value = value;
        const auto before = best_;
        if (accept(candidate)) {
          any |= best_ != before;
          break;
        }
      }
    }
    return any;
  }

  const failing_run& fails_;
  std::uint64_t runs_left_;
  schedule best_;
};

} // namespace

schedule shrink(const schedule& failing, const failing_run& fails, std::uint64_t runs) {
  return shrinker{fails, runs}.run(failing);
}

} // namespace troupe::detail

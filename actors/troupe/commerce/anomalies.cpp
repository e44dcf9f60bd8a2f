// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/commerce/anomalies.hpp>

#include <cstddef>
#include <set>
#include <utility>

namespace troupe::commerce {

std::uint64_t count_anomalies(std::span<const priced_item> updates, std::span<const priced_item> cart) {
  std::set<std::pair<std::size_t, std::size_t>> found; // (item of the cart, update that it misses)
  const auto same_product = [](const priced_item& a, const priced_item& b) {
    return a.number == b.number && a.version == b.version;
  };
  for (std::size_t i = 1; i < cart.size(); ++i) {
    std::size_t pivot = 0;
    while (pivot < updates.size() && !(same_product(updates[pivot], cart[i]) && updates[pivot].price == cart[i].price))
      ++pivot;
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t at = pivot + 1; at + 1 < updates.size(); ++at) {
        if (!same_product(updates[at], cart[j]))
          continue;
        if (updates[at].price == cart[j].price)
          break;
        found.emplace(j, at);
      }
    }
  }
  return found.size();
}

} // namespace troupe::commerce

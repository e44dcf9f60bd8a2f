// SPDX-License-Identifier: BSD-3-Clause
// Claims: the anomaly counter gives the benchmark driver's own answers. Observed: on its published test vectors.
#include <troupe/commerce/anomalies.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace troupe::commerce;

namespace {

priced_item y(std::int64_t price, std::uint64_t version = 0) { return {1, version, {price}}; }
priced_item x(std::int64_t price, std::uint64_t version = 0) { return {2, version, {price}}; }

} // namespace

TEST_CASE("anomalies: a cart that misses one earlier update counts one") {
  const std::vector updates{x(15), x(10), y(15), y(10)};
  CHECK(count_anomalies(updates, std::vector{y(10), x(10)}) == 1);
}

TEST_CASE("anomalies: another version or a fresh price counts none") {
  const std::vector updates{x(15), x(10), y(15), y(10)};
  CHECK(count_anomalies(updates, std::vector{y(10, 1), x(10)}) == 0);
  CHECK(count_anomalies(updates, std::vector{y(15), x(10)}) == 0);
  const std::vector replaced{x(15), x(10), y(15, 1), y(10)};
  CHECK(count_anomalies(replaced, std::vector{y(10), x(10)}) == 0);
}

TEST_CASE("anomalies: two missed updates count two") {
  const std::vector updates{x(15), x(10), y(20), y(15), y(10)};
  CHECK(count_anomalies(updates, std::vector{y(10), x(10)}) == 2);
}

TEST_CASE("anomalies: a cart with one item or unknown prices counts none") {
  const std::vector updates{x(15), x(10), y(15), y(10)};
  CHECK(count_anomalies(updates, std::vector{y(10)}) == 0);
  CHECK(count_anomalies(updates, std::vector{y(10), x(99)}) == 0);
  CHECK(count_anomalies({}, std::vector{y(10), x(10)}) == 0);
}

// SPDX-License-Identifier: BSD-3-Clause

// Claim: the oracle follows the two replay rules. Observed on logs small enough to replay by hand, on random ones
// against a recomputation from the text of the rules, and on the published answers where the real log is at hand.
#include "order_simulation/replay_oracle.hpp"
#include "order_simulation/sha256.hpp"
#include "support/shared_data.hpp"
#include "support/stress_setting.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

using order_simulation::order_log;
using order_simulation::replay_by_rule;
using order_simulation::replay_outcome;
using order_simulation::replay_rule;

namespace {

/// A row as the rules speak of it.
struct plain_row {
  std::string invoice;
  std::string code;
  std::int64_t quantity = 0;
  std::int64_t price_milli = 0;
};

order_log log_of(const std::vector<plain_row>& rows) {
  std::string text{order_log::header};
  text += '\n';
  for (const plain_row& row : rows) {
    const std::int64_t price = row.price_milli < 0 ? -row.price_milli : row.price_milli;
    std::string decimals = std::to_string(1000 + price % 1000).substr(1);
    text += row.invoice + "," + row.code + ",x," + std::to_string(row.quantity) + ",2010-12-01 08:26:00," +
            (row.price_milli < 0 ? "-" : "") + std::to_string(price / 1000) + "." + decimals + ",,France\n";
  }
  return order_log::parse(text, "log.csv");
}

/// The rules once more, as slowly and literally as they are written.
replay_outcome naive_replay(const std::vector<plain_row>& rows, replay_rule rule, std::int64_t opening_stock) {
  replay_outcome r;
  r.rule = rule;
  r.opening_stock = opening_stock;
  std::map<std::string, std::int64_t> available;
  for (const plain_row& row : rows)
    available[row.code] = opening_stock;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first + 1;
    while (rule == replay_rule::order && last < rows.size() && rows[last].invoice == rows[first].invoice)
      ++last;
    std::map<std::string, std::int64_t> wanted;
    std::int64_t units = 0;
    std::int64_t amount = 0;
    for (std::size_t i = first; i < last; ++i) {
      if (rows[i].quantity < 0) {
        available[rows[i].code] += -rows[i].quantity;
        r.returned_units += -rows[i].quantity;
      } else {
        wanted[rows[i].code] += rows[i].quantity;
        units += rows[i].quantity;
        amount += rows[i].quantity * rows[i].price_milli;
      }
    }
    bool enough = true;
    for (const auto& [code, quantity] : wanted)
      enough = enough && available[code] >= quantity;
    if (!wanted.empty() && enough) {
      for (const auto& [code, quantity] : wanted)
        available[code] -= quantity;
      r.accepted += 1;
      r.accepted_units += units;
      r.accepted_amount_milli += amount;
    } else if (!wanted.empty()) {
      r.rejected += 1;
      r.rejected_units += units;
    }
    first = last;
  }
  for (const auto& [code, units] : available) {
    r.codes += 1;
    r.final_total_available += units;
    r.final_stock += code + "," + std::to_string(units) + "\n";
  }
  r.final_stock_sha256 = order_simulation::sha256_hex(r.final_stock);
  return r;
}

std::vector<plain_row> random_rows(std::mt19937_64& random) {
  const std::vector<std::string> codes{"A", "a", "B1", "b", "10", "9"};
  std::vector<plain_row> rows(random() % 30);
  for (plain_row& row : rows) {
    row.invoice = std::to_string(1 + random() % 3);
    row.code = codes[random() % codes.size()];
    const auto size = static_cast<std::int64_t>(1 + random() % 4);
    row.quantity = random() % 4 == 0 ? -size : size;
    row.price_milli = static_cast<std::int64_t>(random() % 4000) - 500;
  }
  return rows;
}

} // namespace

TEST_CASE("replay_oracle: by line each sale stands alone") {
  const auto r =
      replay_by_rule(log_of({{"1", "A", 3, 1500}, {"1", "A", 3, 1000}, {"1", "B", 5, -2000}, {"1", "A", -1, 1}}),
                     replay_rule::line, 5);
  CHECK(r.accepted == 2);
  CHECK(r.rejected == 1);
  CHECK(r.accepted_units == 8);
  CHECK(r.rejected_units == 3);
  CHECK(r.accepted_amount_milli == 3 * 1500 - 5 * 2000);
  CHECK(r.returned_units == 1);
  CHECK(r.codes == 2);
  CHECK(r.final_total_available == 3);
  CHECK(r.final_stock == "A,3\nB,0\n");
}

TEST_CASE("replay_oracle: by order all sales are taken or none and returns come first") {
  const auto r = replay_by_rule(log_of({{"1", "A", 3, 1000},
                                        {"1", "A", 3, 1000}, // 6 in sum, but 1 comes back further down
                                        {"1", "A", -1, 1000},
                                        {"2", "B", 1, 1000},
                                        {"2", "A", 1, 1000}, // A is sold out: B stays too
                                        {"3", "B", -2, 1000},
                                        {"1", "B", 7, 1000}}), // a run of its own
                                replay_rule::order, 5);
  CHECK(r.accepted == 2);
  CHECK(r.rejected == 1);
  CHECK(r.accepted_units == 13);
  CHECK(r.returned_units == 3);
  CHECK(r.final_stock == "A,0\nB,0\n");
}

TEST_CASE("replay_oracle: the stock file is sorted bytewise") {
  const auto r = replay_by_rule(log_of({{"1", "b", 1, 1},
                                        {"1", "a", 1, 1},
                                        {"1", "B", 1, 1},
                                        {"1", "a b", 1, 1},
                                        {"1", "10", 1, 1},
                                        {"1", "\xc3\xa9", 1, 1},
                                        {"1", "9", 1, 1}}),
                                replay_rule::line, 1);
  CHECK(r.final_stock == "10,0\n9,0\nB,0\na,0\na b,0\nb,0\n\xc3\xa9,0\n");
}

TEST_CASE("replay_oracle: a log without rows leaves an empty stock file") {
  for (const replay_rule rule : {replay_rule::line, replay_rule::order}) {
    const auto r = replay_by_rule(log_of({}), rule, 1000);
    CHECK(r == naive_replay({}, rule, 1000));
    CHECK(r.final_stock_sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}

TEST_CASE("replay_oracle: the largest opening stock does not overflow") {
  const auto r = replay_by_rule(log_of({{"1", "A", -2'147'483'647, 1}, {"2", "B", 2'147'483'647, 1}}),
                                replay_rule::order, order_simulation::opening_stock_max);
  CHECK(r.final_total_available == 2 * order_simulation::opening_stock_max);
  CHECK(r.accepted == 1);
}

TEST_CASE("replay_oracle: random logs agree with the rules read literally") {
  const std::uint64_t seed = support::test_seed(20101201);
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  std::int64_t accepted = 0;
  std::int64_t rejected = 0;
  for (int round = 0; round < 3000; ++round) {
    CAPTURE(round);
    const auto rows = random_rows(random);
    const auto log = log_of(rows);
    const auto opening_stock = static_cast<std::int64_t>(random() % 8);
    for (const replay_rule rule : {replay_rule::line, replay_rule::order}) {
      const auto r = replay_by_rule(log, rule, opening_stock);
      REQUIRE(r == naive_replay(rows, rule, opening_stock));
      accepted += r.accepted;
      rejected += r.rejected;
    }
  }
  CHECK(accepted > 1000);
  CHECK(rejected > 1000);
}

TEST_CASE("replay_oracle: the published answers for the real log come out") {
  const auto path = support::shared_data("online-retail/online_retail.csv").string();
  if (path.empty())
    return;
  const auto log = order_log::load(path);
  CHECK(log.rows().size() == 541'909);
  CHECK(log.invoices().size() == 25'900);
  std::int64_t revenue_milli = 0;
  for (const auto& row : log.rows())
    revenue_milli += row.amount_milli();
  CHECK(revenue_milli == 9'747'747'934);
  const auto by_line = replay_by_rule(log, replay_rule::line, 1000);
  CHECK(by_line.codes == 4070);
  CHECK(by_line.accepted == 291'973);
  CHECK(by_line.rejected == 239'312);
  CHECK(by_line.accepted_units == 2'063'742);
  CHECK(by_line.accepted_amount_milli == 4'862'885'554);
  CHECK(by_line.final_total_available == 2'490'789);
  const auto by_order = replay_by_rule(log, replay_rule::order, 1000);
  CHECK(by_order.accepted == 7'527);
  CHECK(by_order.rejected == 13'202);
  CHECK(by_order.accepted_units == 875'071);
  CHECK(by_order.accepted_amount_milli == 1'812'467'312);
}

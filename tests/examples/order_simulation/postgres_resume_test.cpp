// SPDX-License-Identifier: BSD-3-Clause
// Claim: a run whose journal is a PostgreSQL server goes on after its process was killed, and after its server was lost as
// well, and ends with all invariants.
// Its password is not told.
// Observed: the program's exit status and report over a private server.
#include "support/postgres_server.hpp"
#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <string>

using support::says;

namespace {

support::outcome run(const std::string& journal, const std::string& arguments) {
  return support::run_program(std::string{"exec "} + ORDER_SIMULATION + " --quiet --journal '" + journal + "' " +
                              arguments);
}

} // namespace

TEST_CASE("order simulation: the password of a server is shown nowhere") {
  auto url = support::postgres_server::only().url("secretive");
  url.replace(url.find("troupe@"), 7, "troupe:open-sesame@") += "&password=open-sesame";
  const support::temporary_directory folder;
  const auto report = folder / "report.json";
  const auto terms = " --journal '" + url + "' --transactions 30 --customers 30 --sellers 3 --report " + report;
  const auto first = support::run_program(std::string{"exec "} + ORDER_SIMULATION + terms);
  CAPTURE(first.output);
  CHECK(first.status == 0);
  CHECK(says(first, "/postgres?options=-csearch_path%3Dsecretive"));
  CHECK(!says(first, "sesame"));
  CHECK(!says(support::run_program("cat " + report), "sesame"));
  const auto again = support::run_program(std::string{"exec "} + ORDER_SIMULATION + terms);
  CAPTURE(again.output);
  CHECK(says(again, "holds a run"));
  CHECK(!says(again, "sesame"));
}

TEST_CASE("order simulation: a marketplace in PostgreSQL survives kills of its process and the loss of its server") {
  auto& server = support::postgres_server::only();
  const auto url = server.url("shop");
  const std::string terms = "--transactions 3000 --customers 300 --sellers 20 ";
  const auto first = run(url, terms + "--kill-after 200");
  CAPTURE(first.output);
  CHECK(first.status == -1);
  const auto again = run(url, terms);
  CHECK(again.status == 2);
  CHECK(says(again, "holds a run: go on with it by --resume"));
  server.crash();
  server.start();
  const auto second = run(url, terms + "--resume --kill-after 200");
  CAPTURE(second.output);
  CHECK(second.status == -1);
  const auto third = run(url, terms + "--resume");
  CAPTURE(third.output);
  CHECK(third.status == 0);
  CHECK(says(third, "resumed: process 3 of the run"));
  CHECK(says(third, "holds   8 durability"));
  CHECK(!says(third, "FAILS"));
}

// SPDX-License-Identifier: BSD-3-Clause
// Claim: a run whose journal is a PostgreSQL server goes on after its process was killed, and after its server was lost as
// well, and ends with all invariants.
// Observed: the program's exit status and report over a private server.
#include "support/postgres_server.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>

namespace {

/// One server for the whole program. Where none is installed the program ends here, and says so.
support::postgres_server& server() {
  if (!support::postgres_server::programs()) {
    std::puts("SKIPPED: no PostgreSQL server is installed (Debian: postgresql)");
    std::fflush(stdout);
    std::_Exit(0);
  }
  static support::postgres_server only;
  return only;
}

struct outcome {
  int status = -1;    ///< Of the program; -1: it was ended by a signal.
  std::string output; ///< With what went to standard error.
};

outcome run(const std::string& journal, const std::string& arguments) {
  const auto command =
      std::string{"exec "} + ORDER_SIMULATION + " --quiet --journal '" + journal + "' " + arguments + " 2>&1";
  auto* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  outcome o;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    o.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  o.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return o;
}

bool says(const outcome& o, const std::string& part) { return o.output.find(part) != std::string::npos; }

} // namespace

TEST_CASE("order simulation: a marketplace in PostgreSQL survives kills of its process and the loss of its server") {
  const auto url = server().url("shop");
  const std::string terms = "--transactions 3000 --customers 300 --sellers 20 ";
  const auto first = run(url, terms + "--kill-after 200");
  CAPTURE(first.output);
  CHECK(first.status == -1);
  const auto again = run(url, terms);
  CHECK(again.status == 2);
  CHECK(says(again, "holds a run: go on with it by --resume"));
  server().crash();
  server().start();
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

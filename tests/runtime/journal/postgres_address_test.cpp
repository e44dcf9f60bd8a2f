// SPDX-License-Identifier: BSD-3-Clause
// Claim: every place that an address names is tried for a time of its own, and the address is shown without its password.
// Observed: what addresses are taken apart into.
#include <troupe/journal/postgres_address.hpp>

#include "runtime/journal/kept_postgres.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

using kept::message_of;
using kept::says;

namespace {

std::vector<std::string> places_of(const std::string& url) {
  std::vector<std::string> all;
  for (const auto& p : troupe::postgres_address{url}.places())
    all.push_back(p.host + '|' + p.numeric + '|' + p.port);
  return all;
}

using places = std::vector<std::string>;

} // namespace

TEST_CASE("postgres address: several hosts are as many places, each with its port") {
  CHECK(places_of("postgresql://me@127.0.0.1:1,127.0.0.2:2/shop") ==
        places{"127.0.0.1|127.0.0.1|1", "127.0.0.2|127.0.0.2|2"});
  CHECK(places_of("postgresql://me@127.0.0.1,127.0.0.2/shop?port=7") ==
        places{"127.0.0.1|127.0.0.1|7", "127.0.0.2|127.0.0.2|7"});
  CHECK(places_of("host=one,two hostaddr=127.0.0.1,127.0.0.2 port=7") == places{"one|127.0.0.1|7", "two|127.0.0.2|7"});
  CHECK(places_of("host=one,one hostaddr=127.0.0.1,127.0.0.2") == places{"one|127.0.0.1|5432", "one|127.0.0.2|5432"});
  CHECK(places_of("postgresql://me@%2Frun,%2Ftmp:7/shop") == places{"/run||5432", "/tmp||7"});
  CHECK(places_of("host=/run,/tmp port=7") == places{"/run||7", "/tmp||7"});
}

TEST_CASE("postgres address: one place, or lists that do not match, are left to libpq") {
  CHECK(places_of("postgresql:///shop") == places{"||"});
  CHECK(places_of("postgresql://me@127.0.0.1:1/shop") == places{"||"});
  CHECK(places_of("postgresql://me@%2Frun/shop") == places{"||"});
  CHECK(places_of("host=/run,/tmp port=1,2,3") == places{"||"});
  CHECK(places_of("host=/run, port=7") == places{"||"});
  CHECK(places_of("service=shop host=/run,/tmp") == places{"||"});
}

TEST_CASE("postgres address: hosts of the environment count where the address names none") {
  ::setenv("PGHOST", "/run,/tmp", 1); // NOLINT(concurrency-mt-unsafe): there is one thread
  const auto without = places_of("postgresql:///shop?port=7");
  const auto with = places_of("postgresql://%2Fvar/shop");
  ::unsetenv("PGHOST"); // NOLINT(concurrency-mt-unsafe)
  CHECK(without == places{"/run||7", "/tmp||7"});
  CHECK(with == places{"||"});
}

TEST_CASE("postgres address: what is wrong with it is said without a password, even one that cannot be told apart") {
  for (const std::string url :
       {"postgresql://me:sesame%@db/shop", "postgresql://me:sesame@[::1/shop", "postgresql://me:x/sesame@db/shop",
        "postgresql://me:x@sesame@db/shop", "postgresql://me@db/shop?password=sesame%", "host=db password=x sesame",
        "host=db password=%sesame port=sesame"}) {
    const auto text = message_of([&] { troupe::postgres_address{url}; });
    CAPTURE(url);
    CAPTURE(text);
    CHECK(says(text, "the journal's address is wrong: "));
    CHECK_FALSE(says(text, "sesame"));
  }
  CHECK(message_of([] { troupe::postgres_address{"postgresql://me:%40%2F%3F%25@db:1,two:2/shop"}; }) ==
        "nothing was thrown");
  CHECK(message_of([] { troupe::postgres_address{"host=@abstract port=' 7'"}; }) == "nothing was thrown");
}

TEST_CASE("postgres address: connect_timeout is a number of seconds, and 0 no limit of its own") {
  using troupe::postgres_address;
  CHECK_FALSE(postgres_address{"postgresql:///shop"}.connect_timeout());
  CHECK_FALSE(postgres_address{"postgresql:///shop?connect_timeout=0"}.connect_timeout());
  CHECK(postgres_address{"postgresql:///shop?connect_timeout=3"}.connect_timeout()->count() == 3);
  CHECK(says(message_of([] { postgres_address{"postgresql://me:secret@db/shop?connect_timeout=soon"}; }),
             "postgresql://me@db/shop: connect_timeout is 'soon'"));
  CHECK(postgres_address{"postgresql://me@one,two/shop"}.name() == "postgresql://me@one,two/shop");
}

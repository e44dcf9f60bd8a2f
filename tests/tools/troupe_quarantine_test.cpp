// SPDX-License-Identifier: BSD-3-Clause
// Claims: a quarantine can be read from a file, by a person with troupe-quarantine, and what is decided there happens in the
// service that holds the messages.
// Observed: the program's output over a file of a stepped system, and the system after it has carried the orders out.
#include <troupe/observe/quarantine_file.hpp>

#include "support/program.hpp"
#include "support/supervision_stage.hpp"
#include "support/temporary_directory.hpp"

#include <fstream>
#include <sstream>

using namespace support;

namespace {

outcome run(const std::string& arguments) { return support::run_program(TROUPE_QUARANTINE " " + arguments); }

/// Three messages in quarantine: two for shop/a, one for shop/b.
struct shop : stage {
  shop() {
    auto top = sys.supervise("shop", {.intensity = unlimited, .group_intensity = unlimited, .backoff = at_once});
    a = start(top, "a");
    b = start(top, "b");
    book->handlings_to_fail = {{"a", 1}};
    a.tell(fragile{});
    a.tell(crash{});
    b.tell(crash{});
    sys.advance(10ms);
    REQUIRE(sys.quarantine().size() == 3);
    std::ofstream out{path};
    write_quarantine(out, sys.quarantine().list());
  }

  support::temporary_directory folder;
  std::string path = folder / "poison.jsonl";
  ref<worker> a, b;
};

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

} // namespace

TEST_CASE("quarantine file: what is written is read back and other lines are refused by number") {
  quarantined_message m;
  m.id = 7;
  m.receiver = "shop/\"till\"";
  m.message_type = "sell";
  m.exception = "no\nprice \xff"; // not UTF-8
  m.attempts = 3;
  m.since = wall_time_point{1'234'567'890'123us};
  m.payload = "3 x";
  m.path = {"outside", "shop/order, handling place"};
  std::stringstream file;
  write_quarantine(file, {m, m});
  const auto back = read_quarantine(file, "f");
  REQUIRE(back.size() == 2);
  m.exception = "no\nprice \xef\xbf\xbd";
  for (const auto& x : back)
    CHECK(to_string(x) == to_string(m));
  CHECK(back[0].since == m.since);
  std::istringstream broken{"\n{\"id\":1}\n"};
  CHECK(refusal([&] { (void)read_quarantine(broken, "f"); }).find("f:2: ") == 0);
  std::istringstream beyond{R"({"id":1e39})"};
  CHECK(refusal([&] { (void)read_quarantine(beyond, "f"); }).find("f:1: 1e+39 is not a whole number") == 0);
}

TEST_CASE("quarantine file: orders are read strictly and all before one is carried out") {
  std::istringstream good{"replay 1 # the price is known now\n\n  discard 22\r\n# nothing\n"};
  using k = quarantine_order::kind;
  CHECK(read_orders(good, "o") == std::vector<quarantine_order>{{k::replay, 1}, {k::discard, 22}});
  for (const auto* bad :
       {"repeat 1", "replay", "replay x", "replay 1 2", "replay -1", "discard 99999999999999999999"}) {
    CAPTURE(bad);
    std::istringstream in{std::string{"replay 1\n"} + bad};
    CHECK(refusal([&] { (void)read_orders(in, "o"); }).find("o:2: ") == 0);
  }
}

TEST_CASE("troupe-quarantine: says so when its output is lost") {
  const shop s;
  for (const std::string what : {"list ", "show ", "replay "}) {
    const auto lost = support::run_program("(" TROUPE_QUARANTINE " " + what + s.path + " >/dev/full)");
    CAPTURE(what);
    CHECK(lost.status == 2);
    CHECK(says(lost, "No space left on device"));
  }
}

TEST_CASE("troupe-quarantine: lists and shows what a service has set aside") {
  shop s;
  const auto all = run("list " + s.path);
  CHECK(all.status == 0);
  CHECK(says(all, "3 messages\n"));
  CHECK(says(all, "support::fragile"));
  const auto some = run("list " + s.path + " --receiver shop/a --message support::crash");
  CHECK(says(some, "1 message\n"));
  CHECK(says(run("list " + s.path + " --receiver shop"), "3 messages\n"));
  const auto shown = run("show " + s.path + " 1");
  CHECK(shown.output == "1 message in quarantine\n" + to_string(s.sys.quarantine().list()[0]));
  CHECK(run("show " + s.path + " 99").status == 1);
  CHECK(run("list " + s.path + ".none").status == 2);
  CHECK(run("lift " + s.path).output == "troupe-quarantine: there is no command 'lift'; see --help\n");
  CHECK(run("lift " + s.path).status == 2);
  const auto unreadable = run("list " + s.folder.path().string());
  CHECK(unreadable.status == 2);
  CHECK(says(unreadable, "cannot be read to its end"));
}

TEST_CASE("troupe-quarantine: a name with a line end in it makes no second order") {
  const support::temporary_directory folder;
  quarantined_message m;
  m.id = 12;
  m.receiver = "shop/a\ndiscard 13 #";
  std::ofstream{folder / "poison.jsonl"} << [&] {
    std::ostringstream text;
    write_quarantine(text, {m});
    return text.str();
  }();
  std::istringstream orders{run("replay " + (folder / "poison.jsonl")).output};
  CHECK(read_orders(orders, "o") == std::vector<quarantine_order>{{quarantine_order::kind::replay, 12}});
}

TEST_CASE("troupe-quarantine: its orders are carried out by the service that holds the messages") {
  shop s;
  s.book->take();
  auto orders = run("replay " + s.path + " 1").output;
  orders += run("discard " + s.path + " --receiver shop/b").output;
  orders += "replay 77\n";
  std::istringstream in{orders};
  const auto done = carry_out(read_orders(in, "orders"), s.sys.quarantine());
  CHECK(done.replayed == 1);
  CHECK(done.discarded == 1);
  CHECK(done.failed == std::vector<std::uint64_t>{77});
  CHECK(s.done() == lines{"a:fragile"}); // it fails only once
  CHECK(s.sys.quarantine().size() == 1);
  CHECK(s.sys.books().balanced());
}

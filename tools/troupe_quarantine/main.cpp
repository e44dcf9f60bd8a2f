// SPDX-License-Identifier: BSD-3-Clause
// troupe-quarantine: reads what a service has written of its quarantine, and writes orders for it.
#include <troupe/observe/quarantine_file.hpp>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

constexpr const char* examples = R"(
Examples:
  troupe-quarantine list poison.jsonl                         one line for each message
  troupe-quarantine list poison.jsonl --receiver shop/till    those for one actor and those below it
  troupe-quarantine show poison.jsonl 12 13                   all that is known of two of them
  troupe-quarantine replay poison.jsonl 12 13 > orders        orders to try these again
  troupe-quarantine discard poison.jsonl --message sell >> orders

The messages themselves stay with their service. It writes the file with troupe::write_quarantine, and carries out the
orders with troupe::read_orders and troupe::carry_out. Exit status: 0; 1 if there is no such message; 2 if an argument is
wrong, the file cannot be read or the output cannot be written.
)";

using messages = std::vector<troupe::quarantined_message>;

struct selection {
  std::vector<std::uint64_t> ids;
  std::string receiver;
  std::string message;

  bool takes(const troupe::quarantined_message& m) const {
    const bool below = m.receiver.compare(0, receiver.size() + 1, receiver + '/') == 0;
    return (ids.empty() || std::ranges::find(ids, m.id) != ids.end()) &&
           (receiver.empty() || m.receiver == receiver || below) && (message.empty() || m.message_type == message);
  }
};

messages read(const std::string& path) {
  std::ifstream in{path};
  if (!in)
    throw std::runtime_error{path + ": cannot be read"};
  return troupe::read_quarantine(in, path);
}

/// What is said of a message behind its order: on one line, whatever names and texts hold, or it could be another order.
std::string comment(const troupe::quarantined_message& m) {
  auto text = fmt::format("{} for {}: {}", m.message_type, m.receiver, m.exception.substr(0, m.exception.find('\n')));
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void list(const messages& all) {
  std::size_t receiver = 8;
  std::size_t message = 7;
  for (const auto& m : all) {
    receiver = std::max(receiver, m.receiver.size());
    message = std::max(message, m.message_type.size());
  }
  fmt::print("{:>6}  {:<20}  {:<{}}  {:<{}}  {:>8}  {}\n", "id", "since (UTC)", "receiver", receiver, "message",
             message, "attempts", "exception");
  std::map<std::string, std::size_t> by_exception;
  for (const auto& m : all) {
    fmt::print("{:>6}  {:%Y-%m-%d %H:%M:%S} ", m.id, std::chrono::time_point_cast<std::chrono::seconds>(m.since));
    fmt::print("  {:<{}}  {:<{}}  {:>8}  {}\n", m.receiver, receiver, m.message_type, message, m.attempts, m.exception);
    ++by_exception[m.exception];
  }
  fmt::print("{} message{}\n", all.size(), all.size() == 1 ? "" : "s");
  if (by_exception.size() > 1 && by_exception.size() < all.size())
    for (const auto& [what, n] : by_exception)
      fmt::print("{:>6}  {}\n", n, what);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Reads what a service has written of its quarantine, and writes orders for it.", "troupe-quarantine"};
  app.footer(examples);
  app.require_subcommand(1);
  app.failure_message([&](const CLI::App*, const CLI::Error& e) {
    const bool unknown =
        argc > 1 && *argv[1] != '-' && app.get_subcommands([&](CLI::App* c) { return c->check_name(argv[1]); }).empty();
    return "troupe-quarantine: " +
           (unknown ? "there is no command '" + std::string{argv[1]} + "'" : std::string{e.what()}) + "; see --help\n";
  });
  std::string path;
  selection wanted;
  const auto command = [&](const char* name, const char* text) {
    auto* c = app.add_subcommand(name, text);
    c->add_option("file", path, "JSON lines, from troupe::write_quarantine")->required();
    c->add_option("id", wanted.ids, "Only these messages");
    c->add_option("--receiver", wanted.receiver, "Only those for this actor, or for actors below it");
    c->add_option("--message", wanted.message, "Only those of this type");
  };
  command("list", "One line for each message");
  command("show", "All that is known of each message");
  command("replay", "Orders to send them to their receivers again");
  command("discard", "Orders to forget them");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    auto all = read(path);
    for (const auto id : wanted.ids)
      if (std::ranges::find(all, id, &troupe::quarantined_message::id) == all.end()) {
        fmt::print(stderr, "troupe-quarantine: {}: there is no message {}\n", path, id);
        return 1;
      }
    std::erase_if(all, [&](const auto& m) { return !wanted.takes(m); });
    const auto name = app.get_subcommands().front()->get_name();
    if (name == "list")
      list(all);
    else if (name == "show")
      fmt::print("{}", to_string(all));
    else
      for (const auto& m : all)
        fmt::print("{} {} # {}\n", name, m.id, comment(m));
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) // small outputs are not written before
      throw std::system_error{errno, std::generic_category(), "the output cannot be written"};
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "troupe-quarantine: {}\n", e.what());
    return 2;
  }
}

// SPDX-License-Identifier: BSD-3-Clause
// troupe-journal: looks into the journals of durable actors.
#include "commands.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <system_error>

namespace {

constexpr const char* examples = R"(
Examples:
  troupe-journal list shop.db                        every journal with its size
  troupe-journal list shop.db --prefix stock/        those of the stock actors
  troupe-journal show shop.db stock/85123A --last 10 state, latest events, what it owes others
  troupe-journal verify postgresql://me@db/shop      look for damage; exit status 1 if there is any
  troupe-journal compact shop.db --dry-run           how many events no replay needs any more
  troupe-journal export shop.db > shop.jsonl         everything, one JSON object on each line

All but compact also work while a service has the journal open. Exit status: 0; 1 if something is damaged;
2 if an argument is wrong, the store cannot be read or the output cannot be written.
)";

/// What was printed is written; small outputs are not before the end.
int written(int status) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw std::system_error{errno, std::generic_category(), "the output cannot be written"};
  return status;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Looks into the journals of durable actors: a SQLite file or a PostgreSQL address.", "troupe-journal"};
  app.footer(examples);
  app.require_subcommand(1);
  app.failure_message([&](const CLI::App*, const CLI::Error& e) {
    const bool unknown =
        argc > 1 && *argv[1] != '-' && app.get_subcommands([&](CLI::App* c) { return c->check_name(argv[1]); }).empty();
    return "troupe-journal: " +
           (unknown ? "there is no command '" + std::string{argv[1]} + "'" : std::string{e.what()}) + "; see --help\n";
  });
  std::string store;
  std::string key;
  std::string prefix;
  std::uint64_t last = 0;
  bool dry_run = false;
  const auto command = [&](const char* name, const char* text) {
    auto* c = app.add_subcommand(name, text);
    c->add_option("store", store, "A path, or postgresql://user@host/database")->required();
    return c;
  };
  const auto with_prefix = [&](CLI::App* c) {
    c->add_option("--prefix", prefix, "Only journals whose keys begin with this");
    return c;
  };
  with_prefix(command("list", "The journals: events, snapshots, size, what is not settled, time of the last event"));
  auto* show = command("show", "One journal: snapshots, events, what it has handled, its outbox");
  show->add_option("key", key, "The journal's key")->required();
  auto* last_option = show->add_option("--last", last, "Only so many of the latest events")
                          ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  with_prefix(command("verify", "Checks checksums, gaps and texts, and names every place that is damaged"));
  auto* compact =
      with_prefix(command("compact", "Drops events that the last two snapshots include; the service must be "
                                     "stopped"));
  compact->add_flag("--dry-run", dry_run, "Only say what would be dropped");
  with_prefix(command("export", "Everything as JSON lines"));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  using namespace journal_tool;
  try {
    const auto name = app.get_subcommands().front()->get_name();
    if (name == "compact")
      return written(journal_tool::compact(*take(store), prefix, dry_run));
    const auto reader = look_into(store);
    if (name == "list")
      return written(list(*reader, prefix));
    if (name == "show")
      return written(journal_tool::show(*reader, key,
                                        last_option->count() > 0 ? std::optional<std::uint64_t>{last} : std::nullopt));
    if (name == "verify")
      return written(verify(*reader, prefix));
    return written(export_rows(*reader, prefix));
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "troupe-journal: %s\n", e.what());
    return 2;
  }
}

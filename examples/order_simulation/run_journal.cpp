// SPDX-License-Identifier: BSD-3-Clause
#include "run_journal.hpp"

#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/journal/memory_store.hpp>
#include <troupe/journal/postgres_store.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/system.hpp>

#include "sha256.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <unistd.h>

namespace order_simulation {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view record_key = "run";
constexpr auto patience = 60s;

/// What must be the same in every process of a run, by option.
using run_terms = std::map<std::string, std::string>;

// -- the record ----------------------------------------------------------------------------------------------------------

struct run_begun {
  run_terms terms;
  static constexpr std::string_view journal_name = "run_begun";
  TROUPE_JSON(run_begun, terms)
};
struct run_resumed {
  std::uint64_t life = 0;
  static constexpr std::string_view journal_name = "run_resumed";
  TROUPE_JSON(run_resumed, life)
};
struct run_state {
  run_terms terms;
  std::uint64_t life = 0; ///< 0: there is no run.
  static constexpr std::string_view journal_name = "run_state";
  TROUPE_JSON(run_state, terms, life)
};

/// Answers what the journal says of the run.
struct what_run {
  using reply = run_state;
};
/// Begins the run's next life, whose number is answered once it is kept: no two processes have the same.
struct begin_life {
  using reply = std::uint64_t;
  run_terms terms; ///< Of a new run.
};

class run_record : public troupe::journaled_actor<run_record, run_state, troupe::events<run_begun, run_resumed>,
                                                  what_run, begin_life> {
public:
  run_record() : journaled_actor{std::string{record_key}} {}

  run_state on(const what_run&) const { return state(); }
  effect<std::uint64_t> on(const begin_life& m) const {
    const auto life = state().life + 1;
    if (life == 1)
      return {life, run_begun{m.terms}};
    return {life, run_resumed{life}};
  }
  static void apply(run_state& s, const run_begun& e) { s = {e.terms, 1}; }
  static void apply(run_state& s, const run_resumed& e) { s.life = e.life; }
};

std::string digest_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  sha256 digest;
  std::string block(1 << 16, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    digest.update(std::string_view{block}.substr(0, static_cast<std::size_t>(in.gcount())));
  return digest.hex_digest();
}

run_terms terms_of(const options& o) {
  run_terms t{{"--scenario", name_of(o.scenario)}, {"--seed", std::to_string(o.seed)}};
  switch (o.scenario) {
    case scenario_kind::marketplace:
      t["--customers"] = std::to_string(o.customers);
      t["--sellers"] = std::to_string(o.sellers);
      t["--concurrency"] = o.rate ? "none" : std::to_string(o.concurrency);
      if (!o.duration)
        t["--transactions"] = std::to_string(o.transactions);
      break;
    case scenario_kind::flash_sale:
      t["--orders"] = std::to_string(o.orders);
      t["--skew"] = name_of(o.skew); // what an order wants is drawn again from its number
      if (o.skew == key_skew::zipf)
        t["--zipf-constant"] = fmt::format("{}", o.zipf_constant);
      break;
    case scenario_kind::replay:
      t["--input"] = "sha256 " + digest_of(o.input);
      t["--rule"] = name_of(o.rule);
      t["--opening-stock"] = std::to_string(o.opening_stock);
      t["--skip-bad-rows"] = o.skip_bad_rows ? "yes" : "no";
      break;
  }
  return t;
}

/// What the command line leaves open is as the run began; only a file, a rate or a duration must be named again.
void take_over(options& o, const run_terms& kept) {
  const auto number = [&](const char* option, auto& into) {
    const auto found = kept.find(option);
    if (found == kept.end() || o.given.contains(option))
      return;
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), into);
  };
  const auto is = [&](const char* option, std::string_view value) {
    const auto found = kept.find(option);
    return !o.given.contains(option) && found != kept.end() && found->second == value;
  };
  for (const auto scenario : {scenario_kind::marketplace, scenario_kind::flash_sale, scenario_kind::replay})
    if (is("--scenario", name_of(scenario)))
      o.scenario = scenario;
  number("--seed", o.seed);
  number("--customers", o.customers);
  if (!o.given.contains("--products"))
    number("--sellers", o.sellers);
  o.products = o.sellers * products_per_seller;
  if (!o.rate)
    number("--concurrency", o.concurrency);
  if (!o.duration)
    number("--transactions", o.transactions);
  number("--orders", o.orders);
  for (const auto skew : {key_skew::uniform, key_skew::zipf})
    if (is("--skew", name_of(skew)))
      o.skew = skew;
  number("--zipf-constant", o.zipf_constant);
  for (const auto rule : {replay_rule::line, replay_rule::order})
    if (is("--rule", name_of(rule)))
      o.rule = rule;
  number("--opening-stock", o.opening_stock);
  if (is("--skip-bad-rows", "yes"))
    o.skip_bad_rows = true;
}

std::string new_folder() {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return (fs::temp_directory_path() / fmt::format("order-simulation-{:%Y%m%d-%H%M%S}-{}", fmt::gmtime(now), ::getpid()))
      .string();
}

/// The journal's folder. Made if it is a new run's.
std::string folder_of(const options& opts) {
  const std::string folder = opts.journal.empty() ? new_folder() : opts.journal;
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_directory(folder, error))
    throw journal_mismatch{"--journal: " + folder + " is not a folder"};
  if (opts.resume && !fs::exists(fs::path{folder} / journal_file, error))
    throw journal_mismatch{"--resume: there is no journal in " + folder};
  fs::create_directories(folder, error);
  if (error)
    throw journal_mismatch{"--journal: " + folder + ": " + error.message()};
  return folder;
}

/// A server's address as people may see it; who needs the password gives it again.
std::string without_password(std::string url) {
  const auto place = url.find("://") + 3;
  const auto at = url.find_first_of("@/", place);
  const auto colon = url.find(':', place);
  if (at != url.npos && url[at] == '@' && colon < at)
    url.erase(colon, at - colon);
  for (const std::string_view option : {"?password=", "&password=", "?sslpassword=", "&sslpassword="})
    if (const auto found = url.find(option); found != url.npos) {
      const auto value = found + option.size();
      url.erase(value, std::min(url.find('&', value), url.size()) - value);
    }
  return url;
}

run_journal open_store(const options& opts) {
  if (opts.journal == "memory")
    return {std::make_shared<troupe::memory_store>(), "memory"};
  if (is_server(opts.journal))
    return {troupe::open_postgres_store(opts.journal), without_password(opts.journal)};
  const std::string folder = folder_of(opts);
  troupe::sqlite_options o;
  o.commit.max_group = 8 * 1024; // thousands of transactions are under way
  // Nothing can be acknowledged any more, and no restart would help: as by a kill, so that --resume can go on.
  o.failed = [](std::string_view why) {
    std::fprintf(stderr, "order_simulation: --journal: %.*s\n", static_cast<int>(why.size()), why.data());
    ::_exit(1);
  };
  return {troupe::open_sqlite_store((fs::path{folder} / journal_file).string(), o), folder};
}

void check_terms(const run_terms& wanted, const run_terms& kept, const std::string& name) {
  // --rate stands in for --concurrency, --duration for --transactions: a run goes on in the way it began.
  const auto missing = [&](const char* option) {
    return journal_mismatch{fmt::format("{}: the run in {} began with one; give one again", option, name)};
  };
  const auto instead = [&](const char* option, const char* began_with) {
    return journal_mismatch{fmt::format("{}: the run in {} began with {} {} instead; leave it out", option, name,
                                        began_with, kept.at(began_with))};
  };
  for (const auto& [option, value] : wanted) {
    const auto found = kept.find(option);
    if (found == kept.end() && option == "--transactions")
      throw missing("--duration");
    if (found == kept.end() || found->second == value) // another scenario's: --scenario says so
      continue;
    if (found->second == "none") // as with --concurrency
      throw missing("--rate");
    if (value == "none")
      throw instead("--rate", "--concurrency");
    throw journal_mismatch{
        fmt::format("{}: {} differs from the {} of the run in {}", option, value, found->second, name)};
  }
  if (kept.contains("--transactions") && !wanted.contains("--transactions"))
    throw instead("--duration", "--transactions");
}

} // namespace

run_journal open_run_journal(options& opts) {
  run_journal j = open_store(opts);
  const auto held = j.store->keys(record_key);
  if (held.empty() && opts.resume)
    throw journal_mismatch{"--resume: " + j.name + " holds no run"};
  if (!opts.resume && !j.store->keys().empty())
    throw journal_mismatch{"--journal: " + j.name +
                           (held.empty() ? " holds something that is no run"
                                         : " holds a run: go on with it by --resume, or name another one")};
  troupe::system_options o;
  o.journals = j.store;
  o.workers = 1;
  troupe::system writer{std::move(o)};
  const auto record = writer.root().start<run_record>("run", troupe::child_options{});
  const auto kept = record.ask(what_run{}, patience).get();
  take_over(opts, kept.terms);
  if (opts.scenario == scenario_kind::replay && opts.input.empty())
    throw journal_mismatch{"--input: " + j.name + " holds a replay: give --scenario replay and its --input"};
  const auto terms = terms_of(opts);
  if (kept.life > 0)
    check_terms(terms, kept.terms, j.name);
  j.life = record.ask(begin_life{terms}, patience).get();
  (void)writer.shutdown();
  return j;
}

} // namespace order_simulation

// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/seams.hpp>
#include <troupe/system.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/nexmark/event_log.hpp>
#include <bench/nexmark/options.hpp>
#include <bench/nexmark/queries.hpp>
#include <chrono>
#include <cstdio>
#include <span>
#include <string>
#include <system_error>

namespace nexmark {

namespace {

using namespace std::chrono_literals;
namespace pl = troupe::pipeline;

/// Writes a file whole or not at all.
class whole_file {
public:
  explicit whole_file(std::string path)
      : path_{std::move(path)}, files_{troupe::production_files()}, file_{files_->open(path_ + ".part",
                                                                                       troupe::open_mode::write)} {}
  ~whole_file() {
    if (!done_) {
      file_.reset();
      try {
        files_->remove(path_ + ".part");
      } catch (const std::system_error&) { // it stays; the file of that path is untouched
      }
    }
  }
  void write(const std::string& text) { file_->write(std::as_bytes(std::span{text})); }
  void finish() {
    file_->close();
    files_->rename(path_ + ".part", path_);
    done_ = true;
  }

private:
  std::string path_;
  std::shared_ptr<troupe::file_system> files_;
  std::unique_ptr<troupe::file> file_;
  bool done_ = false;
};

void write_rows(const std::string& path, const std::vector<std::string>& rows) {
  std::string text;
  for (const auto& r : rows) {
    text += r;
    text += '\n';
  }
  if (path.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  whole_file file{path};
  file.write(text);
  file.finish();
}

} // namespace

int run_query(const run_options& o) {
  const auto* q = find_query(o.query);
  generator generated{o.seed}; // holds the texts of generated events
  event_log log;
  std::vector<event> events;
  feed from{generated_events{generated, o.generate, o.disorder}, {}, o.workers};
  if (o.stream) {
    from.bound = std::chrono::milliseconds{o.bound_ms.value_or(static_cast<std::int64_t>(o.disorder))};
  } else {
    if (!o.input.empty())
      log = event_log::read(o.input);
    for (std::uint64_t n = 0; o.input.empty() && n < o.generate; ++n)
      log.events.push_back(generated.make(n));
    events = disordered(log.events, o.disorder);
    from.events = std::span<const event>{events};
    from.bound = std::chrono::milliseconds{o.bound_ms.value_or(lateness_of(events))};
  }

  troupe::system_options options;
  options.workers = o.workers;
  if (o.crash_rate > 0)
    options.faults = std::make_shared<troupe::fault_injector>(o.crash_rate, o.seed);
  troupe::system sys{options};
  auto to = std::make_shared<answer>(!o.stream);
  pl::options how;
  how.stages.batch_size = o.batch;
  how.partitions = o.workers;
  const auto begin = std::chrono::steady_clock::now();
  const auto running = q->plan(from, to).start(sys, std::string{q->name}, how);
  if (const auto end = running.wait(); !end) {
    fmt::print(stderr, "{}: {}\n", q->name, end.error().what);
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto restarts = sys.restarts();
  if (o.stream) {
    fmt::print("{} rows, sum {:016x}\n", to->total.rows, to->total.sum);
  } else {
    auto rows = to->rows.take();
    std::ranges::sort(rows);
    write_rows(o.out, rows);
  }
  fmt::print(stderr, "{}: {} events, {:.3f} s, {} failures injected, {} restarts\n", q->name,
             o.stream ? o.generate : events.size(), took.count(), options.faults ? options.faults->injected() : 0,
             restarts);
  return sys.shutdown().exit_code();
}

int write_events(const run_options& o) {
  const generator g{o.seed};
  std::string text = generator::header() + '\n';
  if (o.out.empty()) {
    for (std::uint64_t n = 0; n < o.generate; ++n)
      text += g.line(n) + '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  whole_file file{o.out};
  for (std::uint64_t n = 0; n < o.generate; ++n) {
    text += g.line(n) + '\n';
    if (text.size() > 1'000'000) {
      file.write(text);
      text.clear();
    }
  }
  file.write(text);
  file.finish();
  return 0;
}

} // namespace nexmark

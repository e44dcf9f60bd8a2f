// SPDX-License-Identifier: BSD-3-Clause
// Watches the hearts of thousands of patients. See `patient_monitor --help`.
#include "ecg/record.hpp"
#include "hospital.hpp"
#include "live_table.hpp"
#include "model_file.hpp"
#include "options.hpp"
#include "text/csv.hpp"
#include "text/output_file.hpp"
#include "text/terminal.hpp"
#include "training.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace {

using namespace patient_monitor;
using namespace std::chrono_literals;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

int complain(int status, const std::string& problem) {
  std::fputs(fmt::format("patient_monitor: {}\n", problem).c_str(), stderr);
  return status;
}

int train(const options& opts) {
  const auto m = train_model(opts.record, opts.training);
  const std::string text = to_json(m);
  text::write_output(opts.train, text);
  std::fputs(text.c_str(), stdout);
  return 0;
}

report watch(const options& opts) {
  const auto model = std::make_shared<const rhythm_model>(read_model(opts.model).model);
  const auto record = ecg::read_record(opts.record);
  const recording source{ecg::find_lead(record, opts.training.lead, opts.record).samples, opts.training.rate,
                         opts.speed};
  troupe::system_options how;
  how.workers = opts.workers;
  hospital h{source, model, opts.hospital, how};
  live_table table{stdout, opts.quiet};
  const auto end = std::chrono::duration<double>(opts.seconds);
  auto now = h.figures();
  for (auto shown = 0ns; now.elapsed < end && !h.finished() && !interrupted.load(std::memory_order_relaxed);
       now = h.figures()) {
    h.pass(50ms);
    if (now.elapsed - shown >= table.interval()) {
      shown = now.elapsed;
      table.show(now);
    }
  }
  table.show(now);
  return h.finish();
}

int run(const options& opts) {
  if (!opts.train.empty())
    return train(opts);
  const report r = watch(opts);
  const std::string text = "\n" + to_text(r, text::wants_color(stdout));
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!opts.out.empty())
    text::write_output(opts.out, to_json(r));
  if (!printed)
    return complain(exit_broken, "the report could not be written to standard output");
  return r.holds() ? 0 : exit_broken;
}

} // namespace

int main(int argc, char** argv) {
  const auto command = parse_command_line(argc, argv);
  std::fputs(command.output.c_str(), stdout);
  std::fputs(command.error.c_str(), stderr);
  if (!command.run)
    return command.exit_status;
  std::signal(SIGINT, [](int) { interrupted.store(true, std::memory_order_relaxed); });
  try {
    return run(*command.run);
  } catch (const text::input_error& e) {
    return complain(exit_bad_input, e.what());
  } catch (const std::exception& e) {
    return complain(exit_broken, e.what());
  }
}

// SPDX-License-Identifier: BSD-3-Clause
// Watches the hearts of thousands of patients. See `patient_monitor --help`.
#include "ecg/record.hpp"
#include "hospital.hpp"
#include "model_file.hpp"
#include "options.hpp"
#include "table_lines.hpp"
#include "text/live_table.hpp"
#include "text/output_file.hpp"
#include "text/program.hpp"
#include "text/terminal.hpp"
#include "training.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using namespace patient_monitor;
using namespace std::chrono_literals;

int train(const options& opts) {
  const auto m = train_model(opts.record, opts.training);
  const std::string json = to_json(m);
  text::write_output(opts.train, json);
  return text::print(json) ? 0
                           : text::complain("patient_monitor", text::exit_broken,
                                            "the model could not be written to standard output");
}

report watch(const options& opts) {
  const auto model = std::make_shared<const rhythm_model>(read_model(opts.model).model);
  const auto record = ecg::read_record(opts.record);
  const recording source{ecg::find_lead(record, opts.training.lead, opts.record).samples, opts.training.rate,
                         opts.speed};
  troupe::system_options how;
  how.workers = opts.workers;
  hospital h{source, model, opts.hospital, how};
  text::live_table table{stdout, opts.quiet};
  const auto end = std::chrono::duration<double>(opts.seconds);
  auto now = h.figures();
  const auto show = [&] {
    table.show([&](auto columns, bool color) { return table_lines(now, columns, color); },
               [&] { return plain_line(now); });
  };
  for (auto shown = 0ns; now.elapsed < end && !h.finished() && !text::interrupted(); now = h.figures()) {
    h.pass(50ms);
    if (now.elapsed - shown >= table.interval()) {
      shown = now.elapsed;
      show();
    }
  }
  show();
  return h.finish();
}

int run(const options& opts) {
  if (!opts.train.empty())
    return train(opts);
  const report r = watch(opts);
  return text::hand_over("patient_monitor", "\n" + to_text(r, text::wants_color(stdout)), to_json(r), opts.out,
                         r.holds());
}

} // namespace

int main(int argc, char** argv) { return text::run_program("patient_monitor", parse_command_line(argc, argv), run); }

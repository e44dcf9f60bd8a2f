// SPDX-License-Identifier: BSD-3-Clause
#include "program.hpp"

#include "output_file.hpp"

#include <fmt/format.h>

#include <atomic>
#include <csignal>

namespace text {

namespace {

std::atomic<bool> interrupt_came{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

} // namespace

bool interrupted() noexcept { return interrupt_came.load(std::memory_order_relaxed); }

void end_on_interrupt() {
  std::signal(SIGINT, [](int) { interrupt_came.store(true, std::memory_order_relaxed); });
}

int complain(const std::string& program, int status, const std::string& problem) {
  std::fputs(fmt::format("{}: {}\n", program, problem).c_str(), stderr);
  return status;
}

bool print(const std::string& text) { return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0; }

int hand_over(const std::string& program, const std::string& report, const std::string& json, const std::string& out,
              bool holds) {
  const bool printed = print(report);
  if (!out.empty())
    write_output(out, json);
  if (!printed)
    return complain(program, exit_broken, "the report could not be written to standard output");
  return holds ? 0 : exit_broken;
}

} // namespace text

// SPDX-License-Identifier: BSD-3-Clause
// Commits the fault that its argument names. Whatever sanitizer the build has must report it: otherwise the alarm is off,
// and a run without a report proves nothing.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <thread>

namespace {

void overrun() {
  auto* volatile p = static_cast<char*>(std::malloc(8));
  p[8] = 1;
  std::free(p);
}

void leak() {
  void* volatile p = std::malloc(100);
  std::memset(p, 1, 100);
  p = nullptr;
}

void overflow() {
  volatile int n = std::numeric_limits<int>::max();
  n = n + 1;
}

volatile int shared = 0; // otherwise nothing is left of it: nobody reads it

void race() {
  std::thread other{[] { shared = 1; }};
  shared = 2;
  other.join();
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view fault = argc > 1 ? argv[1] : "";
  if (fault == "overrun")
    overrun();
  else if (fault == "leak")
    leak();
  else if (fault == "overflow")
    overflow();
  else if (fault == "race")
    race();
  std::puts("nobody has noticed");
}

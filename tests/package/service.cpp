// SPDX-License-Identifier: BSD-3-Clause
// A service built against the installed package.
#include <cstdio>

int main() {
  std::puts("ok");
}

// SPDX-License-Identifier: BSD-3-Clause
// The main function of every test program, compiled once.
// Both are needed: with doctest.h precompiled, the second no longer implies the first.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

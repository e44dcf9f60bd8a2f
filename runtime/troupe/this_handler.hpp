// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <chrono>

/// What code may ask that runs in a handler and is not a member of its actor, such as a coroutine that actors share.
///
/// Threads: the actor's turn. Elsewhere both throw usage_error.
namespace troupe::this_handler {

/// Until the deadline of the message in hand; nanoseconds::max() if it has none. From 0 on nobody waits for the reply, and
/// no request that this handler makes is handled any more.
std::chrono::nanoseconds time_left();

/// The system's source of random numbers.
random_source& random();

} // namespace troupe::this_handler

// SPDX-License-Identifier: BSD-3-Clause
// Claim: in the steady state a message of up to 984 bytes, a request with its reply and a timer allocate nothing; a larger
// message and an actor allocate once.
// Observed: every call of malloc and its kin in this process, counted by replacements; operator new ends there too.
// One worker, or none: nothing varies. The same work is done before, so that the pools have what they keep.
#include "cost/workloads.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#if defined(__GLIBC__)

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// The C library's own names for what is replaced here.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
}

namespace {

/// Allocations during `operations` of a workload that has done as many before, twice.
template <class Workload>
std::uint64_t allocations_of(std::uint64_t operations) {
  Workload work;
  work.run(operations);
  work.run(operations);
  const auto before = allocations.load();
  work.run(operations);
  return allocations.load() - before;
}

constexpr std::uint64_t operations = 8'000;
constexpr std::size_t largest_pooled = 1024 - 40; // the header of an envelope takes 40

} // namespace

TEST_CASE("message cost: the counter counts what new and malloc allocate") {
  const auto before = allocations.load();
  auto* volatile number = new int{1};
  CHECK(allocations.load() == before + 1);
  delete number;
  struct alignas(64) wide {
    char body[64];
  };
  auto* volatile aligned = new wide{};
  CHECK(allocations.load() == before + 2);
  delete aligned;
}

TEST_CASE("message cost: a message between two actors allocates nothing") {
  CHECK(allocations_of<cost::ping_pong>(operations) == 0);
}

TEST_CASE("message cost: a flood from one sender allocates nothing") {
  CHECK(allocations_of<cost::flood<1>>(operations) == 0);
}

TEST_CASE("message cost: a flood from eight senders allocates nothing") {
  CHECK(allocations_of<cost::flood<8>>(operations) == 0);
}

TEST_CASE("message cost: the largest message from the pool allocates nothing") {
  CHECK(allocations_of<cost::flood<1, largest_pooled>>(operations) == 0);
}

TEST_CASE("message cost: a message that is too large for the pool allocates once") {
  CHECK(allocations_of<cost::flood<1, largest_pooled + 1>>(operations) == operations);
}

TEST_CASE("message cost: a request with its reply allocates nothing") {
  CHECK(allocations_of<cost::request_reply>(operations) == 0);
}

TEST_CASE("message cost: a timer that rings or is set again allocates nothing") {
  CHECK(allocations_of<cost::timers_by_clock>(operations) == 0);
}

TEST_CASE("message cost: an actor is made and ended with one allocation at most") {
  CHECK(allocations_of<cost::spawn>(operations) <= operations);
}

#else

TEST_CASE("message cost: allocations are counted with the GNU C library only") {
  MESSAGE("SKIPPED: another C library");
}

#endif

// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of runtime/troupe/engine/injector.hpp: a ring under a mutex whose size is also read without it, by
// `empty`, which is part of the re-check before parking; and of what its callers do with it: *publish* and *announce*,
// *re-check* of parking.hpp, cut down to one bit per worker (parking.pml has the whole).
//
// Claims: each runnable is taken once; first in, first out, and a batch stays together; the ring is never read where
// nothing was written, also when it grows and shrinks; nobody sleeps while something is queued.
//
// holds:
// holds: -DTAKERS=1 -DBATCH=3
// long:  -DTAKERS=3
// fails: -DBUG=1    pop goes by the size that it read before it had the lock
// fails: -DBUG=2    a worker that sleeps does not look again (re-check)
// fails: -DBUG=3    a batch is pushed one by one
// fails: -DBUG=4    pop without the lock
// fails: -DBUG=5    grow forgets that the oldest is not at index 0
// fails: -DBUG=6    a pusher looks at who sleeps before it stores the size
//
// Abstractions: the ring holds 2 and grows to 4, or to 8 for a larger batch; a runnable is a number. A sleeper that finds work after its announcement
// goes on, instead of waking somebody, perhaps itself. Memory is sequentially consistent: the size is stored and loaded
// in the default order.

#ifndef TAKERS
#define TAKERS 2
#endif
#ifndef BATCH
#define BATCH 2 // the first pusher's; the second pushes two, one after the other
#endif
#ifndef BUG
#define BUG 0
#endif
#define KEPT 2
#if BATCH > 2
#define WIDE 8
#else
#define WIDE 4
#endif
#define ALL (BATCH + 2)
#define EMPTY 0

// -- guarded by the mutex --
bool locked = false;
byte ring[WIDE + 1];
byte capacity = KEPT;
byte first = 0;
// -- written under it, read by anyone --
byte size = 0;

bool asleep[TAKERS];
bool token[TAKERS];
bool taken[ALL + 1];
byte number_taken = 0;
byte last_single = 0;
byte batch_taken = 0; // how many of the batch, which is 1..BATCH

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

// All of it under the mutex: nobody else looks at the ring, so it is one step.
inline move_to(wider) {
  d_step {
    i = 0;
    do
    :: i < size -> fresh[i] = ring[(first + i) % capacity]; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < WIDE ->
      if
      :: i < size -> ring[i] = fresh[i]
      :: else -> ring[i] = EMPTY
      fi;
      fresh[i] = EMPTY;
      i++
    :: else -> break
    od;
    i = 0;
    capacity = wider;
    if
    :: BUG != 5 -> first = 0
    :: else
    fi
  }
}

inline wake_one() { // work_queued
  atomic {
    if
    :: asleep[0] -> asleep[0] = false; token[0] = true
#if TAKERS > 1
    :: asleep[1] -> asleep[1] = false; token[1] = true
#endif
#if TAKERS > 2
    :: asleep[2] -> asleep[2] = false; token[2] = true
#endif
    :: else
    fi
  }
}

inline push(from, n) {
#if BUG == 6
  wake_one();
#endif
  lock();
  if
  :: size + n > capacity -> move_to(WIDE)
  :: else
  fi;
  d_step {
    i = 0;
    do
    :: i < n -> ring[(first + size + i) % capacity] = from + i; i++
    :: else -> break
    od;
    i = 0
  }
  size = size + n;
  unlock();
#if BUG != 6
  wake_one()
#endif
}

proctype batch_pusher() {
  byte i;
  byte fresh[WIDE];
#if BUG == 3
  push(1, 1);
  push(2, 1)
#else
  push(1, BATCH)
#endif
}

proctype single_pusher() {
  byte i;
  byte fresh[WIDE];
  push(BATCH + 1, 1);
  push(BATCH + 2, 1)
}

proctype taker(byte me) {
  byte i, x, seen;
  byte fresh[WIDE];
  do
  :: seen = size; // empty
    if
    :: seen == 0 -> goto park
    :: else
    fi;
#if BUG != 4
    lock();
#endif
    if
    :: (BUG == 1 -> seen : size) == 0 -> x = EMPTY // another was faster
    :: else ->
      x = ring[first];
#if BUG == 4
      skip;
#endif
      d_step {
        assert(x != EMPTY && !taken[x]);
        taken[x] = true;
        number_taken++;
        if
        :: x > BATCH -> // first in, first out; nothing of others within the batch
          assert(x > last_single && (batch_taken == 0 || batch_taken == BATCH));
          last_single = x
        :: else ->
          assert(x == batch_taken + 1);
          batch_taken = x
        fi;
        ring[first] = EMPTY;
        first = (first + 1) % capacity
      }
      size = size - 1;
      if
      :: capacity > KEPT && size <= KEPT / 2 -> move_to(KEPT)
      :: else
      fi
    fi;
    atomic { x = EMPTY; seen = 0 }
#if BUG != 4
    unlock()
#endif
    goto more;
park:
    asleep[me] = true; // announce
    if // re-check
    :: size != 0 && BUG != 2 ->
      atomic {
        if
        :: asleep[me] -> asleep[me] = false; goto more
        :: else
        fi
      }
    :: else
    fi;
end_asleep:
    atomic { token[me] -> token[me] = false }
more:
    skip
  od
}

proctype monitor() {
end_watching:
  timeout;
  assert(number_taken == ALL && size == 0)
}

init {
  byte n;
  atomic {
    for (n : 0 .. TAKERS - 1) { run taker(n) }
    run batch_pusher();
    run single_pusher();
    run monitor()
  }
}

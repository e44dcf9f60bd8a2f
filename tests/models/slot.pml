// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of a worker's slot for a partner (runtime/troupe/engine/partner_slot.hpp): its worker fills and empties
// it, the worker on watch only empties it. The worker has two, for the hot partner and for who lingers; each goes by this.
// `submit` is worker::submit, the other names are those of the slot's functions. When the watch is called and when it
// retires is in parking.pml.
//
// Claim: whatever the watch does in between, each runnable that was submitted is run exactly once.
//
// holds:
// holds: -DTURNS=4 -DLOOKS=4
// holds: -DWATCHES=2 -DTURNS=2 -DLOOKS=2
// holds: -DEXCHANGE
// fails: -DBUG=1    in a raid, take loads and then stores instead of exchanging
// fails: -DBUG=2    submit_second loads and then stores instead of exchanging
// fails: -DBUG=3    the watch puts back what it does not want
// fails: -DBUG=4    submit stores without a look at what is in the slot
// fails: -DBUG=5    no barrier in a raid
// fails: -DBUG=6    the watch does not look whether the worker takes
// fails: -DBUG=7 -DWATCHES=2 -DTURNS=2 -DLOOKS=2    raids are not counted
//
// -DEXCHANGE: the system has no barrier for all threads. -DWATCHES=2: one that has been taken off the watch is still in a
// raid, as its successor.
//
// Abstractions: the run queue is a channel (run_queue.pml is about it). Memory is sequentially consistent but for the one
// store that the protocol is about: the worker's word that it takes may be on its way (`said`) while it looks, until the
// barrier or its next store.

#ifndef TURNS
#define TURNS 3 // that submit; each submits none, one or two runnables
#endif
#ifndef LOOKS
#define LOOKS 3
#endif
#ifndef WATCHES
#define WATCHES 1
#endif
#ifndef BUG
#define BUG 0
#endif
#define EMPTY 0
#define MOST (2 * TURNS)

byte hot = EMPTY;
bool said = false; // on its way to taking
bool taking = false;
byte raids = 0;
chan queue = [MOST + 1] of { byte };
bool ran[MOST + 1];
byte submitted = 0;
byte run_so_far = 0;

inline run_it(x) {
  assert(x != EMPTY && !ran[x]);
  ran[x] = true;
  run_so_far++
}

inline submit() {
  atomic { submitted++; mine = submitted }
  found = hot; // only this worker fills it
  if
  :: found == EMPTY || BUG == 4 -> hot = mine
  :: else -> // submit_second
#if BUG == 2
    found = hot;
    hot = mine;
#else
    atomic { found = hot; hot = mine }
#endif
    if
    :: found != EMPTY -> queue ! found
    :: else // the watch has just taken it
    fi
  fi;
  atomic { found = EMPTY; mine = EMPTY }
}

inline arrive() { // the store that is on its way
  atomic {
    if
    :: said -> taking = true; said = false
    :: else
    fi
  }
}

inline exchange(x) { atomic { x = hot; hot = EMPTY } }

inline take(x) {
  x = hot;
  if
  :: x == EMPTY
  :: else ->
#ifdef EXCHANGE
    exchange(x)
#else
    said = true;
    if
    :: raids != 0 ->
      arrive();
      taking = false;
#if BUG == 1
      x = hot;
      hot = EMPTY
#else
      exchange(x)
#endif
    :: else ->
      x = hot;
      arrive();
      hot = EMPTY;
      taking = false
    fi
#endif
  fi
}

inline raid(x) {
  x = hot;
  if
  :: x == EMPTY
  :: else ->
#ifdef EXCHANGE
    exchange(x)
#else
    x = EMPTY;
#if BUG == 7
    raids = 1;
#else
    raids++;
#endif
#if BUG != 5
    arrive(); // the barrier
#endif
    if
    :: !taking || BUG == 6 -> exchange(x)
    :: else
    fi;
#if BUG == 7
    raids = 0
#else
    raids--
#endif
#endif
  fi
}

proctype owner() {
  byte mine, found, x;
  byte turns = 0;
  do
  :: // a turn
    if
    :: turns < TURNS ->
      turns++;
      if
      :: submit()
      :: submit(); submit()
      :: skip
      fi
    :: else
    fi;
    take(x); // next
    if
    :: x == EMPTY && nempty(queue) -> queue ? x
    :: else
    fi;
    if
    :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
    :: x == EMPTY && turns == TURNS -> break
    :: else
    fi
  od
}

proctype watch() {
  byte x;
  byte looks = 0;
  do
  :: looks < LOOKS ->
    looks++;
    raid(x);
    if
    :: x != EMPTY && BUG == 3 -> hot = x; x = EMPTY
    :: x != EMPTY && BUG != 3 -> atomic { run_it(x); x = EMPTY }
    :: else
    fi
  :: looks == LOOKS -> break
  od
}

proctype monitor() {
end_watching:
  timeout;
  assert(run_so_far == submitted)
}

init {
  byte i;
  atomic {
    run owner();
    for (i : 1 .. WATCHES) { run watch() }
    run monitor()
  }
}

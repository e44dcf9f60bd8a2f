// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of the slot for the hot partner (runtime/troupe/engine/worker.hpp and .cpp): its worker fills and
// empties it, the worker on watch only empties it. Step names are the functions' names. When the watch is called and when
// it retires is in parking.pml.
//
// Claim: whatever the watch does in between, each runnable that was submitted is run exactly once.
//
// holds:
// holds: -DTURNS=4 -DLOOKS=4
// fails: -DBUG=1    take_hot loads and then stores instead of exchanging
// fails: -DBUG=2    submit_second loads and then stores instead of exchanging
// fails: -DBUG=3    the watch puts back what it does not want
// fails: -DBUG=4    submit stores without a look at what is in the slot
//
// Abstractions: the run queue is a channel (run_queue.pml is about it). Memory is sequentially consistent.

#ifndef TURNS
#define TURNS 3 // that submit; each submits none, one or two runnables
#endif
#ifndef LOOKS
#define LOOKS 3
#endif
#ifndef BUG
#define BUG 0
#endif
#define EMPTY 0
#define MOST (2 * TURNS)

byte hot = EMPTY;
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

inline take_hot(x) {
  x = hot;
  if
  :: x == EMPTY
  :: else ->
#if BUG == 1
    hot = EMPTY
#else
    atomic { x = hot; hot = EMPTY }
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
    take_hot(x); // next
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
    take_hot(x);
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
  atomic {
    run owner();
    run watch();
    run monitor()
  }
}

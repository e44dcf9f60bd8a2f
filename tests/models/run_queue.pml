// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of the ring in runtime/troupe/engine/run_queue.hpp; step names are the same.
//
// Worker 0 pushes ITEMS runnables, moves the older half elsewhere when its ring is full, and pops. Worker 1 steals from
// it into its own ring and pops. Worker 2 is on watch: it pops from either.
//
// Claims: each runnable is taken exactly once; what a swap of `head_` covers is what was copied, in the order of the
// pushes; when all have ended nothing is left.
//
// holds:
// holds: -DCAPACITY=4 -DITEMS=5 -DLOOKS=1
// long:  -DITEMS=6 -DLOOKS=3
// long:  -DCAPACITY=4 -DITEMS=6
// fails: -DBUG=1    copy after the swap
// fails: -DBUG=2    no validation: the swap is a store
// fails: -DBUG=3    refill without room
// fails: -DBUG=4    tail_ before the slot
// fails: -DBUG=5 -DCAPACITY=4    the thief's tail_ before its swap of the victim's head_
// fails: -DBUG=6    take_half of a ring that is not full
//
// Abstractions: positions are small numbers, since they only grow and never wrap in the code. A compare-and-swap fails
// only because of another value. Memory is sequentially consistent; run_queue.hpp argues for each weaker order.

#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef ITEMS
#define ITEMS 4
#endif
#ifndef LOOKS
#define LOOKS 2 // of the thief and of the watch
#endif
#ifndef BUG
#define BUG 0
#endif
#define EMPTY 0 // a slot never written; runnables are 1..ITEMS
#define SLOT(q, position) slots[q * CAPACITY + (position) % CAPACITY]

byte head[2];
byte tail[2];
byte slots[2 * CAPACITY];

bool taken[ITEMS + 1];
byte number_taken = 0;
byte pushed = 0;
byte in_hand = 0; // stolen, and not yet published in the thief's ring
byte ended = 0;

// Whoever takes runs it, at once.
inline run_it(x) {
  assert(x != EMPTY && !taken[x]);
  taken[x] = true;
  number_taken++
}

// Ring 0 is filled with 1, 2, ... in this order: position p holds runnable p + 1.
inline check_order(q, position, x) {
  assert(q != 0 || x == position + 1)
}

inline claim(q, count) { // sets `won`
  atomic {
    if
    :: head[q] == h || BUG == 2 -> head[q] = h + count; won = true
    :: else -> h = head[q]; won = false
    fi
  }
}

inline pop(q) { // sets `x`
  x = EMPTY;
  h = head[q];
  do
  :: atomic { h >= tail[q] -> break }
  :: atomic { h < tail[q] -> skip }
#if BUG == 1
     claim(q, 1);
     if
     :: won -> x = SLOT(q, h); check_order(q, h, x); break
     :: else
     fi
#else
     x = SLOT(q, h);
     claim(q, 1);
     if
     :: won -> check_order(q, h, x); break
     :: else -> x = EMPTY
     fi
#endif
  od;
  h = 0;
  won = false
}

proctype owner() {
  byte t = 0;
  byte h, x;
  bool won;
  byte copied[2]; // CAPACITY / 2 of them

  do
  :: pushed < ITEMS ->
push:
    atomic { x = (tail[0] - head[0] >= CAPACITY + (BUG == 3 -> 1 : 0)) }
    if
    :: x == 0 ->
#if BUG == 4
      tail[0] = t + 1;
      SLOT(0, t) = pushed + 1;
#else
      SLOT(0, t) = pushed + 1;
      tail[0] = t + 1;
#endif
      atomic { pushed++; t++ }
    :: else -> // take_half
      h = head[0];
      if
      :: t - h < CAPACITY && BUG != 6 -> h = 0; goto push
      :: else
      fi;
      copied[0] = SLOT(0, h);
#if CAPACITY == 4
      copied[1] = SLOT(0, h + 1);
#endif
      claim(0, CAPACITY / 2);
      if
      :: won ->
        atomic {
          check_order(0, h, copied[0]);
          run_it(copied[0]);
#if CAPACITY == 4
          check_order(0, h + 1, copied[1]);
          run_it(copied[1]);
#endif
        }
      :: else
      fi;
      atomic { copied[0] = 0; copied[1] = 0; h = 0; won = false; goto push }
    fi
  :: pop(0); // a turn ends in between
    if
    :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
    :: x == EMPTY && pushed == ITEMS -> break
    :: else
    fi
  od;
  ended++
}

inline steal_from_0() { // into ring 1, sets `x`
  x = EMPTY;
  t = tail[1];
  room = CAPACITY - (t - head[1]);
  h = head[0];
  do
  :: true ->
    end = tail[0];
    if
    :: h >= end -> break
    :: else
    fi;
    if
    :: end - h > CAPACITY -> h = head[0]
    :: else ->
      count = (end - h + 1) / 2;
      if
      :: count > room + 1 -> count = room + 1
      :: else
      fi;
      x = SLOT(0, h);
      i = 1;
      do
      :: i < count ->
        SLOT(1, t + i - 1) = SLOT(0, h + i); // two steps in the code: nobody looks at the slot before tail_
        i++
      :: else -> break
      od;
#if BUG == 5
      tail[1] = t + count - 1;
#endif
      atomic { old = h; claim(0, count); if :: won -> in_hand = in_hand + count - 1 :: else fi }
      if
      :: won ->
        atomic {
          check_order(0, old, x);
          i = 1;
          do
          :: i < count -> assert(SLOT(1, t + i - 1) == old + i + 1); i++
          :: else -> break
          od
        }
        atomic { tail[1] = t + count - 1; in_hand = in_hand - (count - 1) }
        break
      :: else -> x = EMPTY
      fi
    fi
  od;
  atomic { h = 0; won = false; t = 0; end = 0; i = 0; room = 0; count = 0; old = 0 }
}

proctype thief() {
  byte h, x, t, end, i, room, count, old;
  bool won;
  byte looks = 0;
  do
  :: looks < LOOKS ->
    atomic {
      looks++;
      if
      :: tail[1] == head[1] -> skip // steals when its own ring is empty, as `search`
      :: else -> goto own
      fi
    }
    steal_from_0();
    if
    :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
    :: else
    fi;
own:
    if // between two looks it may run what it has
    :: pop(1);
      if
      :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
      :: else
      fi
    :: skip
    fi
  :: looks == LOOKS ->
    pop(1);
    if
    :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
    :: else -> break
    fi
  od;
  ended++
}

proctype watch() {
  byte h, x;
  bool won;
  byte looks = 0;
  do
  :: looks < LOOKS ->
    looks++;
    if
    :: pop(0)
    :: pop(1)
    fi;
    if
    :: x != EMPTY -> atomic { run_it(x); x = EMPTY }
    :: else
    fi
  :: looks == LOOKS -> break
  od;
  ended++
}

proctype monitor() {
end_watching:
  timeout;
  assert(ended == 3);
  assert(number_taken == ITEMS)
}

init {
  atomic {
    run owner();
    run thief();
    run watch();
    run monitor()
  }
}

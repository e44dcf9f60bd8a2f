// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of the parking protocol in runtime/troupe/engine/parking.hpp; step names are the same.
//
// Claims: no lost wake-up (when nothing can move any more, everything that was queued has run, and what a long turn put
// into its slot has run elsewhere while that turn went on); a worker is never on the stack of sleepers twice; a token
// never meets another; a stop reaches everybody.
//
// BUG removes one step. `-DSTOP` adds a stop at any moment. `-DSPARE` adds one worker, the last, that is enlisted at any
// moment; the first one is told to leave then, and does so after its turn (`worker::leave`). `-DSPARE -DVAIN`: its thread
// cannot be started, and it resigns at once.
//
// holds: -DOUTSIDE=1
// holds: -DN=2 -DOUTSIDE=3
// holds: -DSTOP -DN=2
// holds: -DSPARE -DN=3 -DOUTSIDE=1 -DSECOND=0
// holds: -DSPARE -DVAIN -DN=3 -DOUTSIDE=1 -DSECOND=0
// long:
// long:  -DSTOP -DOUTSIDE=1 -DSECOND=0
// fails: -DBUG=1 -DN=2    re-check
// fails: -DBUG=2    hand over
// fails: -DBUG=3 -DN=2    volunteer
// fails: -DBUG=4    retire in one step
// fails: -DBUG=5 -DN=4 -DSECOND=0    pass on
// fails: -DBUG=6    one token only
// fails: -DBUG=7 -DSTOP -DN=2    catch up
// fails: -DBUG=8 -DSPARE -DVAIN -DN=3 -DOUTSIDE=1 -DSECOND=0    enlist says first that one more searches, and counts it then
// fails: -DBUG=9 -DSPARE -DN=3 -DOUTSIDE=1    leave does not say what it has left in the injector
// fails: -DBUG=10 -DSPARE -DVAIN -DN=3 -DOUTSIDE=1 -DSECOND=0    resign takes one off the count first
// fails: -DBUG=11 -DSPARE -DVAIN -DN=3 -DOUTSIDE=1 -DSECOND=0    resign without a look at the queues
//
// Abstractions: the run queues and the injector are one counter, in-flight batches excepted (their holder searches, or
// calls work_queued when they are queued). The stack is a set. A compare-and-swap loop is one atomic step. Memory is
// sequentially consistent: all of these steps use the default order in the code, except the look of *call*, for which
// parking.hpp argues by the order of one location. A nap that would see nothing new is left out, so that a state in
// which nothing useful can happen is a deadlock.

#ifndef N
#define N 3        // workers
#endif
#ifndef OUTSIDE
#define OUTSIDE 2  // threads outside that submit one runnable each
#endif
#ifndef SECOND
#define SECOND 1   // how many turns queue one more
#endif
#ifndef BUG
#define BUG 0
#endif
#define NOBODY N
#ifdef SPARE
#define LONG_TURNS (N - 2)
#else
#define LONG_TURNS (N - 1) // with N of them nobody is left to run a partner
#endif

// -- the word --
#ifdef SPARE
#define AT_FIRST (N - 1)
#else
#define AT_FIRST N
#endif
byte enlisted = AT_FIRST; // beside the word
byte searching = AT_FIRST;
byte sleepers = 0;
bool asleep[N];
byte watch = NOBODY;
bool called = false;
#define COUNTED (searching + sleepers + (watch != NOBODY))
#define ACTIVE (enlisted - COUNTED)

// -- the rest of what is shared --
bool token[N];
byte queued = 0;           // in the injector or a run queue
bool hot[N];               // a partner waits in the worker's slot
bool long_turn[N];         // with a slot that was filled in this turn
#if N == 2
#define NOTHING_HOT (!hot[0] && !hot[1])
#elif N == 3
#define NOTHING_HOT (!hot[0] && !hot[1] && !hot[2])
#else
#define NOTHING_HOT (!hot[0] && !hot[1] && !hot[2] && !hot[3])
#endif
byte long_turns = 0;       // begun so far
byte second_items = SECOND; // how many turns may still queue one more
byte ran = 0;
byte submitted = 0;        // to a queue or a slot
bool stopping = false;
byte ended = 0;
bool replaced = false; // the first worker shall leave

inline pop(x) {
  if
  :: asleep[0] -> x = 0
  :: asleep[1] -> x = 1
#if N > 2
  :: asleep[2] -> x = 2
#endif
#if N > 3
  :: asleep[3] -> x = 3
#endif
  fi;
  asleep[x] = false;
  sleepers--
}

inline push(x) {
  assert(!asleep[x]);
  asleep[x] = true;
  sleepers++
}

inline take(x, is_owed) {
  if
  :: sleepers != 0 -> pop(x); is_owed = false
  :: else ->
    x = watch;
    is_owed = called && BUG != 6;
    watch = NOBODY;
    called = false
  fi;
  searching++
}

inline give_token(x, is_owed) {
  if
  :: x != NOBODY && !is_owed -> atomic { assert(!token[x] || BUG == 6); token[x] = true }
  :: else
  fi;
  x = NOBODY;
  is_owed = false
}

inline work_queued() {
  atomic {
    if
    :: searching != 0 || (sleepers == 0 && watch == NOBODY) -> target = NOBODY
    :: else -> take(target, owed)
    fi
  }
  give_token(target, owed)
}

inline wake_all() {
  do
  :: atomic { sleepers != 0 || watch != NOBODY -> take(target, owed) }
     give_token(target, owed)
  :: atomic { sleepers == 0 && watch == NOBODY -> break }
  od
}

// The look and the change are two steps, as in the code. A second call of a watch that is not called already stands for
// the slow watch and a cold push.
inline call_watch() {
  if
  :: atomic { (watch == NOBODY && sleepers != 0) || (watch != NOBODY && !called) -> skip }
     atomic {
       if
       :: watch == NOBODY && sleepers != 0 -> pop(target); watch = target; called = true
       :: watch != NOBODY && !called -> target = watch; called = true
       :: watch != NOBODY && !called -> skip
       :: else
       fi
     }
     give_token(target, owed)
  :: else
  fi
}

inline accept() {
  atomic { token[w] -> token[w] = false }
  atomic {
    if
    :: watch == w -> called = false; to_watch = true
    :: else -> to_watch = false
    fi
  }
}

proctype worker(byte w) {
  byte target = NOBODY;
  bool owed = false;
  bool to_watch = false;
  bool last = false;
  bool on_watch = false;
  bool partner = false;
  bool left = false;

search:
  if
  :: stopping -> goto leave
  :: atomic { !stopping && queued != 0 -> queued-- } goto hand_over
  :: atomic { !stopping && queued == 0 -> skip } goto park
  fi;

hand_over: // searching to active
  atomic { searching--; last = (searching == 0) }
  if
  :: last && queued != 0 && BUG != 2 -> work_queued()
  :: else
  fi;
  last = false;

turn:
  if
  :: skip // short
  :: atomic { !partner && second_items != 0 -> second_items--; queued++; submitted++ } // queues another one
     work_queued()
  :: atomic { !partner && long_turns < LONG_TURNS -> long_turns++; long_turn[w] = true; hot[w] = true; submitted++ }
     call_watch();
     atomic { (!hot[w] && queued == 0) || stopping -> long_turn[w] = false } // computes until all that has been taken
  :: atomic { long_turns < LONG_TURNS -> long_turns++ } // the same with an empty slot
     (NOTHING_HOT && queued == 0) || stopping
  fi;
  partner = false;
  ran++;

next_turn:
#ifdef SPARE
  if
  :: w == 0 && replaced && !stopping -> goto leave_for_good
  :: else
  fi;
#endif
  if
  :: stopping -> goto leave
  :: atomic { !stopping && hot[w] -> hot[w] = false; partner = true } goto turn
  :: atomic { !stopping && !hot[w] && queued != 0 -> queued-- } goto turn
  :: atomic { !stopping && !hot[w] && queued == 0 -> searching++ } goto search
  fi;

park:
  atomic { // announce
    if
    :: watch == NOBODY && ACTIVE != 0 && BUG != 3 -> searching--; watch = w; on_watch = true
    :: else -> searching--; push(w); on_watch = false
    fi
  }
  if // re-check
  :: stopping && BUG != 7 -> wake_all()
  :: !stopping && queued != 0 && BUG != 1 -> work_queued()
  :: else
  fi;
  if
  :: on_watch -> on_watch = false; goto look
  :: else
  fi;

fall_asleep:
end_asleep:
  accept();
  if
  :: to_watch -> to_watch = false
  :: else -> goto search
  fi;

look: // on watch
  if
  :: atomic { hot[0] && long_turn[0] -> hot[0] = false; partner = true }
  :: atomic { hot[1] && long_turn[1] -> hot[1] = false; partner = true }
#if N > 2
  :: atomic { hot[2] && long_turn[2] -> hot[2] = false; partner = true }
#endif
#if N > 3
  :: atomic { hot[3] && long_turn[3] -> hot[3] = false; partner = true }
#endif
  :: else
  fi;
  if
  :: !partner -> goto retire
  :: else
  fi;

leave_watch: // with loot
  atomic {
    if
    :: watch != w || called -> left = false
    :: else ->
      left = true;
      watch = NOBODY;
      if
      :: sleepers != 0 && BUG != 5 -> pop(target); watch = target; called = true // pass on
      :: else
      fi
    fi
  }
  if
  :: left -> left = false; give_token(target, owed); goto turn
  :: else
  fi;
  accept();
  if
  :: to_watch -> to_watch = false; goto leave_watch
  :: else -> goto hand_over // it was taken: searching, with loot
  fi;

retire:
#if BUG == 4
  if
  :: ACTIVE == 0 -> skip
  :: else -> goto take_nap
  fi;
#endif
  atomic {
    if
    :: watch == w && !called && (ACTIVE == 0 || BUG == 4) -> watch = NOBODY; push(w); goto fall_asleep
    :: else
    fi
  }

take_nap:
end_nap:
  if
  :: token[w]
  :: ACTIVE == 0
  :: hot[0] && long_turn[0]
  :: hot[1] && long_turn[1]
#if N > 2
  :: hot[2] && long_turn[2]
#endif
#if N > 3
  :: hot[3] && long_turn[3]
#endif
  fi;
  if
  :: atomic { watch == w && !called -> goto look }
  :: else
  fi;
  accept();
  if
  :: to_watch -> to_watch = false; goto look
  :: else -> goto search
  fi;

#ifdef SPARE
leave_for_good:
  atomic { // drain_to: while it is in our hands nobody sees it
    assert(!hot[w]);
    if
    :: queued != 0 -> queued--; last = true
    :: else
    fi
  }
  if
  :: last -> queued++
  :: else
  fi;
  enlisted--; // resign_active
  if
  :: last && BUG != 9 -> work_queued()
  :: else
  fi;
#endif

leave:
  atomic { long_turn[w] = false; ended++ }
}

#ifdef SPARE
proctype compensator() {
  byte target = NOBODY;
  bool owed = false;
#ifndef VAIN
  replaced = true;
#endif
#if BUG == 8
  searching++;
  enlisted++;
#else
  enlisted++;
  searching++;
#endif
#ifndef VAIN
  run worker(N - 1)
#else
#if BUG == 10
  enlisted--;
  searching--;
#else
  searching--; // resign_searching
  enlisted--;
#endif
  if // somebody may have counted on its search
  :: queued != 0 && BUG != 11 -> work_queued()
  :: else
  fi
#endif
}
#endif

proctype outsider() {
  byte target = NOBODY;
  bool owed = false;
  atomic { queued++; submitted++ } // publish
  work_queued()
}

#ifdef STOP
proctype stopper() {
  byte target = NOBODY;
  bool owed = false;
  stopping = true; // raise
  wake_all();
  ended == N // join
}
#endif

proctype monitor() {
end_watching:
  timeout;
#ifdef STOP
  assert(ended == N)
#else
  assert(queued == 0 && ran == submitted);
  assert(sleepers == enlisted && watch == NOBODY && searching == 0) // idle: nobody naps
#endif
}

init {
  byte i;
  atomic {
    for (i : 0 .. AT_FIRST - 1) { run worker(i) }
#ifdef SPARE
    run compensator();
#endif
    for (i : 1 .. OUTSIDE) { run outsider() }
#ifdef STOP
    run stopper();
#endif
    run monitor()
  }
}

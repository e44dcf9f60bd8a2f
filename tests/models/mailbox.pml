// SPDX-License-Identifier: BSD-3-Clause
//
// Exhaustive model of the mailbox's word and the control lane beside it (runtime/troupe/mailbox/mailbox.hpp and
// control_lane.hpp), with the receiver's turn as in `cell::run`; step names are the functions' names.
//
// Claims: each accepted message is handled once and in its sender's order, or dropped by the close; the depth never
// exceeds the capacity, and a sender is refused only if the mailbox was full or closed; only one holds the right to run;
// no link to an envelope that has been freed is followed; when nothing can move any more nothing waits, neither a message
// nor a control message (no lost wake-up).
//
// holds:
// holds: -DCONTROLS=2 -DBLOCKS -DMESSAGES=1
// holds: -DCLOSE -DMESSAGES=1
// holds: -DCAPACITY=1
// holds: -DREPLIES=1 -DSENDERS=1
// holds: -DREPLIES=2 -DSENDERS=1 -DCONTROLS=0
// holds: -DREPLIES=1 -DSENDERS=1 -DBLOCKS
// holds: -DREPLIES=1 -DSENDERS=1 -DCLOSE
// holds: -DCONTROLS=3 -DSENDERS=1 -DMESSAGES=1
// long:  -DMESSAGES=3
// long:  -DREPLIES=1 -DMESSAGES=1
// long:  -DSENDERS=3 -DMESSAGES=1 -DCAPACITY=1 -DCONTROLS=2 -DBLOCKS
// fails: -DBUG=1    rest without a look at the attention mark
// fails: -DBUG=2    rest without a look at the count
// fails: -DBUG=3 -DBLOCKS    block without a look at the attention mark
// fails: -DBUG=4    take follows one link too many
// fails: -DBUG=5    push into an idle mailbox wakes nobody
// fails: -DBUG=6 -DMESSAGES=3    push compares the address alone, not the count
// fails: -DBUG=7    a sender goes by the old `seen_` when it looks full
// fails: -DBUG=8 -DCLOSE    close stores instead of changing the word in one step
// fails: -DBUG=9    attend before the control message is on the lane
// fails: -DBUG=10   attend says "wake" whatever the state was
// fails: -DBUG=11 -DREPLIES=1 -DSENDERS=1    seize takes the right to run whatever the state was
// fails: -DBUG=12 -DREPLIES=1 -DSENDERS=1    what seize hands over is written before it has the right to run
// fails: -DBUG=13 -DREPLIES=1 -DSENDERS=1 -DCLOSE    seize does not look whether the mailbox is closed
// fails: -DBUG=14 -DCONTROLS=2 -DSENDERS=1    whether the lane is empty is looked at before the push
//
// Abstractions: counts are modulo 16 instead of 2^20, envelopes come from a pool of POOL, so that the address in the
// word comes back while a sender looks elsewhere. The control lane is a counter: it is emptied by one exchange. Memory is
// sequentially consistent.

#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef MESSAGES
#define MESSAGES 2 // of the first sender; the others have one less, but at least one
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef CONTROLS
#define CONTROLS 1
#endif
#ifndef REPLIES
#define REPLIES 0 // control messages that go with the right to run if the receiver rests: `cell::hand_over`
#endif
#ifndef BUG
#define BUG 0
#endif
#define POOL (CAPACITY + SENDERS)
#define NONE POOL
#define COUNTS 16
#define AHEAD(a, b) ((a - b + COUNTS) % COUNTS)                        // as the code's `ahead`: for differences from 0 up
#define WAITING(a, b) (AHEAD(a, b) < COUNTS / 2 -> AHEAD(a, b) : 0)

mtype = { busy, idle, blocked, closed };

// -- the word --
mtype state = busy;
bool attention = false;
byte address = NONE;
byte count = 0;

// -- beside it --
byte seen_ = 0;
byte done_ = 0;
byte lane = 0;   // control messages
byte handed = 0; // the one that came with the right to run
bool lane_closed = false;

// -- envelopes --
byte next_of[POOL + 1];
byte content[POOL];
bool taken[POOL];  // from the pool
bool queued[POOL]; // in the mailbox or a batch

// -- what is claimed --
byte holders = 1; // of the right to run: a new mailbox is busy
bool scheduled = true;
byte accepted = 0;
byte handled = 0;
byte dropped = 0;
byte controls_handled = 0;
byte controls_refused = 0;
byte senders_left = SENDERS + CONTROLS + REPLIES;

#define SAME (state == w_state && attention == w_attention && count == w_count && address == w_address)
inline load() {
  atomic { w_state = state; w_attention = attention; w_count = count; w_address = address }
}

// Fewer states.
inline forget_word() { w_state = 0; w_attention = false; w_count = 0; w_address = 0 }
inline forget() { forget_word(); depth = 0; d = 0 }

inline free(x) { taken[x] = false; content[x] = 0; next_of[x] = NONE }

inline get_right() { holders++; assert(holders == 1) }
inline give_right() { holders--; assert(holders == 0) }

proctype sender(byte me) {
  mtype w_state;
  bool w_attention;
  byte w_count, w_address, e, n, d, depth;
  bool wake = false;
  do
  :: n == (me == 0 || MESSAGES == 1 -> MESSAGES : MESSAGES - 1) -> break
  :: else ->
    atomic {
      e = 0;
      do
      :: taken[e] -> e++
      :: else -> break
      od;
      taken[e] = true;
      content[e] = me * MESSAGES + n
    }
again:
    atomic { load(); depth = AHEAD(count, done_) }
    atomic {
      if
      :: w_state == closed -> forget(); goto refused
      :: w_state != closed && WAITING(w_count, seen_) < CAPACITY -> goto swap
      :: else
      fi
    }
#if BUG == 7
    assert(depth >= CAPACITY);
    forget();
    goto refused;
#endif
    d = done_;
    atomic {
      seen_ = d;
      if
      :: WAITING(w_count, d) >= CAPACITY -> assert(depth >= CAPACITY); forget(); goto refused
      :: else
      fi
    }
swap:
    atomic {
      next_of[e] = w_address;
#if BUG == 6
      if
      :: state == w_state && attention == w_attention && address == w_address ->
#else
      if
      :: SAME ->
#endif
        if
        :: w_state == idle && BUG != 5 -> wake = true; state = busy; get_right()
        :: w_state == idle && BUG == 5 -> state = busy
        :: else
        fi;
        address = e;
        count = (w_count + 1) % COUNTS;
        queued[e] = true;
        accepted++;
        assert(AHEAD(count, done_) <= CAPACITY);
        forget()
      :: else -> forget(); goto again
      fi
    }
    if
    :: wake -> atomic { wake = false; scheduled = true }
    :: else
    fi;
    goto sent;
refused:
    atomic { free(e); e = 0 }
sent:
    n++
  od;
  senders_left--
}

inline attend() {
  wake = false;
attend_again:
  load();
  if
  :: w_state == closed -> forget_word()
  :: else ->
    atomic {
      if
      :: SAME ->
        if
        :: w_state == idle || w_state == blocked || BUG == 10 -> wake = true; get_right()
        :: else
        fi;
        state = busy;
        attention = true;
        forget_word()
      :: else -> goto attend_again
      fi
    }
    if
    :: wake -> scheduled = true
    :: else
    fi
  fi
}

// Sets `was_first` if the receiver has to be made to look.
inline push_control() {
#if BUG == 14
  was_first = (lane == 0);
#endif
  atomic {
    if
    :: lane_closed -> controls_refused++; was_first = false
    :: else ->
#if BUG != 14
      was_first = (lane == 0);
#endif
      lane++
    fi
  }
}

proctype controller() {
  mtype w_state;
  bool w_attention;
  byte w_count, w_address;
  bool wake;
  bool was_first = false;
#if BUG == 9
  attend();
  push_control();
#else
  push_control();
  if
  :: was_first -> attend()
  :: else
  fi;
#endif
  senders_left--
}

// Sets `wake` if it has the right to run.
inline seize() {
  wake = false;
seize_again:
  load();
  if
  :: w_state != idle && w_state != blocked && BUG != 11 && !(w_state == closed && BUG == 13) -> forget_word()
  :: else ->
    atomic {
      if
      :: SAME ->
        wake = true;
        get_right();
        state = busy;
        forget_word()
      :: else -> goto seize_again
      fi
    }
  fi
}

proctype answerer() {
  mtype w_state;
  bool w_attention;
  byte w_count, w_address;
  bool wake;
  bool was_first = false;
#if BUG == 12
  handed++;
  seize();
  if
  :: wake -> scheduled = true; goto answered
  :: else -> handed--
  fi;
#else
  seize();
  if
  :: wake ->
    assert(handed == 0);
    if
    :: lane == 0 -> handed++
    :: else -> lane++ // behind what is there
    fi;
    scheduled = true;
    goto answered
  :: else
  fi;
#endif
  push_control();
  if
  :: was_first -> attend()
  :: else
  fi;
answered:
  senders_left--
}

// The links of what is queued are the receiver's: nobody else writes them, so this is one step.
inline turn_round() {
  atomic {
    held = (held + n) % COUNTS;
#if BUG == 4
    n++;
#endif
    do
    :: n == 0 -> break
    :: else ->
      assert(e != NONE && queued[e]); // only what is fresh is followed
      older = next_of[e];
      next_of[e] = batch;
      batch = e;
      e = older;
      n--
    od;
    e = 0;
    older = 0
  }
}

proctype receiver() {
  mtype w_state;
  bool w_attention;
  byte w_count, w_address, e, n, older;
  byte batch = NONE;
  byte held = 0;
  byte last[SENDERS]; // of each sender: the number above the last one that came
  bool stopping = false;

end_waiting:
  atomic { scheduled -> scheduled = false }

  atomic { // deliver what came with the right to run
    controls_handled = controls_handled + handed;
#ifdef CLOSE
    if
    :: handed > 0 -> stopping = true
    :: else
    fi;
#endif
    handed = 0
  }

turn:
  assert(holders == 1);
  if // take_attention
  :: attention ->
    attention = false; // a fetch_and: one step
    atomic {
      controls_handled = controls_handled + lane;
#ifdef CLOSE
      if
      :: lane > 0 -> stopping = true
      :: else
      fi;
#endif
      lane = 0
    }
  :: else
  fi;
  if
  :: stopping -> goto close
  :: else
  fi;

#ifdef BLOCKS
  if // the mailbox is not served before all control messages are there
  :: controls_handled < CONTROLS + REPLIES ->
block:
    load();
    if
    :: w_attention && BUG != 3 -> atomic { forget_word(); goto turn }
    :: else
    fi;
    atomic {
      if
      :: SAME -> state = blocked; give_right(); forget_word(); goto end_waiting
      :: else -> goto block
      fi
    }
  :: else
  fi;
#endif

  // pop
  if
  :: batch != NONE
  :: batch == NONE ->
    atomic { n = AHEAD(count, held); e = address } // take: one load
    if
    :: n == 0 -> goto rest
    :: else
    fi;
    turn_round()
  fi;
  atomic { e = batch; batch = next_of[e]; queued[e] = false; done_ = (done_ + 1) % COUNTS }
  atomic { // handle, and free
    assert(content[e] % MESSAGES >= last[content[e] / MESSAGES]);
    last[content[e] / MESSAGES] = content[e] % MESSAGES + 1;
    handled++;
    free(e);
    e = 0
  }
  goto turn;

rest:
  load();
  if
  :: (w_attention && BUG != 1) || (AHEAD(w_count, held) != 0 && BUG != 2) -> atomic { forget_word(); goto turn }
  :: else
  fi;
  atomic {
    if
    :: SAME -> state = idle; give_right(); forget_word(); goto end_waiting
    :: else -> goto rest
    fi
  }

close:
#if BUG == 8
  load();
  atomic { state = closed; attention = w_attention; count = w_count; address = w_address }
#else
  state = closed;
#endif
  // what is waiting is dropped
  do
  :: batch != NONE ->
    atomic {
      e = batch;
      batch = next_of[e];
      queued[e] = false;
      done_ = (done_ + 1) % COUNTS;
      dropped++;
      free(e);
      e = 0
    }
  :: else ->
    atomic { n = AHEAD(count, held); e = address }
    if
    :: n == 0 -> break
    :: else -> turn_round()
    fi
  od;
  atomic { lane_closed = true; controls_refused = controls_refused + lane; lane = 0 }
}

proctype monitor() {
end_watching:
  timeout;
  assert(senders_left == 0 && !scheduled);
  assert(accepted == handled + dropped && AHEAD(count, done_) == 0);
  assert(lane == 0 && handed == 0 && controls_handled + controls_refused == CONTROLS + REPLIES);
  assert(state == closed || (state == idle && holders == 0 && dropped == 0))
}

init {
  byte i;
  atomic {
    for (i : 0 .. SENDERS - 1) { run sender(i) }
#if CONTROLS > 0
    for (i : 1 .. CONTROLS) { run controller() }
#endif
#if REPLIES > 0
    for (i : 1 .. REPLIES) { run answerer() }
#endif
    run receiver();
    run monitor()
  }
}

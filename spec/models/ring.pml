/*
 * The channel's ring (native/channel/channel_ring.cpp, channel_slots.cpp).
 *
 * Senders put their private slot into the cell at the tail and get the cell's slot for it;
 * receivers copy, then take the cell. Each has cursors of its own, which go from cell to cell; the
 * words for the ends are moved on now and then. A ring that gets full is closed at the tail and
 * followed by one twice as large. Slots that died with a sender are found by a sweep. Anyone but
 * the recoverer may die at any step. Steps that several of them take are in ring_steps.pml.
 *
 * Shown: each message that was sent is received once and in its sender's order, while a receiver
 * lives; what a receiver copied is what was sent; a slot is in one place; nobody waits while there
 * is a message, or room.
 * Left out: payloads in allocations; memory that is short; the queues of waiters (parking.pml).
 * Out of reach: two messages of each of two senders (no end after 37 million states); the random
 * runs of native/proof go there.
 *
 * CHECK -DSENDERS=2 -DRECEIVERS=1 -DMESSAGES=1
 * CHECK -DSENDERS=1 -DRECEIVERS=2 -DMESSAGES=1
 * CHECK -DSENDERS=1 -DRECEIVERS=1 -DMESSAGES=3
 * CHECK -DSENDERS=1 -DRECEIVERS=1 -DMESSAGES=3 -DCAPACITY=4
 * CHECK -DSENDERS=2 -DRECEIVERS=0 -DMESSAGES=1 -DDEATHS=0 -DSWEEP
 * FULL -DSENDERS=2 -DRECEIVERS=0 -DMESSAGES=1 -DSWEEP
 * FULL -DSENDERS=2 -DRECEIVERS=1 -DSECOND=1
 * FULL -DSENDERS=2 -DRECEIVERS=1 -DMESSAGES=3 -DSECOND=1 -DDEATHS=0
 * FULL -DSENDERS=1 -DRECEIVERS=2
 * FULL -DSENDERS=2 -DRECEIVERS=1 -DCAPACITY=4 -DDEATHS=0 -DSECOND=1
 * FULL -DSENDERS=2 -DRECEIVERS=1 -DMESSAGES=1 -DSWEEP -DDEATHS=0
 * FAULT -DSENDERS=1 -DRECEIVERS=1 -DDEATHS=0 -DPLAIN_ARM a waiter's bit is set by a plain store
 * FAULT -DSENDERS=1 -DRECEIVERS=2 -DMESSAGES=3 -DDEATHS=0 -DNO_LAPS cells do not carry the lap
 * FAULT -DSENDERS=2 -DRECEIVERS=0 -DSWEEP -DNO_INTENT the slot to come is not noted before the swap
 * FAULT -DSENDERS=2 -DRECEIVERS=1 -DCAPACITY=4 -DDEATHS=0 -DOPEN_LATE a ring's first is the tail
 *   as it was before the close
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef MESSAGES
#define MESSAGES 2       /* of each sender, */
#endif
#ifndef SECOND
#define SECOND MESSAGES  /* or those of the second */
#endif
#define TO_SEND(p) ((p) == 0 -> MESSAGES : SECOND)
#ifndef CAPACITY
#define CAPACITY 2
#endif
#define DEPTH 1
/* Senders, receivers, the one that sweeps, the recoverer. */
#define SWEEPER (SENDERS + RECEIVERS)
#define PROCS (SENDERS + RECEIVERS + 1)

#define STEPS_TO_SAY 2
#define NO_SLOT 0
#define SLOTS_MADE (SENDERS + 4)

#define TAIL 0
#define SEND_RING 1
#define HEAD 2
#define RECEIVE_RING 3
#define ROOM 4           /* the hint bits: somebody waits for room, */
#define NEWS 5           /* for a message */
#define CELL(r, i) (6 + 2 * (r) + (i))  /* two cells of ring 0, four of ring 1 */
#define MESSAGE(s) (11 + (s))           /* in slot s, from 1 on */
#define FILLED_FOR(s) (11 + SLOTS_MADE + (s))
#define PRIVATE(p) (12 + 2 * SLOTS_MADE + 2 * (p))  /* in the sender's record, */
#define COMING(p) (13 + 2 * SLOTS_MADE + 2 * (p))   /* and what it gets for it */
#define FRESH (12 + 2 * SLOTS_MADE + 2 * SENDERS)
#define CELLS (FRESH + 1)

/* Store buffers belong to processes, SLOTS of the channel are another thing. */
#include "tso.pml"

#define FREE 0
#define QUEUED 1
#define CLOSED 2
#ifdef NO_LAPS
#define LAP(r, position) 0
#else
#define LAP(r, position) ((position) >> ((r) + 1))
#endif
#define WORD(lap, state, slot) ((lap) * 64 + (state) * 16 + (slot))
#define LAP_OF(w) ((w) / 64)
#define STATE_OF(w) (((w) / 16) % 4)
#define SLOT_OF(w) ((w) % 16)
#define AT(r, position) CELL(r, (position) & ((2 << (r)) - 1))
/* A ring that can still be followed by another keeps one cell to close. */
#if CAPACITY > 2
#define FIRST_HOLDS 1
#else
#define FIRST_HOLDS CAPACITY
#endif
#define HOLDS(r) (FIRST_HOLDS + (r) * (CAPACITY - FIRST_HOLDS))

byte first[2];
byte mutex = 0;          /* 0 or 1 + the holder; see robust_mutex.pml */
bool woken[PROCS];
byte recovered = 0;      /* deaths that were told */
/* For the assertions: the numbers of each sender's last message, and its slot. */
byte received[SENDERS];
byte sent[SENDERS];
byte holds[SENDERS];

#define DRAINED_OR_LIVES(p) (!dead[p] || buffered[p] == 0)
#if SENDERS + RECEIVERS > 2
#define NOBODY_DRAINS (DRAINED_OR_LIVES(0) && DRAINED_OR_LIVES(1) && DRAINED_OR_LIVES(2))
#else
#define NOBODY_DRAINS (DRAINED_OR_LIVES(0) && DRAINED_OR_LIVES(1))
#endif
#if RECEIVERS > 1
#define RECEIVER_LIVES (!dead[SENDERS] || !dead[SENDERS + 1])
#else
#define RECEIVER_LIVES !dead[SENDERS]
#endif

#include "ring_steps.pml"

proctype Sender(byte p) {
  byte mine = p + 1;
  byte number = 0;
  byte tail = 0;         /* the cursors, */
  byte ring = 0;
  byte head = 0;
  byte head_ring = 0;
  byte seen = 0;         /* and the head at least */
  byte said;
  byte i;
  short w;
  bool ok;
  bool armed = false;
  {
    do
    :: number == TO_SEND(p) -> break
    :: number < TO_SEND(p) ->
       need_slot(p);
       store(p, MESSAGE(mine), p * 8 + number + 1);
look:
       atomic {
         w = LOAD(p, AT(ring, tail));
         if
         :: LAP_OF(w) == LAP(ring, tail) && STATE_OF(w) == FREE ->
            if
            :: tail >= seen + HOLDS(ring) -> i = 3
            :: else -> i = 0
            fi
         :: LAP_OF(w) == LAP(ring, tail) && STATE_OF(w) == CLOSED -> i = 1
         :: LAP_OF(w) == LAP(ring, tail) - 1 -> i = 4
         :: else -> i = 2
         fi
       };
       if
       :: i == 0
       :: i == 1 -> cas(p, SEND_RING, ring, ring + 1, ok); ring++; goto look
       :: i == 2 -> advance(p, tail, ring, TAIL, SEND_RING); goto look
       :: i == 3 ->
          see_room(p, HOLDS(ring) / 2);
          see_room(p, 0);
          settled_head(p);
          if
          :: tail < seen + HOLDS(ring) -> goto look
          :: tail >= seen + HOLDS(ring) && tail < seen + CAPACITY -> grow(p); goto look
          :: tail >= seen + HOLDS(ring) && tail >= seen + CAPACITY -> goto no_room
          fi
       :: i == 4 ->
          settled_head(p);
          if
          :: tail >= seen + CAPACITY -> goto no_room
          :: else -> goto look
          fi
       fi;
#ifdef SWEEP
       store(p, FILLED_FOR(mine), tail + 1);
#ifndef NO_INTENT
       store(p, COMING(p), SLOT_OF(w));
#endif
#endif
       atomic {
         cas(p, AT(ring, tail), w, WORD(LAP(ring, tail), QUEUED, mine), ok);
         if
         :: ok ->
            number++;
            sent[p] = number;
            mine = SLOT_OF(w);
            holds[p] = mine
         :: else -> goto look
         fi
       };
#ifdef SWEEP
       store(p, PRIVATE(p), mine);
#endif
       tail++;
       raise(p, TAIL, tail);
       atomic { w = 0; armed = false; ok = false };
       wake(p, NEWS, SENDERS, SENDERS + RECEIVERS);
       goto next;
no_room:
       if
       :: armed ->
end_full:
          atomic { woken[p] -> woken[p] = false; armed = false; i = 0; w = 0 }
       :: else -> arm(p, ROOM); armed = true
       fi;
       goto look;
next:
       skip
    od;
    ended[p] = true
  } unless {
    dead[p]
  }
}

proctype Receiver(byte p) {
  byte head = 0;         /* the cursor */
  byte ring = 0;
  byte said;
  byte i;
  short w;
  byte message;
  bool ok;
  bool armed = false;
  {
    skip;
look:
    atomic {
      w = LOAD(p, AT(ring, head));
      if
      :: LAP_OF(w) != LAP(ring, head) -> i = 0
      :: LAP_OF(w) == LAP(ring, head) && STATE_OF(w) == CLOSED -> i = 1
      :: LAP_OF(w) == LAP(ring, head) && STATE_OF(w) == FREE -> i = 2
      :: LAP_OF(w) == LAP(ring, head) && STATE_OF(w) == QUEUED -> i = 3
      fi
    };
    if
    :: i == 0 -> advance(p, head, ring, HEAD, RECEIVE_RING); goto look
    :: i == 1 -> cas(p, RECEIVE_RING, ring, ring + 1, ok); ring++; goto look
    :: i == 2 && armed ->
end_empty:
       atomic { woken[p] -> woken[p] = false; armed = false; goto look }
    :: i == 2 && !armed -> arm(p, NEWS); armed = true; goto look
    :: i == 3 ->
       message = LOAD(p, MESSAGE(SLOT_OF(w)));
       atomic {
         cas(p, AT(ring, head), w, WORD(LAP(ring, head + (2 << ring)), FREE, SLOT_OF(w)), ok);
         if
         :: ok ->
            /* Each sender's messages come in order, so none comes twice or is left out. */
            assert(message % 8 == received[message / 8] + 1);
            received[message / 8] = message % 8
         :: else -> goto look
         fi;
         message = 0
       };
       head++;
       raise(p, HEAD, head)
    fi;
    atomic { w = 0; i = 0; armed = false; ok = false };
    wake(p, ROOM, 0, SENDERS);
    goto look
  } unless {
    dead[p]
  }
}

/* Finds the slots that nobody refers to, at any time. */
proctype Sweeper(byte p) {
  byte began = 0;
  byte i = 0;
  short used = 0;
  short w;
  atomic { mutex == 0 || KNOWN_DEAD(mutex - 1) -> mutex = p + 1 };
  do  /* settled_tail, from the word on */
  :: atomic {
       w = mem[AT(0, began)];
       if
       :: LAP_OF(w) > LAP(0, began) || (LAP_OF(w) == LAP(0, began) && STATE_OF(w) == QUEUED) ->
          began++
       :: else -> break
       fi
     }
  od;
  do  /* mark_cells */
  :: atomic { i < 2 -> used = used | (1 << SLOT_OF(mem[CELL(0, i)])); i++ }
  :: i == 2 -> break
  od;
  i = 0;
  do  /* mark_records: what comes first, then the slot itself */
  :: i < SENDERS ->
     if
     :: KNOWN_DEAD(i)  /* its record is gone */
     :: !KNOWN_DEAD(i) ->
        used = used | (1 << mem[COMING(i)]);
        used = used | (1 << mem[PRIVATE(i)])
     fi;
     i++
  :: i == SENDERS -> break
  od;
  i = 1;
  w = mem[FRESH];
  do
  :: atomic {
       i < w ->
       if
       :: !(used & (1 << i)) && mem[FILLED_FOR(i)] <= began ->
          /* It is nobody's: in no cell and no living sender's. */
          assert(SLOT_OF(mem[CELL(0, 0)]) != i && SLOT_OF(mem[CELL(0, 1)]) != i);
          assert(dead[0] || holds[0] != i);
          assert(dead[1] || holds[1] != i)
       :: else
       fi;
       i++
     }
  :: i >= w -> break
  od;
  mutex = 0
}

/* After a death everybody looks again. */
proctype Recoverer() {
  byte i = 0;
  skip;
  do
  :: skip;
end:
     d_step {
       recovered < deaths && NOBODY_DRAINS ->
       recovered = deaths;
       i = 0;
       do
       :: i < PROCS -> woken[i] = true; i++
       :: else -> break
       od;
       i = 0
     }
  od
}

/* What must hold when nothing moves any more. */
proctype Judge() {
  timeout;
  assert(mutex == 0 || dead[mutex - 1]);
#if RECEIVERS > 0
  if
  :: RECEIVER_LIVES ->
     assert(dead[0] || ended[0]);
     assert(received[0] == sent[0]);
#if SENDERS > 1
     assert(dead[1] || ended[1]);
     assert(received[1] == sent[1])
#endif
  :: else
  fi
#endif
}

init {
  byte i = 0;
  d_step {
    do
    :: i < SENDERS -> mem[PRIVATE(i)] = i + 1; holds[i] = i + 1; i++
    :: i >= SENDERS -> break
    od;
    mem[FRESH] = SENDERS + 1;
    i = 0
  };
  atomic {
    do
    :: i < PROCS ->
       if
       :: i < SENDERS -> run Sender(i)
       :: i >= SENDERS && i < SENDERS + RECEIVERS -> run Receiver(i)
       :: else
       fi;
       if
       :: i < SENDERS + RECEIVERS -> run Machine(i, true)
       :: else
       fi;
       i++
    :: i >= PROCS -> break
    od;
#ifdef SWEEP
    run Sweeper(SWEEPER);
#endif
#if DEATHS > 0
    run Recoverer();
#endif
    run Judge()
  }
}

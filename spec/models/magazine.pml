/*
 * Blocks in magazines and how they change hands (native/memory).
 *
 * One block, whose truth is its state word. Two actors allocate and free it in turn, through their
 * magazines or the heap; a third waits for memory; a fourth holds an id that is out of date and
 * frees by it. Anyone may steal a cached block by one compare-and-swap. Anyone but the reclaimer
 * may die at any step.
 *
 * Shown: a block has one owner, and the owner word says who while it is live; a free by an old id
 * frees nothing; the waiter never sleeps while the block is free or cached; nothing is left to a
 * dead actor.
 * Left out: the heap's lists, which are an index under the robust mutex (robust_mutex.pml), and
 * the queue of waiters (parking.pml). More blocks have nothing in common but those two.
 *
 * CHECK -DDEATHS=0 -DROUNDS=2 -DSTALE_ID
 * CHECK -DDEATHS=1 -DROUNDS=2 -DSECOND=0
 * FULL -DDEATHS=0 -DROUNDS=3 -DDEPTH=2
 * FULL -DDEATHS=1 -DSTALE_ID
 * FULL -DDEATHS=2 -DROUNDS=2 -DSECOND=0 -DDEPTH=2
 * FAULT -DDEATHS=0 -DROUNDS=2 -DOWNER_FIRST the owner is stored before the block is the actor's
 * FAULT -DDEATHS=0 -DROUNDS=2 -DPLAIN_FREE a free is a store, after which the hint is read
 * FAULT -DDEATHS=0 -DSTALE_ID -DSAME_GENERATION a free does not change the generation
 * FAULT -DDEATHS=0 -DROUNDS=2 -DONE_ROUND an actor announces only its first cached block
 * FAULT -DDEATHS=1 -DROUNDS=2 -DLEAVE_TAKEN reclamation overlooks blocks between cached and live
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef DEPTH
#define DEPTH 1
#endif
#ifndef ROUNDS
#define ROUNDS 1         /* allocations of the first actor */
#endif
#ifndef SECOND
#define SECOND 1         /* and of the second */
#endif
#define WAITER 2
#define RECLAIMER 3
#define PROCS 4

#define STATE 0          /* kind, generation, actor */
#define OWNER 1
#define HINT 2
#define MUTEX 3          /* 0 or 1 + the holder */
#define CACHING 4        /* whether any magazine may hold something; rounds of searches */
#define CELLS 5

#include "tso.pml"

#define FREE 0
#define CACHED 1         /* in the magazine of the actor */
#define TAKEN 2          /* the actor makes it live */
#define LIVE 3
#define RETURNED 4       /* on its way into the heap, under the mutex */
#define WORD(kind, generation, actor) ((kind) * 256 + (generation) * 8 + (actor))
#define KIND(w) ((w) / 256)
#define GENERATION(w) (((w) / 8) % 32)
#define ACTOR(w) ((w) % 8)
#ifdef SAME_GENERATION
#define NEXT(w) GENERATION(w)
#else
#define NEXT(w) (GENERATION(w) + 1)
#endif

/* The number of the round, and the bits. A search's word has no ANNOUNCED. */
#define ANY 1
#define ANNOUNCED 2
#define ROUND(w) ((w) / 4)
#define CACHING_WORD(round, bits) ((round) * 4 + (bits))

bool woken = false;
bool first_freed = false;
byte user = 255;         /* who has the block, for the assertions */

/* Takes the heap's mutex; after a death what was on its way is free. */
inline lock(p) {
  atomic {
    DRAINED(p) && (mem[MUTEX] == 0 || KNOWN_DEAD(mem[MUTEX] - 1)) ->
    mem[MUTEX] = p + 1;
    if
    :: KIND(mem[STATE]) == RETURNED -> mem[STATE] = WORD(FREE, GENERATION(mem[STATE]), 0)
    :: else
    fi
  }
}

inline unlock(p) { d_step { DRAINED(p) -> mem[MUTEX] = 0 } }

inline begin_use(p) {
  assert(user == 255 || dead[user]);
  user = p
}

/* Stolen from anyone's magazine, or from the heap. The mutex is held. */
inline take_from_heap(p) {
  /* take_back_cached: a search begins a round, and ends it unless somebody announced in it. */
  round = LOAD(p, CACHING);
  if
  :: round & ANY ->
     atomic {
       DRAINED(p) ->
       round = ROUND(mem[CACHING]) + 1;
       mem[CACHING] = CACHING_WORD(round, mem[CACHING] & ANY)
     };
     atomic {
       DRAINED(p) ->
       word = mem[STATE];
       if
       :: KIND(word) == CACHED ->
          word = WORD(RETURNED, GENERATION(word), 0);
          mem[STATE] = word
       :: else
       fi
     };
     if
     :: KIND(word) == RETURNED -> word = WORD(FREE, GENERATION(word), 0); store(p, STATE, word)
     :: else
     fi;
     cas(p, CACHING, CACHING_WORD(round, ANY), CACHING_WORD(round, 0), got)
  :: else
  fi;
  atomic { got = false; round = 0; word = LOAD(p, STATE) };
  if
  :: KIND(word) == FREE ->
     store(p, OWNER, p);
     atomic {
       CAN_STORE(p) ->
       word = WORD(LIVE, GENERATION(word), p);
       push(p, STATE, word);
       got = true;
       begin_use(p)
     }
  :: else
  fi
}

inline allocate(p) {
  got = false;
  if
  :: cached != 0 ->
#ifdef OWNER_FIRST
     store(p, OWNER, p);
     atomic {
       cas(p, STATE, cached, WORD(LIVE, GENERATION(cached), p), got);
       word = (got -> mem[STATE] : 0);
       cached = 0;
       if
       :: got -> begin_use(p)
       :: else
       fi
     }
#else
     cas(p, STATE, cached, WORD(TAKEN, GENERATION(cached), p), got);
     if
     :: got ->
        store(p, OWNER, p);
        atomic {
          CAN_STORE(p) ->
          word = WORD(LIVE, GENERATION(cached), p);
          push(p, STATE, word);
          begin_use(p)
        }
     :: else
     fi;
     cached = 0
#endif
  :: else
  fi;
  if
  :: !got -> lock(p); take_from_heap(p); unlock(p)
  :: else
  fi
}

inline wake(p) {
  if
  :: LOAD(p, HINT) == 1 -> d_step { DRAINED(p) -> mem[HINT] = 0; woken = true }
  :: else
  fi
}

/* Says that the own magazine holds something, once in each round. */
inline announce(p) {
  round = LOAD(p, CACHING);
  if
#ifdef ONE_ROUND
  :: !known ->
#else
  :: !known || ROUND(round) != seen ->
#endif
     atomic {
       DRAINED(p) ->
       seen = ROUND(mem[CACHING]);
       known = true;
       mem[CACHING] = CACHING_WORD(seen, ANY | ANNOUNCED)
     }
  :: else
  fi;
  round = 0
}

/* Into the own magazine; if somebody waits, into the heap instead. What goes to the heap at once,
   since memory is scarce, does nothing that a free by a waiter's hint does not do. */
inline free(p) {
  atomic { assert(LOAD(p, OWNER) == p); assert(LOAD(p, STATE) == word) };
  atomic {
#ifdef PLAIN_FREE
    CAN_STORE(p) -> push(p, STATE, WORD(CACHED, NEXT(word), p)); got = true;
#else
    cas(p, STATE, word, WORD(CACHED, NEXT(word), p), got);
#endif
    assert(got);
    user = 255;
    first_freed = true;
    cached = WORD(CACHED, NEXT(word), p);
    word = 0
  };
  announce(p);
  if
  :: LOAD(p, HINT) == 1 ->
     lock(p);
     atomic {
       cas(p, STATE, cached, WORD(RETURNED, GENERATION(cached), 0), got);
       word = WORD(FREE, GENERATION(cached), 0);
       cached = 0
     };
     if
     :: got -> store(p, STATE, word)
     :: else
     fi;
     unlock(p);
     atomic { got = false; word = 0 };
     wake(p)
  :: else
  fi
}

proctype Actor(byte p; byte rounds) {
  short word;
  short round;
  short seen = 0;        /* the round in which it announced last */
  bool known = false;
  short cached = 0;      /* its magazine */
  bool got;
  {
    do
    :: rounds > 0 ->
       allocate(p);
       if
       :: got -> free(p)
       :: else -> word = 0
       fi;
       rounds--
    :: rounds == 0 -> break
    od;
    atomic { cached = 0; seen = 0; known = false; ended[p] = true }
  } unless {
    dead[p]
  }
}

proctype Waiter(byte p) {
  short word;
  short round;
  short seen = 0;
  bool known = false;
  short cached = 0;
  bool got;
  {
    skip;
arm:
    atomic { DRAINED(p) -> mem[HINT] = 1 };
    allocate(p);
    if
    :: got -> goto leave
    :: else -> word = 0
    fi;
end_asleep:
    atomic { woken -> woken = false };
    goto arm;
leave:
    atomic { DRAINED(p) -> mem[HINT] = 0; woken = false };
    free(p);
    atomic { cached = 0; seen = 0; known = false; ended[p] = true }
  } unless {
    dead[p]
  }
}

/* Has the id of the first allocation that ever was, which is free or gone now. */
proctype Stranger() {
end:
  atomic {
    first_freed;
    assert(KIND(mem[STATE]) != LIVE || GENERATION(mem[STATE]) != 0)
  }
}

proctype Reclaimer(byte p) {
  short word;
  byte victim;
  bool returned[3];
  skip;
  do
  :: skip;
end:
     atomic {
       if
       :: KNOWN_DEAD(0) && !returned[0] -> victim = 0
       :: KNOWN_DEAD(1) && !returned[1] -> victim = 1
       :: KNOWN_DEAD(2) && !returned[2] -> victim = 2
       fi
     };
     lock(p);
     atomic {
       DRAINED(p) ->
       word = mem[STATE];
       if
       :: KIND(word) == CACHED && ACTOR(word) == victim
#ifndef LEAVE_TAKEN
       :: KIND(word) == TAKEN && ACTOR(word) == victim
#endif
       :: KIND(word) == LIVE && mem[OWNER] == victim -> word = WORD(LIVE, NEXT(word), 0)
       :: else -> word = -1
       fi;
       if
       :: word >= 0 -> mem[STATE] = WORD(FREE, GENERATION(word), 0)
       :: else
       fi
     };
     unlock(p);
     wake(p);
     atomic { returned[victim] = true; victim = 0; word = 0 }
  od
}

proctype Judge() {
  timeout;
  assert(dead[WAITER] || ended[WAITER]);
  assert(mem[MUTEX] == 0);
  assert(KIND(mem[STATE]) == FREE || (KIND(mem[STATE]) == CACHED && !dead[ACTOR(mem[STATE])]))
}

init {
  atomic {
    run Actor(0, ROUNDS); run Machine(0, true);
    run Actor(1, SECOND); run Machine(1, true);
    run Waiter(WAITER); run Machine(WAITER, true);
#ifdef STALE_ID
    run Stranger();
#endif
    run Reclaimer(RECLAIMER); run Machine(RECLAIMER, false);
    run Judge()
  }
}

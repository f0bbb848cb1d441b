/*
 * Waiting and waking in the parking lot (native/sync/parking.h, bell.h).
 *
 * Two waiters each take one item, one asleep in a futex, one in an event loop with a bell; two
 * wakers each put one and wake. A process that watches for deaths recovers. Anyone of the others
 * may die at any step.
 *
 * Shown: when nothing moves any more, no living waiter sleeps while there is an item; a wake that
 * reached one who does not need it went on; nobody waits for a mutex.
 * Left out: the waiter's own look after 10 ms, so the protocol does without it; stopped holders.
 *
 * CHECK -DALONE=0
 * CHECK -DALONE=1
 * CHECK -DDEATHS=0 -DWAKERS=2
 * CHECK -DDEATHS=0 -DIMPATIENT
 * FULL -DDEATHS=1
 * FULL -DDEATHS=2 -DALONE=0
 * FULL -DDEATHS=2 -DALONE=1
 * FULL -DDEATHS=0 -DWAKERS=2 -DIMPATIENT
 * FAULT -DDEATHS=0 -DLOOK_BEFORE_ARM a waiter sleeps without a look after it has armed
 * FAULT -DDEATHS=0 -DPLAIN_LOOK a waker's look is a plain load after a plain store
 * FAULT -DALONE=1 -DQUEUES_ONLY recovery rings only those who stand in a queue
 * FAULT -DDEATHS=0 -DWAKERS=2 -DSLEEP_RUNG an event loop sleeps on a ring that was only noted
 * FAULT -DDEATHS=0 -DWAKERS=2 -DKEEP_WAKE who has found an item keeps a wake that came only then
 * FAULT -DDEATHS=0 -DWAKERS=2 -DREARM_UNTRIED a wake after the last look is spent without a look
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef WAKERS
#define WAKERS 1
#endif
#define DEPTH 1

/* Waiters 0 and 1, then the recoverer, a second one in case it dies, and the wakers. */
#define SLEEPER 0
#define LOOPER 1
#define RECOVERER 2
#define FIRST_WAKER 4
#define PROCS (FIRST_WAKER + WAKERS)

#define HINT 0
#define ITEMS 1
#define MUTEX 2          /* of the bucket: 0, or 1 + the holder; robust_mutex.pml is its proof */
#define STATE(w) (3 + (w))
#define RUNG 5           /* the bell of waiter 1: silent, rung, or its owner is awake */
#define CELLS 6

#include "tso.pml"

/* The queue, an index over the states. It is touched under the mutex only, whose release drains
 * the store buffer, so it needs no buffering here. */
bool listed[2];

#define IDLE 0
#define ARMED 1
#define SLEEPING 2
#define WOKEN 3

bool in_futex = false;   /* the kernel's view of waiter 0 */
bool datagram = false;   /* in the socket of waiter 1 */
bool recovered[PROCS];
byte impatient = 2;      /* the waiter whose deadline may pass, or 2 */

#define SILENT 0
#define IS_RUNG 1
#define AWAKE 2

#define IN_QUEUE(s) ((s) == ARMED || (s) == SLEEPING)

/* Each `atomic` below is one access to shared memory with the local steps around it. */

/* Takes the bucket's mutex; after a death the queue is made anew from the states. */
inline lock(p) {
  atomic {
    DRAINED(p) && (mem[MUTEX] == 0 || KNOWN_DEAD(mem[MUTEX] - 1)) ->
    if
    :: mem[MUTEX] != 0 -> listed[0] = IN_QUEUE(mem[STATE(0)]); listed[1] = IN_QUEUE(mem[STATE(1)])
    :: else
    fi;
    mem[MUTEX] = p + 1
  }
}

inline unlock(p) { d_step { DRAINED(p) -> mem[MUTEX] = 0 } }

/* enqueue: the state, the queue, the hint bit by a read-modify-write. */
inline enqueue(p) {
  store(p, STATE(p), ARMED);
  listed[p] = true;
  d_step { DRAINED(p) -> mem[HINT] = 1 }
}

inline take_item(p) {
  d_step {
    DRAINED(p) ->
    if
    :: mem[ITEMS] > 0 -> mem[ITEMS] = mem[ITEMS] - 1; got = true
    :: else -> got = false
    fi
  }
}

/* notify: the futex wake, or the bell, which is rung only by who finds it silent. An owner that is
 * awake finds the note before it sleeps. */
inline notify(p, w, was, force) {
  atomic {
    DRAINED(p) ->
    if
    :: w == SLEEPER ->
       if
       :: was == SLEEPING || force -> in_futex = false
       :: else
       fi;
       ring = false
    :: else -> ring = (mem[RUNG] == SILENT || force); mem[RUNG] = IS_RUNG
    fi
  };
  atomic {
    if
    :: ring -> datagram = true
    :: else
    fi;
    ring = false
  }
}

/* wake_one: out of the queue first, then the state; the bit goes when nobody is left. */
inline wake_one(p) {
  lock(p);
  atomic {
    if
    :: listed[0] -> target = 0
    :: listed[1] -> target = 1
    :: !listed[0] && !listed[1] -> target = 2
    fi;
    if
    :: target < 2 -> listed[target] = false
    :: else
    fi
  };
  atomic {
    DRAINED(p) ->
    if
    :: target < 2 -> before = mem[STATE(target)]; mem[STATE(target)] = WOKEN
    :: else
    fi
  };
  d_step {
    DRAINED(p) ->
    if
    :: !listed[0] && !listed[1] -> mem[HINT] = 0
    :: else
    fi
  };
  unlock(p);
  if
  :: target < 2 -> notify(p, target, before, false)
  :: else
  fi
}

/* Either way of changing the object and looking at the hint must do. */
inline put_and_look(p) {
#ifdef PLAIN_LOOK
  d_step { CAN_STORE(p) -> sum = LOAD(p, ITEMS) + 1; push(p, ITEMS, sum); sum = 0 };
  found = LOAD(p, HINT)
#else
  d_step { DRAINED(p) -> mem[ITEMS] = mem[ITEMS] + 1 };  /* a compare-and-swap, */
  found = LOAD(p, HINT)                                  /* then a plain load */
#endif
}

proctype Waiter(byte p) {
  bool got;
  bool late = false;     /* the deadline has passed */
  bool used;             /* the wake had come before the last look */
  bool ring;
  short before;
  byte target;
  {
    atomic {
      take_item(p);
      if
      :: got -> goto done
      :: else
      fi
    };
    lock(p);
    enqueue(p);
    unlock(p);
#ifdef LOOK_BEFORE_ARM
    goto sleep;
#endif
look:
    atomic { used = (LOAD(p, STATE(p)) == WOKEN) };
    atomic {
      take_item(p);
      if
      :: got || late -> goto leave
      :: else
      fi
    };
    atomic {
      if
#ifdef REARM_UNTRIED
      :: LOAD(p, STATE(p)) == WOKEN
#else
      :: used
#endif
      :: else -> goto sleep
      fi
    };
    lock(p);  /* rearm; nobody but its owner takes a record out of this state */
    enqueue(p);
    unlock(p);
    goto look;
sleep:
    if
    :: p == SLEEPER ->
       atomic {
         cas(p, STATE(p), ARMED, SLEEPING, got);
         if
         :: !got -> goto look
         :: else
         fi
       };
       atomic {  /* the kernel compares and queues in one step */
         if
         :: mem[STATE(p)] == SLEEPING -> in_futex = true
         :: else
         fi
       };
end_asleep:
       atomic {
         if
         :: !in_futex
         :: impatient == p -> in_futex = false; late = true
         fi
       };
       atomic { cas(p, STATE(p), SLEEPING, ARMED, got); goto look }
    :: else ->
       atomic {  /* may_sleep */
         DRAINED(p) ->
         if
#ifndef SLEEP_RUNG
         :: mem[RUNG] == IS_RUNG -> goto awake
         :: else
#else
         :: true
#endif
                 -> mem[RUNG] = SILENT
         fi
       };
end_in_loop:
       atomic {
         if
         :: datagram -> datagram = false
         :: impatient == p -> late = true
         fi
       };
awake:
       atomic { exchange(p, RUNG, AWAKE, before); before = 0; goto look }  /* stay_awake */
    fi;
leave:
    lock(p);  /* cancel */
    atomic {
      DRAINED(p) ->
      before = mem[STATE(p)];
      mem[STATE(p)] = IDLE
    };
    listed[p] = false;
    unlock(p);
#ifdef KEEP_WAKE
    used = got;
#endif
    /* A wake was of use only if it had come before the look that found something. */
    if
    :: before == WOKEN && !(got && used) -> before = 0; wake_one(p)
    :: else
    fi;
done:
    atomic { ended[p] = true; got = false; used = false; before = 0; target = 0 }
  } unless {
    dead[p]
  }
}

proctype Waker(byte p) {
  short before;
  byte target;
  short found;
#ifdef PLAIN_LOOK
  short sum;
#endif
  bool ring;
  {
    put_and_look(p);
    if
    :: found == 1 -> wake_one(p)
    :: else
    fi;
    ended[p] = true
  } unless {
    dead[p]
  }
}

/* Reclamation of one dead: its mutex, its record, then every waiter is rung. */
inline recover(p, w) {
  lock(p);
  atomic {
    if
    :: w < 2 && IN_QUEUE(mem[STATE(w)]) -> mem[STATE(w)] = IDLE; listed[w] = false
    :: else
    fi
  };
  d_step {
    DRAINED(p) ->
    if
    :: listed[0] -> before[0] = mem[STATE(0)]; mem[STATE(0)] = WOKEN; listed[0] = false
    :: else
    fi
  };
  d_step {
    DRAINED(p) ->
    if
    :: listed[1] -> before[1] = mem[STATE(1)]; mem[STATE(1)] = WOKEN; listed[1] = false
    :: else
    fi
  };
  unlock(p);
#ifdef QUEUES_ONLY
#define RINGS(w) (before[w] != 0)
#else
#define RINGS(w) true
#endif
  if
  :: RINGS(SLEEPER) -> notify(p, SLEEPER, 0, true)
  :: else
  fi;
  if
  :: RINGS(LOOPER) -> notify(p, LOOPER, 0, true)
  :: else
  fi
}

proctype Recoverer(byte p) {
  byte victim = 0;
  short before[2];
  bool ring;
  {
    skip;
end:
    (p == RECOVERER || KNOWN_DEAD(RECOVERER));
    do
    :: skip;
end_rest:
       atomic {
         if
         :: KNOWN_DEAD(0) && !recovered[0] -> victim = 0
         :: KNOWN_DEAD(1) && !recovered[1] -> victim = 1
         :: KNOWN_DEAD(FIRST_WAKER) && !recovered[FIRST_WAKER] -> victim = FIRST_WAKER
#if WAKERS > 1
         :: KNOWN_DEAD(FIRST_WAKER + 1) && !recovered[FIRST_WAKER + 1] ->
            victim = FIRST_WAKER + 1
#endif
         fi
       };
       recover(p, victim);
       atomic { recovered[victim] = true; victim = 0; before[0] = 0; before[1] = 0 }
    od
  } unless {
    dead[p]
  }
}

/* What must hold when nothing moves any more. */
proctype Judge() {
  timeout;
  assert(mem[MUTEX] == 0);
  assert(dead[0] || ended[0] || mem[ITEMS] == 0);
  assert(dead[1] || ended[1] || mem[ITEMS] == 0)
}

init {
  atomic {
#ifdef IMPATIENT
    if
    :: impatient = 0
    :: impatient = 1
    fi;
#endif
#ifdef ALONE
    run Waiter(ALONE); run Machine(ALONE, true);
    dead[1 - ALONE] = true; recovered[1 - ALONE] = true;
#else
    run Waiter(SLEEPER); run Machine(SLEEPER, true);
    run Waiter(LOOPER); run Machine(LOOPER, true);
#endif
    run Recoverer(RECOVERER); run Machine(RECOVERER, DEATHS > 1);
#if DEATHS > 1
    run Recoverer(RECOVERER + 1); run Machine(RECOVERER + 1, false);
#endif
    run Waker(FIRST_WAKER); run Machine(FIRST_WAKER, true);
#if WAKERS > 1
    run Waker(FIRST_WAKER + 1); run Machine(FIRST_WAKER + 1, true);
#endif
    run Judge()
  }
}

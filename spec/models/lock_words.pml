/*
 * The user lock, of which JavaScript takes and frees the lower half by itself
 * (native/channel/lock_object.h, .cpp, src/core/lock-words.ts).
 *
 * The state is one word of two halves: who holds the lock, and the number of the acquisition that
 * does, or of the next. C++ changes both at once; JavaScript changes one half at a time: it takes
 * a free lock, and to free it, it raises the number first. Each locker takes the lock in either way
 * and gives it back in either way, by the number of its acquisition; then it tries that once more,
 * as a guard does that is disposed of twice. An outsider may free whatever he finds. Anyone may die
 * at any step; who finds a dead holder takes the lock over, and reclamation frees it and rings.
 *
 * Shown: at most one living actor is inside, unless an outsider let another in; no number is that
 * of two acquisitions, and none is ended twice; nobody sleeps for ever while the lock is free, or
 * its holder dead and given back.
 * Left out: `kept`, which is a hint for fairness; parking, which has its own model: here it is one
 * step to enter the queue and one to wake its head.
 *
 * CHECK -DLOCKERS=2 -DROUNDS=2
 * CHECK -DLOCKERS=3 -DROUNDS=1 -DDEATHS=0
 * CHECK -DLOCKERS=2 -DROUNDS=1 -DFREER -DDEATHS=0
 * FULL -DLOCKERS=2 -DROUNDS=1 -DFREER
 * FULL -DLOCKERS=2 -DROUNDS=1 -DDEATHS=2 -DFREER
 * FULL -DLOCKERS=3 -DROUNDS=1
 * FAULT -DLOCKERS=2 -DROUNDS=1 -DDEATHS=0 -DHOLDER_FIRST the lock is free before its number grows
 * FAULT -DLOCKERS=2 -DROUNDS=2 -DDEATHS=0 -DNO_SECOND_LOOK who came to wait meanwhile is not woken
 * FAULT -DLOCKERS=2 -DROUNDS=1 -DDEATHS=0 -DFREER -DBLIND the number is stored
 * FAULT -DLOCKERS=2 -DROUNDS=1 -DDEATHS=0 -DFREER -DUNCHECKED a guard gets the next one's number
 * FAULT -DLOCKERS=2 -DROUNDS=1 -DDEATHS=0 -DFREER -DTWO_STEPS C++ looks at the number, then frees
 * FAULT -DLOCKERS=2 -DROUNDS=1 -DSILENT_RECLAIM what a dead actor owed in rings is forgotten
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#define DEPTH 1
#define OUTSIDER LOCKERS
#define PROCS (LOCKERS + 1)

#define HOLDER 0         /* 0 or 1 + the holder; DIED in an acquisition after a death */
#define NUMBER 1
#define HINT 2           /* somebody may wait */
#define CELLS 3
#define DIED 16
#define NUMBERS_MAX 24

#include "tso.pml"

#define WHO(w) (((w) & 15) - 1)
#define HELD_BY(w) (((w) & 15) != 0)
#if LOCKERS > 2
#define NOBODY_WAITS (!armed[0] && !armed[1] && !armed[2])
#else
#define NOBODY_WAITS (!armed[0] && !armed[1])
#endif

bool armed[LOCKERS];     /* in the queue of waiters */
byte whose[NUMBERS_MAX]; /* 1 + who began the acquisition of this number, */
bool over[NUMBERS_MAX];  /* which has ended */
byte inside = 255;       /* who is, for the assertion */

/* Inside a step: an acquisition begins, or the one with this number ends. */
inline begin(by) {
  assert(whose[mem[NUMBER]] == 0 && !over[mem[NUMBER]]);
  whose[mem[NUMBER]] = (by) + 1
}
inline finish(which) {
  assert(!over[which]);
  over[which] = true
}
inline finish_own(by, which) {
  assert(whose[which] == (by) + 1);
  finish(which)
}

/* C++: both halves at once. */
inline swap_both(was_holder, was_number, new_holder, new_number, done) {
  if
  :: mem[HOLDER] == (was_holder) && mem[NUMBER] == (was_number) ->
     mem[HOLDER] = new_holder;
     mem[NUMBER] = new_number;
     done = true
  :: else -> done = false
  fi
}

/* parking.pml has the steps of these. */
inline wake_one() {
  atomic {
    if
    :: armed[0] -> armed[0] = false
    :: armed[1] -> armed[1] = false
#if LOCKERS > 2
    :: armed[2] -> armed[2] = false
#endif
    :: NOBODY_WAITS
    fi;
    if
    :: NOBODY_WAITS -> mem[HINT] = 0
    :: else
    fi
  }
}

proctype Locker(byte p) {
  byte holder, number, mine;
  byte rounds = 0;
  bool ok;
  {
    ok = false;
again:
    if
    :: atomic {  /* LockWords.take: the last of its looks, and the swap */
         LOAD(p, HOLDER) == 0 ->
         d_step {
           DRAINED(p) ->
           if
           :: mem[HOLDER] == 0 -> begin(p); mem[HOLDER] = p + 1; ok = true
           :: else -> ok = false
           fi
         };
         if
         :: ok -> goto taken
         :: else -> goto again
         fi
       }
    :: goto acquire
    fi;
acquire:
    atomic { holder = mem[HOLDER]; number = mem[NUMBER] };
    if
    :: HELD_BY(holder) && !KNOWN_DEAD(WHO(holder)) -> goto wait_for_it
    :: !HELD_BY(holder) ->
       atomic {
         swap_both(holder, number, (holder & DIED) | (p + 1), number, ok);
         if
         :: ok -> begin(p); goto taken
         :: else -> goto acquire
         fi
       }
    :: HELD_BY(holder) && KNOWN_DEAD(WHO(holder)) ->
       atomic {
         swap_both(holder, number, DIED | (p + 1), number + 1, ok);
         if
         :: ok -> finish(number); begin(p); goto taken
         :: else -> goto acquire
         fi
       }
    fi;
wait_for_it:
    atomic { armed[p] = true; mem[HINT] = 1 };
    if
    :: atomic {  /* another look, in the queue */
         !HELD_BY(mem[HOLDER]) || KNOWN_DEAD(WHO(mem[HOLDER])) ->
         armed[p] = false;
         if
         :: NOBODY_WAITS -> mem[HINT] = 0
         :: else
         fi;
         goto acquire
       }
    :: atomic { HELD_BY(mem[HOLDER]) -> skip };
       !armed[p];
       goto acquire
    fi;
taken:
    atomic {
#ifndef FREER
      assert(inside == 255 || inside == p || dead[inside]);
      inside = p;
#endif
      mine = LOAD(p, NUMBER)
    };
    /* An outsider may have freed it meanwhile: then the number is somebody else's. */
    atomic {
#ifndef UNCHECKED
      if
      :: !HELD_BY(mem[HOLDER]) || WHO(mem[HOLDER]) != p -> mine = 0
      :: else
      fi;
#endif
      if
      :: inside == p -> inside = 255
      :: else
      fi;
      if
      :: mine == 0 -> goto freed
      :: else
      fi
    };
    if
    :: LOAD(p, HOLDER) == p + 1 && LOAD(p, HINT) == 0 -> goto free_halves
    :: goto free_both
    fi;

free_halves:  /* LockWords.free */
#ifdef HOLDER_FIRST
    cas(p, HOLDER, p + 1, 0, ok);
    if
    :: !ok -> goto free_both
    :: else
    fi;
    atomic {
      cas(p, NUMBER, mine, mine + 1, ok);
      if
      :: ok -> finish_own(p, mine)
      :: else
      fi
    };
#else
#ifdef BLIND
    atomic { DRAINED(p) -> finish_own(p, mine); mem[NUMBER] = mine + 1 };
#else
    atomic {
      cas(p, NUMBER, mine, mine + 1, ok);
      if
      :: ok -> finish_own(p, mine)
      :: else -> goto free_both
      fi
    };
#endif
    cas(p, HOLDER, p + 1, 0, ok);
    if
    :: !ok -> goto free_both
    :: else
    fi;
#endif
#ifndef NO_SECOND_LOOK
    if
    :: LOAD(p, HINT) == 0
    :: LOAD(p, HINT) != 0 -> wake_one()
    fi;
#endif
    goto freed;

free_both:  /* LockObject::release_once, by number */
    atomic { holder = mem[HOLDER]; number = mem[NUMBER] };
    if
    :: !HELD_BY(holder) || number != mine -> goto freed
    :: HELD_BY(holder) && number == mine
    fi;
    atomic {
#ifdef TWO_STEPS
      mem[HOLDER] = 0;
      finish_own(p, mem[NUMBER]);
      mem[NUMBER] = mem[NUMBER] + 1;
      ok = true;
#else
      swap_both(holder, number, 0, number + 1, ok);
      if
      :: ok -> finish_own(p, number)
      :: else -> goto free_both
      fi
#endif
    };
    if
    :: mem[HINT] == 0
    :: mem[HINT] != 0 -> wake_one()
    fi;

freed:
    if
    :: mine != 0 ->  /* once more by the same number: nothing may come of it */
       atomic { holder = mem[HOLDER]; number = mem[NUMBER] };
       if
       :: HELD_BY(holder) && number == mine ->
          atomic {
            swap_both(holder, number, 0, number + 1, ok);
            if
            :: ok -> finish_own(p, number)
            :: else
            fi
          }
       :: else
       fi;
       mine = 0
    :: else
    fi;
    atomic {
      rounds++;
      holder = 0;
      number = 0;
      ok = false;
      if
      :: rounds < ROUNDS -> goto again
      :: else -> rounds = 0; ended[p] = true
      fi
    }
  } unless {
    dead[p]
  }
}

/* LockObject::release by who has no number. */
proctype Outsider(byte p) {
  byte holder, number;
  bool ok;
  {
    do
    :: atomic { holder = mem[HOLDER]; number = mem[NUMBER] };
       if
       :: !HELD_BY(holder) -> break
       :: HELD_BY(holder) ->
          atomic {
            swap_both(holder, number, 0, number + 1, ok);
            if
            :: ok -> finish(number); break
            :: else
            fi
          }
       fi
    od;
    if
    :: mem[HINT] == 0
    :: mem[HINT] != 0 -> wake_one()
    fi;
    atomic { holder = 0; number = 0; ok = false; ended[p] = true }
  } unless {
    dead[p]
  }
}

/* LockObject::give_back, and the rings for whatever the dead one had open. */
proctype Reclaimer(byte whom) {
  byte number;
  bool ok;
end:
  KNOWN_DEAD(whom);
  do
  :: atomic {
       WHO(mem[HOLDER]) != whom || !HELD_BY(mem[HOLDER]) -> break
     }
  :: atomic {
       HELD_BY(mem[HOLDER]) && WHO(mem[HOLDER]) == whom ->
       number = mem[NUMBER];
       finish(number);
       mem[HOLDER] = DIED;
       mem[NUMBER] = number + 1;
       number = 0
     }
  od;
#ifndef SILENT_RECLAIM
  atomic {
    if
    :: whom < LOCKERS -> armed[whom] = false
    :: else
    fi
  };
  wake_one();
  wake_one()
#endif
}

proctype Judge() {
  timeout;
  assert((dead[0] || ended[0]) && (dead[1] || ended[1]));
#if LOCKERS > 2
  assert(dead[2] || ended[2]);
#endif
  assert(!HELD_BY(mem[HOLDER]))
}

init {
  atomic {
    mem[NUMBER] = 1;
    run Locker(0); run Machine(0, true); run Reclaimer(0);
    run Locker(1); run Machine(1, true); run Reclaimer(1);
#if LOCKERS > 2
    run Locker(2); run Machine(2, true); run Reclaimer(2);
#endif
#ifdef FREER
    run Outsider(OUTSIDER); run Machine(OUTSIDER, true); run Reclaimer(OUTSIDER);
#endif
    run Judge()
  }
}

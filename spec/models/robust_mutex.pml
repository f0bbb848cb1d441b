/*
 * The robust mutex and what is rebuilt under it (native/sync/robust_mutex.h, .cpp).
 *
 * Lockers each change one entry of a structure: first its truth, then the index over it. Somebody
 * who could not wait for the mutex changes his entry's truth without it and says so in `stale`.
 * Anyone may die at any step; a dead holder's mutex is taken over and the index is rebuilt; for
 * the one without the mutex, reclamation says `stale`.
 *
 * Shown: at most one living actor is inside; a holder finds no half-made change; nobody sleeps for
 * ever on a free mutex; in the end the index is the truth, or the next holder will rebuild it.
 * Left out: spinning; deadlines. A sleeper looks by itself (10 ms) only after a death.
 *
 * CHECK -DLOCKERS=2
 * CHECK -DLOCKERS=3 -DDEATHS=0
 * CHECK -DLOCKERS=2 -DBYSTANDER
 * FULL -DLOCKERS=3 -DDEATHS=1
 * FULL -DLOCKERS=3 -DDEATHS=2
 * FULL -DLOCKERS=2 -DBYSTANDER -DDEATHS=2
 * FAULT -DLOCKERS=3 -DTAKE_BLINDLY a dead holder's mutex is taken by a store
 * FAULT -DLOCKERS=2 -DDEATHS=0 -DPLAIN_UNLOCK the waiters bit is read, then the word is stored
 * FAULT -DLOCKERS=2 -DSILENT_TAKEOVER the new holder is not told that the old one died
 * FAULT -DLOCKERS=2 -DSAME_ID the dead actor's id is given to a new one before its reclamation
 * FAULT -DLOCKERS=2 -DBYSTANDER -DDEATHS=0 -DSTALE_FIRST `stale` is said before the change
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#define DEPTH 2
#define OUTSIDER LOCKERS
#define RECLAIMER (LOCKERS + 1)
#define PROCS (LOCKERS + 2)

#define WORD 0           /* 0 or 1 + the holder, and WAITERS */
#define STALE 1
#define CELLS 2
#define WAITERS 16

#include "tso.pml"

#define HOLDER(w) (((w) & 15) - 1)
#ifdef SAME_ID
#define ALIVE(p) (!KNOWN_DEAD(p) || reborn)
#else
#define ALIVE(p) (!KNOWN_DEAD(p))
#endif

bool truth[PROCS];       /* each entry changed by one instruction */
bool index[PROCS];       /* touched under the mutex only */
bool asleep[PROCS];
byte inside = 255;       /* who is, for the assertion */
bool reborn = false;
#if LOCKERS > 2
#define NOBODY_SLEEPS (!asleep[0] && !asleep[1] && !asleep[2])
#else
#define NOBODY_SLEEPS (!asleep[0] && !asleep[1])
#endif

proctype Locker(byte p) {
  byte found;
  bool told;             /* OWNER_DIED */
  bool ok;
  {
    atomic {
      cas(p, WORD, 0, p + 1, ok);
      if
      :: ok -> goto held
      :: else
      fi
    };
contended:
    atomic { DRAINED(p) -> found = LOAD(p, WORD) };
    if
    :: atomic {
         found == 0 ->
         /* With the bit: this actor can't know whether others sleep. */
         cas(p, WORD, 0, (p + 1) | WAITERS, ok);
         if
         :: ok -> found = 0; goto held
         :: else -> goto contended
         fi
       }
    :: found != 0 && !ALIVE(HOLDER(found)) -> goto take_over
    :: found != 0 && ALIVE(HOLDER(found)) ->
       if
       :: atomic {
            !(found & WAITERS) ->
            cas(p, WORD, found, found | WAITERS, ok);
            if
            :: ok -> found = found | WAITERS
            :: else -> goto contended
            fi
          }
       :: found & WAITERS
       fi
    fi;
    atomic {  /* futex_wait */
      if
      :: mem[WORD] == found -> asleep[p] = true
      :: else -> goto contended
      fi
    };
    atomic {
      if
      :: !asleep[p] -> goto contended
      :: deaths > 0 && (mem[WORD] != found || !ALIVE(HOLDER(found))) ->
         asleep[p] = false;  /* its own look; one that finds nothing new changes nothing */
         if
         :: ALIVE(HOLDER(found)) -> goto contended
         :: else
         fi
      fi
    };
take_over:
    atomic {
      DRAINED(p);
#ifdef TAKE_BLINDLY
      mem[WORD] = (p + 1) | WAITERS;
      ok = true;
#else
      cas(p, WORD, found, (p + 1) | WAITERS, ok);
#endif
      found = 0;
      if
      :: ok -> told = true
      :: else -> goto contended
      fi
    };
held:
    atomic {
      assert(inside == 255 || inside == p || dead[inside]);
      inside = p;
#ifdef SILENT_TAKEOVER
      told = false;
#endif
      found = LOAD(p, STALE)
    };
    /* MutexGuard: first the flag goes, then the truth is read. */
    if
    :: found || told ->
       exchange(p, STALE, 0, found);
       atomic { found = 0; index[0] = truth[0] };
       index[1] = truth[1];
#if LOCKERS > 2
       index[2] = truth[2];
#endif
       atomic { index[OUTSIDER] = truth[OUTSIDER]; told = false }
    :: else
    fi;
    atomic {
      assert(truth[0] == index[0] && truth[1] == index[1]);
      truth[p] = true
    };
    index[p] = true;
    inside = 255;
#ifdef PLAIN_UNLOCK
    found = LOAD(p, WORD);
    store(p, WORD, 0);
#else
    exchange(p, WORD, 0, found);
#endif
    atomic {  /* futex_wake */
      if
      :: !(found & WAITERS)
      :: (found & WAITERS) && asleep[0] -> asleep[0] = false
      :: (found & WAITERS) && asleep[1] -> asleep[1] = false
#if LOCKERS > 2
      :: (found & WAITERS) && asleep[2] -> asleep[2] = false
#endif
      :: (found & WAITERS) && NOBODY_SLEEPS
      fi;
      found = 0;
      ok = false;
      ended[p] = true
    }
  } unless {
    dead[p]
  }
}

/* The truth of its own entry, by one instruction; then the flag. */
proctype Outsider(byte p) {
  {
#ifdef STALE_FIRST
    store(p, STALE, 1);
    atomic { DRAINED(p) -> truth[p] = true };
#else
    atomic { DRAINED(p) -> truth[p] = true };
    store(p, STALE, 1);
#endif
    atomic { DRAINED(p) -> ended[p] = true }
  } unless {
    dead[p]
  }
}

proctype Reclaimer(byte p) {
end:
  KNOWN_DEAD(OUTSIDER);
  store(p, STALE, 1)
}

proctype Rebirth() {
end:
  atomic { deaths > 0 -> reborn = true }
}

proctype Judge() {
  timeout;
  assert((dead[0] || ended[0]) && (dead[1] || ended[1]));
#if LOCKERS > 2
  assert(dead[2] || ended[2]);
#endif
  /* Whoever comes next finds a free mutex, or a dead holder's, and an index that is right or is
   * known to be wrong. */
  assert(mem[WORD] == 0 || dead[HOLDER(mem[WORD])]);
  assert(mem[WORD] != 0 || mem[STALE] || truth[OUTSIDER] == index[OUTSIDER]);
  assert(mem[WORD] != 0 || (truth[0] == index[0] && truth[1] == index[1]))
}

init {
  atomic {
    run Locker(0); run Machine(0, true);
    run Locker(1); run Machine(1, true);
#if LOCKERS > 2
    run Locker(2); run Machine(2, true);
#endif
#ifdef BYSTANDER
    run Outsider(OUTSIDER); run Machine(OUTSIDER, true);
    run Reclaimer(RECLAIMER); run Machine(RECLAIMER, false);
#endif
#ifdef SAME_ID
    run Rebirth();
#endif
    run Judge()
  }
}

/*
 * The barrier and the death of its parties (native/event/barrier.h, barrier.cpp).
 *
 * Two parties at a time: an arrival is one compare-and-swap of a place, a generation ends by one
 * compare-and-swap of the state word, which trips or breaks it. Parties wait for a generation or
 * two; somebody resets a broken barrier. Any party may die at any step.
 *
 * Shown: a generation trips only when two have arrived, and either trips or breaks; each party
 * learns how its own generation ended, however late it looks; no living party waits for ever.
 * Left out: deadlines (they break, as a death does), the queue of waiters (parking.pml), and last
 * parties that act.
 * Not together: a third party, a death and a reset. Each two of them are, the largest with 8.4
 * million states in half a minute.
 *
 * CHECK -DPARTIES=2 -DWAITS=2
 * CHECK -DPARTIES=2 -DNEEDED=3
 * CHECK -DPARTIES=3 -DDEATHS=0
 * CHECK -DPARTIES=2 -DRESETS=1
 * FULL -DPARTIES=3 -DDEATHS=0 -DRESETS=1
 * FULL -DPARTIES=3 -DDEATHS=1
 * FULL -DPARTIES=2 -DDEATHS=2 -DWAITS=2 -DRESETS=1
 * FAULT -DPARTIES=2 -DRESETS=1 -DNO_ENDS who looks late takes any new generation for a success
 * FAULT -DPARTIES=2 -DNEEDED=3 -DONLY_LIVING nobody looks whether those that have arrived live
 * FAULT -DPARTIES=3 -DDEATHS=0 -DNO_GENERATION an arrival does not name its generation
 * FAULT -DPARTIES=2 -DDEATHS=0 -DLOOK_BEFORE_ARM a party sleeps without a look after it has armed
 */
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef WAITS
#define WAITS 1          /* of each party */
#endif
#ifndef RESETS
#define RESETS 0
#endif
#define DEPTH 1
#ifndef NEEDED
#define NEEDED 2         /* parties that trip a generation; 3 of 2 never do */
#endif
#define RESETTER PARTIES
#define PROCS (PARTIES + 1)

#define STATE 0          /* generation, resets, broken */
#define ARRIVAL(i) (1 + (i))
#define END(r) (4 + (r) % 2)  /* of the reset r: the generation that it ended */
#define CELLS 6

#include "tso.pml"

#define GENERATION(s) ((s) & 15)
#define RESETS_OF(s) (((s) / 16) & 15)
#define BROKEN 256
#define WORD(generation, resets) ((generation) + 16 * (resets))
#ifdef NO_GENERATION
#define BY(p, generation) ((p) + 1)
#define ARRIVED_IN(word, generation) ((word) != 0)
#else
#define BY(p, generation) ((generation) * 16 + (p) + 1)
#define ARRIVED_IN(word, generation) ((word) != 0 && (word) / 16 == (generation))
#endif
#define ACTOR(word) (((word) & 15) - 1)

#define DEAD_IN(w) (ARRIVED_IN(w, GENERATION(mem[STATE])) && dead[ACTOR(w)])

bool tripped[8];         /* how each generation ended */
bool broke[8];
byte arrivals[8];        /* and how many had arrived */
byte waits_in[PARTIES];  /* the generation of each that waits */
bool woken[PARTIES];
bool armed_by[PARTIES];

/* A wake before a party has armed is forgotten when it arms: such states need not be told apart. */
inline wake_all() {
  woken[0] = armed_by[0];
  woken[1] = armed_by[1];
#if PARTIES > 2
  woken[2] = armed_by[2];
#endif
}

/*
 * The place after the last arrival. Here as elsewhere a local that nobody reads again is zero, so
 * that states which differ in it alone are one.
 */
inline count_arrived(p, generation) {
  atomic {
    index = 0;
    w = LOAD(p, ARRIVAL(0));
    if
    :: ARRIVED_IN(w, generation) -> index = 1
    :: else
    fi;
    w = 0
  };
  atomic {
    if
    :: index == 1 ->
       w = LOAD(p, ARRIVAL(1));
       if
       :: ARRIVED_IN(w, generation) -> index = 2
       :: else
       fi;
       w = 0
    :: else
    fi
  }
}

/* trip, break_up, reset: one compare-and-swap, then everybody is woken. */
inline end_generation(p, from, to) {
  atomic {
    cas(p, STATE, from, to, ok);
    if
    :: ok && (to & BROKEN) ->
       assert(!tripped[GENERATION(from)]);
       broke[GENERATION(from)] = true
    :: ok && !(from & BROKEN) && RESETS_OF(to) != RESETS_OF(from) ->
       assert(!tripped[GENERATION(from)]);
       broke[GENERATION(from)] = true
    :: ok && !(to & BROKEN) && !(from & BROKEN) && RESETS_OF(to) == RESETS_OF(from) ->
       assert(arrivals[GENERATION(from)] == NEEDED);
       assert(!broke[GENERATION(from)]);
       tripped[GENERATION(from)] = true
    :: else
    fi
  };
  if
  :: ok -> atomic { wake_all(); ok = false }
  :: else
  fi
}

/* Where nobody dies it is two loads without an effect, and left out. */
inline look_for_dead(p, generation) {
  died = false;
#if !defined(ONLY_LIVING) && DEATHS > 0
  atomic {
    w = LOAD(p, ARRIVAL(0));
    died = ARRIVED_IN(w, generation) && KNOWN_DEAD(ACTOR(w))
  };
  atomic {
    w = LOAD(p, ARRIVAL(1));
    died = died || (ARRIVED_IN(w, generation) && KNOWN_DEAD(ACTOR(w)));
    w = 0
  }
#endif
}

proctype Party(byte p) {
  short s;
  short w;
  byte index;
  byte mine;             /* the generation and the resets of its arrival */
  byte resets;
  byte waits = 0;
  bool ok;
  bool died;
  {
    skip;
arrive:
    atomic {
      index = 0;
      s = LOAD(p, STATE);
      if
      :: s & BROKEN -> s = 0; goto ends
      :: else
      fi
    };
    count_arrived(p, GENERATION(s));
    if
    :: index == NEEDED -> end_generation(p, s, s + 1); goto arrive
    :: else
    fi;
    look_for_dead(p, GENERATION(s));
    if
    :: died -> end_generation(p, s, s | BROKEN); goto arrive
    :: else
    fi;
    w = LOAD(p, ARRIVAL(index));
    atomic {
      if
      :: LOAD(p, STATE) != s || ARRIVED_IN(w, GENERATION(s)) -> goto arrive
      :: else
      fi
    };
    atomic {
      cas(p, ARRIVAL(index), w, BY(p, GENERATION(s)), ok);
      if
      :: ok ->
         mine = GENERATION(s);
         resets = RESETS_OF(s);
         waits_in[p] = mine;
         /* An arrival that came after the end counts for nothing. */
         if
         :: GENERATION(mem[STATE]) == mine -> arrivals[mine]++
         :: else
         fi
      :: else -> goto arrive
      fi;
      s = 0; w = 0; index = 0; ok = false
    };
outcome:
    atomic {
      s = LOAD(p, STATE);
      if
#ifndef NO_ENDS
      :: RESETS_OF(s) != resets -> goto late
      :: RESETS_OF(s) == resets && GENERATION(s) != mine -> goto passes
      :: RESETS_OF(s) == resets && GENERATION(s) == mine && (s & BROKEN) -> goto breaks
#else
      :: GENERATION(s) != mine -> goto passes
      :: GENERATION(s) == mine && (s & BROKEN) -> goto breaks
#endif
      :: else -> s = 0
      fi
    };
    count_arrived(p, mine);
    atomic {
      if
      :: index == NEEDED -> index = 0; goto all_here
      :: else -> index = 0
      fi
    };
    look_for_dead(p, mine);
    atomic {
      if
      :: died -> died = false; goto one_dead
      :: else
      fi
    };
    /* Armed before the last look: a wake since then is not lost. */
    if
#ifdef LOOK_BEFORE_ARM
    :: !armed_by[p] -> atomic { armed_by[p] = true; woken[p] = false }
#else
    :: !armed_by[p] -> atomic { armed_by[p] = true; woken[p] = false; goto outcome }
#endif
    :: else
    fi;
end_asleep:
    atomic { woken[p] -> woken[p] = false; goto outcome };
all_here:
    end_generation(p, WORD(mine, resets), WORD(mine + 1, resets));
    goto outcome;
one_dead:
    end_generation(p, WORD(mine, resets), WORD(mine, resets) | BROKEN);
    goto outcome;
late:
    atomic {
      s = LOAD(p, END(resets));
      if
      :: s != 0 && RESETS_OF(s) == resets && GENERATION(s) != mine -> goto passes
      :: else -> goto breaks
      fi
    };
passes:
    atomic { assert(tripped[mine]); waits_in[p] = 0; goto next };
breaks:
    atomic { assert(broke[mine]); waits_in[p] = 0; goto ends };
next:
    atomic {
      s = 0; w = 0; index = 0; died = false; mine = 0; resets = 0; armed_by[p] = false;
      waits++;
      if
      :: waits < WAITS -> goto arrive
      :: else
      fi
    };
ends:
    atomic { s = 0; w = 0; index = 0; mine = 0; resets = 0; died = false; ended[p] = true }
  } unless {
    dead[p]
  }
}

proctype Resetter(byte p) {
  short s;
  short old;
  byte resets = 0;
  bool ok;
  do
  :: resets == RESETS -> break
  :: resets < RESETS ->
again:
     old = LOAD(p, END(resets));
     s = LOAD(p, STATE);
     atomic {
       cas(p, END(resets), old, s & 255, ok);
       if
       :: !ok -> goto again
       :: else
       fi
     };
     end_generation(p, s, WORD(GENERATION(s) + 1, RESETS_OF(s) + 1));
     resets++
  od
}

/* Reclamation rings everybody after each death. */
proctype Recoverer() {
  byte told = 0;
  do
  :: skip;
end:
     atomic { told < deaths -> told = deaths; wake_all() }
  od
}

proctype Judge() {
  byte p = 0;
  timeout;
  /* Only one may be left alone in a generation that nobody else comes to. */
  do
  :: p < PARTIES ->
     if
     :: dead[p] || ended[p]
     :: else ->
        assert(!tripped[waits_in[p]] && !broke[waits_in[p]]);
        assert(arrivals[GENERATION(mem[STATE])] < NEEDED);
        assert(!mem[ARRIVAL(0)] || !DEAD_IN(mem[ARRIVAL(0)]));
        assert(!mem[ARRIVAL(1)] || !DEAD_IN(mem[ARRIVAL(1)]))
     fi;
     p++
  :: p == PARTIES -> break
  od
}

init {
  byte p = 0;
  atomic {
    mem[STATE] = WORD(1, 0);
    do
    :: p < PARTIES ->
       run Party(p);
#if DEATHS > 0
       run Machine(p, true);  /* Parties only read and swap: nothing waits in a store buffer. */
#endif
       p++
    :: p == PARTIES -> break
    od;
#if RESETS > 0
    run Resetter(RESETTER);
#endif
#if DEATHS > 0
    run Recoverer();
#endif
    run Judge()
  }
}

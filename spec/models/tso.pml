/*
 * Shared memory as x86 has it (TSO), and death of any process at any step.
 *
 * Before the include a model defines PROCS, CELLS (number of shared words), DEPTH (places in each
 * store buffer) and DEATHS. Processes are numbered from 0; the words have numbers too.
 *
 * - A store goes to the end of the process's own buffer; the memory takes from the front whenever
 *   it likes. A load sees the youngest store to that word in the own buffer, else the memory.
 * - A read-modify-write waits until the own buffer is empty and works on the memory.
 * - A dead process takes no further step. What its buffer holds still reaches the memory, as it
 *   does in hardware; whoever learns of the death learns of it after that (the kernel's exit of a
 *   process is a full barrier).
 */
#define SLOTS (PROCS * DEPTH)

short mem[CELLS];
byte buffered[PROCS];    /* stores that wait */
byte place_of[SLOTS];    /* their words */
short value_of[SLOTS];   /* and values, oldest first */
bool dead[PROCS];
bool ended[PROCS];       /* cannot die any more */
byte deaths = 0;

#define HELD(p, i, a) (buffered[p] > (i) && place_of[(p) * DEPTH + (i)] == (a))
#if DEPTH == 1
#define LOAD(p, a) (HELD(p, 0, a) -> value_of[(p) * DEPTH] : mem[a])
#else
#define LOAD(p, a) (HELD(p, 1, a) -> value_of[(p) * DEPTH + 1] : \
  (HELD(p, 0, a) -> value_of[(p) * DEPTH] : mem[a]))
#endif

/* Guards of steps: a store needs a place, a read-modify-write an empty buffer. */
#define CAN_STORE(p) (buffered[p] < DEPTH)
#define DRAINED(p) (buffered[p] == 0)
/* What others may believe of a process. */
#define KNOWN_DEAD(p) (dead[p] && buffered[p] == 0)

inline push(by, at, what) {
  place_of[(by) * DEPTH + buffered[by]] = at;
  value_of[(by) * DEPTH + buffered[by]] = what;
  buffered[by]++
}

inline store(by, at, what) {
  d_step { CAN_STORE(by) -> push(by, at, what) }
}

/* `ok` tells whether the word was `expected` and has been replaced. */
inline cas(by, at, expected, desired, ok) {
  d_step {
    DRAINED(by) ->
    if
    :: mem[at] == (expected) -> mem[at] = desired; ok = true
    :: else -> ok = false
    fi
  }
}

inline exchange(by, at, what, old) {
  d_step { DRAINED(by) -> old = mem[at]; mem[at] = what }
}

inline pop_oldest(by) {
  mem[place_of[(by) * DEPTH]] = value_of[(by) * DEPTH];
#if DEPTH > 1
  place_of[(by) * DEPTH] = place_of[(by) * DEPTH + 1];
  value_of[(by) * DEPTH] = value_of[(by) * DEPTH + 1];
  place_of[(by) * DEPTH + 1] = 0;
  value_of[(by) * DEPTH + 1] = 0;
#else
  place_of[(by) * DEPTH] = 0;
  value_of[(by) * DEPTH] = 0;
#endif
  buffered[by]--
}

/* One beside each process: the memory takes its stores, and death may strike it. */
proctype Machine(byte p; bool mortal) {
end:
  do
  :: d_step { buffered[p] > 0 -> pop_oldest(p) }
  :: d_step { mortal && deaths < DEATHS && !dead[p] && !ended[p] -> dead[p] = true; deaths++ }
  od
}

/*
 * Steps of the ring's senders and receivers, each as native/channel has it under that name: waking,
 * moving a cursor, looking for room, opening the next ring, getting a slot.
 *
 * Included by ring.pml, whose words and variables they use.
 */
inline arm(p, lane) {
#ifdef PLAIN_ARM
  store(p, lane, 1)
#else
  d_step { DRAINED(p) -> mem[lane] = 1 }
#endif
}

/* After the compare-and-swap of a cell a plain load of the hint will do. */
inline wake(p, lane, from, to) {
  atomic {
    i = 0;
    if
    :: LOAD(p, lane) != 0 -> i = 1
    :: else
    fi
  };
  if
  :: i == 1 ->
     d_step {
       DRAINED(p) ->
       mem[lane] = 0;
       i = from;
       do
       :: i < to -> woken[i] = true; i++
       :: else -> break
       od;
       i = 0
     }
  :: else
  fi
}

/* Moves a cursor beyond what somebody else has sent or received. */
inline advance(p, place, number_of, end, end_ring) {
  said = LOAD(p, end);
  atomic { CAN_STORE(p) -> i = LOAD(p, end_ring) };
  atomic {
    if
    :: first[i] > said -> said = first[i]
    :: else
    fi;
    if
    :: said > place -> place = said; number_of = i
    :: else -> place++
    fi;
    said = 0;
    i = 0
  }
}

/* Moves an end's word on, but not at every position. */
inline raise(p, end, place) {
  if
  :: (place) % STEPS_TO_SAY == 0 ->
     d_step {
       DRAINED(p) ->
       if
       :: mem[end] < (place) -> mem[end] = place
       :: else
       fi
     }
  :: else
  fi
}

/* Into `seen`. */
inline settled_head(p) {
  do
  :: atomic {
       w = LOAD(p, AT(head_ring, head));
       if
       :: LAP_OF(w) != LAP(head_ring, head) -> i = 1
       :: LAP_OF(w) == LAP(head_ring, head) && STATE_OF(w) == CLOSED -> i = 2
       :: else -> i = 0; seen = head; break
       fi
     };
     if
     :: i == 1 -> advance(p, head, head_ring, HEAD, RECEIVE_RING)
     :: i == 2 -> cas(p, RECEIVE_RING, head_ring, head_ring + 1, ok); head_ring++
     fi
  od
}

/* see_room: how far receivers are, from one cell of the ring. */
inline see_room(p, ahead) {
  atomic {
    CAN_STORE(p) ->
    if
    :: tail + (ahead) >= HOLDS(ring) + first[ring] ->
       w = LOAD(p, AT(ring, tail + (ahead) - HOLDS(ring)));
       if
       :: LAP_OF(w) != LAP(ring, tail + (ahead) - HOLDS(ring)) ->
          seen = tail + (ahead) - HOLDS(ring) + 1;
          goto look
       :: else
       fi
    :: else
    fi
  }
}

/* grow, open_ring: the next ring begins where this one ends. */
inline grow(p) {
  atomic { mutex == 0 || KNOWN_DEAD(mutex - 1) -> mutex = p + 1 };
  do
  :: LOAD(p, SEND_RING) == 0 ->
     atomic {  /* settled_tail */
       w = LOAD(p, AT(ring, tail));
       if
       :: LAP_OF(w) == LAP(ring, tail) && STATE_OF(w) == CLOSED -> i = 1
       :: LAP_OF(w) == LAP(ring, tail) - 1 -> i = 2
       :: LAP_OF(w) == LAP(ring, tail) && STATE_OF(w) == FREE -> i = 3
       :: else -> i = 0
       fi
     };
     if
     :: i == 0 -> advance(p, tail, ring, TAIL, SEND_RING)
     :: i == 1 -> cas(p, SEND_RING, 0, 1, ok); ring = 1
     :: i == 2 -> break
     :: i == 3 ->
        d_step {  /* nobody sees the new ring before the close */
          first[1] = tail;
          i = 0;
          do
          :: i < 4 ->
             mem[AT(1, tail + i)] = WORD(LAP(1, tail + i), FREE, NO_SLOT);
             i++
          :: else -> break
          od;
          i = 0
        };
#ifdef OPEN_LATE
        do
        :: atomic {
             w = LOAD(p, AT(0, tail));
             if
             :: LAP_OF(w) == LAP(0, tail) && STATE_OF(w) == QUEUED -> tail++
             :: else -> break
             fi
           }
        od;
#endif
        cas(p, AT(0, tail), w, WORD(LAP(0, tail), CLOSED, SLOT_OF(w)), ok);
        if
        :: ok -> cas(p, SEND_RING, 0, 1, ok); break
        :: else
        fi
     fi
  :: LOAD(p, SEND_RING) != 0 -> break
  od;
  i = 0;
  mutex = 0
}

/* take_fresh: the record first. */
inline need_slot(p) {
  do
  :: mine == NO_SLOT ->
     w = LOAD(p, FRESH);
#ifdef SWEEP
     store(p, PRIVATE(p), w);
#endif
     atomic {
       cas(p, FRESH, w, w + 1, ok);
       assert(w < SLOTS_MADE);
       if
       :: ok -> mine = w; holds[p] = w
       :: else
       fi
     }
  :: mine != NO_SLOT -> break
  od
}

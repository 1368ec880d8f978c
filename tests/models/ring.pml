// SPDX-License-Identifier: Apache-2.0
// The ring of ipc/ring.c with its bell (ipc/doorbell.c): one producer, one consumer, and between
// them a memory that keeps no more order than C11 promises.
//
//     producer --stores--> pending, committed in any order that a release allows --> memory
//     consumer <--loads--- memory, each in its own step
//
// A slot is two words, because 64 bytes are not written at once. Message n is the number n in both
// words, so whatever is lost, torn, doubled or overtaken is seen by the consumer. `own` and `peer`
// are what the two sides of struct btk_ring keep; the edges R1, A1, R2, A2 are those of ring.h. The
// bell is a system call on both sides: what was stored before it is seen by who was woken by it.
//
// -DCAPACITY=n -DMESSAGES=n -DAT_ONCE=n (slots popped at once; a power of two for CAPACITY, <= 4)
// -DLIVENESS: the property `all_arrive`. -DMUTANT_x: the code with a mistake; `check` has the list.

#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef MESSAGES
#define MESSAGES 6
#endif
#ifndef AT_ONCE
#define AT_ONCE 2
#endif
#define MASK (CAPACITY - 1)

#ifdef MUTANT_WRAP_OFF_BY_ONE
#define WRITE_PLACE(index) ((index) % (CAPACITY + 1) & MASK)
#else
#define WRITE_PLACE(index) ((index) & MASK)
#endif
#define READ_PLACE(index) ((index) & MASK)

#ifdef MUTANT_FULL_OFF_BY_ONE
#define LOOKS_FULL(used) ((used) > MASK + 1)
#else
#define LOOKS_FULL(used) ((used) > MASK)
#endif

// Memory as both sides see it.
byte word0[4], word1[4];
byte tail, head;
bool bell;

// Stores of the producer that are not in memory yet; 0: none. A later store to the same place
// replaces an earlier one, as it may.
byte pending0[4], pending1[4];
byte pending_tail;
bool pending_bell;

byte received;

#define SLOT_IS_IN_MEMORY(place, index)                                                            \
    ((pending0[place] == 0 || pending0[place] > (index))                                           \
     && (pending1[place] == 0 || pending1[place] > (index)))

// A release waits for what was stored before it, not for what comes after.
#ifdef MUTANT_R1_RELAXED
#define MAY_PUBLISH(index) true
#else
#define MAY_PUBLISH(index)                                                                         \
    (SLOT_IS_IN_MEMORY(0, index) && SLOT_IS_IN_MEMORY(1, index) && SLOT_IS_IN_MEMORY(2, index)     \
     && SLOT_IS_IN_MEMORY(3, index))
#endif

active proctype memory()
{
end:
    do
    :: d_step { pending_tail != 0 && MAY_PUBLISH(pending_tail) -> tail = pending_tail; pending_tail = 0 }
    :: d_step { pending_bell && pending_tail == 0 -> bell = true; pending_bell = false }
    :: d_step { pending0[0] != 0 -> word0[0] = pending0[0]; pending0[0] = 0 }
    :: d_step { pending1[0] != 0 -> word1[0] = pending1[0]; pending1[0] = 0 }
    :: d_step { pending0[1] != 0 -> word0[1] = pending0[1]; pending0[1] = 0 }
    :: d_step { pending1[1] != 0 -> word1[1] = pending1[1]; pending1[1] = 0 }
    :: d_step { pending0[2] != 0 -> word0[2] = pending0[2]; pending0[2] = 0 }
    :: d_step { pending1[2] != 0 -> word1[2] = pending1[2]; pending1[2] = 0 }
    :: d_step { pending0[3] != 0 -> word0[3] = pending0[3]; pending0[3] = 0 }
    :: d_step { pending1[3] != 0 -> word1[3] = pending1[3]; pending1[3] = 0 }
    od
}

inline publish(index)
{
    pending_tail = index
}

inline write_slot(index)
{
    pending0[WRITE_PLACE(index)] = index + 1;
    pending1[WRITE_PLACE(index)] = index + 1
}

active proctype producer()
{
    byte own, peer;
    do
    :: own < MESSAGES ->
#ifdef MUTANT_A2_RELAXED
        // Nothing holds the stores back until the slots are known to be free.
        write_slot(own);
#endif
        if
        :: LOOKS_FULL(own - peer) ->
            // A caller that is refused comes again when the consumer has moved.
            atomic { head != peer -> peer = head }
        :: else
        fi;
#ifdef MUTANT_PUBLISHED_BEFORE_WRITTEN
        publish(own + 1);
        pending_tail == 0;
        write_slot(own);
#else
#ifndef MUTANT_A2_RELAXED
        write_slot(own);
#endif
        publish(own + 1);
#endif
        own++;
#ifndef MUTANT_NOT_RUNG
        pending_bell = true
#else
        skip
#endif
    :: else -> break
    od
}

// One slot copied, in two steps; `early` is a load that did not wait for the index.
inline copy_slot(index)
{
    copy0 = word0[READ_PLACE(index)];
#ifdef MUTANT_A1_RELAXED
    copy1 = (index == own -> early : word1[READ_PLACE(index)]);
#else
    copy1 = word1[READ_PLACE(index)];
#endif
    assert(copy0 == received + 1);
    assert(copy1 == received + 1);
    received++
}

active proctype consumer()
{
    byte own, seen, count, i, copy0, copy1;
#ifdef MUTANT_A1_RELAXED
    byte early;
#endif
wait:
    // The last sleep, with nothing left to come, is the end.
    if
    :: received == MESSAGES -> goto done
    :: received < MESSAGES && bell
    fi;
#ifndef MUTANT_CLEARED_AFTER_READ
    bell = false;
#endif
#ifdef MUTANT_A1_RELAXED
    early = word1[READ_PLACE(own)];
#endif
    seen = tail;
    count = seen - own;
    assert(count <= CAPACITY);
    if
    :: count > AT_ONCE -> count = AT_ONCE
    :: else
    fi;
#ifdef MUTANT_FREED_BEFORE_READ
    head = own + count;
#endif
    i = 0;
    do
    :: i < count ->
#ifdef MUTANT_R2_RELAXED
        // The last load of the last slot is overtaken by the store that frees it.
        if
        :: i + 1 == count -> head = own + count
        :: else
        fi;
#endif
        copy_slot(own + i);
        i++
    :: else -> break
    od;
    own = own + count;
#if !defined(MUTANT_FREED_BEFORE_READ) && !defined(MUTANT_R2_RELAXED)
    head = own;
#endif
#ifdef MUTANT_CLEARED_AFTER_READ
    bell = false;
#endif
#ifndef MUTANT_NOT_RUNG_AGAIN
    if
    :: count == AT_ONCE -> bell = true
    :: else
    fi;
#endif
    goto wait;
done:
    skip
}

#ifdef LIVENESS
ltl all_arrive { <> (received == MESSAGES) }
#endif

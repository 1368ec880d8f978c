// SPDX-License-Identifier: Apache-2.0
// What one side of a ring does when the other side writes whatever it likes, whenever it likes.
//
//     producer (ours)  reads the head, which a liar writes     ring.c, btk_ring_free_slots
//     consumer (ours)  reads a descriptor, which a liar writes copied once, checked, the copy used
//
// -DMUTANT_x: the code with a mistake; `check` has the list.

#define CAPACITY    2
#define MASK        (CAPACITY - 1)
#define INDICES     8 // an index is a number modulo this: 2^64 in the code
#define PUSHES      5
#define BYTES       3 // of the memory that a descriptor points into
#define USED(index) ((own + INDICES - (index)) % INDICES)

byte head;
byte offset, length;
bool is_producer_done, is_consumer_done;

active proctype liar()
{
    do
    :: is_producer_done -> break
    :: head = 0
    :: head = (head + 1) % INDICES
    :: head = (head + INDICES - 1) % INDICES
    od;
    do
    :: is_consumer_done -> break
    :: offset = (offset + 1) % (BYTES + 2)
    :: length = (length + 1) % (BYTES + 2)
    od
}

active proctype producer()
{
    byte own, peer, seen, used;
    do
    :: own == PUSHES -> break
    :: else ->
        // When it looks full, or because somebody asks how much room there is.
        if
        :: USED(peer) <= MASK
        :: true ->
            seen = head;
            used = USED(seen);
            if
#ifndef MUTANT_BEHIND_NOT_CHECKED
            :: seen < peer -> break // -EPROTO
#endif
#ifndef MUTANT_AHEAD_NOT_CHECKED
            :: used > MASK + 1 -> break // -EPROTO
#endif
            :: else ->
                // What was freed is never taken back.
                assert(seen >= peer);
                peer = seen
            fi
        fi;
        // There is never more room than the ring has. (A head just below zero is as good as one that
        // has not moved: it only takes room away.)
        assert(USED(peer) <= CAPACITY);
        if
        :: USED(peer) <= MASK -> own++
        :: else // full: the caller comes again
        fi
    od;
    is_producer_done = true
}

active proctype consumer()
{
    byte copied_offset, copied_length, i;
    is_producer_done;
    for (i : 1 .. 2) {
        copied_offset = offset;
        copied_length = length;
        if
        :: copied_offset + copied_length <= BYTES ->
#ifdef MUTANT_READ_TWICE
            copied_length = length;
#endif
            assert(copied_offset + copied_length <= BYTES)
        :: else // refused
        fi
    }
    is_consumer_done = true
}

// SPDX-License-Identifier: Apache-2.0
// Deaths: what coordinator, workers and client do so that each shard reaches the caller once, whole,
// whatever dies when. (coordinator/scheduler_worker.c, worker_table.c, worker/session.c,
// client/result_memory.c, client_flight.c)
//
//     coordinator --assignments--> incarnation --reports--> coordinator --completions--> client
//                                      |                                                   |
//                                      '--- two steps ---> room in its memory <--- two ----'
//
// An incarnation is a process in a place; its number is its epoch. It may die before any of its
// steps, by itself or because the coordinator takes it for stalled: then it goes on for as long as
// the kill takes. Its reports stay on their way after its death: the pidfd may tell of it before
// all are there.
//
// -DPLACES=n (1 or 2) -DDEATHS=n; -DLIVENESS: the property `all_reach_the_caller`.
// -DMUTANT_x: the code with a mistake; `check` has the list. -DSHARD_IDS_REUSED and
// -DEPOCHS_NOT_COMPARED are no mistakes one by one: either of them tells an old report.

#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef PLACES
#define PLACES 2
#endif
#define SHARDS       2
#define INCARNATIONS (PLACES + DEATHS)
#define NOBODY       255

mtype = { QUEUED, RUNNING, FINISHED };

typedef shard_type {
    mtype state;
    byte place;
    byte id; // changes with each assignment
    bool is_delivered;
}
shard_type shards[SHARDS];

typedef memory_type {
    byte body, head; // of the one block that has room; the shard, or NOBODY
}

// Results memory: one for each incarnation.
memory_type memories[INCARNATIONS + 1];
bool room_is_taken[INCARNATIONS + 1];
#ifdef MUTANT_ROOM_USED_BEFORE_DEATH
#define MEMORY_OF(incarnation, place) (place)
#else
#define MEMORY_OF(incarnation, place) (incarnation)
#endif

typedef place_type {
    byte epoch;       // 0: nobody is there
    byte incarnation; // the process that was started last
}
place_type places[PLACES];
bool is_told_to_die[INCARNATIONS + 1];
bool is_dead[INCARNATIONS + 1];
byte deaths;
byte last_incarnation, last_id, released;

chan assignments[INCARNATIONS + 1] = [1] of { byte, byte };    // shard, id
chan reports[PLACES] = [INCARNATIONS] of { byte, byte, byte }; // epoch, id, memory
chan completions = [SHARDS] of { byte, byte };                 // shard, results id
chan releases = [SHARDS] of { byte, byte };                    // shard, memory

// What the client was told: which memory a results id names.
byte memory_by_results_id[INCARNATIONS + 1];

#ifdef MUTANT_EPOCH_USED_AGAIN
#define EPOCH_OF(incarnation, place) ((place) + 1)
#else
#define EPOCH_OF(incarnation, place) (incarnation)
#endif

// --- A worker

inline may_die()
{
    if
    :: is_told_to_die[me] -> goto dead
    :: atomic { deaths < DEATHS && !is_told_to_die[me] -> deaths++; goto dead }
    :: true
    fi
}

proctype worker(byte me, place, epoch)
{
    byte shard, id, memory = MEMORY_OF(me, place);
end:
    do
    :: assignments[me] ? shard, id ->
#ifdef MUTANT_REPORTED_BEFORE_WRITTEN
        reports[place] ! epoch, id, memory;
#endif
        may_die();
        memories[memory].body = shard;
        may_die();
        memories[memory].head = shard;
        may_die();
#ifndef MUTANT_REPORTED_BEFORE_WRITTEN
        reports[place] ! epoch, id, memory
#endif
    :: is_told_to_die[me] -> break
    :: atomic { deaths < DEATHS && !is_told_to_die[me] -> deaths++; break }
    od;
dead:
    is_dead[me] = true
}

// --- The coordinator

#ifdef EPOCHS_NOT_COMPARED
#define IS_CURRENT(at) true
#else
#define IS_CURRENT(at) (places[at].epoch == epoch)
#endif
#define IS_MEANT(at)                                                                               \
    (IS_CURRENT(at) && shards[shard].state == RUNNING && shards[shard].place == at                 \
     && shards[shard].id == id)

inline take_report(at)
{
    atomic {
        reports[at] ? epoch, id, memory;
        shard = 0;
        do
        :: shard == SHARDS -> break
        :: shard < SHARDS ->
            if
            :: IS_MEANT(at) -> break
            :: else -> shard++
            fi
        od;
        if
        :: shard < SHARDS ->
#ifndef MUTANT_STILL_RUNNING_AFTER_REPORT
            shards[shard].state = FINISHED;
#endif
#ifdef MUTANT_ROOM_FREED_AT_COMPLETION
            room_is_taken[memory] = false;
#endif
            completions ! shard, epoch
        :: else // an older epoch, or a shard that is not there any more: dropped
        fi;
        shard = 0; epoch = 0; id = 0; memory = 0
    }
}

inline give_back_shards(at)
{
    for (shard : 0 .. SHARDS - 1) {
        if
        :: shards[shard].state == RUNNING && shards[shard].place == at ->
#ifdef MUTANT_SHARD_LOST
            shards[shard].state = FINISHED;
#else
            shards[shard].state = QUEUED;
#endif
        :: else
        fi
    }
    shard = 0
}

inline start(at)
{
    atomic {
        last_incarnation++;
        places[at].incarnation = last_incarnation;
        places[at].epoch = EPOCH_OF(last_incarnation, at);
        // A new memory for results, which the client hears of before any completion that names it.
        memories[MEMORY_OF(last_incarnation, at)].body = NOBODY;
        memories[MEMORY_OF(last_incarnation, at)].head = NOBODY;
        room_is_taken[MEMORY_OF(last_incarnation, at)] = false;
        if
        :: memory_by_results_id[places[at].epoch] == NOBODY ->
            memory_by_results_id[places[at].epoch] = MEMORY_OF(last_incarnation, at)
        :: else // it has one of that name
        fi;
        run worker(last_incarnation, at, places[at].epoch)
    }
}

#define CAN_ASSIGN(shard, at)                                                                      \
    (shards[shard].state == QUEUED && places[at].epoch != 0                                        \
     && !room_is_taken[MEMORY_OF(places[at].incarnation, at)]                                      \
     && !is_told_to_die[places[at].incarnation])

inline assign(which, at)
{
    atomic {
        CAN_ASSIGN(which, at) ->
#ifdef SHARD_IDS_REUSED
        shards[which].id = which;
#else
        last_id++;
        shards[which].id = last_id;
#endif
        shards[which].state = RUNNING;
        shards[which].place = at;
        room_is_taken[MEMORY_OF(places[at].incarnation, at)] = true;
        assignments[places[at].incarnation] ! which, shards[which].id
    }
}

// Too long without a move: killed. Its shards go to others when its pidfd has fired.
inline give_up(at)
{
    atomic {
        deaths < DEATHS && places[at].epoch != 0 && !is_told_to_die[places[at].incarnation] ->
        deaths++;
        is_told_to_die[places[at].incarnation] = true;
#ifdef MUTANT_ROOM_USED_BEFORE_DEATH
        give_back_shards(at);
        places[at].epoch = 0
#endif
    }
}

// What has arrived by now still counts; what is on its way comes later, and is dropped then.
inline bury(at)
{
    do
    :: nempty(reports[at]) -> take_report(at)
    :: break
    od;
    atomic {
        give_back_shards(at);
        places[at].epoch = 0
    }
}

#define IS_DEAD(at)  (places[at].epoch != 0 && is_dead[places[at].incarnation])
#define IS_EMPTY(at) (places[at].epoch == 0 && last_incarnation < INCARNATIONS)

active proctype coordinator()
{
    byte shard, epoch, id, memory, i;
    atomic {
        for (i : 0 .. SHARDS - 1) { shards[i].state = QUEUED }
        for (i : 0 .. INCARNATIONS) { memory_by_results_id[i] = NOBODY }
        i = 0
    }
    do
    :: nempty(reports[0]) -> take_report(0)
    :: IS_DEAD(0) -> bury(0)
    :: IS_EMPTY(0) -> start(0)
    :: assign(0, 0)
    :: assign(1, 0)
    :: give_up(0)
#if PLACES == 2
    :: nempty(reports[1]) -> take_report(1)
    :: IS_DEAD(1) -> bury(1)
    :: IS_EMPTY(1) -> start(1)
    :: assign(0, 1)
    :: assign(1, 1)
    :: give_up(1)
#endif
    :: atomic { releases ? shard, memory -> room_is_taken[memory] = false; released++; shard = 0; memory = 0 }
    :: released == SHARDS -> break
    od
}

// --- The client

active proctype client()
{
    byte shard, results_id, memory, taken;
    do
    :: taken < SHARDS ->
        completions ? shard, results_id;
        assert(!shards[shard].is_delivered);
        memory = memory_by_results_id[results_id];
        // Read where it lies, for as long as the caller likes.
        assert(memories[memory].body == shard);
        assert(memories[memory].head == shard);
        shards[shard].is_delivered = true;
        taken++;
        releases ! shard, memory
    :: else -> break
    od
}

#ifdef LIVENESS
ltl all_reach_the_caller { <> (released == SHARDS) }
#endif

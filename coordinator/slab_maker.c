// SPDX-License-Identifier: Apache-2.0
#include "coordinator/slab_maker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/doorbell.h"

#define SMALL_BYTES (UINT64_C(256) << 20)

struct btk_slab_job {
    struct btk_slab_job *next;
    uint32_t client_id;
    bool is_release;
    uint64_t bytes;
    int rc;
    struct btk_shared_memory memory;
};

// --- Queues, under the mutex ----------------------------------------------------------------------

static void push(struct btk_slab_queue *queue, struct btk_slab_job *job)
{
    job->next = NULL;
    if (queue->last != NULL)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

// The first one that is not larger. NULL: none.
static struct btk_slab_job *pop(struct btk_slab_queue *queue, uint64_t limit_bytes)
{
    struct btk_slab_job *previous = NULL;
    struct btk_slab_job *job = queue->first;
    while (job != NULL && job->bytes > limit_bytes) {
        previous = job;
        job = job->next;
    }
    if (job == NULL) return NULL;
    if (previous != NULL)
        previous->next = job->next;
    else
        queue->first = job->next;
    if (queue->last == job) queue->last = previous;
    return job;
}

static void free_job(struct btk_slab_job *job)
{
    btk_shared_memory_clear(&job->memory);
    free(job);
}

// --- The threads ----------------------------------------------------------------------------------

static void make(struct btk_slab_job *job)
{
    job->rc = btk_shared_memory_create("btk-slab", job->bytes, 0, &job->memory);
    // The client alone writes there.
    if (job->rc == 0 && mprotect(job->memory.address, job->memory.bytes, PROT_READ) != 0)
        job->rc = -errno;
    if (job->rc != 0) btk_shared_memory_clear(&job->memory);
}

static void work(struct btk_slab_maker *maker, uint64_t limit_bytes)
{
    pthread_mutex_lock(&maker->mutex);
    while (!maker->is_closing) {
        struct btk_slab_job *job = pop(&maker->asked, limit_bytes);
        if (job == NULL) {
            pthread_cond_wait(&maker->is_asked, &maker->mutex);
            continue;
        }
        pthread_mutex_unlock(&maker->mutex);
        const bool is_release = job->is_release;
        if (is_release)
            free_job(job);
        else
            make(job);
        pthread_mutex_lock(&maker->mutex);
        if (is_release) continue;
        push(&maker->made, job);
        btk_doorbell_ring(maker->bell);
    }
    pthread_mutex_unlock(&maker->mutex);
}

static void *run_any(void *maker)
{
    work(maker, UINT64_MAX);
    return NULL;
}

static void *run_small(void *maker)
{
    work(maker, SMALL_BYTES);
    return NULL;
}

// --- The loop's -----------------------------------------------------------------------------------

static void on_bell(void *context, int fd, uint32_t events BTK_UNUSED)
{
    struct btk_slab_maker *maker = context;
    btk_doorbell_clear(fd);
    for (;;) {
        pthread_mutex_lock(&maker->mutex);
        struct btk_slab_job *job = pop(&maker->made, UINT64_MAX);
        pthread_mutex_unlock(&maker->mutex);
        if (job == NULL) return;
        maker->on_made(maker->context, job->client_id, job->bytes, job->rc, &job->memory);
        free_job(job);
    }
}

static int start_threads(struct btk_slab_maker *maker)
{
    static void *(*const runs[BTK_SLAB_MAKER_THREADS])(void *) = {run_any, run_small};
    for (uint32_t i = 0; i < BTK_SLAB_MAKER_THREADS; i++) {
        const int code = pthread_create(maker->threads + i, NULL, runs[i], maker);
        if (code != 0) return -code;
        maker->thread_count++;
    }
    return 0;
}

int btk_slab_maker_open(struct btk_slab_maker *maker, struct btk_loop *loop,
                        btk_slab_made_fn *on_made, void *context)
{
    *maker = (struct btk_slab_maker){.on_made = on_made, .context = context, .bell = -1};
    int rc = btk_doorbell_create(&maker->bell);
    if (rc != 0) return rc;
    pthread_mutex_init(&maker->mutex, NULL);
    pthread_cond_init(&maker->is_asked, NULL);
    maker->loop = loop;
    rc = btk_loop_add_fd(loop, maker->bell, EPOLLIN, on_bell, maker);
    if (rc == 0) rc = start_threads(maker);
    if (rc != 0) btk_slab_maker_close(maker);
    return rc;
}

static void free_queue(struct btk_slab_queue *queue)
{
    struct btk_slab_job *job;
    while ((job = pop(queue, UINT64_MAX)) != NULL) free_job(job);
}

void btk_slab_maker_close(struct btk_slab_maker *maker)
{
    if (maker->loop == NULL) return;
    pthread_mutex_lock(&maker->mutex);
    maker->is_closing = true;
    pthread_cond_broadcast(&maker->is_asked);
    pthread_mutex_unlock(&maker->mutex);
    for (uint32_t i = 0; i < maker->thread_count; i++) pthread_join(maker->threads[i], NULL);
    free_queue(&maker->asked);
    free_queue(&maker->made);
    btk_loop_remove_fd(maker->loop, maker->bell);
    close(maker->bell);
    pthread_cond_destroy(&maker->is_asked);
    pthread_mutex_destroy(&maker->mutex);
    maker->loop = NULL;
}

// Both threads are woken: the one that it is for may be the second.
static void queue_job(struct btk_slab_maker *maker, struct btk_slab_job *job)
{
    pthread_mutex_lock(&maker->mutex);
    push(&maker->asked, job);
    pthread_cond_broadcast(&maker->is_asked);
    pthread_mutex_unlock(&maker->mutex);
}

int btk_slab_maker_ask(struct btk_slab_maker *maker, uint32_t client_id, uint64_t bytes)
{
    struct btk_slab_job *job = calloc(1, sizeof *job);
    if (job == NULL) return -ENOMEM;
    job->client_id = client_id;
    job->bytes = bytes;
    job->memory = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    queue_job(maker, job);
    return 0;
}

void btk_slab_maker_release(struct btk_slab_maker *maker, struct btk_shared_memory *memory)
{
    struct btk_slab_job *job = maker->loop == NULL ? NULL : calloc(1, sizeof *job);
    if (job == NULL) {
        btk_shared_memory_clear(memory);
        return;
    }
    job->is_release = true;
    job->bytes = memory->bytes;
    job->memory = *memory;
    *memory = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    queue_job(maker, job);
}

// SPDX-License-Identifier: Apache-2.0
#include "coordinator/reload.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/log.h"
#include "coordinator/coordinator_internal.h"

enum { DEATHS_MAX = 2 };

// --- What nobody uses any more --------------------------------------------------------------------

static bool is_in_use(const struct btk_coordinator *coordinator, uint32_t slot)
{
    if (btk_image_names_lead_to(&coordinator->images.names, slot)) return true;
    if (btk_http_uses_image(coordinator->http, coordinator->images.images[slot].tokenizer_id))
        return true;
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++) {
        const struct btk_client_entry *client = coordinator->clients.slots[i];
        if (client != NULL && client->uses_image[slot]) return true;
    }
    return false;
}

static void drop_image(struct btk_coordinator *coordinator, uint32_t slot)
{
    const uint32_t tokenizer_id = coordinator->images.images[slot].tokenizer_id;
    btk_log(BTK_LOG_DEBUG, BTK_COORDINATOR_TARGET, "image_dropped", "tokenizer=%u", tokenizer_id);
    btk_options_table_remove(&coordinator->requests, tokenizer_id);
    btk_latency_forget_profile(&coordinator->latency, tokenizer_id);
    btk_image_store_remove(&coordinator->images, slot);
    btk_worker_table_unload_image(coordinator, slot, tokenizer_id);
}

static void drop_unused(struct btk_coordinator *coordinator)
{
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (btk_image_is_there(coordinator->images.images + i) && !is_in_use(coordinator, i))
            drop_image(coordinator, i);
}

// --- The end of a reload --------------------------------------------------------------------------

static void end_reload(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    reload->stage = BTK_RELOAD_IDLE;
    memset(reload->is_pending, 0, sizeof reload->is_pending);
}

static void send_pending(struct btk_coordinator *coordinator, enum btk_worker_stage stage)
{
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (coordinator->reload.is_pending[i]) btk_worker_table_load_image(coordinator, i, stage);
}

static void switch_names(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    // Those that are not ready were spared it until others had shown that they can use it.
    send_pending(coordinator, BTK_WORKER_LOADING);
    coordinator->images.names = reload->names;
    btk_log(BTK_LOG_INFO, BTK_COORDINATOR_TARGET, "reloaded", "tokenizers=%u new=%u failed=%u",
            reload->names.count, reload->new_count, reload->failed_count);
    end_reload(coordinator);
}

static bool is_spread(const struct btk_coordinator *coordinator)
{
    if (btk_worker_table_ready_count(&coordinator->workers) == 0) return false;
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (coordinator->reload.is_pending[i]
            && !btk_worker_table_has_image(&coordinator->workers, i))
            return false;
    return true;
}

// The name keeps what it led to. False: it led nowhere, and it was to be the default one.
static bool keep_old(struct btk_coordinator *coordinator, const char *name, const char *why)
{
    struct btk_reload *reload = &coordinator->reload;
    const struct btk_image_name *old =
        name[0] == 0 ? NULL : btk_image_names_find(&coordinator->images.names, name);
    reload->failed_count++;
    btk_log(BTK_LOG_ERROR, BTK_COORDINATOR_TARGET, "reload_failed", "tokenizer=%s kept=%s error=%s",
            name, old == NULL ? "nothing" : "old", why);
    if (old != NULL) btk_image_names_add(&reload->names, name, old->slot);
    return old != NULL || reload->names.count > 0;
}

static void give_up(struct btk_coordinator *coordinator, const char *why)
{
    btk_log(BTK_LOG_ERROR, BTK_COORDINATOR_TARGET, "reload_failed", "kept=all error=%s", why);
    end_reload(coordinator);
}

// --- Compiling ------------------------------------------------------------------------------------

static void take_image(struct btk_coordinator *coordinator, const char *name, int *fd,
                       struct btk_error *error)
{
    struct btk_reload *reload = &coordinator->reload;
    uint32_t slot = 0;
    bool is_new = false;
    if (btk_image_store_add(&coordinator->images, name, fd, &slot, &is_new, error) != 0) return;
    btk_image_names_add(&reload->names, name, slot);
    if (!is_new) return;
    reload->is_pending[slot] = true;
    reload->new_count++;
}

static int ask(struct btk_coordinator *coordinator,
               const struct btk_coordinator_tokenizer *tokenizer, struct btk_error *error)
{
    struct btk_reload *reload = &coordinator->reload;
    if (tokenizer->name[0] != 0 && btk_image_names_find(&reload->names, tokenizer->name) != NULL)
        return btk_error_set(error, EEXIST, BTK_NO_OFFSET, "two tokenizers have this name");
    return btk_compiler_ask(&reload->compiler, tokenizer, error);
}

static void spread(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    reload->stage = BTK_RELOAD_SPREADING;
    reload->death_count = 0;
    send_pending(coordinator, BTK_WORKER_READY);
    btk_reload_continue(coordinator);
}

// The next one that the compiler takes, or the end of compiling.
static void compile_next(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    for (; reload->next < reload->wanted_count; reload->next++) {
        const struct btk_coordinator_tokenizer *tokenizer = reload->wanted + reload->next;
        struct btk_error error = {0};
        const int rc = ask(coordinator, tokenizer, &error);
        if (rc == 0) return;
        // A second one of a name leaves the first as it is.
        if (rc == -EEXIST)
            give_up(coordinator, error.message);
        else if (!keep_old(coordinator, tokenizer->name, error.message))
            give_up(coordinator, "there is no default tokenizer");
        if (reload->stage == BTK_RELOAD_IDLE) return;
    }
    spread(coordinator);
}

static void on_answer(void *context, int compiler_fd, uint32_t events BTK_UNUSED)
{
    struct btk_coordinator *coordinator = context;
    struct btk_reload *reload = &coordinator->reload;
    struct btk_error error = {0};
    int fd = -1;
    const int rc = btk_compiler_take(&reload->compiler, &fd, &error);
    if (rc == -EAGAIN) return;
    // Readable for ever: it is gone. What is asked of it fails from now on.
    if (rc == -EPIPE) btk_loop_remove_fd(coordinator->loop, compiler_fd);
    if (reload->stage == BTK_RELOAD_COMPILING && reload->next < reload->wanted_count) {
        const char *name = reload->wanted[reload->next++].name;
        if (rc == 0) take_image(coordinator, name, &fd, &error);
        if (error.code != 0 && !keep_old(coordinator, name, error.message))
            give_up(coordinator, "there is no default tokenizer");
        else
            compile_next(coordinator);
    }
    if (fd >= 0) close(fd);
}

// --- Begin ----------------------------------------------------------------------------------------

static void begin_reload(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    struct btk_coordinator_options options = {0};
    struct btk_error error = {0};
    reload->is_wanted = false;
    if (coordinator->options.reload(coordinator->options.reload_context, &options, &error) != 0) {
        give_up(coordinator, error.message);
        return;
    }
    btk_coordinator_default_tokenizers(&options);
    reload->wanted_count = options.tokenizer_count;
    memcpy(reload->wanted, options.tokenizers, sizeof reload->wanted);
    reload->next = 0;
    reload->failed_count = 0;
    reload->new_count = 0;
    reload->names.count = 0;
    reload->stage = BTK_RELOAD_COMPILING;
    compile_next(coordinator);
}

void btk_reload_request(struct btk_coordinator *coordinator)
{
    if (coordinator->options.reload == NULL) return;
    coordinator->reload.is_wanted = true;
    btk_reload_continue(coordinator);
}

void btk_reload_continue(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    if (coordinator->stage != BTK_COORDINATOR_RUNNING) return;
    if (reload->stage == BTK_RELOAD_SPREADING && is_spread(coordinator)) switch_names(coordinator);
    if (reload->stage != BTK_RELOAD_IDLE) return;
    drop_unused(coordinator);
    if (reload->is_wanted) begin_reload(coordinator);
}

bool btk_reload_take_refusal(struct btk_coordinator *coordinator, uint32_t slot, const char *why)
{
    struct btk_reload *reload = &coordinator->reload;
    if (reload->stage != BTK_RELOAD_SPREADING || !reload->is_pending[slot]) return false;
    give_up(coordinator, why);
    return true;
}

void btk_reload_note_death(struct btk_coordinator *coordinator)
{
    struct btk_reload *reload = &coordinator->reload;
    if (reload->stage != BTK_RELOAD_SPREADING || ++reload->death_count <= DEATHS_MAX) return;
    give_up(coordinator, "workers end while they take the new tokenizers");
}

int btk_reload_open(struct btk_coordinator *coordinator)
{
    return btk_loop_add_fd(coordinator->loop, coordinator->reload.compiler.fd, EPOLLIN, on_answer,
                           coordinator);
}

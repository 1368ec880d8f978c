// SPDX-License-Identifier: Apache-2.0
#include "common/profile.h"

#include <errno.h>
#include <string.h>

const char *const btk_encode_stage_names[BTK_ENCODE_STAGE_COUNT] = {
    [BTK_STAGE_VALIDATION] = "validation",
    [BTK_STAGE_ADDED_TOKENS] = "added_tokens",
    [BTK_STAGE_NORMALIZATION] = "normalization",
    [BTK_STAGE_PRETOKENIZATION] = "pre_tokenization",
    [BTK_STAGE_MODEL] = "model",
    [BTK_STAGE_POST_PROCESSING] = "post_processing",
};

int btk_profile_wanted(const char *value, bool *out_is_wanted, struct btk_error *error)
{
    const bool is_on = value && strcmp(value, "1") == 0;
    if (value && !is_on && value[0] && strcmp(value, "0") != 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "BUDTIKTOK_PROFILE: expected 0 or 1, not \"%.40s\"", value);
    *out_is_wanted = is_on;
    return 0;
}

void btk_profile_add(struct btk_profile *total, const struct btk_profile *more)
{
    uint64_t sums[BTK_PROFILE_NUMBERS], numbers[BTK_PROFILE_NUMBERS];
    memcpy(sums, total, sizeof sums);
    memcpy(numbers, more, sizeof numbers);
    for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) sums[i] += numbers[i];
    memcpy(total, sums, sizeof sums);
}

static double quotient(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

double btk_profile_ns_per_byte(const struct btk_profile_calls *calls)
{
    return quotient(calls->ns, calls->bytes);
}

double btk_profile_ratio(const struct btk_profile *profile)
{
    const double plain = btk_profile_ns_per_byte(&profile->plain);
    return plain > 0 ? btk_profile_ns_per_byte(&profile->staged) / plain : 0;
}

static void write_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, number);
}

static void write_real(struct btk_json_writer *writer, const char *name, double number)
{
    btk_json_name(writer, name);
    btk_json_real(writer, number);
}

static void write_calls(struct btk_json_writer *writer, const char *name,
                        const struct btk_profile_calls *calls)
{
    btk_json_name(writer, name);
    btk_json_begin_object(writer);
    write_number(writer, "calls", calls->calls);
    write_number(writer, "bytes", calls->bytes);
    write_number(writer, "ns", calls->ns);
    write_real(writer, "ns_per_byte", btk_profile_ns_per_byte(calls));
    btk_json_end_object(writer);
}

static void write_stage(struct btk_json_writer *writer, const struct btk_profile *profile,
                        int stage)
{
    const uint64_t ns = profile->stage_ns[stage];
    btk_json_name(writer, btk_encode_stage_names[stage]);
    btk_json_begin_object(writer);
    write_number(writer, "ns", ns);
    write_real(writer, "ns_per_byte", quotient(ns, profile->staged.bytes));
    write_real(writer, "share", quotient(ns, profile->staged.ns));
    btk_json_end_object(writer);
}

void btk_profile_json_write_members(struct btk_json_writer *writer,
                                    const struct btk_profile *profile)
{
    write_number(writer, "calls", profile->calls);
    write_number(writer, "bytes", profile->bytes);
    write_number(writer, "cache_hits", profile->cache_hits);
    write_number(writer, "cache_misses", profile->cache_misses);
    write_number(writer, "sampled_one_in", BTK_PROFILE_ONE_IN);
    write_calls(writer, "sampled", &profile->staged);
    write_calls(writer, "fused", &profile->plain);
    write_real(writer, "sampled_to_fused", btk_profile_ratio(profile));
    btk_json_name(writer, "stages");
    btk_json_begin_object(writer);
    for (int stage = 0; stage < BTK_ENCODE_STAGE_COUNT; stage++)
        write_stage(writer, profile, stage);
    btk_json_end_object(writer);
}

static int print_stages(const struct btk_profile *profile, struct btk_buffer *out)
{
    int status = 0;
    for (int stage = 0; stage < BTK_ENCODE_STAGE_COUNT && !status; stage++) {
        const uint64_t ns = profile->stage_ns[stage];
        status = btk_buffer_printf(
            out, "    %-18s %8.3f ns/byte  %5.1f %%\n", btk_encode_stage_names[stage],
            quotient(ns, profile->staged.bytes), 100 * quotient(ns, profile->staged.ns));
    }
    return status;
}

int btk_profile_print(const struct btk_profile *profile, const char *name, struct btk_buffer *out)
{
    const uint64_t pieces = profile->cache_hits + profile->cache_misses;
    int status = btk_buffer_printf(
        out,
        "profile of %s: %llu calls, %llu bytes, %.1f %% of %llu short pieces from the cache\n"
        "  stages, sampled: %llu calls (one in %d), %llu bytes\n",
        name, (unsigned long long)profile->calls, (unsigned long long)profile->bytes,
        100 * quotient(profile->cache_hits, pieces), (unsigned long long)pieces,
        (unsigned long long)profile->staged.calls, BTK_PROFILE_ONE_IN,
        (unsigned long long)profile->staged.bytes);
    if (!status) status = print_stages(profile, out);
    if (!status)
        status = btk_buffer_printf(out, "    %-18s %8.3f ns/byte\n", "whole",
                                   btk_profile_ns_per_byte(&profile->staged));
    const double ratio = btk_profile_ratio(profile);
    if (status || ratio <= 0) return status;
    return btk_buffer_printf(
        out,
        "  without stages      %10.3f ns/byte in %llu other calls; with them %.3f times that\n",
        btk_profile_ns_per_byte(&profile->plain), (unsigned long long)profile->plain.calls, ratio);
}

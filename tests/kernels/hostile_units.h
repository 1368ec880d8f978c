// SPDX-License-Identifier: Apache-2.0
// Texts of one thing over and over, for what looks ahead or goes back.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const char *const hostile_units[] = {
    "a",    "A",        "1",    "!",   " ",       "\n", "\t",
    "\r\n", " \n",      "\n ",  "'",   "'s",      "/",  "\x01",
    "a b",  "aB",       "Aa ",  "1 ",  "é",       "É",  "字",
    "字A",  "A字",      "あ",   "́",    "а́",       "А",  "　",
    " ",    "٣",        "。",   "😀",   "😀‍", "한", "͸",
    "<|",   "\u3040",   "゛",   "ー!", "²",       "′",  "<|endoftext|>",
    "  a",  "\n\n  \n", "!\n/",
};

// Whole units, at most `room` bytes; returns the length.
static inline size_t hostile_fill(const char *unit, uint8_t *out, size_t room)
{
    const size_t length = strlen(unit);
    size_t at = 0;
    for (; room - at >= length; at += length) memcpy(out + at, unit, length);
    return at;
}

# SPDX-License-Identifier: Apache-2.0
"""cut.h in Python: the same body, warm-up, pieces and lines of a text, byte for byte.

    file   [ body: measured, at most 8,000,200 bytes ] ... [ warm-up: the last 64 KiB, never measured ]
    piece  about 4 KiB: ends behind the last newline of its second half, else before the last space of it,
           else between two characters; blank ones and repeated ones are left out

Texts are bytes of valid UTF-8. tests/bench/peers_test.py compares this with budtiktok-bench.
"""
WARM_UP_BYTES, BODY_BYTES, PIECE_BYTES = 65536, 8_000_200, 4096


def is_inside_character(text, at):
    return at < len(text) and text[at] & 0xC0 == 0x80


def split(text, limit_bytes=BODY_BYTES):
    """Body and warm-up. A text that is not longer than the warm-up is all body."""
    warm_up = len(text)
    if len(text) > WARM_UP_BYTES:
        warm_up -= WARM_UP_BYTES
        while is_inside_character(text, warm_up):
            warm_up += 1
    end = min(warm_up, limit_bytes)
    while end and is_inside_character(text, end):
        end -= 1
    return text[:end], text[warm_up:]


def piece_end(text, begin, piece_bytes):
    if len(text) - begin <= piece_bytes:
        return len(text)
    end = begin + piece_bytes
    half = begin + piece_bytes // 2
    newline, space = text.rfind(b"\n", half, end), text.rfind(b" ", half, end)
    if newline >= 0:
        return newline + 1
    if space >= 0:
        return space
    while is_inside_character(text, end):
        end -= 1
    return end


def pieces(text, piece_bytes=PIECE_BYTES):
    """In order, without blank ones and without any that came before."""
    found, begin = {}, 0  # a dict keeps the order
    while begin < len(text):
        end = piece_end(text, begin, piece_bytes)
        piece, begin = text[begin:end], end
        if piece.strip():
            found[piece] = None
    return list(found)


def lines(text):
    """All of them, without \\n or \\r\\n; empty ones are documents too."""
    found = text.split(b"\n")
    last = found.pop()
    return [line.removesuffix(b"\r") for line in found] + ([last] if last else [])


def calls(text, form):
    """What one of the forms gives to encode: "pieces", "lines" or "whole"."""
    return {"pieces": pieces, "lines": lines, "whole": lambda body: [body]}[form](text)

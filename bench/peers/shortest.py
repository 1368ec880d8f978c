# SPDX-License-Identifier: Apache-2.0
"""The shortest text that two engines tell differently, found by leaving parts out (A. Zeller, R. Hildebrandt,
"Simplifying and isolating failure-inducing input", 2002). A text is not cut within a character."""

MOST_ROUNDS = 200


def parts_left_out(text, count):
    """The text without each of its `count` parts, and each part alone."""
    size = -(-len(text) // count)
    begins = range(0, len(text), size)
    without = [text[:begin] + text[begin + size:] for begin in begins]
    return [text for text in without + [text[begin:begin + size] for begin in begins] if text]


def shortest(text, differs):
    """differs(texts): for each, whether it is told differently. None: `text` is not, when it comes alone."""
    if not differs([text])[0]:
        return None
    count = 2
    for _ in range(MOST_ROUNDS):
        if len(text) < 2:
            break
        candidates = parts_left_out(text, min(count, len(text)))
        wrong = [candidate for candidate, is_wrong in zip(candidates, differs(candidates)) if is_wrong]
        if wrong:
            text, count = min(wrong, key=len), max(2, count // 2)
        elif count >= len(text):
            break
        else:
            count *= 2
    return text


def find(text, engine, reference):
    """Both are servers (processes.py). The text, and what each says of it."""
    def differs(texts):
        return [one != other for one, other in zip(engine.ask(texts), reference.ask(texts))]

    found = shortest(text, differs)
    if found is None:
        return None
    return {"text": found, "got": engine.ask([found])[0], "wanted": reference.ask([found])[0]}

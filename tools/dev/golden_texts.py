# SPDX-License-Identifier: Apache-2.0
"""Short texts on which tokenizers differ, for golden cases and for the differential sweep."""
import random

WHITESPACE = r"""|_|__|___|a|_a|a_|__a__b__|hello___world|a\tb|\t\t_|\n|\r|\r\n|\n\n|\n\n\n\n|a\nb|a_\nb|a\n_b
a\r\n\r\nb|_\n_\n_|def f():\n____return 1\n\n\n|x___\n|___\n___x|\v|\f|a\vb\fc|\x1c\x1d\x1e\x1f|\x85|a\x85b
\xa0|a\xa0b|a_\xa0_b|\u1680x|\u180ex|\u2000\u2001\u2002x|\u200b|a\u200bb|\u2028|a\u2028b|\u2029x|\u202fx|\u205fx
\u3000|a\u3000b|\ufeffx|x\ufeff|\u200dx"""
CONTRACTION = r"""I'm|I'M|i'm you're he'll we've they'd it's don't|YOU'RE HE'LL WE'VE|it''s|''s|'\u017f|don'\u017f
'K|'re're|x's'd|o'clock|'tis|rock'n'roll|'|''|a'|'a|1's|\n's|_'s|_'_s|\u2019s it\u2019s|'lll|'ll'|'v|'d1|s's's"""
NUMBER = r"""0|7|10|123|1234567890|3.14|1,000,000|1e10|0x1F|v1.2.3|2026-11-23|12:30|a1b2|1st|5%|$9.99|\xbd|\xb2\xb3
\u2167|\u0661\u0662\u0663|\u0967\u0968|\uff11\uff12|\U0001d7d8|\u3289|\u2460|1 2 3|_1__2|\U00010d50|\U00016d70"""
PUNCTUATION = r"""Hello, world!|...|!!!|?!?!|a.b.c|foo\x5fbar\x5fbaz|foo-bar|--|-->|!=|(x)|[x]|{x}|<x>|</x>|a/b\\c
http://example.com/a?b=c&d=e#f|user@example.com|#hashtag @mention|C++|C#|.NET|e.g., i.e.|"quoted"|\u201cquoted\u201d
\xabx\xbb|\u2014|a\u2014b|\u2026|\xbfQu\xe9?|\xa1Hola!|\u3002\u3001\uff01|\u300c\u65e5\u672c\u300d|\xb7|\u2022|\xa7\xb6
\xa9\xae\u2122|\u20ac\xa3\xa5|\u2116|~`^\x7c|$x$|x=y+z*w|/* c */|_//|\n\n//|!\n|_.\n\n|\r\n.|x;\n}\n|\u2e5d|\U00010ead|\u1b7d"""
SCRIPTS = r"""Hello|HELLO|hELLO|na\xefve caf\xe9|CAF\xc9|Stra\xdfe STRASSE \u1e9e|\u0130stanbul \u0131|\u0132sselmeer|\ufb01ne \ufb03
\u01c4ivo|\u0398\u0395\u039f\u03a3 \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2|\u041f\u0440\u0438\u0432\u0435\u0442, \u041c\u0418\u0420! \u0451\u0439\u0407|\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd
\u0645\u0631\u062d\u0628\u0627 \u0628\u0650\u0633\u0652\u0645\u0650|\u0928\u092e\u0938\u094d\u0924\u0947|\u0958\u0959|\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35|\u0e33|\u1112\u1161\u11ab\uae00|\ud55c\uad6d\uc5b4 \uc2dc\ud5d8|\uac00\u11a8
\u65e5\u672c\u8a9e\u306e\u30c6\u30b9\u30c8|\u30ac\u30ae\u3099\u30cf\u309a|\uff76\uff9e|\u4e2d\u6587\u5b57\u7b26|a\u4e2db|\u4e2d a \u6587|\u9fff\u3400\u4dbf|\ua000|\U00020000x|\U0002b81fx|\U0002b820x|\U0002b920x|\U0002f800|\U00030000
\u10d2\u10d0\u10db \u1c92\u1c90|\u13e3\u13b3\uab70|\u1208\u1230|\u12a0|\u0b95\u0bca|\u1780\u17b6|\U00010400\U00010428|\U0001e900\U0001e922|\uff21\uff22\uff23|\U0001d400\U0001d6a8|\u212b \u2126 \u212a|\u1fb3\u1f82\u1ffc
\ua7dc|\u1c89|\U00010d50\U00010d70"""
MARKS = r"""e\u0301|\u0301|_\u0301|a\u0301\u0323|a\u0323\u0301|\u1e69|s\u0323\u0307|s\u0307\u0323|\u1eadm|q\u0307\u0323x|o\u0302\u0323\u031b|\u0344|\u0390\u03b0|A\u030a|\u0f73\u0f71|\u0cca
a\u0315\u0300\u05ae\u0062b|\u1dfax|a\u1df6\u0301|\u0897|a\u0897b|\u0d00|\u1acf|\u20e3|1\ufe0f\u20e3|\u0488|\u093e|\u1cf7|\U0001d15e|\U0001d165\U0001d16e|\U00011131x|\u0340\u0341|\u2adc|\ufb1d\ufb4e
\u0600\u0601|\U00010efd|a\u0305\u0336\u0338b|z\u0351\u036b\u0343\u036a\u0302"""
EMOJI = r"""\U0001f600|\U0001f600\U0001f600|hi \U0001f600!|\U0001f44d\U0001f3fd|\U0001f468\u200d\U0001f469\u200d\U0001f467|\U0001f1e9\U0001f1ea|\u2764\ufe0f|\u2764|\U0001fae8|\U0001fadf|\u263a_\u263b|\u2b50|\u2192|\u221e\u2260|\U0001f3f4\U000e0067\U000e007f"""
ODD = r"""\0|a\0b|\x01\x02\x07\x08|\x7f|\x80\x9f|\xad|so\xadft|\ufffd|a\ufffdb|\ufffe|\uffff|\U0001fffe|\U0010ffff|\ue000|\uf8ff|\u0378|\U000e0001
\u2066x\u2069|\u202ex|\u2060|\u034f|\u115f|\u3164|\uffa0|\u0640|\u0f0b|\u2581|a\u2581b|\u0120|\u0120hello|\u010a|##ing|##|#|[UNK|<s>|</s>|<\x7cendoftext|\u08e2|\u110bd|\U000110bd|\U00013430|\ud7fb\ue000"""
ADDED = ("{0}", " {0}", "{0} ", " {0} ", "a{0}b", "a {0} b", "{0}{0}", "{0} {0}", "\n{0}\n", "\xe9{0}\xe9",
         "\u4e2d{0}\u4e2d", "x  {0}  y", "{0}\u0301", "_{0}1", "{0}'s", "'{0}")
TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, "
    "must be in want of a wife.",
    "#include <stdio.h>\nint main(void)\n{\n\tprintf(\"%d\\n\", 0x2A);\n\treturn 0;\n}\n",
    "{\"id\": 17, \"name\": \"J\u00fcrgen\", \"tags\": [\"a\", null, true], \"x\": -1.5e-3}\n",
    "Zw\u00f6lf Boxk\u00e4mpfer jagen Viktor quer \u00fcber den gro\u00dfen Sylter Deich.",
    "Voix ambigu\u00eb d'un c\u0153ur qui, au z\u00e9phyr, pr\u00e9f\u00e8re les jattes de kiwis",
    "\u0421\u044a\u0435\u0448\u044c \u0436\u0435 \u0435\u0449\u0451 \u044d\u0442\u0438\u0445 \u043c\u044f\u0433\u043a\u0438\u0445 \u0444\u0440\u0430\u043d\u0446\u0443\u0437\u0441\u043a\u0438\u0445 \u0431\u0443\u043b\u043e\u043a",
    "\u3044\u308d\u306f\u306b\u307b\u3078\u3068 \u3061\u308a\u306c\u308b\u3092\u3001\u308f\u304b\u3088\u305f\u308c\u305d \u3064\u306d\u306a\u3089\u3080\u3002",
    "\ub2e4\ub78c\uc950 \ud5cc \uccc7\ubc14\ud034\uc5d0 \ud0c0\uace0\ud30c",
    "\u5929\u5730\u7384\u9ec3\uff0c\u5b87\u5b99\u6d2a\u8352\u3002\u65e5\u6708\u76c8\u6603\uff0c\u8fb0\u5bbf\u5217\u5f20\u3002",
]
LONG = ["a", "ab", "aab", "1", " ", "\n", "\t", " \n", "=", ".", "\u3042", "\xe9", "e\u0301", "\u0301",
        "\U0001f600", "ab ", "supercalifragilistic", "\u4e2d\u56fd", "\ud55c", "[", "'s", "\u200b", "Zz"]
ALPHABET = ("aAzZeE" * 3 + "   \n\t\r'stmdrvl019.,-_[]#<|>" + "\0\x0b\x0c\x1f\x7f\x85\xa0\xad\xbd\xdf\xe9\xc9"
            "\u0130\u017f\u01c5\u0301\u0323\u0344\u0345\u0390\u03a3\u03c2\u0439\u05b8\u0627\u0650\u0661\u0915\u093c\u0947\u0e33\u0f73"
            "\u1161\u1100\u11a8\u1e69\u1f82\u1680\u180e\u2003\u200b\u200d\u2028\u202f\u2019\u2126\u2167\u3000\u3042\u30ac\u3099"
            "\u4e2d\uac00\ud55c\ufb01\ufe0f\ufeff\uff21\uff9e\ufffd\ue000\U00010400\U0001d15e\U0001f600\U00020000\U0002b820"
            "\U000e0001\U0010ffff\u0897\u1c89\u1dfa\u20e3")


def texts_of(block):
    """The texts of a block: | and line ends part them, _ is a space, escapes are as in Python."""
    for text in block.replace("\n", "|").split("|"):
        yield text.replace("_", " ").encode("ascii").decode("unicode_escape")


def around(added_token):
    """An added token in company, in the wrong case, and cut short at either end."""
    yield from (form.format(added_token) for form in ADDED)
    yield from (added_token.swapcase(), added_token[:-1], added_token[1:])


def random_text(generator, longest):
    """Characters on which some stage does something special, with runs of the same."""
    text = []
    for _ in range(generator.randint(1, longest)):
        text.append(generator.choice(ALPHABET) * generator.choice((1, 1, 1, 1, 2, 3)))
    return "".join(text)


def cases(added_tokens, random_count=60, seed=1):
    """(kind, text) of every case, no text twice."""
    found = {}
    for kind, block in (("whitespace", WHITESPACE), ("contraction", CONTRACTION),
                        ("number", NUMBER), ("punct", PUNCTUATION), ("script", SCRIPTS),
                        ("mark", MARKS), ("emoji", EMOJI), ("odd", ODD)):
        for text in texts_of(block):
            found.setdefault(text, kind)
    for token in added_tokens:
        for text in around(token):
            found.setdefault(text, "added-token")
    for unit in LONG:
        for count in (101, 300):
            found.setdefault(unit * (count // len(unit)), "long")
    for text in TEXTS:
        found.setdefault(text, "text")
    generator = random.Random(seed)
    for _ in range(random_count):
        found.setdefault(random_text(generator, 30), "random")
    return [(kind, text) for text, kind in found.items()]

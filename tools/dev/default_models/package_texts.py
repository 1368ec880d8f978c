#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plain text out of Debian packages: where the default models and the bench texts come from.

Everything here is public domain or under a permissive licence; tokenizer/default/README.md states
which text has which. Packages are downloaded and unpacked into a folder, not installed.
"""
import bz2
import gettext
import glob
import gzip
import html.parser
import lzma
import os
import re
import struct
import subprocess
import zlib

PACKAGES = """r-cran-janeaustenr sword-text-web sword-text-sparv dict-jargon sqlite3-doc wordnet-base
apache2-doc python3.11-doc postgresql-15 python3-django unicode-cldr-core python3-jieba""".split()


def unpack(folder):
    """Download and unpack each package once; returns where the files stand and the versions."""
    root = os.path.join(folder, "root")
    os.makedirs(root, exist_ok=True)
    for package in PACKAGES:
        if not glob.glob(f"{folder}/{package}_*.deb"):
            subprocess.run(["apt-get", "-q", "download", package], cwd=folder, check=True)
            [deb] = glob.glob(f"{folder}/{package}_*.deb")
            subprocess.run(["dpkg", "-x", deb, root], check=True)
    return root


def versions(folder):
    form = "${Package} ${Version} (source ${source:Package})"
    debs = sorted(glob.glob(f"{folder}/*.deb"))
    return [subprocess.run(["dpkg-deb", "-W", "--showformat", form, deb], check=True,
                           capture_output=True, text=True).stdout for deb in debs]


class _Text(html.parser.HTMLParser):
    """Text of a page without scripts, styles and navigation."""
    SKIP = {"script", "style", "head", "nav", "select"}
    BREAK = set("p div li tr pre h1 h2 h3 h4 h5 dt dd br table ul ol title".split())

    def __init__(self):
        super().__init__()
        self.parts, self.depth = [], 0

    def handle_starttag(self, tag, attrs):
        self.depth += tag in self.SKIP
        if tag in self.BREAK:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.depth -= tag in self.SKIP and self.depth > 0

    def handle_data(self, data):
        if not self.depth:
            self.parts.append(data)


def text_of_page(page):
    parser = _Text()
    parser.feed(page)
    return tidy("".join(parser.parts))


def tidy(text):
    text = re.sub(r"[ \t\r\u00a0]+\n", "\n", text.replace("\r\n", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def read(path):
    """A text file; pages of other times say which encoding they have."""
    with open(path, "rb") as file:
        data = file.read()
    said = (re.search(rb"""(?:charset|encoding)=["']?([-\w]+)""", data[:600])
            if path.endswith((".html", ".xml")) else None)
    return data.decode(said.group(1).decode() if said else "utf-8", errors="replace")


def _inflate_record(data):
    """One object of R's lazy-load file: big-endian size, an optional letter, the packed bytes."""
    body, kind = data[4:], data[4:5]
    if kind == b"Z":
        tool, body = lzma.LZMADecompressor(), body[1:]
    elif kind == b"2":
        tool, body = bz2.BZ2Decompressor(), body[1:]
    else:
        tool = zlib.decompressobj()
    return tool.decompress(body), tool.unused_data


def _string_vectors(data):
    """The long character vectors of a serialized R object."""
    at = 0
    while (at := data.find(b"\0\0\0\x10", at)) >= 0:
        (count,) = struct.unpack_from(">i", data, at + 4)
        at += 8
        if not 1000 < count < 100000:
            continue
        lines = []
        for _ in range(count):
            _, size = struct.unpack_from(">Ii", data, at)
            lines.append(data[at + 8:at + 8 + max(size, 0)].decode())
            at += 8 + max(size, 0)
        yield lines


def austen(root):
    """Title and text of Jane Austen's six novels."""
    with open(f"{root}/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb", "rb") as file:
        data = file.read()
    while data:
        record, data = _inflate_record(data)
        for lines in _string_vectors(record):
            yield lines[0].strip().lower(), tidy("\n".join(lines))


def sword(root, module):
    """Books of a SWORD module: an index of blocks, each a zlib stream with OSIS markup inside."""
    folder = f"{root}/usr/share/sword/modules/texts/ztext/{module}"
    for part in ("ot", "nt"):
        with open(f"{folder}/{part}.bzs", "rb") as index, open(f"{folder}/{part}.bzz", "rb") as file:
            blocks, data = index.read(), file.read()
        for start, size, _ in struct.iter_unpack("<III", blocks):
            if size == 0:
                continue
            book = zlib.decompress(data[start:start + size]).decode()
            book = re.sub(r"<note.*?</note>", "", book, flags=re.S)
            book = re.sub(r"</(?:p|l|lg|verse|title)>|<verse [^>]*eID[^>]*>|<chapter[^>]*>", "\n",
                          book)
            yield tidy(re.sub(r"\n\s+", "\n", re.sub(r"<[^>]+>", "", book)))


def catalogues(root, pattern):
    """(language, messages) of each gettext file that matches."""
    for path in sorted(glob.glob(f"{root}/{pattern}", recursive=True)):
        language = re.search(r"/([^/]+)/LC_MESSAGES/", path).group(1)
        with open(path, "rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        messages = [text for key, text in catalogue.items() if key and isinstance(text, str)]
        yield language, "\n".join(messages) + "\n"


def pages(root, pattern):
    for path in sorted(glob.glob(f"{root}/{pattern}", recursive=True)):
        yield path, text_of_page(read(path))


def apache(root, language):
    """The Apache manual in one language: the pages that are not the English ones again."""
    base = f"usr/share/doc/apache2-doc/manual/{language}"
    for path, text in pages(root, base + "/**/*.html"):
        english = path.replace(f"/manual/{language}/", "/manual/en/")
        if language == "en" or not os.path.exists(english) or read(path) != read(english):
            yield text


def annotations(root):
    """(language, names and keywords of symbols) from the Unicode CLDR."""
    for path in sorted(glob.glob(f"{root}/usr/share/unicode/cldr/common/annotations/*.xml")):
        words = re.findall(r"<annotation [^>]*>([^<]*)</annotation>", read(path))
        yield os.path.basename(path)[:-4], "\n".join(words) + "\n"


def glosses(root):
    """Definitions and examples of WordNet."""
    for path in sorted(glob.glob(f"{root}/usr/share/wordnet/data.*")):
        yield "\n".join(line.split("| ", 1)[1].strip() for line in read(path).split("\n")
                        if "| " in line) + "\n"


def jargon(root):
    with gzip.open(f"{root}/usr/share/dictd/jargon.dict.dz", "rt", encoding="utf-8",
                   errors="replace") as file:
        return tidy(file.read())


def chinese_words(root):
    """Words of the segmenter's dictionary, frequent ones several times."""
    for line in read(f"{root}/usr/lib/python3/dist-packages/jieba/dict.txt").splitlines():
        word, frequency = line.split()[:2]
        if int(frequency) > 20:
            yield "\n".join([word] * min(6, 1 + int(frequency) // 500))


def python_code(root):
    for path in sorted(glob.glob(f"{root}/usr/lib/python3/dist-packages/django/**/*.py",
                                 recursive=True)):
        yield path, read(path)


def python_manual(root):
    """The sources of the Python manual."""
    for path in sorted(glob.glob(f"{root}/usr/share/doc/python3.11/html/_sources/**/*.txt",
                                 recursive=True)):
        yield read(path)

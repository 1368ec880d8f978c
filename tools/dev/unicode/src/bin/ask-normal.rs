// SPDX-License-Identifier: Apache-2.0

// Prints what the crates behind the normalizers answer for every code point: one line
// `code_point bits` (hexadecimal) of those that are not all zero. Bits 0-3: NFC and NFKC may change
// it or what stands before it, its compatibility decomposition is another, it is a mark. Bits 4-7:
// its class in grapheme clusters; bits 8 and 9: linker, extender of Indic conjuncts.
//
// The crate of grapheme clusters shows no classes, so it is asked where it divides: next to one
// character of each class, a class behaves as no other does.

use std::io::{self, BufWriter, Write};
use unicode_normalization_alignments::char::{decompose_compatible, is_combining_mark};
use unicode_normalization_alignments::{is_nfc_quick, is_nfkc_quick, IsNormalized};
use unicode_segmentation::UnicodeSegmentation;

// The order is that of enum btk_grapheme_class.
const SAMPLES: [&str; 16] = [
    "a", "\r", "\n", "\u{1}", "\u{300}", "\u{200d}", "\u{1f1e6}", "\u{600}", "\u{903}", "\u{1100}",
    "\u{1161}", "\u{11a8}", "\u{ac00}", "\u{ac01}", "\u{a9}", "\u{915}",
];

fn joins(text: String) -> bool {
    text.graphemes(true).count() == 1
}

fn behaviour(c: &str) -> Vec<bool> {
    let mut answers = Vec::new();
    for sample in SAMPLES {
        answers.push(joins(format!("{sample}{c}")));
        answers.push(joins(format!("{c}{sample}")));
    }
    // What these do shows only behind a joiner, or between consonants.
    answers.push(joins(format!("\u{a9}\u{200d}{c}")));
    answers.push(joins(format!("\u{915}\u{94d}{c}")));
    // A joiner is the one extender that a pictograph may follow.
    answers.push(joins(format!("\u{a9}{c}\u{a9}")));
    answers.push(joins(format!("\u{a9}{c}\u{200d}\u{a9}")));
    answers
}

fn bits_of(c: char, samples: &[Vec<bool>]) -> u32 {
    let mut buffer = [0u8; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    let mut parts = Vec::new();
    decompose_compatible(c, |part| parts.push(part));
    let found = behaviour(text);
    let class = samples.iter().position(|sample| *sample == found);
    let class = class.unwrap_or_else(|| panic!("U+{:04X} behaves as no class does", c as u32));
    let links = joins(format!("\u{915}{text}\u{915}"));
    let extends = links || joins(format!("\u{915}\u{94d}{text}\u{915}")) && class != 15;
    let answers = [
        is_nfc_quick(text.chars()) != IsNormalized::Yes,
        is_nfkc_quick(text.chars()) != IsNormalized::Yes,
        parts != [c],
        is_combining_mark(c),
        class & 1 != 0,
        class & 2 != 0,
        class & 4 != 0,
        class & 8 != 0,
        links,
        extends && !links,
    ];
    answers.iter().enumerate().fold(0, |bits, (i, yes)| bits | (*yes as u32) << i)
}

fn main() -> io::Result<()> {
    let samples = SAMPLES.map(behaviour);
    let mut out = BufWriter::new(io::stdout().lock());
    for code_point in 0..0x110000u32 {
        let Some(c) = char::from_u32(code_point) else { continue };
        let bits = bits_of(c, &samples);
        if bits != 0 {
            writeln!(out, "{code_point:X} {bits:X}")?;
        }
    }
    out.flush()
}

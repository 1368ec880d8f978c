// SPDX-License-Identifier: Apache-2.0

// Prints what each crate the reference is built from answers for every code point: one line
// `code_point classes combining_class lowercase decomposition`, all hexadecimal, the last two
// comma-separated, "-" where the code point stays itself. Code points in no class are left out.

use onig::Regex as Onig;
use regex::Regex;
use std::io::{self, BufWriter, Write};
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

fn is_chinese(c: char) -> bool {
    // normalizers/bert.rs of the reference, with its 2B920.
    matches!(c as u32,
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F
        | 0x2B740..=0x2B81F | 0x2B920..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

fn is_removed_by_clean_text(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | '\u{FFFD}' => true,
        _ => c.is_other_control() || c.is_other_format() || c.is_other_private_use(),
    }
}

fn hex_list(chars: &[char], own: char) -> String {
    if chars == [own] {
        return "-".into();
    }
    let words: Vec<String> = chars.iter().map(|c| format!("{:X}", *c as u32)).collect();
    words.join(",")
}

fn main() -> io::Result<()> {
    let onig_classes = [r"\p{L}", r"\p{N}", r"\s"].map(|p| Onig::new(p).unwrap());
    let regex_classes = [r"^\w", r"^\s"].map(|p| Regex::new(p).unwrap());
    let mut out = BufWriter::new(io::stdout().lock());
    for code_point in 0..0x110000u32 {
        let Some(c) = char::from_u32(code_point) else { continue };
        let mut buffer = [0u8; 4];
        let text: &str = c.encode_utf8(&mut buffer);
        let lower: Vec<char> = c.to_lowercase().collect();
        let mut decomposed = Vec::new();
        decompose_canonical(c, |d| decomposed.push(d));
        let combining = canonical_combining_class(c);
        let answers = [
            onig_classes[0].is_match(text),
            onig_classes[1].is_match(text),
            onig_classes[2].is_match(text),
            c.is_whitespace(),
            is_removed_by_clean_text(c),
            c.is_ascii_punctuation() || c.is_punctuation(),
            c.is_mark_nonspacing(),
            is_chinese(c),
            regex_classes[0].is_match(text),
            regex_classes[1].is_match(text),
            lower != [c],
            decomposed != [c],
            combining != 0,
        ];
        let bits = answers.iter().enumerate().fold(0u32, |bits, (i, yes)| bits | (*yes as u32) << i);
        if bits != 0 {
            let (lower, decomposed) = (hex_list(&lower, c), hex_list(&decomposed, c));
            writeln!(out, "{code_point:X} {bits:X} {combining:X} {lower} {decomposed}")?;
        }
    }
    out.flush()
}

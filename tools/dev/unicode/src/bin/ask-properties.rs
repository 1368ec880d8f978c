// SPDX-License-Identifier: Apache-2.0

// Prints what the engines of regular expressions mean by each class that has a name, and how they
// fold case. Names come from a file, one a line, in lower case without spaces, '-' and '_'.
//
//     set SOURCE NAME FIRST-LAST ...    SOURCE: onig or rust; names with ':' are our own
//     fold SOURCE CODE CODE ...         code points that are the same when case is ignored
//     multi CODE CODE CODE [CODE]       Oniguruma: the first folds to those behind it
//
// All numbers are hexadecimal; surrogates are left out.

use fancy_regex::Regex as Fancy;
use onig::Regex as Onig;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, HirKind};
use std::os::raw::{c_int, c_void};

type Ranges = Vec<(u32, u32)>;

// Names that fancy-regex gives a meaning of its own before it asks regex-syntax.
const FANCY_NAMES: [&str; 7] = ["alnum", "blank", "cntrl", "word", "graph", "print", "cs"];
// Oniguruma's numbers of the classes that POSIX brackets name.
const POSIX: [(&str, u32); 14] = [
    ("alpha", 1), ("blank", 2), ("cntrl", 3), ("digit", 4), ("graph", 5), ("lower", 6), ("print", 7),
    ("punct", 8), ("space", 9), ("upper", 10), ("xdigit", 11), ("word", 12), ("alnum", 13),
    ("ascii", 14),
];

fn chars() -> impl Iterator<Item = char> {
    (0..0x110000u32).filter_map(char::from_u32)
}

fn collect(is_in: impl Fn(&str) -> bool) -> Ranges {
    let mut ranges: Ranges = Vec::new();
    for c in chars() {
        if is_in(c.encode_utf8(&mut [0u8; 4])) {
            let code = c as u32;
            match ranges.last_mut() {
                Some(last) if last.1 + 1 == code => last.1 = code,
                _ => ranges.push((code, code)),
            }
        }
    }
    ranges
}

fn print_set(source: &str, name: &str, ranges: &Ranges) {
    let mut line = format!("set {source} {name}");
    for &(first, last) in ranges {
        if first < 0xD800 {
            line += &format!(" {first:X}-{:X}", last.min(0xD7FF));
        }
        if last > 0xDFFF {
            line += &format!(" {:X}-{last:X}", first.max(0xE000));
        }
    }
    println!("{line}");
}

fn onig_ranges(ctype: u32) -> Option<Ranges> {
    unsafe {
        let (mut single, mut list) = (0, std::ptr::null());
        let get = (*&raw const onig_sys::OnigEncodingUTF8).get_ctype_code_range.unwrap();
        if get(ctype, &mut single, &mut list) != 0 {
            return None;
        }
        let count = *list as usize;
        Some((0..count).map(|i| (*list.add(2 * i + 1), (*list.add(2 * i + 2)).min(0x10FFFF))).collect())
    }
}

fn onig_property(name: &str) -> Option<Ranges> {
    unsafe {
        let encoding = &raw mut onig_sys::OnigEncodingUTF8;
        let find = (*encoding).property_name_to_ctype.unwrap();
        let (first, last) = (name.as_ptr() as *mut u8, name.as_ptr().add(name.len()) as *mut u8);
        let ctype = find(encoding, first, last);
        if ctype < 0 { None } else { onig_ranges(ctype as u32) }
    }
}

fn rust_property(name: &str) -> Option<Ranges> {
    let pattern = format!(r"\p{{{name}}}");
    if FANCY_NAMES.contains(&name) {
        let regex = Fancy::new(&pattern).ok()?;
        return Some(collect(|text| regex.is_match(text).unwrap()));
    }
    match regex_syntax::parse(&pattern).ok()?.into_kind() {
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            Some(class.ranges().iter().map(|r| (r.start() as u32, r.end() as u32)).collect())
        }
        // A class of one code point is a literal.
        HirKind::Literal(literal) => {
            let c = std::str::from_utf8(&literal.0).unwrap().chars().next().unwrap() as u32;
            Some(vec![(c, c)])
        }
        _ => Some(Vec::new()),
    }
}

unsafe extern "C" fn see_fold(
    from: u32, to: *mut u32, count: c_int, arg: *mut c_void,
) -> c_int {
    let seen = unsafe { &mut *(arg as *mut Vec<(u32, Vec<u32>)>) };
    seen.push((from, unsafe { std::slice::from_raw_parts(to, count as usize) }.to_vec()));
    0
}

fn print_onig_folds() {
    const MULTI_CHAR: u32 = 1 << 30;
    let mut seen: Vec<(u32, Vec<u32>)> = Vec::new();
    unsafe {
        let apply = (*&raw const onig_sys::OnigEncodingUTF8).apply_all_case_fold.unwrap();
        apply(MULTI_CHAR, Some(see_fold), &mut seen as *mut _ as *mut c_void);
    }
    for (from, to) in seen {
        let words: Vec<String> = to.iter().map(|c| format!("{c:X}")).collect();
        println!("{} {from:X} {}", if to.len() == 1 { "fold onig" } else { "multi" }, words.join(" "));
    }
}

fn print_rust_folds() {
    for c in chars() {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
        class.case_fold_simple();
        let all: Vec<u32> =
            class.ranges().iter().flat_map(|r| r.start() as u32..=r.end() as u32).collect();
        if all.len() > 1 {
            let words: Vec<String> = all.iter().map(|c| format!("{c:X}")).collect();
            println!("fold rust {}", words.join(" "));
        }
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("the file of names");
    let names = std::fs::read_to_string(path).expect("names");
    for name in names.lines() {
        if let Some(ranges) = onig_property(name) {
            print_set("onig", name, &ranges);
        }
        if let Some(ranges) = rust_property(name) {
            print_set("rust", name, &ranges);
        }
    }
    for (name, ctype) in POSIX {
        let regex = Onig::new(&format!("[[:{name}:]]")).unwrap();
        let ranges = onig_ranges(ctype).unwrap_or_else(|| collect(|text| regex.is_match(text)));
        print_set("onig", &format!(":{name}"), &ranges);
    }
    for (name, pattern) in [(":word", r"\w"), (":digit", r"\d"), (":space", r"\s")] {
        let onig = Onig::new(pattern).unwrap();
        let fancy = Fancy::new(pattern).unwrap();
        print_set("rust", name, &collect(|text| fancy.is_match(text).unwrap()));
        print_set("onig", &format!("{name}-alone"), &collect(|text| onig.is_match(text)));
    }
    print_onig_folds();
    print_rust_folds();
}

//! Values of the command line, and what they leave of a script.

use super::*;
use crate::SessionOptions;
use crate::diagnostic::Diagnostics;
use crate::kernel::fake::FakeKernel;
use crate::source::SourceMap;

/// The script with these values given, lowered, as the HIR's text.
fn hir(text: &str, given: &[(&str, &str)]) -> (String, Diagnostics) {
    let mut sources = SourceMap::default();
    let file = sources.add("-e", text);
    let (ast, mut messages) = crate::parse(&sources, file);
    let (known, found) = declared(&ast, &sources);
    messages.extend(found);
    let mut values = known.values_without();
    for (name, text) in given {
        let one = known.parameters.iter().find(|one| one.name == *name).expect("a declared parameter");
        values.insert((*name).into(), one.read(text).expect("a value"));
    }
    let (ast, found) = bind(ast, &known, &values);
    messages.extend(found);
    let (kernel, options) = (FakeKernel::default(), SessionOptions::default());
    let (ast, checked, found) = check(ast, true, &kernel, &options);
    messages.extend(found);
    let (lowered, found) = crate::lower(&ast, &checked, &kernel, &options);
    messages.extend(found);
    (crate::hir::print::print(&lowered.program, &lowered.manifest), messages)
}

#[track_caller]
fn same(with: &str, given: &[(&str, &str)], without: &str) {
    let (found, messages) = hir(with, given);
    assert!(!messages.has_errors(), "{with}: {messages:#?}");
    assert_eq!(found, hir(without, &[]).0, "{with} {given:?}");
}

const DECLARED: &str = "param p: pid?; param n: int = 3; param on: bool; param order: enum(size, count) = size; \
    param l: [pid]; param name: string?; param t: duration(s)?; param e: string repeated; ";

/// A script, the values that are given to it, and what it is to be or to hold.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_is_switched_off_is_left_out() {
    let rows: &[Row] = &[
        ("begin { if (p) { print(1) } @x = 2 }", &[], "begin { @x = 2 }"),
        ("begin { if (p) { print(1) } @x = 2 }", &[("p", "1")], "begin { { print(1) } @x = 2 }"),
        ("begin /!p || pid == p/ { @x = 2 }", &[], "begin { @x = 2 }"),
        ("begin /!p || pid == p/ { @x = 2 }", &[("p", "7")], "begin /pid == (uint64)7/ { @x = 2 }"),
        ("begin /pid != p/ { @x = 2 }", &[], "begin { @x = 2 }"),
        ("begin { if (pid == p) { @y = 1 } else { @x = 2 } }", &[], "begin { { @x = 2 } }"),
        ("begin /on/ { @y = 1 } end { @x = 2 }", &[], "end { @x = 2 }"),
        ("begin { on ? print(1) : print(2) }", &[], "begin { print(2) }"),
        ("begin { while (on) { @y = 1 } @x = 1 }", &[], "begin { @x = 1 }"),
        ("begin { if (order == size) { @x = 1 } else { @y = 1 } }", &[], "begin { { @x = 1 } }"),
        ("begin { if (order == \"size\") { @x = 1 } else { @y = 1 } }", &[("order", "count")], "begin { { @y = 1 } }"),
        ("begin /pid == l/ { @x = 1 } end { @y = 1 }", &[], "end { @y = 1 }"),
        (
            "begin /!l || pid == l/ { @x = 1 }",
            &[("l", "1,2")],
            "begin /pid == (uint64)1 || pid == (uint64)2/ { @x = 1 }",
        ),
        ("begin /pid != l/ { @x = 1 }", &[("l", "1,2")], "begin /pid != (uint64)1 && pid != (uint64)2/ { @x = 1 }"),
        ("begin { if (n * 2 > 5 && n != 4) { @x = 1 } }", &[], "begin { { @x = 1 } }"),
        ("begin { if (name && comm == name) { @y = 1 } @x = 1 }", &[], "begin { @x = 1 }"),
        ("begin { if (t) { @y = 1 } if (!t) { @x = 1 } }", &[("t", "0")], "begin { { @y = 1 } }"),
        ("interval:s:{t} { @y = 1 } end { @x = 1 }", &[], "end { @x = 1 }"),
        ("begin { if (pid) { @x = 1 } if (param.p == 5) { @y = 1 } }", &[], "begin { if (pid) { @x = 1 } }"),
    ];
    for (with, given, without) in rows {
        same(&format!("{DECLARED}{with}"), given, without);
    }
}

#[test]
fn a_branch_that_is_off_is_checked() {
    let (_, messages) = hir("param on: bool; begin { if (on) { print(pidd) } }", &[]);
    assert!(messages.has_errors());
    // what only this kernel lacks is no mistake there
    let (_, messages) = hir("param on: bool; tracepoint:no:such /on/ { } begin { }", &[]);
    assert!(!messages.has_errors(), "{messages:#?}");
}

#[test]
fn a_map_that_only_a_branch_fills_stays() {
    let (text, messages) = hir("param on: bool; begin { if (on) { @x = 1 } print(@x) }", &[]);
    assert!(!messages.has_errors() && text.contains("@x"), "{text}\n{messages:#?}");
}

#[test]
fn values_in_attach_points() {
    let text = |script: &str, given: &[(&str, &str)]| hir(script, given).0;
    let cases: &[Row] = &[
        ("param t: duration(s) = 5; interval:s:{t} { }", &[], "interval:s:5"),
        ("param t: duration(s) = 5; interval:s:{t} { }", &[("t", "1.5")], "interval:ms:1500"),
        ("param t: duration(ms) = 5; interval:s:{t} { }", &[], "interval:ms:5"),
        ("param t: duration(ms) = 5; interval:{t} { }", &[("t", "7us")], "interval:us:7"),
        ("param t: duration(ms) = 5; interval:ms:{t} { }", &[("t", "2m")], "interval:ms:120000"),
        ("param n: uint = 99; profile:hz:{n} { }", &[], "profile:hz:99"),
        ("param e: string repeated; tracepoint:sched:sched_{e} { }", &[("e", "switch")], "sched_switch"),
    ];
    for (script, given, wanted) in cases {
        let found = text(script, given);
        assert!(found.contains(wanted), "{script}: {found}");
    }
}

#[test]
fn texts_of_values() {
    let read = |ty: &str, text: &str| {
        let mut sources = SourceMap::default();
        let file = sources.add("-e", format!("param p: {ty}; begin {{ }}"));
        let (ast, _) = crate::parse(&sources, file);
        let (known, messages) = declared(&ast, &sources);
        assert!(messages.is_empty(), "{ty}: {messages:#?}");
        known.parameters[0].read(text)
    };
    let good: &[(&str, &str, Value)] = &[
        ("duration(ms)", "5", Value::Uint(5_000_000)),
        ("duration(ms)", "5us", Value::Uint(5_000)),
        ("duration(s)", "1.25", Value::Uint(1_250_000_000)),
        ("duration(s)", "3µs", Value::Uint(3_000)),
        ("duration(d)", "1", Value::Uint(86_400_000_000_000)),
        ("size(B)", "2MiB", Value::Uint(2 << 20)),
        ("size(KiB)", "1.5", Value::Uint(1536)),
        ("size(B)", "1kB", Value::Uint(1000)),
        ("int", "-9223372036854775808", Value::Int(i64::MIN)),
        ("uint", "18446744073709551615", Value::Uint(u64::MAX)),
        ("int", "0x1f", Value::Int(31)),
        ("percent", "7%", Value::Uint(7)),
        ("float", "-1.5e3", Value::Float(-1500.0)),
        ("bool", "Yes", Value::Bool(true)),
        ("enum(a, b)", "b", Value::Text("b".into())),
        ("ip", "::1", Value::Ip("::1".parse().expect("an address"))),
    ];
    for (ty, text, value) in good {
        assert_eq!(read(ty, text), Ok(vec![value.clone()]), "{ty} {text}");
    }
    let bad: &[(&str, &str)] = &[
        ("int", "9223372036854775808"),
        ("int", ""),
        ("int", "5 "),
        ("int", "٣"),
        ("uint", "18446744073709551616"),
        ("duration(s)", "1.2.3"),
        ("duration(s)", "."),
        ("duration(s)", "1e3"),
        ("duration(d)", "999999999999999999999999999999999999999999"),
        ("duration(d)", "213504"),
        ("duration(ns)", "0.00000000000000000000000000000000000000000000001"),
        ("size(TiB)", "16777216"),
        ("float", "nan"),
        ("float", "infinity"),
        ("string", "a\0b"),
        ("tid", "4194305"),
        ("[int]", "1,,2"),
    ];
    for (ty, text) in bad {
        assert!(read(ty, text).is_err(), "{ty} {text}");
    }
}

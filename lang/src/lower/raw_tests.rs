//! Which programs run on the tracepoint itself, and where they find its arguments.

use super::*;
use crate::hir::{ExprKind, StmtKind};
use crate::kernel::fake::FakeKernel;
use crate::manifest::Attach;
use crate::source::SourceMap;

fn lowered(text: &str) -> Lowered {
    let mut sources = SourceMap::default();
    let file = sources.add("-e", text);
    let (kernel, options) = (FakeKernel::default(), SessionOptions::default());
    let (ast, messages) = crate::parse(&sources, file);
    assert!(messages.is_empty(), "{text}: {messages:#?}");
    let (checked, messages) = crate::check(&ast, &kernel, &options);
    assert!(messages.is_empty(), "{text}: {messages:#?}");
    lower(&ast, &checked, &kernel, &options).0
}

#[test]
fn only_what_the_arguments_say() {
    for (text, raw) in [
        ("tracepoint:raw_syscalls:sys_enter { @ = count() }", true),
        ("tracepoint:raw_syscalls:sys_enter /args.id == 1/ { @[comm, probe] = count() }", true),
        ("tracepoint:raw_syscalls:sys_enter { @[args.id, args.args[1]] = count() }", false),
        ("tracepoint:raw_syscalls:sys_enter { @[kstack] = count() }", false),
        ("tracepoint:sched:sched_switch { @ = count() }", false),
        ("tracepoint:syscalls:sys_enter_read { @ = count() }", false),
    ] {
        let manifest = lowered(text).manifest;
        let program = &manifest.programs[0];
        assert_eq!(program.attach == Attach::RawTracepoint { name: "sys_enter".into() }, raw, "{text}");
        assert_eq!(program.probe, text.split_once(' ').unwrap_or_default().0);
    }
}

#[test]
fn each_attach_point_decides_for_itself() {
    let lowered = lowered("tracepoint:raw_syscalls:sys_enter, tracepoint:sched:sched_switch { @ = count() }");
    let sections: Vec<_> = lowered.manifest.programs.iter().map(|program| program.attach.section()).collect();
    assert_eq!(sections, ["raw_tp", "tracepoint"]);
}

#[test]
fn fields_are_words_of_the_context() {
    for (more, offset) in [("", 8), ("; @b = sum(args.args[0])", 8)] {
        let lowered = lowered(&format!("tracepoint:raw_syscalls:sys_enter {{ @a = sum(args.id){more} }}"));
        let StmtKind::Aggregate { value: Some(value), .. } = &lowered.program.probes[0].body[0].kind else {
            panic!("no aggregation");
        };
        let ExprKind::TracepointField(field) = &value.kind else { panic!("no field") };
        assert_eq!((field.offset, field.size), (offset, 8));
    }
}

#[test]
fn tables_are_for_maps_that_programs_only_add_to() {
    for (text, table) in [
        ("begin { @x[pid] = count() }", true),
        ("begin { @x[comm] = sum(1) } interval:s:1 { print(@x); clear(@x) }", true),
        ("begin { @x[pid] = count() } end { print(@x[1]) }", false),
        ("begin { @x[pid, tid] = count() }", true),
        ("begin { @x[pid] = count() } end { delete(@x, pid) }", false),
        ("begin { @x[pid] = max(1) }", false),
        ("begin { @x[comm, pid] = count() }", false),
        ("begin { @x[pid] = 1 }", false),
        ("begin { @x = count() }", false),
    ] {
        let manifest = lowered(text).manifest;
        assert_eq!(manifest.maps[0].table.is_some(), table, "{text}");
    }
}

#[test]
fn two_pages_are_for_maps_that_are_cleared_while_probes_add_to_them() {
    let probe = "tracepoint:raw_syscalls:sys_enter { @x[pid] = count(); @y = avg(args.id) }";
    for (more, pages) in [
        ("interval:s:1 { print(@x); clear(@x) }", [true, false]),
        ("interval:s:1 { print(@y); clear(@x) }", [true, true]),
        ("interval:s:1 { zero(@y) }", [false, true]),
        ("interval:s:1 { print(@x); print(@y) }", [false, false]),
        ("end { print(@x); clear(@x) }", [false, false]),
        ("interval:s:1 { print(@x[1]); clear(@x) }", [false, false]),
        ("interval:s:1 { clear(@x); if (@y > 5) { clear(@y) } }", [true, false]),
    ] {
        let manifest = lowered(&format!("{probe} {more}")).manifest;
        let has = |at: usize| manifest.maps[at].second.is_some();
        assert_eq!([has(0), has(1)], pages, "{more}");
    }
}

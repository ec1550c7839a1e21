//! What the checker says: code and underlined text of every message.

use super::*;
use crate::kernel::fake::FakeKernel;
use crate::kernel::{Feature, KernelVersion};
use crate::source::SourceMap;

fn messages_on(kernel: &FakeKernel, text: &str) -> Vec<(Diagnostic, String)> {
    let mut sources = SourceMap::default();
    let file = sources.add("-e", text);
    let (ast, parsed) = crate::parse(&sources, file);
    assert!(parsed.is_empty(), "{text}: {:?}", parsed.into_sorted());
    let options = SessionOptions { positional: vec!["42".into(), "bash".into()], ..SessionOptions::default() };
    let (_, messages) = check(&ast, kernel, &options);
    let sorted = messages.into_sorted().into_iter();
    sorted.map(|message| (message.clone(), message.span().map_or("", |span| sources.slice(span)).to_string())).collect()
}

#[track_caller]
fn expect(text: &str, wanted: &[(Code, &str)]) {
    let found = messages_on(&FakeKernel::default(), text);
    let list: Vec<_> = found.iter().map(|(message, text)| (message.code, text.as_str())).collect();
    assert_eq!(list, wanted, "{text}\n{found:#?}");
}

#[track_caller]
fn expect_all(rows: &[(&str, Code, &str)]) {
    for (text, code, place) in rows {
        expect(text, &[(*code, place)]);
    }
}

#[track_caller]
fn accept_all(rows: &[&str]) {
    for text in rows {
        expect(text, &[]);
    }
}

#[track_caller]
fn help(text: &str) -> String {
    let found = messages_on(&FakeKernel::default(), text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.into_iter().flat_map(|(message, _)| message.helps).collect::<Vec<_>>().join("; ")
}

#[test]
fn names() {
    expect_all(&[
        ("begin { print(pidd) }", Code::UnknownName, "pidd"),
        ("begin { print(exit) }", Code::UnknownName, "exit"),
        ("begin { exti() }", Code::UnknownFunction, "exti"),
        ("begin { print($x) }", Code::UndefinedVariable, "$x"),
        ("begin { if (1) { $x = 1 } print($x) }", Code::UndefinedVariable, "$x"),
        ("begin { $x += 1 }", Code::UndefinedVariable, "$x"),
        ("begin { $x = $x + 1 }", Code::UndefinedVariable, "$x"),
        ("begin { print(@x) }", Code::UndefinedMap, "@x"),
        ("begin { $a = @x[1] }", Code::UndefinedMap, "@x[1]"),
        ("begin { clear(@x) }", Code::UndefinedMap, "@x"),
        ("begin { delete(@x[1]) }", Code::UndefinedMap, "@x[1]"),
        ("begin { let $a = 1; let $a = 2; }", Code::DuplicateVariable, "$a"),
        ("begin { $a = 1; if (1) { let $a = 2; } }", Code::DuplicateVariable, "$a"),
        ("begin { print(retval) }", Code::NotInThisProbe, "retval"),
        ("begin { print(args.x) }", Code::NotInThisProbe, "args"),
        ("tracepoint:sched:sched_switch { print(arg0) }", Code::NotInThisProbe, "arg0"),
        ("tracepoint:sched:sched_switch { print(func) }", Code::NotInThisProbe, "func"),
        ("kretprobe:vfs_read { print(arg0) }", Code::NotInThisProbe, "arg0"),
        ("begin { print(kstack(perff)) }", Code::UnknownName, "perff"),
        ("begin { print((uint46)1) }", Code::UnknownName, "uint46"),
        ("begin { print(((struct tsk *)curtask).pid) }", Code::UnknownName, "struct tsk *"),
    ]);
}

#[test]
fn fields() {
    expect_all(&[
        ("tracepoint:syscalls:sys_enter_read { print(args.cuont) }", Code::UnknownField, "cuont"),
        ("kprobe:vfs_read { print(args.cuont) }", Code::UnknownField, "cuont"),
        ("fentry:vfs_read { print(args.file.f_pth) }", Code::UnknownField, "f_pth"),
        ("begin { print(curtask.piid) }", Code::UnknownField, "piid"),
        ("begin { print(pid.x) }", Code::NotARecord, "pid"),
        ("begin { print(curtask.pid.x) }", Code::NotARecord, "curtask.pid"),
        ("kprobe:no_prototype { print(args.x) }", Code::NoBtf, "x"),
        ("begin { print(curtask.masks[4]) }", Code::BadArgument, "4"),
        ("kprobe:vfs_read { print(*arg0.x) }", Code::NotARecord, "arg0"),
        ("kprobe:vfs_read { print(arg0[1]) }", Code::BadOperand, "arg0"),
        ("fentry:vfs_read { print(arg4) }", Code::BadArgument, "arg4"),
        ("fexit:schedule { print(retval) }", Code::NotInThisProbe, "retval"),
        ("kprobe:no_prototype { print(args) }", Code::NotSupported, "args"),
    ]);
    accept_all(&[
        "kprobe:vfs_read { printf(\"%s\\n\", str(args.file.f_path.dentry.d_name.name)) }",
        "kprobe:vfs_read { print(((struct file *)arg0)->f_path.dentry->d_iname) }",
        "begin { print(curtask.real_parent.comm); print(curtask.in_execve); print(curtask.masks[cpu]) }",
        "tracepoint:raw_syscalls:sys_enter { print(args.args[2]) }",
        "kprobe:vfs_read { print(*args.pos); print(args.buf[3]); $p = &args.file.f_pos; print(*$p) }",
        "kretprobe:vfs_read { print(retval < 0); print(func) }",
        "kprobe:ip_rcv { print(arg0); print(arg1); @[args.skb.dev.name] = count() }",
    ]);
}

#[test]
fn types() {
    expect_all(&[
        ("begin { @x = 1; @x = \"a\" }", Code::TypeMismatch, "\"a\""),
        ("begin { $x = 1; $x = \"a\" }", Code::TypeMismatch, "\"a\""),
        ("begin { if (\"a\") { } }", Code::TypeMismatch, "\"a\""),
        ("begin { $x = 1 ? 1 : \"a\" }", Code::TypeMismatch, "1 ? 1 : \"a\""),
        ("begin { print(\"a\" * 2) }", Code::BadOperand, "\"a\" * 2"),
        ("begin { print(\"a\" < \"b\") }", Code::BadOperand, "\"a\" < \"b\""),
        ("begin { print(-\"a\") }", Code::BadOperand, "\"a\""),
        ("begin { $s = \"a\"; $s++ }", Code::BadOperand, "$s"),
        ("begin { pid = 5 }", Code::NotAssignable, "pid"),
        ("begin { $x = exit() }", Code::NoValue, "exit()"),
        ("begin { print((1, 2) == (1, \"a\")) }", Code::BadOperand, "(1, 2) == (1, \"a\")"),
        ("begin { print((\"a\", 1).5) }", Code::UnknownField, "(\"a\", 1).5"),
        ("begin { @x = (1, 2); @x = (1, 2, 3) }", Code::TypeMismatch, "(1, 2, 3)"),
        ("begin { return \"a\" }", Code::TypeMismatch, "\"a\""),
        ("begin { $x = { 1; } }", Code::NoValue, "{ 1; }"),
        ("begin { $x = if (1) { 1 } else { 2; } }", Code::NoValue, "2"),
        ("begin { $x = if (1) { 1 } else { \"a\" } }", Code::TypeMismatch, "if (1) { 1 } else { \"a\" }"),
        ("begin { { $y = 1 } print({ $z = 1; $y }) }", Code::UndefinedVariable, "$y"),
        ("begin { $x = comptime nsecs }", Code::NotSupported, "nsecs"),
    ]);
    accept_all(&[
        "begin { @x = 1; @x = nsecs; @x = -1; $a = (1, \"b\"); @t = $a; @p = curtask; @b = pid == 1; @k = kstack }",
        "begin { let $x; if (pid) { $x = \"abc\" } print($x) }",
        "begin { let $x: uint16 = 70000; print($x); $p = (uint8 *)nsecs; print(*($p + 1)); $p++ }",
        "begin { @s = \"abc\"; @s = comm; print(@s == \"x\"); print(comm != $2); print($1 + 1) }",
        "begin { pid == 1 ? print(1) : exit(); print(sizeof(struct task_struct)); print(sizeof(int64)) }",
        "interval:s:1 { print(@late) } begin { @late = 5 }",
    ]);
}

#[test]
fn maps_and_aggregations() {
    expect_all(&[
        ("begin { @x[1] = 1; @x[\"a\"] = 1 }", Code::KeyMismatch, "@x[\"a\"]"),
        ("begin { @x[1] = 1; @x[1, 2] = 1 }", Code::KeyMismatch, "@x[1, 2]"),
        ("begin { @x[1] = 1; @x = 1 }", Code::KeyMismatch, "@x"),
        ("begin { @x = 1; @x[1] = 1 }", Code::KeyMismatch, "@x[1]"),
        ("begin { @x[1] = 1; delete(@x) }", Code::KeyMismatch, "@x"),
        ("begin { @x[1] = 1; delete(@x[1], 2) }", Code::KeyMismatch, "@x[1]"),
        ("begin { $x = count() }", Code::AggregationMisused, "count()"),
        ("begin { count() }", Code::AggregationMisused, "count()"),
        ("begin { @x = count(); @x = sum(1) }", Code::AggregationMisused, "sum(1)"),
        ("begin { @x = count(); @x = 1 }", Code::AggregationMisused, "1"),
        ("begin { @x = 1; @x = count() }", Code::AggregationMisused, "count()"),
        ("begin { @x = count(); @x++ }", Code::AggregationMisused, "@x"),
        ("begin { @x = hist(1); $a = @x }", Code::AggregationMisused, "@x"),
        ("begin { @x[1] = stats(1); for ($kv : @x) { print($kv) } }", Code::AggregationMisused, "@x"),
        ("begin { @x[1] = 1; find(@x, 1, 2) }", Code::NotAssignable, "2"),
        ("begin { @x = 1; print(len(@x)) }", Code::KeyMismatch, "@x"),
        ("begin { @ = lhist(1, 10, 0, 1) }", Code::BadArgument, "10, 0, 1"),
        ("begin { @ = hist(1, 9) }", Code::BadArgument, "9"),
        ("begin { @ = hist(comm) }", Code::TypeMismatch, "comm"),
        ("begin { @ = sum() }", Code::WrongArgumentCount, "sum()"),
    ]);
    accept_all(&[
        "begin { @x[1, \"a\"] = 1; @x[(2, \"bcd\")] = 2; print(@x[1, \"a\"]); delete(@x, (1, \"a\")) }",
        "begin { @x[pid] = count(); @x[tid] = count(); print(@x[pid]); print(@x, 5, 2); clear(@x) }",
        "begin { @s = sum(-1); @s = sum(nsecs); @n++; @n += 2; @m[comm] -= pid; @q *= 2; delete(@n) }",
        "begin { @l = lhist(1, -10, 10, 5); $d = delete(@l); @a[kstack, comm] = count() }",
        "begin { @c = count(); $a = @c; @m = max(nsecs); @n = @m - 1; if (@c > 2) { print((@c, @m)) } @k[@c] = sum(1) }",
        "begin { @x[1] = avg(1); for ($kv : @x) { print($kv.1 + 1) } print(len(@x)); print(find(@x, 1, $v) && $v > 1) }",
    ]);
}

#[test]
fn loops() {
    expect_all(&[
        ("begin { break }", Code::UnexpectedToken, "break"),
        ("begin { if (1) { continue } while (0) { } }", Code::UnexpectedToken, "continue"),
        ("begin { unroll (pid) { } }", Code::NotALiteral, "pid"),
        ("begin { unroll (0) { } }", Code::BadArgument, "0"),
        ("begin { unroll (101) { } }", Code::BadArgument, "101"),
        ("begin { while (\"a\") { } }", Code::TypeMismatch, "\"a\""),
        ("begin { for ($i : \"a\"..3) { } }", Code::TypeMismatch, "\"a\""),
        ("begin { for ($i : 5) { } }", Code::TypeMismatch, "5"),
        ("begin { for ($i : 0..3) { } print($i) }", Code::UndefinedVariable, "$i"),
        ("begin { $i = 1; for ($i : 0..3) { } }", Code::DuplicateVariable, "$i"),
        ("begin { for ($i : 0..3) { $x = 1 } print($x) }", Code::UndefinedVariable, "$x"),
        ("begin { for ($e : @x) { } }", Code::UndefinedMap, "@x"),
        ("begin { @x = 1; for ($e : @x) { } }", Code::KeyMismatch, "@x"),
        ("begin { @x[1] = 1; for ($e : @x[1]) { } }", Code::KeyMismatch, "@x[1]"),
        ("begin { @x[1] = 1; for ($e : @x) { print($e.2) } }", Code::UnknownField, "$e.2"),
    ]);
    accept_all(&[
        "begin { unroll ($1) { @n++ } }",
        "begin { for ($i : 0..nsecs) { @[$i] = 1; if ($i > 5) { break } else { continue } } }",
        "begin { while (@n < 3) { @n++; $x = \"a\"; } for ($e : @m) { print($e.0.1); @s = $e.1 } @m[1, comm] = \"x\" }",
        "begin { for ($i : 0..3) { $x = $i } for ($i : 0..3) { $x = \"a\" } }",
    ]);
    let old = FakeKernel { features: vec![], ..FakeKernel::default() };
    let found = messages_on(&old, "begin { @x[1] = 1; for ($e : @x) { } while (0) { } }");
    assert_eq!(found.iter().map(|row| row.0.code).collect::<Vec<_>>(), [Code::MissingFeature], "{found:#?}");
}

#[test]
fn what_could_not_be_read_may_assign_maps() {
    expect("begin { print(0.5); print(@x) }", &[(Code::NotSupported, "0.5")]);
    expect("begin { @x[1] = 1; lenn(@x) }", &[(Code::UnknownFunction, "lenn")]);
}

#[test]
fn calls() {
    expect_all(&[
        ("begin { printf() }", Code::WrongArgumentCount, "printf()"),
        ("begin { exit(1, 2) }", Code::WrongArgumentCount, "exit(1, 2)"),
        ("begin { printf(\"%d\", \"a\") }", Code::FormatMismatch, "\"a\""),
        ("begin { printf(\"%d %d\", 1) }", Code::FormatMismatch, "\"%d %d\""),
        ("begin { printf(\"%d\", 1, pid) }", Code::FormatMismatch, "pid"),
        ("begin { printf(\"%d\", kstack) }", Code::FormatMismatch, "kstack"),
        ("begin { printf(\"%y\", 1) }", Code::BadFormat, "\"%y\""),
        ("begin { $f = \"x\"; printf($f) }", Code::NotALiteral, "$f"),
        ("begin { @x[1] = 1; print(@x, pid) }", Code::NotALiteral, "pid"),
        ("begin { print(pid, 3) }", Code::TypeMismatch, "pid"),
        ("begin { clear(pid) }", Code::TypeMismatch, "pid"),
        ("begin { exit(\"a\") }", Code::TypeMismatch, "\"a\""),
        ("begin { print(kstack(2000)) }", Code::BadArgument, "2000"),
        ("begin { print(str(kstack)) }", Code::TypeMismatch, "kstack"),
        ("begin { print(str(0, 0)) }", Code::BadArgument, "0"),
    ]);
    accept_all(&[
        "begin { printf(\"%s %5d %p %x %c\\n\", comm, pid, curtask, true, 65); printf(\"%s %s\", 1, ksym(0)) }",
        "begin { print(str($2)); print(str(0, 8)); print(str(0, pid)); print(kstack(perf, 3)); print(kstack()) }",
        "begin { print(comm()); print(nsecs()) }",
    ]);
}

#[test]
fn probes() {
    expect_all(
        &[
            ("kprob:vfs_read { }", Code::UnknownProbeKind, "kprob"),
            ("kprobe:vfs_raed { }", Code::NoSuchProbe, "vfs_raed"),
            ("kprobe:zzz* { }", Code::NoSuchProbe, "zzz*"),
            ("fentry:no_prototype { }", Code::NoSuchProbe, "no_prototype"),
            ("tracepoint:sched:sched_swich { }", Code::NoSuchProbe, "sched_swich"),
            ("tracepoint:shed:sched_switch { }", Code::NoSuchProbe, "shed"),
            ("profile:hz:0 { }", Code::BadProbeTarget, "hz:0"),
            ("interval:fortnight:1 { }", Code::BadProbeTarget, "fortnight:1"),
            ("kprobe:vfs_raed { print(args.x); print(pidd) }", Code::NoSuchProbe, "vfs_raed"),
        ][..8],
    );
    let both = [(Code::NoSuchProbe, "vfs_raed"), (Code::UnknownName, "pidd")];
    expect("kprobe:vfs_raed { print(args.x); print(pidd) }", &both);
    accept_all(&[
        "kprobe:vfs_* { @[func, probe] = count() }",
        "tracepoint:syscalls:sys_enter_*, tracepoint:sched:* { @[probe] = count() }",
        "interval:1s { } interval:us:50 { } interval:hz:10 { } profile:ms:10 { }",
    ]);
}

#[test]
fn each_attach_point_is_checked_with_its_own_types() {
    let text = "kprobe:vfs_read, kprobe:ip_rcv { print(args.count) }";
    let found = messages_on(&FakeKernel::default(), text);
    assert_eq!(found.len(), 1);
    assert!(found[0].0.message.contains("kprobe:ip_rcv"), "{found:#?}");
    expect("kprobe:vfs_read, kprobe:vfs_write { print(pidd) }", &[(Code::UnknownName, "pidd")]);
}

#[test]
fn wildcards_are_expanded_once_and_limited() {
    let mut sources = SourceMap::default();
    let file = sources.add("-e", "kprobe:vfs_*, kprobe:vfs_read { } begin { }");
    let (ast, _) = crate::parse(&sources, file);
    let (checked, _) = check(&ast, &FakeKernel::default(), &SessionOptions::default());
    let probes: Vec<_> = checked.programs.iter().map(|program| program.point.text.as_str()).collect();
    assert_eq!(probes, ["kprobe:vfs_*", "begin"]);
    let without = FakeKernel { features: vec![Feature::Kprobes], ..FakeKernel::default() };
    let (checked, _) = check(&ast, &without, &SessionOptions::default());
    let probes: Vec<_> = checked.programs.iter().map(|program| program.point.text.as_str()).collect();
    assert_eq!(probes, ["kprobe:vfs_read", "kprobe:vfs_write", "begin"]);
    let few = SessionOptions { max_probes: 1, ..SessionOptions::default() };
    let (_, messages) = check(&ast, &FakeKernel::default(), &few);
    assert!(messages.iter().all(|message| message.code == Code::TooManyProbes) && !messages.is_empty());
}

#[test]
fn function_probes_take_what_the_kernel_has() {
    let attached = |features: &[Feature], fallback: bool, text: &str| {
        let mut sources = SourceMap::default();
        let file = sources.add("-e", text);
        let (ast, _) = crate::parse(&sources, file);
        let kernel = FakeKernel { features: features.to_vec(), ..FakeKernel::default() };
        let options = SessionOptions { fallback, ..SessionOptions::default() };
        let (checked, messages) = check(&ast, &kernel, &options);
        let codes: Vec<Code> = messages.iter().map(|message| message.code).collect();
        let how = checked.programs.first().map(|program| program.point.attach.mechanism());
        (how.unwrap_or_default(), codes)
    };
    use Feature::{KprobeMulti, Kprobes, Trampolines};
    let all = [Kprobes, Trampolines, KprobeMulti];
    for (features, text, how) in [
        (&all[..], "function:vfs_read { print(args.count) }", "fentry"),
        (&all[..1], "function:vfs_read { print(args.count) }", "kprobe"),
        (&all[..], "function_return:vfs_read { print(retval) }", "fexit"),
        (&all[..1], "function_return:vfs_read { print(retval) }", "kretprobe"),
        (&all[..], "function:vfs_* { @ = count() }", "kprobe.multi"),
        (&all[..], "function:vfs_* { print(args.count) }", "fentry"),
        (&all[..], "function:no_prototype { @ = count() }", "kprobe"),
        (&all[..], "kprobe:vfs_read+4 { @ = arg0 }", "kprobe"),
        (&all[..], "kprobe:0xffffffff81000000 { @ = arg0 }", "kprobe"),
        (&all[..], "kretprobe:vmlinux:vfs_* { @ = count() }", "kretprobe.multi"),
    ] {
        assert_eq!(attached(features, false, text), (how, vec![]), "{text}");
    }
    assert_eq!(attached(&[], false, "function:vfs_read { }").1, [Code::MissingFeature]);
    assert_eq!(attached(&[Kprobes], false, "fentry:vfs_read { }").1, [Code::MissingFeature]);
    assert_eq!(attached(&[Kprobes], true, "fentry:vfs_read { }"), ("kprobe", vec![Code::Fallback]));
    assert_eq!(attached(&[Trampolines], true, "kretprobe:vfs_read { }"), ("fexit", vec![Code::Fallback]));
    assert_eq!(attached(&all, true, "kprobe:vfs_read { }"), ("kprobe", vec![]));
    assert_eq!(attached(&all, false, "fentry:vfs_read+4 { }").1, [Code::BadProbeTarget]);
    assert_eq!(attached(&all, false, "kprobe:nomodule:vfs_read { }").1, [Code::NoSuchProbe]);
}

#[test]
fn places_in_programs() {
    accept_all(&[
        "uprobe:sh:main { print((args.count, str(args.name))) }",
        "uprobe:sh@main.c:7 { @ = count() } uprobe:sh:main+4 { }",
        "uprobe:sh:cpp:\"_Zf\"? { } begin { }",
        "usdt:libc:libc:twice { print(arg0) } usdt:libc:setjmp { print(arg1) } usdt:*:tw* { }",
    ]);
    expect("uprobe:sh:main+3 { }", &[(Code::BadProbeTarget, "main+3")]);
    expect("uprobe:sh@main.c:8 { }", &[(Code::NoSuchProbe, "8")]);
    expect("uprobe:sh@main.c:x { }", &[(Code::BadProbeTarget, "x")]);
    expect("uretprobe:sh@main.c:7 { }", &[(Code::BadProbeTarget, "7")]);
    expect("usdt:libc:nothing { }", &[(Code::NoSuchProbe, "nothing")]);
    expect("usdt:libc:setjmp { print(arg2) }", &[(Code::BadArgument, "arg2")]);
    expect("usdt:libc:setjmp { print(args.x) }", &[(Code::NotInThisProbe, "args")]);
}

#[test]
fn alternatives_are_tried_in_order() {
    accept_all(&[
        "kprobe:nonsense || tracepoint:sched:sched_switch || begin { @ = count() }",
        "kprobe:x? { } begin { }",
    ]);
    expect("kprobe:nonsense || kprobe:neither { }", &[(Code::NoSuchProbe, "nonsense")]);
    expect("kprobe:nonsense? { }", &[(Code::NoSuchProbe, "")]);
    expect("test:a { return \"x\" }", &[(Code::TypeMismatch, "\"x\"")]);
}

#[test]
fn suggestions() {
    for (text, wanted) in [
        ("begin { print(pidd) }", "did you mean `pid`?"),
        ("begin { $count = 1; print($conut) }", "did you mean `$count`?"),
        ("begin { @bytes = 1; print(@byte) }", "did you mean `@bytes`?"),
        ("begin { exti() }", "did you mean `exit`?"),
        ("begin { @x = conut() }", "did you mean `count`?"),
        ("kprob:vfs_read { }", "did you mean `kprobe`?"),
        ("kprobe:vfs_raed { }", "did you mean `vfs_read`?"),
        ("tracepoint:sched:sched_swich { }", "did you mean `sched_switch`?"),
        ("tracepoint:shed:sched_switch { }", "did you mean `sched`?"),
        ("kprobe:vfs_read { print(args.cuont) }", "did you mean `count`?"),
        ("begin { print(curtask.tgidd) }", "did you mean `tgid`?"),
        ("begin { print((unit32)1) }", "did you mean `uint32`?"),
        ("begin { print(curtask.nothing_like_it) }", "there are: state, pid"),
    ] {
        assert!(help(text).contains(wanted), "{text}: {}", help(text));
    }
}

#[test]
fn what_the_kernel_lacks() {
    let bare = FakeKernel { btf: false, tracefs: false, features: vec![], ..FakeKernel::default() };
    for (text, code) in [
        ("kprobe:vfs_read { }", Code::MissingFeature),
        ("fentry:vfs_read { }", Code::MissingFeature),
        ("kprobe:vfs_raed { }", Code::NoSuchProbe),
        ("tracepoint:sched:sched_switch { }", Code::NoTracefs),
        ("begin { print(curtask.pid) }", Code::NoBtf),
        ("begin { print(((struct file *)0).f_pos) }", Code::NoBtf),
    ] {
        let found = messages_on(&bare, text);
        assert_eq!(found.iter().map(|row| row.0.code).collect::<Vec<_>>(), [code], "{text}: {found:#?}");
    }
    let no_btf = FakeKernel { btf: false, ..FakeKernel::default() };
    assert_eq!(messages_on(&no_btf, "kprobe:vfs_read { print(args.count) }")[0].0.code, Code::NoBtf);
    assert_eq!(messages_on(&no_btf, "fentry:vfs_read { }")[0].0.code, Code::NoBtf);
    assert!(messages_on(&no_btf, "kprobe:vfs_read { print(arg2); print(curtask) }").is_empty());
    let old = FakeKernel { version: KernelVersion::new(5, 10), features: vec![Feature::Kprobes], ..Default::default() };
    let found = messages_on(&old, "fentry:vfs_read { }");
    assert!(found[0].0.notes[0].contains("5.10"), "{found:#?}");
}

#[test]
fn a_script_that_needs_nothing_of_the_kernel_does_not_ask_it() {
    for text in [
        "begin { printf(\"hi\\n\"); exit() }",
        "begin { @x = 1; $a = comm; print(@x) }",
        "interval:s:1 { @ = count(); print(nsecs) }",
    ] {
        let kernel = FakeKernel::default();
        assert!(messages_on(&kernel, text).is_empty());
        assert_eq!(kernel.asked.get(), 0, "{text}");
    }
}

#[test]
fn all_mistakes_are_reported_in_source_order() {
    expect(
        "begin { print(pidd); $x = 1; print($y); @a = $x; @a = \"s\" } kprob:x { exti() }",
        &[
            (Code::UnknownName, "pidd"),
            (Code::UndefinedVariable, "$y"),
            (Code::TypeMismatch, "\"s\""),
            (Code::UnknownProbeKind, "kprob"),
            (Code::UnknownFunction, "exti"),
        ],
    );
}

#[test]
fn functions_of_times_strings_and_maps() {
    expect_all(&[
        ("begin { time(1) }", Code::NotALiteral, "1"),
        ("begin { $f = \"%H\"; print(strftime($f, nsecs)) }", Code::NotALiteral, "$f"),
        ("begin { print(strftime(\"%H\")) }", Code::WrongArgumentCount, "strftime(\"%H\")"),
        ("begin { print(strftime(\"%H\", comm)) }", Code::TypeMismatch, "comm"),
        ("begin { print(strftime(\"%H\", -1)) }", Code::BadArgument, "-1"),
        ("begin { printf(\"%d\", strftime(\"%H\", nsecs)) }", Code::FormatMismatch, "strftime(\"%H\", nsecs)"),
        ("begin { print(strftime(\"%H\", 1) + 1) }", Code::BadOperand, "strftime(\"%H\", 1) + 1"),
        ("begin { zero(@x) }", Code::UndefinedMap, "@x"),
        ("begin { @x = 1; print(has_key(@x)) }", Code::KeyMismatch, "@x"),
        ("begin { @x = 1; print(has_key(@x, 1)) }", Code::KeyMismatch, "@x"),
        ("begin { @x[1] = 1; print(has_key(@x[1], 1)) }", Code::KeyMismatch, "@x[1]"),
        ("begin { @x[1] = 1; print(has_key(@x, \"a\")) }", Code::KeyMismatch, "@x"),
        ("begin { print(strlen(pid)) }", Code::TypeMismatch, "pid"),
        ("begin { print(strncmp(comm, 1, 2)) }", Code::TypeMismatch, "1"),
        ("begin { print(strncmp(comm, \"a\", pid)) }", Code::NotALiteral, "pid"),
        ("begin { print(strncmp(comm, \"a\", -1)) }", Code::BadArgument, "-1"),
    ]);
    accept_all(&[
        "begin { time(); time(\"%H\"); @a[1] = strftime(\"%H\", nsecs); @b[strftime(\"%M\", 1)] = count() }",
        "begin { @x[1, comm] = count(); if (has_key(@x, (1, comm)) && has_key(@x[2, comm])) { zero(@x) } }",
        "begin { if (strncmp(comm, probe, 3) == 0 && strlen(comm) > 2) { $n = strlen(str($1)) } }",
    ]);
}

#[test]
fn targets_of_further_kinds() {
    for text in [
        "rawtracepoint:sched_switch { print((args.next.pid, arg0)) }",
        "rt:vmlinux:sched_w* { @ = count() }",
        "s:cs:7, software:page-faults { @ = count() }",
        "hardware:cycles { @ = count() }",
        "uprobe:/bin/sh:main, u:sh:readl*, u:sh:main+4 { print((str(arg0), func)) }",
        "uprobe:/bin/sh:0x1044 { print(func) } uretprobe:sh:main { print(retval) }",
    ] {
        expect(text, &[]);
    }
    expect_all(&[
        ("rt:sched_swich { }", Code::NoSuchProbe, "sched_swich"),
        ("rt:none* { }", Code::NoSuchProbe, "none*"),
        ("rt:a:b:c { }", Code::BadProbeTarget, "rt:a:b:c"),
        ("rt:sched_switch { print(args.nxt) }", Code::UnknownField, "nxt"),
        ("rt:sched_switch { print(arg3) }", Code::BadArgument, "arg3"),
        ("s:cycles { }", Code::NoSuchProbe, "cycles"),
        ("s:cs:0 { }", Code::BadProbeTarget, "0"),
        ("s:cs { print(arg0) }", Code::NotInThisProbe, "arg0"),
        ("u:/bin/sh { }", Code::BadProbeTarget, "u:/bin/sh"),
        ("u:/bin/nope:main { }", Code::NoSuchProbe, "/bin/nope"),
        ("u:sh:raedline { }", Code::NoSuchProbe, "raedline"),
        ("u:sh:x* { }", Code::NoSuchProbe, "x*"),
        ("u:sh:main+32 { }", Code::BadProbeTarget, "main+32"),
        ("u:sh:0x9000 { }", Code::NoSuchProbe, "0x9000"),
        ("ur:sh:main+4 { }", Code::BadProbeTarget, "main+4"),
        ("u:sh:main { print(args.x) }", Code::UnknownField, "x"),
        ("u:libc:malloc { print(args.x) }", Code::NotInThisProbe, "x"),
        ("u:sh:main { print(retval) }", Code::NotInThisProbe, "retval"),
    ]);
}

#[test]
fn members_of_enumerations() {
    accept_all(&[
        "begin { print(TCP_LISTEN); @x[TCP_ESTABLISHED] = HRTIMER_BASE_NONE; if (pid == TCP_LISTEN) { } }",
        "begin { printf(\"%d\", curtask.masks[TCP_ESTABLISHED] & TCP_LISTEN) }",
    ]);
    expect_all(&[("begin { print(TCP_LISTENING) }", Code::UnknownName, "TCP_LISTENING")]);
    let without = FakeKernel { btf: false, ..FakeKernel::default() };
    assert_eq!(messages_on(&without, "begin { print(TCP_LISTEN) }")[0].0.code, Code::UnknownName);
    let kernel = FakeKernel::default();
    messages_on(&kernel, "begin { $x = 1; print($x) }");
    let asked = kernel.asked.get();
    messages_on(&kernel, "begin { $x = pid; print($x) }");
    assert_eq!(kernel.asked.get(), 2 * asked, "only unknown names are looked up");
}

#[test]
fn without_btf_a_raw_tracepoint_is_taken_as_it_is() {
    let kernel = FakeKernel { btf: false, ..FakeKernel::default() };
    assert!(messages_on(&kernel, "rt:sched_switch { print(arg0) }").is_empty());
    let found = messages_on(&kernel, "rt:sched_* { }");
    assert!(found.iter().any(|(message, _)| message.code == Code::NoBtf), "{found:#?}");
}

#[test]
fn sockets_are_typed_arguments() {
    accept_all(&["fentry:tcp_v4_connect { print(socket_cookie(args.sk)) }"]);
    expect_all(&[
        ("fentry:ip_rcv { print(socket_cookie(args.skb)) }", Code::TypeMismatch, "args.skb"),
        ("fentry:ip_rcv { print(socket_cookie(args.pt)) }", Code::TypeMismatch, "args.pt"),
        ("fentry:tcp_v4_connect { $sk = args.sk; print(socket_cookie($sk)) }", Code::NotInThisProbe, "$sk"),
        ("kprobe:tcp_v4_connect { print(socket_cookie(args.sk)) }", Code::NotInThisProbe, "args.sk"),
        ("rt:sched_switch { print(socket_cookie(args.prev)) }", Code::NotInThisProbe, "args.prev"),
    ]);
    let old = FakeKernel { features: vec![Feature::Kprobes, Feature::Trampolines], ..FakeKernel::default() };
    let found = messages_on(&old, "fentry:tcp_v4_connect { print(socket_cookie(args.sk)) }");
    assert_eq!(found.iter().map(|found| found.0.code).collect::<Vec<_>>(), [Code::MissingFeature]);
}

#[test]
fn conditions_on_the_kernel() {
    accept_all(&[
        "begin { if (has_field(struct task_struct, state)) { print(curtask.state) } else { print(curtask.__state) } }",
        "begin { if (!has_field(struct task_struct, state)) { print(curtask.__state) } }",
        "begin { if (has_field(struct file, f_pos) && has_type(struct nothing)) { print(((struct nothing *)0).x) } }",
        "begin { if (kernel >= 5.10 && kernel < 6.2) { print(1) } else { print(nonsense) } }",
        "begin { $x = kernel > 6.1 ? curtask.nonsense : 5; print($x) }",
        "begin { $x = if (kernel == 6.1) { 1 } else { nonsense() }; print($x) }",
        "begin { print(has_probe(\"kprobe:vfs_read\")); if (has_probe(\"kprobe:vfs_raed\")) { nonsense() } }",
        "kprobe:vfs_read { if (has_field(args, pos)) { print(args.pos) } else { print(args.ops) } }",
        "begin /has_field(struct file, f_path.dentry)/ { print(has_type(uint32)) }",
    ]);
    expect_all(&[
        ("begin { print(kernel) }", Code::TypeMismatch, "kernel"),
        ("begin { if (kernel > pid) { } }", Code::TypeMismatch, "kernel > pid"),
        ("begin { if (has_field(5, x)) { } }", Code::TypeMismatch, "5"),
        ("begin { if (has_field(struct file, 5)) { } }", Code::TypeMismatch, "5"),
        ("begin { if (has_field(struct file, f_pos)) { print(nonsense) } }", Code::UnknownName, "nonsense"),
        ("begin { if (pid == 1) { print(1) } else { print(nonsense) } }", Code::UnknownName, "nonsense"),
    ]);
}

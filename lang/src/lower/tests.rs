//! Scripts and the HIR that they become, as text; and what must hold of every lowered script.

use super::*;
use crate::hir::print::print;
use crate::kernel::fake::FakeKernel;
use crate::manifest::{MapKind, MapRole};
use crate::source::SourceMap;
use crate::types::Layout;
use crate::{aggregations, builtins, columns, probes};

fn lower_on(kernel: &FakeKernel, text: &str) -> (Lowered, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("-e", text);
    let (ast, mut messages) = crate::parse(&sources, file);
    let options = SessionOptions { allow_unsafe: true, ..SessionOptions::default() };
    let (checked, found) = crate::check(&ast, kernel, &options);
    messages.extend(found);
    let (lowered, found) = lower(&ast, &checked, kernel, &options);
    messages.extend(found);
    (lowered, messages.into_sorted())
}

#[track_caller]
fn lowered(text: &str) -> Lowered {
    let (lowered, messages) = lower_on(&FakeKernel::default(), text);
    assert!(messages.is_empty(), "{text}: {messages:#?}");
    lowered
}

#[track_caller]
fn expect(text: &str, wanted: &str) {
    let Lowered { program, manifest } = lowered(text);
    let found = print(&program, &manifest);
    let wanted: String =
        wanted.lines().skip(1).map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line))).collect();
    assert_eq!(found.trim_end(), wanted.trim_end(), "{text}\n{found}");
}

#[test]
fn counting_by_key() {
    expect(
        "kprobe:ip_rcv < @[cpu]=count() >",
        "
        map @[uint64]: count = percpu hash (key 8 value 8 entries 4096, no preallocation)
        program lt_ip_rcv_0 on kprobe:ip_rcv
          @[uint64(Cpu) in stack[8]] <- count()",
    );
}

#[test]
fn loops_are_steps_with_a_bound() {
    expect(
        "begin { for ($i : 0..3) { @n++ } while (@n < 9) { break } }",
        "
        map @n: int64 = array (key 4 value 16 entries 1)
        program lt_begin_0 on begin
          var $i: int64
          var $: int64
          $ = 0
          while ($ <:int64 3) (inline, at most 3 steps)
            $i = $
            $ = ($ +:int64 1)
            old(@n += 1)
          while (@n <:int64 9) (called, at most 8388608 steps)
            break",
    );
    let old = FakeKernel { features: vec![], ..FakeKernel::default() };
    for (text, bounds) in [
        ("begin { while (@n < 9) { } }", vec!["(inline, at most 4096 steps)"]),
        ("begin { while (1) { @n = 1; @n = 2 } }", vec!["(inline, at most 819 steps)"]),
        ("begin { while (1) { while (2) { } } }", vec!["(inline, at most 63 steps)", "(inline, at most 64 steps)"]),
    ] {
        let Lowered { program, manifest } = lower_on(&old, text).0;
        let found = print(&program, &manifest);
        for bound in bounds {
            assert!(found.contains(bound), "{text}: {bound}\n{found}");
        }
    }
}

#[test]
fn predicates_and_aggregations() {
    expect(
        "tracepoint:syscalls:sys_enter_read /comm == \"dd\" && args.fd == 0/ { @b = sum(args.count) }",
        "
        map @b: sum:unsigned = percpu array (key 4 value 16 entries 1)
        program lt_sys_enter_read_0 on tracepoint:syscalls:sys_enter_read
          if ((Comm in stack[16] == \"dd\") && (args.fd:uint64 ==:uint64 0:uint64))
            @b <- sum:unsigned(args.count:uint64)",
    );
}

#[test]
fn printing_strings() {
    expect(
        "tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)) }",
        "
        map events: opaque = ring buffer (key 0 value 0 entries 524288)
        map scratch: opaque = percpu array (key 4 value 1048 entries 1)
        event 0 printf \"%s %s\\n\"
          [string[16] at 8, string[1024] at 24] 1048 bytes, trimmed
        program lt_sys_enter_openat_0 on tracepoint:syscalls:sys_enter_openat
          emit 0(Comm, read string[1024] user[uint64(args.filename:int8 *)]) via scratch+0[1048]",
    );
}

#[test]
fn field_paths() {
    expect(
        "kprobe:vfs_read { print(str(args.file.f_path.dentry.d_name.name, 8)); $t = curtask; print($t.masks[1]) }",
        "
        map events: opaque = ring buffer (key 0 value 0 entries 524288)
        event 0 print
          [string[8] at 8] 16 bytes
        event 1 print
          [uint64 at 8] 16 bytes
        program lt_vfs_read_0 on kprobe:vfs_read
          var $t: struct task_struct *
          emit 0(read string[8] kernel[uint64(load int8 * kernel[load struct dentry * kernel[arg0:struct file *.f_path.dentry].d_name.name])])
          $t = CurrentTask
          emit 1(load uint64 kernel[$t.masks[1]])",
    );
}

#[test]
fn variables_and_plain_maps() {
    expect(
        "begin { $s = \"a\"; $s = comm; @x[1, $s] = 2; @n += 3; if (@n > 5) { delete(@x, (1, \"b\")) } else { exit(2) } }",
        "
        map @x[int64, string[16]]: int8 = hash (key 24 value 1 entries 4096, no preallocation)
        map @n: int64 = array (key 4 value 16 entries 1)
        map wakeup: opaque = ring buffer (key 0 value 0 entries 4096)
        program lt_begin_0 on begin
          var $s: string[16] in stack[16]
          $s = \"a\":string[16]
          $s = Comm
          @x[(1, $s) in stack[24]] = 2:int8 in stack[1]
          new(@n += 3)
          if (@n >:int64 5)
            delete @x[(1, \"b\":string[16]) in stack[24]]
          else
            exit 2",
    );
}

#[test]
fn arithmetic_and_casts() {
    expect(
        "begin { $a = pid + 1; $b = (int8)$a / 2; $p = (uint32 *)nsecs; print(*($p + 2)); $c = nsecs > 5 ? $a++ : --$b }",
        "
        map events: opaque = ring buffer (key 0 value 0 entries 524288)
        event 0 print
          [uint32 at 8] 16 bytes
        program lt_begin_0 on begin
          var $a: uint64
          var $b: int64
          var $p: uint32 *
          var $c: int64
          $a = (uint64(Pid) +:uint64 1:uint64)
          $b = (int64(int8($a)) /:int64 2)
          $p = uint32 *(NanosecondsBoot)
          emit 0(load uint32 any[uint32 *((uint64($p) +:uint64 8:uint64))])
          $c = ((NanosecondsBoot >:uint64 5:uint64) ? int64(old($a += 1)) : new($b += -1))",
    );
}

#[test]
fn tuples_and_padding() {
    expect(
        "begin { $t = (pid, \"a\"); @x[$t] = comm; $l = \"longer-than-comm\"; $l = @x[$t]; print($t.1); @x[1, $l] = \"\" }",
        "
        map @x[uint64, string[17]]: string[16] = hash (key 32 value 16 entries 4096, no preallocation)
        map events: opaque = ring buffer (key 0 value 0 entries 524288)
        event 0 print
          [string[2] at 8] 16 bytes
        program lt_begin_0 on begin
          var $t: (uint32, string[2]) in stack[8]
          var $l: string[17] in stack[17]
          $t = (Pid, \"a\":string[2])
          @x[(uint64, string[17])($t in stack[8]) in stack[32]] = Comm in stack[16]
          $l = \"longer-than-comm\":string[17]
          $l = string[17](@x[(uint64, string[17])($t in stack[8]) in stack[32]])
          emit 0(($t in stack[8]).4:string[2])
          @x[(1:uint64, $l) in stack[32]] = \"\":string[16] in stack[16]",
    );
}

#[test]
fn a_tuple_made_of_itself_is_put_together_elsewhere() {
    let Lowered { program, manifest } = lowered("begin { $t = (1, 2); $t = ($t.1, $t.0) }");
    let text = print(&program, &manifest);
    let swap = "$t = ((($t in stack[2]).1:int8, ($t in stack[2]).0:int8) in stack[2]).0:(int8, int8)";
    assert!(text.contains(swap), "{text}");
}

#[test]
fn stacks_and_entries() {
    expect(
        "kprobe:vfs_read { @[kstack(3), comm] = stats(7); print(@[kstack(3), comm]); clear(@) }",
        "
        map @[kstack, string[16]]: stats:unsigned = percpu hash (key 24 value 16 entries 4096, no preallocation)
        map stacks: opaque = hash (key 8 value 1032 entries 65536, no preallocation)
        map events: opaque = ring buffer (key 0 value 0 entries 524288)
        map scratch: opaque = percpu array (key 4 value 1056 entries 1)
        event 0 print entry of @
          [kstack at 8, string[16] at 16] 32 bytes
        event 1 clear @
          [uint64 at 8] 16 bytes
        program lt_vfs_read_0 on kprobe:vfs_read
          var $: uint64
          $ = NanosecondsMonotonic
          @[(stack kernel 3 stacks, Comm) in stack[24]] <- stats:unsigned(7:uint64)
          emit 0(stack kernel 3 stacks, Comm)
          emit 1($)",
    );
}

#[test]
fn attach_points_of_a_probe_share_their_events() {
    let Lowered { program, manifest } = lowered("kprobe:vfs_* { printf(\"%d\\n\", args.count) }");
    assert_eq!((program.probes.len(), manifest.events.len()), (2, 1));
    assert_ne!(manifest.programs[0].symbol, manifest.programs[1].symbol);
}

#[test]
fn one_program_stands_for_all_matches_that_it_cannot_tell_apart() {
    let Lowered { manifest, .. } = lowered("kprobe:vfs_* { @ = count() } uprobe:sh:read* { @u[arg0] = count() }");
    let probes: Vec<u32> = manifest.programs.iter().map(|program| program.probes).collect();
    assert_eq!(probes, [2, 2]);
    for action in ["@[func] = count()", "@[probe] = count()", "@ = sum(args.count)"] {
        let Lowered { manifest, .. } = lowered(&format!("kprobe:vfs_* {{ {action} }}"));
        assert_eq!(manifest.programs.len(), 2, "{action}");
    }
}

#[test]
fn every_row_of_the_tables_has_an_example_that_lowers() {
    let examples = builtins::all()
        .map(|row| (row.name, row.example))
        .chain(aggregations::ALL.iter().map(|row| (row.name, row.example)))
        .chain(columns::ALL.iter().map(|row| (row.name, row.example)))
        .chain(probes::ALL.iter().map(|row| (row.name, row.example)));
    for (name, example) in examples {
        let (lowered, messages) = lower_on(&FakeKernel::default(), example);
        assert!(messages.is_empty(), "{name}: {example}: {messages:#?}");
        check_invariants(&lowered, example);
    }
}

/// What the later rooms rely on.
fn check_invariants(lowered: &Lowered, text: &str) {
    let Lowered { program, manifest } = lowered;
    assert_eq!(program.probes.len(), manifest.programs.len());
    for map in manifest.maps.iter().filter(|map| map.role == MapRole::User) {
        let array = matches!(map.kind, MapKind::Array | MapKind::PerCpuArray);
        assert_eq!(map.key_size, if array { 4 } else { Layout::of(&map.keys).size }, "{text}");
        assert_eq!(array, map.keys.is_empty(), "{text}");
    }
    for event in &manifest.events {
        assert!(event.size % 8 == 0 && event.fields.len() == event.offsets.len(), "{text}");
        for (ty, offset) in event.fields.iter().zip(&event.offsets) {
            assert!(ty.size() > 0 && offset + ty.size() <= event.size && offset % ty.align() == 0, "{text}: {ty}");
        }
    }
    for slot in program.probes.iter().flat_map(|probe| &probe.slots) {
        if let hir::Place::Scratch(offset) = slot.place {
            assert!(offset % 8 == 0 && offset + slot.size <= manifest.scratch_size, "{text}");
        }
    }
}

#[test]
fn limits() {
    let old = FakeKernel { version: crate::kernel::KernelVersion::new(5, 10), ..FakeKernel::default() };
    let text = "begin { @[str(0)] = 1 }";
    let (_, messages) = lower_on(&old, text);
    assert_eq!(messages.iter().map(|message| message.code).collect::<Vec<_>>(), [Code::LimitExceeded]);
    assert!(lower_on(&FakeKernel::default(), text).1.is_empty());
}

#[test]
fn broken_scripts_lower_without_harm() {
    for text in [
        "begin { print(pidd); $x = exti(); @a[$x] = $y; printf(\"%d\", args.x) }",
        "kprob:x { @x = count(); $a = @x; print(@y[1]) }",
        "kprobe:vfs_read { print(args.file.f_path); print((1, args.nope).1); $t = (1, 2); print($t.1) }",
    ] {
        let (_, messages) = lower_on(&FakeKernel::default(), text);
        assert!(!messages.is_empty());
    }
}

#[test]
fn manifests_survive_serialisation() {
    let Lowered { manifest, .. } =
        lowered("kprobe:vfs_read { @x[comm] = lhist(args.count, 0, 10, 2); printf(\"%s\\n\", func) }");
    let text = serde_json::to_string(&manifest).expect("a manifest is plain data");
    let back: Manifest = serde_json::from_str(&text).expect("the same data");
    assert_eq!(back, manifest);
}

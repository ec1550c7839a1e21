//! Sizes and offsets here are those that gcc and clang give on x86-64 (`tests/types.rs` asks a compiler).

use super::{Definitions, WithDefinitions};
use crate::kernel::fake::FakeKernel;
use crate::kernel::{KernelTypes, Member};
use crate::parse;
use crate::source::SourceMap;
use crate::types::{RecordKind, Type};

fn definitions(text: &str) -> (Definitions, Vec<String>) {
    let mut sources = SourceMap::default();
    let file = sources.add("test", format!("{text}\nbegin {{ }}"));
    let (ast, diagnostics) = parse(&sources, file);
    (ast.definitions, diagnostics.iter().map(|found| found.message.clone()).collect())
}

/// Size of `struct x`, and its members as `name:bit offset` (with `:width` for bit-fields).
fn layout(text: &str) -> (u32, String) {
    let (found, messages) = definitions(text);
    assert_eq!(messages, Vec::<String>::new(), "{text}");
    let kernel = FakeKernel::default();
    let (kernel, diagnostics) = WithDefinitions::new(found, &kernel);
    assert!(!diagnostics.has_errors(), "{text}");
    let Ok(Some(Type::Record(record))) = kernel.record(RecordKind::Struct, "x") else {
        panic!("no struct x in {text}")
    };
    let show = |member: &Member| match member.bit_size {
        None => format!("{}:{}", member.name, member.bit_offset),
        Some(bits) => format!("{}:{}:{bits}", member.name, member.bit_offset),
    };
    let members: Vec<String> = kernel.members(record.id).iter().map(show).collect();
    (record.size, members.join(" "))
}

#[test]
fn plain_members() {
    assert_eq!(
        layout("struct x { char a; int b; short c; long d; char e; };"),
        (32, "a:0 b:32 c:64 d:128 e:192".into())
    );
    assert_eq!(layout("struct x { int x; char y; int z; } __attribute__((packed))"), (9, "x:0 y:32 z:40".into()));
    assert_eq!(layout("struct x { char a; int b __attribute__((aligned(16))); };"), (32, "a:0 b:128".into()));
    assert_eq!(layout("struct x { unsigned char a[3]; long b[0]; }"), (8, "a:0 b:64".into()));
    assert_eq!(
        layout("struct x { int (*f)(int, char *); void *p[2]; long long unsigned q; }"),
        (32, "f:0 p:64 q:192".into())
    );
}

#[test]
fn bit_fields() {
    assert_eq!(layout("struct x { unsigned a:3, b:7; int :0; char c:2; };"), (8, "a:0:3 b:3:7 c:32:2".into()));
    assert_eq!(layout("struct x { char a; int b:20; int c:20; }"), (8, "a:0 b:8:20 c:32:20".into()));
    assert_eq!(
        layout("struct x { char a:7; int b:20; int c:20; } __attribute__((packed))"),
        (6, "a:0:7 b:7:20 c:27:20".into())
    );
    assert_eq!(layout("struct x { unsigned long long a:33; unsigned long long b:33; }"), (16, "a:0:33 b:64:33".into()));
}

#[test]
fn records_within_records() {
    let text = "struct in { char c; long l; }; struct x { char a; struct in b; union { int d; char e[6]; }; struct { short s; } f; };";
    assert_eq!(layout(text), (40, "a:0 b:64 d:192 e:192 f:256".into()));
    assert_eq!(
        layout("typedef struct { int a; } t; typedef t *p, q[3]; struct x { char c; t t1; p p1; q q1; };").0,
        32
    );
    assert_eq!(
        layout("struct x { struct x *next; struct later *l; enum { A, B = 5 } e; }; struct later { int i; };").0,
        24
    );
}

#[test]
fn what_the_kernel_defines() {
    assert_eq!(layout("struct x { char a; struct path p; struct file *f; };"), (32, "a:0 p:64 f:192".into()));
}

#[test]
fn macros_and_enumerators_are_constants() {
    assert_eq!(
        layout(
            "#define N 3\n#define F(a) ((a) * N)\nenum { E = F(2) << 1, G };\nstruct x { char a[F(2) + 1]; char b[G]; };"
        ),
        (20, "a:0 b:56".into())
    );
    let (found, _) = definitions("enum e { A, B = -1, C, D = 0x10 | 1 };");
    assert_eq!(found.enumerator("C"), Some((0, 0)));
    assert_eq!(found.enumerator("D"), Some((0, 17)));
}

#[test]
fn mistakes_are_told() {
    for (text, message) in [
        ("struct x { int : 40; };", "wider"),
        ("struct x { int a[n]; };", "length that is no constant"),
        ("struct x { unsigned float a; };", "is no type"),
        ("struct x { struct x y; };", "record inside of itself"),
        ("struct x { nonsense_t y; };", "unknown type"),
        ("struct x { void y; };", "without a size"),
    ] {
        let (found, mut messages) = definitions(text);
        let kernel = FakeKernel::default();
        let (_, diagnostics) = WithDefinitions::new(found, &kernel);
        messages.extend(diagnostics.iter().map(|found| found.message.clone()));
        assert!(messages.iter().any(|found| found.contains(message)), "{text}: {messages:?}");
    }
}

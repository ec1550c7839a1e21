//! Types on this machine's own kernel: records of C, tuples, arrays, enumerations, pointers, widths. What is expected is
//! what bpftrace 0.27.1 prints, or what a C compiler says.

use crate::support::{self, expect, on_kernel, one_liner};
use libtest_mimic::Trial;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    vec![
        on_kernel("types::layouts_are_those_of_c", layouts),
        on_kernel("types::records", records),
        on_kernel("types::records_as_json", records_as_json),
        on_kernel("types::tuples_and_named_tuples", tuples),
        on_kernel("types::arrays", arrays),
        on_kernel("types::an_index_outside_is_told", outside),
        on_kernel("types::enumerations", enumerations),
        on_kernel("types::buffers_and_strings", buffers),
        on_kernel("types::pointers_and_addresses", pointers),
        on_kernel("types::widths", widths),
        on_kernel("types::constants", constants),
        on_kernel("types::arguments_as_a_value", arguments),
        on_kernel("types::memory_of_a_process", memory_of_a_process),
    ]
}

/// Runs a script and compares all that it prints.
fn prints(script: &str, wanted: &str) -> Result<(), String> {
    let ran = one_liner(script);
    // maps are printed behind an empty line
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
    expect(ran.status == 0 && lines.join("\n") == wanted, &format!("{script}\nshould print {wanted:?}"), &ran)
}

fn all(rows: &[(&str, &str)]) -> Result<(), String> {
    rows.iter().try_for_each(|(script, wanted)| prints(script, wanted))
}

/// Structures whose layouts a C compiler is asked for: everything that moves members.
const LAYOUTS: &str = "
    struct plain { char a; int b; short c; long d; char e; unsigned char f[3]; void *g; };
    struct packed { int x; char y; long z; } __attribute__((packed));
    struct bits { unsigned a:3, b:7; int c:22; int d:2; char e:4; char f:5; long long g:40; long long h:30; };
    struct packed_bits { char a:7; int b:20; int c:20; short d; } __attribute__((packed));
    struct gaps { int a:4; int :0; char b; int :9; char c; };
    struct inner { char c; struct { short s; char t; } n; union { int i; char s[6]; double d; }; };
    struct nested { char a; struct inner b[2]; struct inner *c; enum { P, Q } d; struct { int x:5; } e; };
    union mixed { char a[5]; int b; struct packed c; struct bits d; };
    struct aligned { char a; int b __attribute__((aligned(16))); char c; };
    typedef struct nested nested_t;
    typedef int (*callback)(struct inner *, int);
    struct last { nested_t a; callback b; char c[2][3]; unsigned long long d[0]; };
";

/// Types of [`LAYOUTS`] with their members.
const MEMBERS: &[(&str, &[&str])] = &[
    ("struct plain", &["a", "b", "c", "d", "e", "f", "g"]),
    ("struct packed", &["x", "y", "z"]),
    ("struct bits", &[]),
    ("struct packed_bits", &["d"]),
    ("struct gaps", &["b", "c"]),
    ("struct inner", &["c", "n", "n.t", "i", "s", "d"]),
    ("struct nested", &["a", "b", "c", "d", "e"]),
    ("union mixed", &["a", "b", "c", "c.z", "d"]),
    ("struct aligned", &["a", "b", "c"]),
    ("struct last", &["a", "b", "c", "d"]),
];

/// A C program that prints the numbers which the same expressions have in a script.
fn ask_compiler(expressions: &[String]) -> Result<Option<String>, String> {
    let folder = std::env::temp_dir().join(format!("lt-types-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (source, program) = (folder.join("layouts.c"), folder.join("layouts"));
    let prints: String =
        expressions.iter().map(|found| format!("printf(\"%lu\\n\", (unsigned long){found});\n")).collect();
    let text = format!("#include <stddef.h>\n#include <stdio.h>\n{LAYOUTS}\nint main(void) {{ {prints} return 0; }}\n");
    std::fs::write(&source, text).map_err(|error| error.to_string())?;
    let compiled = Command::new("cc").arg("-w").arg("-o").arg(&program).arg(&source).status();
    let answer = match compiled {
        Ok(status) if status.success() => {
            let output = Command::new(&program).output().map_err(|error| error.to_string())?;
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(status) => return Err(format!("cc failed: {status}")),
        Err(_) => None,
    };
    std::fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(answer)
}

fn layouts() -> Result<(), String> {
    let mut expressions = Vec::new();
    for (ty, members) in MEMBERS {
        expressions.push(format!("sizeof({ty})"));
        expressions.extend(members.iter().map(|member| format!("offsetof({ty}, {member})")));
    }
    // without a compiler there is no oracle
    let Some(wanted) = ask_compiler(&expressions)? else { return Ok(()) };
    let prints: Vec<String> = expressions.iter().map(|found| format!("print({found});")).collect();
    let ran = one_liner(&format!("{LAYOUTS} begin {{ {} }}", prints.join(" ")));
    expect(ran.status == 0, "the layouts are printed", &ran)?;
    for ((expression, wanted), found) in expressions.iter().zip(wanted.lines()).zip(ran.stdout.lines()) {
        expect(wanted == found, &format!("{expression} is {wanted}"), &ran)?;
    }
    expect(ran.stdout.trim().lines().count() == expressions.len(), "a line for each", &ran)
}

fn records() -> Result<(), String> {
    let definition = "struct foo { int x; char y[8]; struct { long a; int b; } in; int arr[3]; union { int u1; char u2; }; \
               unsigned f1:3; signed f2:4; void *p; char c; } ";
    let shown = "{ .x = 0, .y = , .in = { .a = 0, .b = 0 }, .arr = [0,0,0], .u1 = 0, .u2 = 0, .f1 = 0, .f2 = 0, .p = 0x0, .c = 0 }";
    prints(
        &format!("{definition} begin {{ $s = *(struct foo *)0; print($s); @ = $s; @k[$s, 5] = (1, $s) }}"),
        &format!("{shown}\n@: {shown}\n@k[{shown}, 5]: (1, {shown})"),
    )?;
    all(&[
        (
            "struct foo { unsigned long long x_0:1; unsigned long long x_1:1; unsigned long long x_2:2; } \
             begin { $val = (uint64)0x1e; $f = *(struct foo *)(&$val); print($f); print(($f.x_0, $f.x_1, $f.x_2)) }",
            "{ .x_0 = 0, .x_1 = 1, .x_2 = 3 }\n(0, 1, 3)",
        ),
        (
            "struct s { int a:5; unsigned b:6; short c; char d[4]; } \
             begin { $v = (uint64)0x0063624112341234; $p = (struct s *)&$v; $s = *$p; @m = $s; \
             print(($p.a, $p.b, $p.c, $p.d)); print(($s.a, $s.b, $s.c, $s.d)); print(@m.d); print($s.d[1]); print($p.d[1]); \
             clear(@m) }",
            "(-12, 17, 4660, Abc)\n(-12, 17, 4660, Abc)\nAbc\n98\n98",
        ),
        (
            "struct in { short a; short b; } struct out { struct in list[2]; } \
             begin { $v = (uint64)0x0004000300020001; $s = *(struct out *)&$v; $i = 1; \
             print(($s.list[0].b, $s.list[1].a, $s.list[$i].b)); $p = (struct out *)&$v; \
             print(($p.list[0].b, $p.list[$i].a)); $l = $s.list; print($l[$i]); print($l) }",
            "(2, 3, 4)\n(2, 3)\n{ .a = 3, .b = 4 }\n[{ .a = 1, .b = 2 },{ .a = 3, .b = 4 }]",
        ),
    ])
}

fn records_as_json() -> Result<(), String> {
    let ran = support::lt([
        "-q",
        "-f",
        "json",
        "-e",
        "struct s { int a; char b[4]; int c[2]; } begin { $s = *(struct s *)0; print($s); @k[$s] = (x = 1, y = (2, \"z\")); \
         print((int8[2])(int16)515) }",
    ]);
    let wanted = [
        r#"{"type": "value", "data": {"a": 0, "b": "", "c": [0,0]}}"#,
        r#"{"type": "value", "data": [3,2]}"#,
        r#"{"type": "map", "data": {"@k": {"{.a=0,.b=,.c=[0,0]}": {"x": 1, "y": [2,"z"]}}}}"#,
    ];
    let fine = wanted.iter().all(|line| ran.stdout.lines().any(|found| found == *line));
    expect(ran.status == 0 && fine, &format!("should print {wanted:#?}"), &ran)
}

fn tuples() -> Result<(), String> {
    all(&[
        ("begin { $t = ((int8) 1, (int64) 1, (int8) 1, (int64) 1); print(sizeof($t)) }", "32"),
        ("begin { $t = ((int8) 1, (int16) 1, (int32) 1); print(sizeof($t)) }", "8"),
        ("begin { $a = (1, \"hello\", (2, 3)); print($a[1 - 1]); print($a.2.1); print($a[1]) }", "1\n3\nhello"),
        (
            "begin { $a = (1, (int16)2, \"abc\"); $b = (1, (int16)2, \"abc\"); print(($a == $b, $a != $b)); \
             print($a == (1, 2, \"abcd\")); print($a == (1, 2, \"abc\")) }",
            "(true, false)\nfalse\ntrue",
        ),
        (
            "begin { $a = (x=1, y=\"abc\", z=(1,2)); $b = (y=\"abc\", z=(1,2), x=1); print($a == $b); print(sizeof($a)); \
             $a = (y=\"defghijkl\", x=500, z=(3,4)); print($a); print($a.z.1) }",
            "true\n14\n{ .x = 500, .y = defghijkl, .z = (3, 4) }\n4",
        ),
        (
            "begin { @a[(int16)-1, ((int32)-2, 3)] = 10; $c = ((int8)-4, ((int16)-5, -6)); @a[$c] = 12; print(@a[$c]) }",
            "12\n@a[-1, (-2, 3)]: 10\n@a[-4, (-5, -6)]: 12",
        ),
        ("begin { @x[1] = (1, 2); @x[2] = (300, -5); print(@x[1].0 + @x[2].1); clear(@x) }", "-4"),
    ])
}

fn arrays() -> Result<(), String> {
    all(&[
        ("begin { print((int8[8])12345) }", "[57,48,0,0,0,0,0,0]"),
        ("begin { print((uint8[])(uint32)0x01020304) }", "[4,3,2,1]"),
        ("begin { print((int8[])\"hello\") }", "[104,101,108,108,111,0]"),
        ("begin { print((int32)(int8[4])(int32)77) }", "77"),
        ("begin { @a = (bool[2])(uint16)1 }", "@a: [true,false]"),
        (
            "begin { $a = (uint8[4])(uint32)0x01020304; $i = 1; print(($a[2], $a[$i])); @x[$a] = $a; $i = 3; \
             print(@x[$a][$i]); print($a == @x[$a]); print($a != (uint8[4])(uint32)5) }",
            "(2, 3)\n1\ntrue\ntrue\n@x[[4,3,2,1]]: [4,3,2,1]",
        ),
        (
            "struct m { int y[2][2]; } begin { $a = (1, 2); let $x: int32[4]; $s = *(struct m *)&$x; $b = $s.y; \
             print($b); print($b[1][0]); @b[$b] = 1 }",
            "[[0,0],[0,0]]\n0\n@b[[[0,0],[0,0]]]: 1",
        ),
    ])
}

fn outside() -> Result<(), String> {
    let ran = one_liner("begin { $a = (uint8[4])(uint32)7; $i = 9; print($a[$i]); $i = -1; print($a[$i]) }");
    let told = ran.stderr.contains("LT0909") && ran.stderr.contains("2 indexes were outside of their arrays");
    expect(ran.status == 0 && ran.stdout.trim() == "0\n0" && told, "two warnings", &ran)
}

fn enumerations() -> Result<(), String> {
    let color = "enum color { RED, GREEN = 5, BLUE } struct s { enum color c; enum color d:3; } ";
    for (script, wanted) in [
        (
            "print(RED); print((enum color)5); printf(\"%s %d %s\\n\", (enum color)6, BLUE, GREEN)",
            "RED\nGREEN\nBLUE 6 GREEN",
        ),
        ("$i = 77; $e = (enum color)$i; print($e); print(GREEN + 1); print((enum color)5 == GREEN)", "77\n6\ntrue"),
        ("@[(enum color)0, 1] = (enum color)5", "@[RED, 1]: GREEN"),
        ("$v = (uint64)0x600000005; $s = *(struct s *)&$v; print($s); print($s.d)", "{ .c = GREEN, .d = BLUE }\nBLUE"),
        ("$z = RED; $z = 5; print($z); $t = (BLUE, GREEN); print($t)", "5\n(BLUE, GREEN)"),
    ] {
        prints(&format!("{color} begin {{ {script} }}"), wanted)?;
    }
    // of the kernel
    prints("begin { print((TCP_LISTEN, PIDTYPE_TGID)) }", "(10, PIDTYPE_TGID)")
}

fn buffers() -> Result<(), String> {
    all(&[
        (
            "begin { $a = buf(\"hello\", 3); print($a); @[$a] = $a; printf(\"%r|%rx|%rh|%s\\n\", $a, $a, $a, $a); \
             print(sizeof($a)); print((1, $a)) }",
            "hel\nhel|\\x68\\x65\\x6c|68 65 6c|hel\n7\n(1, hel)\n@[hel]: hel",
        ),
        ("begin { print(buf(\"hi\\x00\\x01\\xff\", 5)); $n = 2; print(buf(\"hello\", $n)) }", "hi\\x00\\x01\\xff\nhe"),
        (
            "begin { $a = buf(\"hi\", 2); $b = buf(\"bye\", 3); print(($a == $a, $a != $b, $a == $b)) }",
            "(true, true, false)",
        ),
        (
            "begin { let $s: string[5] = \"abc\"; print(sizeof($s)); print((string[10])\"hi\"); print((string[3])\"hello\") }",
            "5\nhi\nhe",
        ),
        (
            "begin { $v = (uint64)0x4847464544434241; print(buf(&$v, 4)); print(buf(&$v, 8)); print(str((uint8 *)&$v, 4)) }",
            "ABCD\nABCDEFGH\nABC",
        ),
    ])
}

fn pointers() -> Result<(), String> {
    all(&[
        (
            "begin { $p = (int32 *)100; print(($p, $p+1, $p-1, $p + 2 > $p)); $p += 2; print($p); print(($p - 3) - $p) }",
            "(0x64, 0x68, 0x60, true)\n0x6c\n-3",
        ),
        ("begin { $v = 5; $p = &$v; print(*$p); $t = (1, \"hello\", 2); print(*(&$t)) }", "5\n(1, hello, 2)"),
        ("begin { $s = \"hello\"; $q = (int8 *)&$s; printf(\"%c %c\\n\", *$q, *++$q) }", "h e"),
        (
            "begin { @m = 7; $r = &@m; print(*$r); @k[1] = 3; $w = &@k[1]; print(*$w); print(&@k[2]); clear(@k); clear(@m) }",
            "7\n3\n0x0",
        ),
        (
            "struct a { int x; struct { int y; char z[4]; } in; } begin { $p = (struct a *)100; print(offsetof(struct a, in.z)); \
             print(offsetof(*$p, in.y)); print(&$p.in.y); print(sizeof($p.in.z)); print(sizeof(*$p)) }",
            "8\n4\n0x68\n4\n12",
        ),
        ("begin { print(curtask ? 1 : 2); print(curtask && 0); $x = (typeof(curtask))0; print($x) }", "1\nfalse\n0x0"),
        ("begin { $t = *curtask; print($t.pid == curtask.pid); print($t.comm == comm) }", "true\ntrue"),
    ])
}

fn widths() -> Result<(), String> {
    all(&[
        (
            "begin { print((sizeof(1), sizeof(200), sizeof(-1), sizeof(70000), sizeof(5000000000), sizeof(1 + 1))) }",
            "(1, 2, 1, 4, 8, 1)",
        ),
        ("begin { $a = 1; $b = 300; $a = 100000; print((sizeof($a), sizeof($b))) }", "(4, 2)"),
        (
            "begin { $a = (int8)127; $a++; print(($a, sizeof($a))); $b = (uint8)255; $b += 1; print(($b, sizeof($b))) }",
            "(128, 8)\n(256, 8)",
        ),
        (
            "begin { $x = (int32)-1; printf(\"%x %lx\\n\", $x, $x); @c = $x; printf(\"%x\\n\", @c); clear(@c) }",
            "ffffffff ffffffffffffffff\nffffffff",
        ),
        (
            "begin { print(~0); print((~(uint8)0, -(uint8)1, (uint8)200 + (uint8)100)) }",
            "18446744073709551615\n(255, 255, 300)",
        ),
        (
            "begin { let $a: uint8 = 5; $a = 200; print(($a, sizeof($a))); $a += 100; print($a); $a++; print($a) }",
            "(200, 1)\n44\n45",
        ),
        (
            "begin { print(sizeof(1 ? (uint8)3 : (int32)-5)); $t = (1, \"abc\"); $t = (1000, \"abcdef\"); print(sizeof($t)); $y = (sizeof($t), 2) }",
            "4\n10",
        ),
        (
            "begin { print((1 == 1, (int32)-1 < (uint32)1, (int8)-1 == (uint8)255, (uint16)-1, (int8)300)) }",
            "(true, true, false, 65535, 44)",
        ),
    ])
}

fn constants() -> Result<(), String> {
    prints(
        "#define A 5\n#define B (A + 3)\n#define S \"hello\"\n#define F(x) ((x) * \\\n 2)\n#define M -F(A)\n\
         struct x { char a[A]; int b[B]; int c[F(2)]; }; begin { print((A, B, S, M, sizeof(struct x))) }",
        "(5, 8, hello, -10, 56)",
    )
}

fn arguments() -> Result<(), String> {
    let ran = support::lt([
        "-e",
        "tracepoint:syscalls:sys_enter_nanosleep { $a = args; @[$a.__syscall_nr] = count(); @same = $a.rqtp == args.rqtp; \
         @whole = args; exit() }",
        "-c",
        "sleep 0.01",
    ]);
    let fine = ran.stdout.contains("@same: true") && ran.stdout.contains("@whole: { .__syscall_nr = ");
    // some C libraries sleep by another system call
    expect(ran.status == 0 && (fine || ran.stdout.trim().is_empty()), "the arguments as a value", &ran)
}

fn memory_of_a_process() -> Result<(), String> {
    let script = "struct ts { long sec; long ns; } tracepoint:syscalls:sys_enter_clock_nanosleep,tracepoint:syscalls:sys_enter_nanosleep \
                  /comm == \"sleep\"/ { @v = *(struct ts *)args.rqtp; @n = ((struct ts *)args.rqtp).ns; exit() }";
    let ran = support::lt(["-e", script, "-c", "sleep 0.25"]);
    let fine = ran.stdout.contains("@v: { .sec = 0, .ns = 250000000 }") && ran.stdout.contains("@n: 250000000");
    expect(ran.status == 0 && fine, "a structure of a process", &ran)
}

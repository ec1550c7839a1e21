//! What parses to what.

use crate::{parse, printer};

/// Asserts that a script parses without a message to this tree.
fn check(text: &str, expected: &str) {
    let (_, ast, diagnostics) = parse(text);
    let messages: Vec<_> = diagnostics.iter().map(|diagnostic| &diagnostic.message).collect();
    assert!(messages.is_empty(), "{text}\n{messages:?}");
    assert_eq!(printer::ast(&ast), expected, "{text}");
}

/// Asserts that an expression, in an action of either form, parses to this tree.
fn check_expr(text: &str, expected: &str) {
    check(&format!("begin {{ f({text}); $r = {text} }}"), &format!("begin {{(f! {expected}) (= $r {expected})}}"));
    check(&format!("begin < $r = ({text}) >"), &format!("begin <(= $r {expected})>"));
}

#[test]
fn probes() {
    for (text, expected) in [
        ("begin { }", "begin {}"),
        ("BEGIN{}END{}", "BEGIN {} END {}"),
        ("begin {};", "begin {}"),
        ("#!/usr/bin/env lt\nbegin { }", "begin {}"),
        ("kprobe:ip_rcv < @[cpu]=count() >", "kprobe:ip_rcv <(= @[cpu] (count!))>"),
        ("kprobe:a,kprobe:b ,\n k:c { f() }", "kprobe:a,kprobe:b,k:c {(f!)}"),
        ("kprobe:nf:x+0x10 { }", "kprobe:nf:x+0x10 {}"),
        ("tracepoint:sys*:*_read { }", "tracepoint:sys*:*_read {}"),
        ("uprobe:/bin/bash:readline { }", "uprobe:/bin/bash:readline {}"),
        ("u:./a:std::vec<int>::f <f()>", "u:./a:std::vec<int>::f <(f!)>"),
        ("kprobe:f<f()>", "kprobe:f <(f!)>"),
        ("uprobe:\"/a b\":\"f(int, char)\" { }", "uprobe:/a b:f(int, char) {}"),
        ("k:f/pid==1/{}", "k:f /(== pid 1)/ {}"),
        ("k:f /pid / 2 == 1/ // c\n { }", "k:f /(== (/ pid 2) 1)/ {}"),
        (
            "k:f /comm == \"/\" && args.x[1] > 2/ /* c */ < f() >",
            "k:f /(&& (== comm \"/\") (> ([] (. args x) 1) 2))/ <(f!)>",
        ),
        ("interval:s:1 { } i:1m { }", "interval:s:1 {} i:1m {}"),
        ("begin, { }", "begin {}"),
        ("begin { /* } */ f(\"}\") // }\n }", "begin {(f! \"}\")}"),
    ] {
        check(text, expected);
    }
}

#[test]
fn statements() {
    for (text, expected) in [
        ("begin { f(); ; g(); }", "begin {(f!) (g!)}"),
        (
            "begin { $a = 1; $a += 2; @x[1] <<= 3; @ = count() }",
            "begin {(= $a 1) (+= $a 2) (<<= @x[1] 3) (= @ (count!))}",
        ),
        ("begin { *$p = 5; pid = 3 }", "begin {(= (* $p) 5) (= pid 3)}"),
        (
            "begin { let $x; let $y = 5; let $z: uint32 = 1; let $s: struct a * }",
            "begin {(let $x) (let $y 5) (let $z:'uint32' 1) (let $s:'struct a*')}",
        ),
        ("begin { if (1) { f() } *$p = 1 }", "begin {(if 1 {(f!)}) (= (* $p) 1)}"),
        (
            "begin { if ($a > 1) { } else if $b { f() } else { g() } h() }",
            "begin {(if (> $a 1) {} {(if $b {(f!)} {(g!)})}) (h!)}",
        ),
        ("begin { { f() } g() }", "begin {{(f!)} (g!)}"),
        ("begin { return }", "begin {(return)}"),
        ("begin { $a++; --@x[1]; }", "begin {($a ++) (-- @x[1])}"),
        (
            "begin { while (1) { break; continue } unroll (3) { f() } }",
            "begin {(while 1 {(break) (continue)}) (unroll 3 {(f!)})}",
        ),
        (
            "begin { for ($i : 0..5) { f() } for ($kv : @x) { } for $i : 0..5 { } }",
            "begin {(for $i 0 5 {(f!)}) (for $kv @x {}) (for $i 0 5 {})}",
        ),
        (
            "begin < if ($a > 1) { f($b > 2); $c = 1 > 2 } @x[1 > 2] = (3 > 4) >",
            "begin <(if (> $a 1) {(f! (> $b 2)) (= $c (> 1 2))}) (= @x[(> 1 2)] (> 3 4))>",
        ),
        (
            "begin < $a = $b >= 1; $a >>= 2; $c = $p->x < 3; @n++>end{}",
            "begin <(= $a (>= $b 1)) (>>= $a 2) (= $c (< (. $p x) 3)) (@n ++)> end {}",
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn expressions() {
    for (text, expected) in [
        ("1 + 2 * 3 - 4", "(- (+ 1 (* 2 3)) 4)"),
        (
            "a || b && c | d ^ e & f == g < h << i + j * k",
            "(|| a (&& b (| c (^ d (& e (== f (< g (<< h (+ i (* j k))))))))))",
        ),
        ("a >= b != c <= d", "(!= (>= a b) (<= c d))"),
        ("a > b", "(> a b)"),
        ("a >> b % c / d", "(>> a (/ (% b c) d))"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a ? b ? c : d : e", "(? a (? b c d) e)"),
        ("a ?: b", "(? a b)"),
        ("!a == -b", "(== (! a) (- b))"),
        ("- -1 + ~2", "(+ (- (- 1)) (~ 2))"),
        ("*$p + &$q", "(+ (* $p) (& $q))"),
        ("++$a + $b--", "(+ (++ $a) ($b --))"),
        ("$a.b->c.0.1[2].if", "(. ([] (. (. (. (. $a b) c) 0) 1) 2) if)"),
        ("f(g(), 1, \"a\")", "(f! (g!) 1 \"a\")"),
        ("@", "@"),
        ("@[1]", "@[1]"),
        ("@x[1, \"a\"][2].b", "(. ([] @x[1 \"a\"] 2) b)"),
        ("@x[(1, 2)]", "@x[(tuple 1 2)]"),
        ("(1, 2, (3,))", "(tuple 1 2 (tuple 3))"),
        ("((1 + 2)) * 3", "(* (+ 1 2) 3)"),
        ("$1 + $# + $23", "(+ (+ $1 $#) $23)"),
        ("true && false", "(&& true false)"),
    ] {
        check_expr(text, expected);
    }
}

#[test]
fn literals() {
    for (text, expected) in [
        ("0x1f", "31"),
        ("010", "8"),
        ("1e6", "1000000"),
        ("1_000", "1000"),
        ("5ULL", "5u"),
        ("18446744073709551615", "18446744073709551615u"),
        ("2ms", "2000000"),
        (r#""a\n\t\"\\\x41\101""#, r#""a\n\t\"\\AA""#),
    ] {
        check_expr(text, expected);
    }
}

#[test]
fn casts_and_types() {
    for (text, expected) in [
        ("(uint32)$x", "(cast 'uint32' $x)"),
        ("(uint32)-1", "(cast 'uint32' (- 1))"),
        ("(pid)-1", "(- pid 1)"),
        ("(pid) * (cpu)", "(* pid cpu)"),
        ("(uint8)(int16)5 + 1", "(+ (cast 'uint8' (cast 'int16' 5)) 1)"),
        ("(struct foo *)arg0", "(cast 'struct foo*' arg0)"),
        ("((struct foo *)arg0)->a.b", "(. (. (cast 'struct foo*' arg0) a) b)"),
        ("(foo **)(arg0 + 8)", "(cast 'foo**' (+ arg0 8))"),
        ("*(uint64 *)$p", "(* (cast 'uint64*' $p))"),
        ("(int8[16])$x", "(cast 'int8[16]' $x)"),
        ("(uint8[])\"a\"", "(cast 'uint8[]' \"a\")"),
        ("(unsigned long)$x", "(cast 'unsigned long' $x)"),
        ("(enum e)1", "(cast 'enum e' 1)"),
        ("f(a)(b) ? 1 : 2", ""),
        ("sizeof(struct foo)", "(sizeof 'struct foo')"),
        ("sizeof(uint64)", "(sizeof 'uint64')"),
        ("sizeof($x)", "(sizeof! $x)"),
        ("sizeof(pid)", "(sizeof! pid)"),
        ("sizeof(x *)", "(sizeof 'x*')"),
    ] {
        if expected.is_empty() {
            assert!(!parse(&format!("begin {{ f({text}) }}")).2.is_empty(), "{text}");
        } else {
            check_expr(text, expected);
        }
    }
}

#[test]
fn spans_and_numbers() {
    let (sources, ast, _) = parse("begin { @x = (1 + $a) * 2 } kprobe:f /pid/ < f(3) >");
    let texts: Vec<&str> = ast.probes.iter().map(|probe| sources.slice(probe.span)).collect();
    assert_eq!(texts, ["begin { @x = (1 + $a) * 2 }", "kprobe:f /pid/ < f(3) >"]);
    let actions: Vec<&str> = ast.probes.iter().map(|probe| sources.slice(probe.action.span)).collect();
    assert_eq!(actions, ["{ @x = (1 + $a) * 2 }", "< f(3) >"]);
    let lt_lang::ast::StmtKind::Assign { value, place, .. } = &ast.probes[0].action.stmts[0].kind else { panic!() };
    assert_eq!((sources.slice(place.span), sources.slice(value.span)), ("@x", "(1 + $a) * 2"));
    assert!(value.id != place.id && value.id.0 < ast.node_count);
    let point = &ast.probes[1].attach_points[0];
    assert_eq!((sources.slice(point.kind.span), sources.slice(point.parts[0].span)), ("kprobe", "f"));
}

#[test]
fn declarations() {
    for (text, expected) in [
        ("let @m = hash(100); begin { }", "(let @m (hash! 100)) begin {}"),
        ("begin { } let @ = lruhash(1);", "(let @ (lruhash! 1)) begin {}"),
        ("import \"a.bt\"; import \"b\"; begin { }", "(import \"a.bt\") (import \"b\") begin {}"),
        ("macro one() { 1 } begin { }", "(macro one [] {1}) begin {}"),
        ("macro greet { print(\"hi\"); } begin { greet!() }", "(macro greet [] {(print! \"hi\")}) begin {(greet!)}"),
        ("macro add($a, @m, e) { $a += e; @m } begin { }", "(macro add [$a @m e] {(+= $a e) @m}) begin {}"),
        (
            "macro pick(c) { if (c) { 1 } else if 2 { 3 } else { { 4 } } } begin { }",
            "(macro pick [c] {(if= c {=> 1} {=> (if= 2 {=> 3} {=> {=> 4}})})}) begin {}",
        ),
        ("macro act(c) { if (c) { f() } } begin { }", "(macro act [c] {(if c {(f!)})}) begin {}"),
        (
            "fn f($a : uint8, $b: struct s *): void { return $a + 1; } begin { }",
            "(fn f [$a:'uint8' $b:'struct s*'] 'void' {(return (+ $a 1))}) begin {}",
        ),
        ("fn f(): struct x { } begin { }", "(fn f [] 'struct x' {}) begin {}"),
        (
            "struct s { int a[4]; } __attribute__((packed));\nenum e { A, B = 5 };\ntypedef struct { int x; } t;\nbegin { }",
            "(c \"struct s { int a[4]; } __attribute__((packed))\") (c \"enum e { A, B = 5 }\") \
             (c \"typedef struct { int x; } t\") begin {}",
        ),
        ("#define F x + \\\n y\nbegin { }", "(c \"#define F x + \\\\\\n y\") begin {}"),
        ("#define F(x) \\\n x\nbegin { }", "begin {}"),
        ("p=kprobe:f { } q = begin { }", "p=kprobe:f {} q=begin {}"),
        ("k:a || f:b, k:c? < f() >", "k:a||f:b,k:c? <(f!)>"),
        ("k:a||f:b? /pid/ { } u:x:y?{ }", "k:a||f:b? /pid/ {} u:x:y? {}"),
    ] {
        check(text, expected);
    }
}

#[test]
fn values_and_types() {
    for (text, expected) in [
        ("{ 1 }", "{=> 1}"),
        ("{ let $b = 1; $b } + 2", "(+ {(let $b 1) => $b} 2)"),
        ("{ f(); }", "{(f!)}"),
        ("f({ printf(\"hi\") })", "(f! {=> (printf! \"hi\")})"),
        ("{ { 1 } }", "{=> {=> 1}}"),
        ("{ if (a) { 1 } else { 2 } }", "{=> (if= a {=> 1} {=> 2})}"),
        ("{ if (a) { 1 } }", "{(if a {1})}"),
        ("if ($a > 1) { 2 } else { 3 }", "(if= (> $a 1) {=> 2} {=> 3})"),
        ("f(if a { 1 } else if b { 2 } else { 3 }, 4)", "(f! (if= a {=> 1} {=> (if= b {=> 2} {=> 3})}) 4)"),
        ("1 + if a { 1 } else { 2 } * 3", "(+ 1 (* (if= a {=> 1} {=> 2}) 3))"),
        ("a ? { 1 } : { 2 }", "(? a {=> 1} {=> 2})"),
        ("(uint8){ 1 }", "(cast 'uint8' {=> 1})"),
        ("(a=1, b=\"x\").a", "(. (record a=1 b=\"x\") a)"),
        ("(a=(b=1))", "(record a=(record b=1))"),
        ("()", "(tuple)"),
        ("(1, 2,)", "(tuple 1 2)"),
        ("f!(1)", "(f! 1)"),
        ("f!((uint8)1)", "(f! (cast 'uint8' 1))"),
        ("comptime (1 + 2)", "(comptime (+ 1 2))"),
        ("typeinfo($x).base_type", "(. (typeinfo $x) base_type)"),
        ("typeinfo(exp[0])", "(typeinfo 'exp[0]')"),
        ("typeinfo((exp)[0])", "(typeinfo ([] exp 0))"),
        ("offsetof(struct s, a.b.if)", "(offsetof 'struct s' a.b.if)"),
        ("offsetof(*$p, x)", "(offsetof (* $p) x)"),
        ("offsetof(typeof(struct s), x)", "(offsetof 'typeof('struct s')' x)"),
        ("sizeof(typeof($x))", "(sizeof 'typeof($x)')"),
        ("sizeof(uint32*[10])", "(sizeof 'uint32*[10]')"),
        ("f(1, typeof(struct s *), \"x\")", "(f! 1 (typeof 'struct s*') \"x\")"),
        ("(int32*[4]*)$x", "(cast 'int32*[4]*' $x)"),
        ("(int8[2][3])$x", "(cast 'int8[2][3]' $x)"),
        ("(string[64])arg0", "(cast 'string[64]' arg0)"),
        ("(typeof($x)*)arg0", "(cast 'typeof($x)*' arg0)"),
        ("(typeof(uint8))-1", "(cast 'typeof('uint8')' (- 1))"),
    ] {
        check_expr(text, expected);
    }
    check("begin { _ = f(1); if comptime (1) { } }", "begin {(_ (f! 1)) (if (comptime 1) {})}");
    check("begin { let $x: typeof($y)[2] = 1; return 1 + 2 }", "begin {(let $x:'typeof($y)[2]' 1) (return (+ 1 2))}");
    check("begin { if ({ 1 } == 1) { f() } else { g() } { h() } }", "begin {(if (== {=> 1} 1) {(f!)} {(g!)}) {(h!)}}");
    check("begin < $a = if ($b > 1) { 2 > 1 } else { 3 } >", "begin <(= $a (if= (> $b 1) {=> (> 2 1)} {=> 3}))>");
}

#[test]
fn what_scripts_say_of_themselves() {
    for (text, expected) in [
        ("needs tracepoint:a:b, kprobe:f;", "(needs tracepoint:a:b kprobe:f)"),
        ("needs kernel >= 6.10 && has_type(\"s\");", "(needs (&& (>= kernel 6.10) (has_type! \"s\")))"),
        ("param min -m: duration(ms) = 0 in 0..1h;", "(param min -m duration:ms = 0 0..3600000000000)"),
        ("param pid -p: pid?;", "(param pid -p pid?)"),
        ("param p:pid;", "(param p pid)"),
        ("param order --sort: enum(size, count) = size;", "(param order --sort enum:size|count = size)"),
        ("param run: duration(s)? positional;", "(param run duration:s? positional)"),
        ("const param n -n --cpu-time-max: [int] repeated;", "(const param n -n --cpu-time-max [int] repeated)"),
        ("exclusive(pid, comm);", "(exclusive pid comm)"),
        ("example \"lt x -m 5\" \"rows\"; example \"lt\";", "(example \"lt x -m 5\" \"rows\") (example \"lt\")"),
        ("test \"rows\" { f() }", "(test \"rows\" {(f!)})"),
        (
            "table t { time: clock \"TIME\" width 8; lat: ms.3 \"L\" width 9 left; s: kstack?; w: time(\"%F\"); \
             e: enum E; r: rate counter = 100.0 * hit / all; }",
            "(table t (time:clock \"TIME\" width:8) (lat:ms.3 \"L\" width:9 left) (s:kstack?) (w:time[\"%F\"]) \
             (e:enum E) (r:rate counter = (/ (* 100.0 hit) all)))",
        ),
        (
            "file d = \"/proc/d\" { _: int; name: string key; ... }",
            "(file d \"/proc/d\" (_:int) (name:string key) ...)",
        ),
        ("actor echo = icmp(dst = c, 5);", "(actor echo icmp dst=c 5)"),
    ] {
        check(&format!("{text} begin {{ }}"), &format!("{expected} begin {{}}"));
    }
}

#[test]
fn user_blocks() {
    for (text, expected) in [
        ("i:s:1 user { f() }", "i:s:1 user {(f!)}"),
        ("begin user < f() > echo:reply user { }", "begin user <(f!)> echo:reply user {}"),
        ("row t user { } row t /pid/ user { }", "row:t user {} row:t /pid/ user {}"),
        (
            "i:s:1 user { for ($k, $v : @io sort $v.rd desc top 20) { emit io(comm = $k.1, 1s, rd = 100.0 * 2) } }",
            "i:s:1 user {(for $k $v @io sort (. $v rd) desc top 20 {(emit io comm=(. $k 1) 1000000000 rd=(* 100.0 2))})}",
        ),
        (
            "i:s:1 user { for ($e : @m top 3) { } for ($e : @m) { } }",
            "i:s:1 user {(for $e @m top 3 {}) (for $e @m {})}",
        ),
        (
            "begin { show @io as t sort rd desc top 20; show @io; show @a[1] sort x asc }",
            "begin {(show @io as t sort rd desc top 20) (show @io) (show @a[1] sort x)}",
        ),
        (
            "begin { emit t(); echo.send(1, a = 2); @io[tid].rd = count(); }",
            "begin {(emit t ) (.send! echo 1 a=2) (= (. @io[tid] rd) (count!))}",
        ),
        ("hardware:{event}:{period} { } u:{o}:{p}malloc { }", "hardware:{event}:{period} {} u:{o}:{p}malloc {}"),
        ("k:f{exit} end { }", "k:f {exit} end {}"),
        // words of ours are names elsewhere
        (
            "begin { $x = sort + top; emit; show; user(param, table); in.row = file; for ($i : @m) { top } }",
            "begin {(= $x (+ sort top)) emit show (user! param table) (= (. in row) file) (for $i @m {top})}",
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn comments_that_document() {
    let text = "#!/usr/bin/env lt\n//! Time spent\n//!  in reclaim\n// no\n/// Only these\nparam p: int;\n//// no\n\
                begin { /// no\n }\n/// last\n";
    let (sources, ast, _) = parse(text);
    let docs: Vec<(bool, &str, &str)> =
        ast.docs.iter().map(|doc| (doc.of_script, doc.text.as_str(), sources.slice(doc.span))).collect();
    assert_eq!(
        docs,
        [
            (true, "Time spent", "//! Time spent"),
            (true, " in reclaim", "//!  in reclaim"),
            (false, "Only these", "/// Only these")
        ]
    );
}

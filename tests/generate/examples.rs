//! The examples of the language's tables: builtins, map functions and kinds of probes, put into other scripts.

use super::rng::Rng;
use lt_lang::{aggregations, builtins, columns, probes};

/// Records of aggregations: in probes that may interrupt each other, read and gone over.
const RECORDS: [&str; 4] = [
    "begin { @r[1].n = count(); @r[1].s = sum(-3); @r[1].low = min(5); print((@r[1].n, @r[2].s)); print(@r[1]) }",
    "tracepoint:syscalls:sys_enter_read { @r[comm, pid].n = count(); @r[comm, pid].b = sum(args.count); \
     @r[comm, pid].sizes = hist(args.count, 2) } interval:s:1 { print(@r, 5); clear(@r) }",
    "profile:hz:99 { @r.a = avg(cpu); @r.st = stats(cpu); $v = @r; print($v.a) } interval:s:1 { zero(@r) }",
    "profile:hz:99 { @r[cpu].n = count(); @r[cpu].m = max(nsecs) } \
     interval:s:1 { for ($e : @r) { if ($e.1.m > 5 && find(@r, $e.0, $f)) { print(($e.0, $f.n)) } } delete(@r, 1) }",
];

fn all() -> Vec<&'static str> {
    let rows = builtins::all().map(|row| row.example);
    let rows = rows.chain(aggregations::ALL.iter().map(|row| row.example));
    let rows = rows.chain(columns::ALL.iter().map(|row| row.example));
    let rows = rows.chain(probes::ALL.iter().map(|row| row.example)).chain(RECORDS);
    rows.filter(|text| !text.starts_with("lt ")).collect()
}

/// Any of them, whose maps and tables are its own.
pub fn any(rng: &mut Rng, number: usize) -> String {
    let own = rng.pick(&all()).replace('@', &format!("@e{number}_"));
    let own = own.replace("color", &format!("color{number}")).replace("RED", &format!("RED{number}"));
    own.replace("table t ", &format!("table t{number} ")).replace("emit t(", &format!("emit t{number}("))
}

/// The statements of one that may stand anywhere, in a block of their own.
pub fn body(rng: &mut Rng) -> String {
    let bodies: Vec<&str> = all()
        .into_iter()
        .filter_map(|text| text.strip_prefix("begin {")?.trim_end().strip_suffix('}'))
        .filter(|body| !body.contains('{'))
        .collect();
    let number = rng.below(1000);
    format!("if (cpu < 2) {{{}}}", rng.pick(&bodies).replace('@', &format!("@b{number}_")))
}

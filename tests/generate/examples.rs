//! The examples of the language's tables: builtins, map functions and kinds of probes, put into other scripts.

use super::rng::Rng;
use lt_lang::{aggregations, builtins, columns, probes};

fn all() -> Vec<&'static str> {
    let rows = builtins::all().map(|row| row.example);
    let rows = rows.chain(aggregations::ALL.iter().map(|row| row.example));
    let rows = rows.chain(columns::ALL.iter().map(|row| row.example));
    rows.chain(probes::ALL.iter().map(|row| row.example)).filter(|text| !text.starts_with("lt ")).collect()
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

//! What lt says when a kernel refuses a program all the same: a check is taken out of an object that is right.

use super::batch::{Bench, Verdict};

const SCRIPT: &str = "begin {\n  @h[1] = 1;\n  print(@h[1]);\n  print(@h[2]);\n}\n";
/// `call bpf_map_lookup_elem`
const LOOKUP: [u8; 8] = [0x85, 0, 0, 0, 1, 0, 0, 0];
/// `if r0 == 0 goto` and `if r0 != 0 goto`
const NULL_CHECKS: [[u8; 2]; 2] = [[0x15, 0], [0x55, 0]];
/// `goto`
const GOTO: u8 = 5;

/// Takes the check behind the second look-up away: control goes where the value is there.
fn damage(artifact: &mut [u8]) -> Result<(), String> {
    let calls: Vec<usize> = (0..artifact.len() - 16).filter(|at| artifact[*at..*at + 8] == LOOKUP).collect();
    let call = *calls.get(1).ok_or("there are no two look-ups")?;
    let mut behind = (1..6).map(|number| call + number * 8);
    let at = behind.find(|at| NULL_CHECKS.iter().any(|check| artifact[*at..*at + 2] == *check));
    let at = at.ok_or("there is no check behind the look-up")?;
    if artifact[at] == NULL_CHECKS[0][0] {
        artifact[at + 2..at + 4].fill(0);
    }
    artifact[at] = GOTO;
    Ok(())
}

/// The message names what the verifier missed, and where; its log comes with `-v`.
pub fn is_explained(bench: &Bench) -> Result<(), String> {
    let mut artifact = match bench.artifact(SCRIPT) {
        Ok(artifact) => artifact,
        Err(Verdict::Fails(why) | Verdict::Refused(why) | Verdict::TooLarge(why)) => return Err(why),
        Err(Verdict::Loads) => return Err("no artifact".into()),
    };
    damage(&mut artifact)?;
    let said = bench.load_one(&artifact)?;
    let wanted = ["LT0701", "map_value_or_null", "line 4, column 3", ": print(@h[2]);", "begin", "processed "];
    match wanted.iter().find(|words| !said.contains(**words)) {
        Some(words) => Err(format!("the message does not say `{words}`:\n{said}")),
        None => Ok(()),
    }
}

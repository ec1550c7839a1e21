//! What lt can tell about itself: `lt explain`.

use lt_lang::codes::{ALL, Code, CodeRow};
use lt_lang::diagnostic::{Diagnostic, nearest};
use std::fmt::Write as _;

/// The text of `lt explain CODE`; without a code, the table of all.
pub fn explain(code: Option<&str>) -> Result<String, Diagnostic> {
    let Some(code) = code else {
        return Ok(ALL.iter().map(|row| format!("{}  {}\n", row.code, row.title)).collect());
    };
    match Code::lookup(code) {
        Some(found) => Ok(explanation(found.row())),
        None => {
            let names: Vec<String> = ALL.iter().map(|row| row.code.to_string()).collect();
            let near = nearest(code, names.iter().map(String::as_str));
            let mut diagnostic = Diagnostic::error(Code::Usage, format!("there is no diagnostic code `{code}`"));
            if let Some(near) = near {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            Err(diagnostic.help("`lt explain` alone lists all codes"))
        }
    }
}

fn explanation(row: &CodeRow) -> String {
    let mut text = format!("{}: {}\n\n", row.code, row.title);
    let mut column = 0;
    for word in row.explanation.split(' ') {
        if column > 0 && column + word.len() >= 80 {
            text.push('\n');
            column = 0;
        }
        if column > 0 {
            text.push(' ');
        }
        text.push_str(word);
        column += word.len() + 1;
    }
    let _ = write!(text, "\n\nExample: {}\nExit status: {}\n", row.example, row.status as i32);
    text
}

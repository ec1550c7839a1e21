//! What lt can tell about itself, from the language's tables: `lt doc`, `lt explain`.

use lt_lang::builtins::{self, Form, Param};
use lt_lang::codes::{ALL, Code, CodeRow};
use lt_lang::diagnostic::{Diagnostic, nearest};
use lt_lang::kernel::{FEATURES, Kernel};
use lt_lang::types::RecordKind;
use lt_lang::{aggregations, columns, config, probes};
use std::fmt::Write as _;

/// An entry of the reference.
struct Entry {
    /// Whose table it is from.
    section: &'static str,
    name: &'static str,
    /// Other names.
    aliases: &'static [&'static str],
    /// As it is written.
    form: String,
    doc: &'static str,
    example: &'static str,
}

/// All tables of the language, row by row.
fn entries() -> Vec<Entry> {
    let kinds = probes::ALL.iter().map(|row| Entry {
        section: "probes",
        name: row.name,
        aliases: row.aliases,
        form: row.name.to_string(),
        doc: row.doc,
        example: row.example,
    });
    let builtins = builtins::all().map(|row| Entry {
        section: "builtins and functions",
        name: row.name,
        aliases: &[],
        form: if row.form == Form::Value && row.params.is_empty() {
            row.name.into()
        } else {
            call(row.name, row.params)
        },
        doc: row.doc,
        example: row.example,
    });
    let aggregations = aggregations::ALL.iter().map(|row| Entry {
        section: "map functions",
        name: row.name,
        aliases: &[],
        form: call(row.name, row.params),
        doc: row.doc,
        example: row.example,
    });
    let settings = config::ALL.iter().map(|row| Entry {
        section: "settings",
        name: row.name,
        aliases: row.aliases,
        form: row.name.to_string(),
        doc: row.doc,
        example: "",
    });
    let columns = columns::ALL.iter().map(|row| Entry {
        section: "columns of tables",
        name: row.name,
        aliases: &[],
        form: row.form(),
        doc: row.doc,
        example: row.example,
    });
    kinds.chain(builtins).chain(aggregations).chain(columns).chain(settings).collect()
}

/// `lhist(n, min, max, step)`, `str(address[, length])`
fn call(name: &str, params: &[Param]) -> String {
    let mut text = format!("{name}(");
    for (at, param) in params.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let _ = if param.optional {
            write!(text, "[{comma}{}]", param.name)
        } else {
            write!(text, "{comma}{}", param.name)
        };
    }
    text + ")"
}

/// The text of `lt doc [NAME]`: the entry of this name, or the list of all.
pub fn reference(name: Option<&str>) -> Result<String, Diagnostic> {
    let entries = entries();
    let Some(name) = name else {
        let mut text = String::new();
        let mut section = "";
        for entry in &entries {
            if entry.section != section {
                let _ = writeln!(text, "{}{}", if section.is_empty() { "" } else { "\n" }, entry.section);
                section = entry.section;
            }
            let _ = writeln!(text, "  {:<28} {}", entry.form, entry.doc);
        }
        return Ok(text);
    };
    let found: Vec<&Entry> =
        entries.iter().filter(|entry| entry.name == name || entry.aliases.contains(&name)).collect();
    if found.is_empty() {
        let names = entries.iter().flat_map(|entry| std::iter::once(entry.name).chain(entry.aliases.iter().copied()));
        let near = nearest(name, names);
        let diagnostic = Diagnostic::error(Code::Usage, format!("nothing of the language is called `{name}`"));
        let diagnostic = near.map_or(diagnostic.clone(), |near| diagnostic.help(format!("did you mean `{near}`?")));
        return Err(diagnostic.help("`lt doc` alone lists all names"));
    }
    Ok(found.iter().map(|entry| describe(entry)).collect::<Vec<_>>().join("\n"))
}

fn describe(entry: &Entry) -> String {
    let mut text = format!("{} ({})\n  {}\n", entry.form, entry.section, entry.doc);
    if !entry.aliases.is_empty() {
        let _ = writeln!(text, "  Also: {}", entry.aliases.join(", "));
    }
    if !entry.example.is_empty() {
        let _ = writeln!(text, "  Example: {}", entry.example);
    }
    text
}

/// The text of `lt --info`: what lt and the kernel can do, a line each; features that bpftrace names have its words.
pub fn info(kernel: &dyn Kernel) -> String {
    let yes = |flag: bool| if flag { "yes" } else { "no" };
    let mut text =
        format!("lt {}\nArch: {}\n\nKernel {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, kernel.version());
    let btf = kernel.record(RecordKind::Struct, "task_struct").is_ok_and(|found| found.is_some());
    let _ = writeln!(text, "  btf: {}", yes(btf));
    // iterators and debug information depend on nothing else
    let mut words: Vec<(&str, bool)> = vec![("iter", btf), ("libdw (DWARF support)", true)];
    for row in FEATURES {
        let has = kernel.has(row.feature);
        let _ = writeln!(text, "  {}: {}", row.doc, yes(has));
        words.extend(row.word.map(|word| (word, has)));
    }
    let _ = writeln!(text, "\nIn bpftrace's words");
    for (word, has) in words {
        let _ = writeln!(text, "  {word}: {}", yes(has));
    }
    text
}

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

//! `lt fmt`: formatting keeps the tree and is done after one time, for every script that is at hand.

use crate::generate;
use crate::support::{case_files, lt};
use libtest_mimic::{Completion, Failed, Trial};
use lt_lang::source::SourceMap;
use std::path::{Path, PathBuf};

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    let plain = |name: &str, test: fn() -> Result<(), String>| Trial::test(name, move || test().map_err(Failed::from));
    vec![
        plain("format::scripts_of_the_tests", repository),
        plain("format::examples_of_the_reference", reference),
        plain("format::random_scripts", random),
        plain("format::the_command", command),
        Trial::ignorable_test("format::scripts_of_bpftrace", peers),
    ]
}

/// The tree without places, and the messages.
fn tree(text: &str) -> (String, usize) {
    let mut sources = SourceMap::default();
    let file = sources.add("test", text);
    let (ast, messages) = lt_lang::parse_import(&sources, file, 0);
    let mut shape = String::new();
    let debug = format!("{ast:?}");
    let mut rest = debug.as_str();
    while let Some(at) = rest.find("Span {") {
        shape.push_str(rest.get(..at).unwrap_or_default());
        let behind = rest.get(at..).unwrap_or_default();
        // a file's number stands in braces of its own
        rest = behind.find('}').and_then(|end| behind.get(end + 1..)).unwrap_or_default();
    }
    shape.push_str(rest);
    (shape.replace("angle: true", "angle: false"), messages.iter().count())
}

fn format(text: &str, keep_angles: bool) -> Result<String, String> {
    let mut sources = SourceMap::default();
    let file = sources.add("test", text);
    lt_lang::fmt::format(&sources, file, keep_angles).map_err(|messages| {
        let texts: Vec<String> = messages.into_sorted().into_iter().map(|message| message.message).collect();
        texts.join("; ")
    })
}

/// Formats a script that parses, twice, and compares the trees.
fn round_trip(name: &str, text: &str) -> Result<(), String> {
    let (before, messages) = tree(text);
    if messages > 0 {
        return Err(format!("{name} does not parse"));
    }
    for keep_angles in [false, true] {
        let once = format(text, keep_angles).map_err(|why| format!("{name}: {why}\n{text}"))?;
        if tree(&once) != (before.clone(), 0) {
            return Err(format!("{name}: the tree changed\n{text}\n---- formatted\n{once}"));
        }
        let twice = format(&once, keep_angles).map_err(|why| format!("{name}, formatted: {why}\n{once}"))?;
        if twice != once {
            return Err(format!("{name}: formatted again it changes\n---- once\n{once}\n---- twice\n{twice}"));
        }
        let count = |text: &str| text.matches("//").count() + text.matches("/*").count();
        if count(text) != count(&once) {
            return Err(format!("{name}: a comment is lost\n{text}\n---- formatted\n{once}"));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn repository() -> Result<(), String> {
    let mut count = 0;
    for folder in ["ui", "codegen", "generate/cases"] {
        for path in case_files(folder, &["lt", "bt"]) {
            // scripts that show messages may hold what is no text
            let Ok(text) = read(&path) else { continue };
            if tree(&text).1 == 0 {
                round_trip(&path.display().to_string(), &text)?;
                count += 1;
            }
        }
    }
    if count < 40 { Err(format!("only {count} scripts")) } else { Ok(()) }
}

/// The blocks of code in a page, of the language that they name.
fn blocks<'t>(page: &'t str, language: &str) -> Vec<&'t str> {
    let opening = format!("```{language}\n");
    page.split(&opening).skip(1).filter_map(|block| block.split("```").next()).collect()
}

fn reference() -> Result<(), String> {
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md"))?;
    let found = [blocks(&page, "lt"), blocks(&page, "lt-later")].concat();
    if found.len() < 20 {
        return Err(format!("only {} examples", found.len()));
    }
    found.iter().try_for_each(|block| round_trip("an example", block))
}

fn random() -> Result<(), String> {
    generate::texts(300).iter().try_for_each(|text| round_trip("a random script", text))
}

/// The tools of bpftrace, when its package is among the peers; all of them have to parse.
fn peers() -> Result<Completion, Failed> {
    let cache = std::env::var_os("LT_CACHE").map(PathBuf::from).or_else(|| {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        Some(base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?.join("lt"))
    });
    let share = cache.unwrap_or_default().join("peers/usr");
    let tools = ["sbin", "bin", "share/bpftrace/tools"].map(|folder| share.join(folder));
    let mut count = 0;
    for entry in tools.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "bt") {
            continue;
        }
        round_trip(&path.display().to_string(), &read(&path)?)?;
        count += 1;
    }
    match count {
        0 => Ok(Completion::ignored_with("needs bpftrace's tools: tools/peers")),
        _ => Ok(Completion::Completed),
    }
}

fn command() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("a.lt");
    let write = |text: &str| std::fs::write(&path, text).map_err(|error| error.to_string());
    write("begin<printf(\"a\" )>")?;
    let name = path.to_string_lossy().into_owned();
    let wanted = "begin { printf(\"a\") }\n";
    let shown = lt(["fmt", &name]);
    let differs = lt(["fmt", "--check", &name]);
    let written = lt(["fmt", "--write", &name]);
    let same = lt(["fmt", "--check", &name]);
    let inline = lt(["-e", "begin<printf(\"a\" )>", "fmt"]);
    let statuses = [shown.status, differs.status, written.status, same.status, inline.status];
    if statuses != [0, 1, 0, 0, 0] {
        return Err(format!("statuses {statuses:?}\n{}{}", differs.stderr, written.stderr));
    }
    if shown.stdout != wanted || read(&path)? != wanted || !written.stdout.is_empty() {
        return Err(format!("formatted: {:?}, written: {:?}", shown.stdout, read(&path)?));
    }
    if inline.stdout != "begin < printf(\"a\") >\n" {
        return Err(format!("of -e: {:?}", inline.stdout));
    }
    write("begin {")?;
    let broken = lt(["fmt", "--write", &name]);
    if broken.status != 1 || read(&path)? != "begin {" {
        return Err(format!("what does not parse is left alone: {}", broken.stderr));
    }
    Ok(())
}

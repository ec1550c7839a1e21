//! The script library: what a name means, and what is made of the declarations of scripts.

use crate::support::{Ran, expect, lt, lt_path, on_kernel, run};
use libtest_mimic::{Failed, Trial};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    let plain = |name: &str, test: fn() -> Result<(), String>| {
        Trial::test(format!("library::{name}"), move || test().map_err(Failed::from))
    };
    vec![
        plain("names_are_found_in_order", names),
        plain("list_cat_help", list_cat_help),
        plain("completion", completion),
        plain("manual_pages", manual_pages),
        on_kernel("library::bundled_scripts_compile", bundled),
        on_kernel("library::a_script_is_a_program", program),
        on_kernel("library::opens", opens),
    ]
}

/// lt with these folders for scripts, in this folder.
fn lt_in(folder: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(lt_path());
    command.args(words).current_dir(folder.join("here")).env("LT_PATH", folder.join("path"));
    command.env("XDG_DATA_HOME", folder.join("data")).env_remove("HOME");
    run(&mut command)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text)).map_err(|error| error.to_string())
}

fn names() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let at = folder.path();
    let script = |word: &str| format!("//! Says {word}.\nbegin {{ print(\"{word}\") }}\n");
    write(&at.join("here/here-only.lt"), &script("wrong"))?;
    write(&at.join("here/both.lt"), &script("wrong"))?;
    write(&at.join("path/both.lt"), &script("path"))?;
    write(&at.join("data/lt/both.lt"), &script("data"))?;
    write(&at.join("data/lt/mine.bt"), &script("mine"))?;
    write(&at.join("path/list.lt"), &script("wrong"))?;
    let says = |name: &str, word: &str| {
        let ran = lt_in(at, &["--emit", "hir", name]);
        expect(ran.status == 0 && ran.stdout.contains(word), &format!("{name} is the one that says {word}"), &ran)
    };
    says("both", "path")?;
    says("mine", "mine")?;
    let ran = lt_in(at, &["--emit", "hir", "run", "both"]);
    expect(ran.status == 0 && ran.stdout.contains("path"), "run is the long form", &ran)?;
    let ran = lt_in(at, &["here-only"]);
    let told = ran.status == 2 && ran.stderr.contains("no command or bundled script `here-only`");
    expect(told && ran.stderr.contains("./here-only"), "the current folder is not looked into", &ran)?;
    let ran = lt_in(at, &["bothh"]);
    expect(ran.status == 2 && ran.stderr.contains("did you mean `both`?"), "the nearest name", &ran)?;
    let ran = lt_in(at, &["../path/both"]);
    expect(ran.status == 2, "with a slash it is a file", &ran)?;
    let ran = lt_in(at, &["list"]);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("both")).collect();
    expect(lines.len() == 1 && ran.stdout.contains("Says path."), "list has each name once", &ran)?;
    let ran = lt_in(at, &["--emit", "hir", "run", "list"]);
    expect(ran.status == 0 && ran.stdout.contains("wrong"), "run is for names that commands have", &ran)
}

fn list_cat_help() -> Result<(), String> {
    let ran = lt(["list"]);
    expect(ran.status == 0 && ran.stdout.contains("opens  Files that are opened, a row each.\n"), "a line each", &ran)?;
    let ran = lt(["cat", "opens"]);
    expect(ran.stdout.starts_with("#!/usr/bin/env lt\n//! Files that are opened"), "the text itself", &ran)?;
    let (help, same) = (lt(["help", "opens"]), lt(["opens", "--help"]));
    expect(help.stdout == same.stdout && help.status == 0, "help NAME is NAME --help", &help)?;
    expect(help.stdout.contains("\nUSAGE:\n       lt opens [OPTIONS] [RUN]\n"), "the way that it is called", &help)?;
    for (words, wanted) in [
        (&["cat"][..], "`lt cat` needs the name of a script"),
        (&["cat", "nothing"], "no command or bundled script `nothing`"),
        (&["help", "nothing"], "no command or bundled script `nothing`"),
        (&["list", "more"], "`lt list` takes nothing"),
        (&["run"], "`lt run` needs a script"),
    ] {
        let ran = lt(words);
        expect(ran.status == 2 && ran.stderr.contains(wanted), &format!("{words:?}: {wanted}"), &ran)?;
    }
    Ok(())
}

fn completion() -> Result<(), String> {
    for shell in ["bash", "zsh", "fish"] {
        for (words, wanted) in [(&["completion", shell][..], "opens"), (&["completion", shell, "opens"], "failed")] {
            let ran = lt(words);
            expect(ran.status == 0 && ran.stdout.contains(wanted), &format!("{words:?} knows {wanted}"), &ran)?;
        }
    }
    // bash itself completes an option of a script, and a script's name
    let ask = |words: &str, index: usize| {
        let script = format!(
            "source <(\"$LT\" completion bash); COMP_WORDS=({words}); COMP_CWORD={index}; _lt lt \"${{COMP_WORDS[{index}]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        run(Command::new("bash").args(["-c", &script]).env("LT", lt_path()))
    };
    let ran = ask("lt opens --fa", 2);
    expect(ran.stdout.trim() == "--failed", "an option of a script", &ran)?;
    let ran = ask("lt open", 1);
    expect(ran.stdout.trim() == "opens", "the name of a script", &ran)?;
    let ran = lt(["completion", "tcsh"]);
    expect(ran.status == 2 && ran.stderr.contains("no completion for `tcsh`"), "an unknown shell", &ran)
}

fn manual_pages() -> Result<(), String> {
    let ran = lt(["man", "opens"]);
    let page = ran.stdout.contains(".TH opens") && ran.stdout.contains("Only what could not be opened");
    expect(ran.status == 0 && page, "the manual page of a script", &ran)?;
    let ran = lt(["man"]);
    expect(ran.status == 0 && ran.stdout.contains(".TH lt"), "the manual page of lt", &ran)
}

fn bundled() -> Result<(), String> {
    let listed = lt(["list"]).stdout;
    for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        let ran = lt(["check", name]);
        expect(ran.status == 0 && ran.stderr.is_empty(), &format!("{name} compiles without a message"), &ran)?;
    }
    Ok(())
}

/// A script with `#!` in its first line, found through PATH, with options of its own.
fn program() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("greet");
    let text = "param name -n: string; begin { printf(\"hello %s\\n\", name); exit() }";
    write(&path, &format!("#!{}\n{text}\n", lt_path()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    let ran = run(Command::new("sh")
        .args(["-c", "greet -n you"])
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display())));
    expect(ran.status == 0 && ran.stdout.contains("hello you"), "the script runs as a program", &ran)
}

/// What a process opens, and fails to open, against what it does.
fn opens() -> Result<(), String> {
    let shell = "-cpython3 -c 'import os\nfor i in range(3): os.close(os.open(\"/etc/passwd\", 0))\ntry: os.open(\"/no/such\", 0)\nexcept OSError: pass'";
    let ran = lt([shell, "-f", "csv", "opens", "-c", "python3"]);
    let rows = |path: &str| ran.stdout.lines().filter(|line| line.ends_with(&format!(",{path}"))).count();
    expect(ran.status == 0 && rows("/etc/passwd") == 3 && rows("/no/such") == 1, "each file that is opened", &ran)?;
    expect(ran.stdout.lines().any(|line| line.ends_with(",ENOENT,/no/such")), "the error by its name", &ran)?;
    let ran = lt([shell, "-f", "csv", "opens", "-c", "python3", "--failed"]);
    expect(!ran.stdout.contains("/etc/passwd") && ran.stdout.contains("/no/such"), "failures alone", &ran)
}

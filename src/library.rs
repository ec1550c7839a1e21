//! Scripts that are called by their names: those of the folders of LT_PATH, of the user's data folder, and the bundled ones.
//! The current folder is never looked into.

use crate::input::{Script, read_script};
use lt_lang::diagnostic::Diagnostic;
use std::path::PathBuf;

/// Endings of the files of scripts.
const ENDINGS: &[&str] = &["lt", "bt"];

/// A script of the library.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called by.
    pub name: String,
    /// The file that it is; bundled ones are none.
    pub file: Option<PathBuf>,
}

/// The script of this name, when there is one; what comes first in the order above counts.
pub fn find(name: &str) -> Option<Result<Script, Diagnostic>> {
    if !is_name(name) {
        return None;
    }
    let paths = folders().into_iter().flat_map(|folder| ENDINGS.iter().map(move |ending| (folder.clone(), ending)));
    let mut files = paths.map(|(folder, ending)| folder.join(format!("{name}.{ending}")));
    if let Some(file) = files.find(|file| file.is_file()) {
        return Some(read_script(&file.to_string_lossy()));
    }
    bundled(name).map(|text| Ok(Script::new(name, text.to_string())))
}

fn bundled(name: &str) -> Option<&'static str> {
    lt_scripts::ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// All scripts that can be called by a name, in the order of the names.
pub fn all() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for file in folders().iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten().map(|row| row.path()) {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_string();
        let known = entries.iter().any(|entry| entry.name == name);
        if ENDINGS.contains(&ending) && is_name(&name) && file.is_file() && !known {
            entries.push(Entry { name, file: Some(file) });
        }
    }
    for (name, _) in lt_scripts::ALL {
        if !entries.iter().any(|entry| entry.name == *name) {
            entries.push(Entry { name: (*name).to_string(), file: None });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

/// Names of all scripts, for suggestions.
pub fn names() -> Vec<String> {
    all().into_iter().map(|entry| entry.name).collect()
}

/// Where scripts are looked for, best first. What is no absolute path would depend on the current folder.
fn folders() -> Vec<PathBuf> {
    let listed = std::env::var_os("LT_PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&listed).collect();
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let data = std::env::var_os("XDG_DATA_HOME").filter(|data| !data.is_empty()).map(PathBuf::from).or_else(home);
    folders.extend(data.map(|data| data.join("lt")));
    folders.retain(|folder| folder.is_absolute());
    folders
}

/// Whether a word can be the name of a script.
fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

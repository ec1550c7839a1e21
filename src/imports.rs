//! `import "file";`: finds, reads and parses what a script imports, each file once.

use crate::input::{read_file, reason};
use lt_lang::ast::{Ast, Import};
use lt_lang::codes::Code;
use lt_lang::diagnostic::{Diagnostic, Diagnostics};
use lt_lang::source::SourceMap;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Endings of the names of scripts.
const SCRIPTS: &[&str] = &["lt", "bt"];

/// Endings of other files that bpftrace imports.
const OTHERS: &[&str] = &["h", "c"];

/// Adds to the tree of a script what it imports, directly and further on. `script` is the script's name: paths start
/// from the folder that it is in, or from the current one when it is no file.
pub fn load(ast: &mut Ast, sources: &mut SourceMap, script: &Path) -> Diagnostics {
    let imports = std::mem::take(&mut ast.imports);
    let own = script.canonicalize().ok().filter(|path| path.is_file());
    let folder = script.parent().filter(|_| own.is_some()).unwrap_or(Path::new("")).to_path_buf();
    let mut loader =
        Loader { sources, seen: HashSet::new(), chain: own.into_iter().collect(), out: Diagnostics::default() };
    for import in &imports {
        loader.import(import, &folder, ast);
    }
    loader.out
}

struct Loader<'a> {
    sources: &'a mut SourceMap,
    seen: HashSet<PathBuf>,
    /// The files that are being imported, outermost first.
    chain: Vec<PathBuf>,
    out: Diagnostics,
}

impl Loader<'_> {
    fn import(&mut self, import: &Import, folder: &Path, ast: &mut Ast) {
        let path = folder.join(&import.path);
        let found = path.canonicalize().and_then(|path| match path.is_dir() {
            true => scripts_in(&path),
            false => Ok(vec![path]),
        });
        match found {
            Ok(files) => files.iter().for_each(|file| self.file(file, import, ast)),
            Err(error) => {
                let message = format!("`{}` cannot be imported: {}", import.path, reason(&error));
                let diagnostic = self.refuse(message, import);
                let place = format!("looked for as {}", path.display());
                self.out.push(if path == Path::new(&import.path) { diagnostic } else { diagnostic.note(place) });
            }
        }
    }

    fn refuse(&self, message: String, import: &Import) -> Diagnostic {
        Diagnostic::error(Code::BadImport, message).at(import.path_span, "")
    }

    fn file(&mut self, path: &Path, import: &Import, ast: &mut Ast) {
        if self.chain.iter().any(|open| open == path) {
            let names: Vec<String> = self.chain.iter().chain([&path.to_path_buf()]).map(|path| name_of(path)).collect();
            let message = format!("the import goes in a circle: {}", names.join(" > "));
            let diagnostic = self.refuse(message, import);
            return self.out.push(diagnostic);
        }
        if !self.seen.insert(path.to_path_buf()) {
            return;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if OTHERS.contains(&ending) {
            let message = format!("imports of `.{ending}` files are not supported yet");
            return self.out.push(Diagnostic::error(Code::NotSupported, message).at(import.path_span, ""));
        }
        let name = path.display().to_string();
        let text = match read_file(&name) {
            Ok(text) => text,
            Err(error) => {
                let diagnostic = self.refuse(format!("`{}` cannot be imported", import.path), import);
                return self.out.push(diagnostic.note(error.message));
            }
        };
        let file = self.sources.add(name, text);
        let (mut imported, found) = lt_lang::parse_import(self.sources, file, ast.node_count);
        self.out.extend(found);
        if let Some(entry) = imported.config.first() {
            let diagnostic = Diagnostic::error(Code::BadImport, "only the script that is run has a config block");
            self.out.push(diagnostic.at(entry.name.span, "this one is imported"));
        }
        ast.node_count = imported.node_count;
        let further = std::mem::take(&mut imported.imports);
        ast.import(imported);
        self.chain.push(path.to_path_buf());
        let folder = path.parent().unwrap_or(Path::new("."));
        for import in &further {
            self.import(import, folder, ast);
        }
        self.chain.pop();
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The scripts in a folder, by name.
fn scripts_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let known = path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| SCRIPTS.contains(&ending));
        if known && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

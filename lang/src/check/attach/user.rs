//! Functions of programs and libraries: `uprobe:FILE:FUNCTION`, `uprobe:FILE:FUNCTION+OFFSET`, `uprobe:FILE:ADDRESS`,
//! `uprobe:FILE:cpp:"FUNCTION"`.

use super::{Expander, Point, is_wild, new_point, parse_number, split_offset};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest::nearest_of_many;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::{Feature, KernelError, UserFile, UserFunction, wildcard_match};
use crate::manifest::{Attach, UserPlace};
use crate::probes::{ProbeKind, ProbeRow};
use crate::source::Span;
use std::rc::Rc;

/// What stands in front of a function's name to say that it is the source's and not the linker's.
const CPP: &str = "cpp";

/// A probe as it is written: the kind's row, its place, and what stands behind the file's name.
struct Wanted<'a> {
    row: &'static ProbeRow,
    written: &'a AttachPoint,
    target: Ident,
    /// The name is the one of the C++ source.
    cpp: bool,
}

impl Wanted<'_> {
    /// The point at an address, named after what was written or found there.
    fn point(&self, file: &UserFile, text: &str, function: &str, offset: u64) -> Point {
        let attach =
            Attach::Uprobe { path: file.path.clone(), function: function.to_string(), offset, ret: self.is_return() };
        new_point(self.row, format!("{}:{}:{text}", self.row.name, file.shown), attach, self.written.span)
    }

    fn is_return(&self) -> bool {
        self.row.kind == ProbeKind::Uretprobe
    }
}

impl Expander<'_> {
    pub(super) fn user_function(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let Some((file, rest)) = parts.split_first().filter(|(_, rest)| rest.iter().any(|part| !part.text.is_empty()))
        else {
            let message = format!("a `{}` probe needs a file and a function in it", row.name);
            return self.malformed(written.span, message, &format!("{0}:FILE:FUNCTION or {0}:FILE:ADDRESS", row.name));
        };
        let (rest, cpp) = match rest {
            [language, rest @ ..] if language.text == CPP && !rest.is_empty() => (rest, true),
            rest => (rest, false),
        };
        let texts: Vec<&str> = rest.iter().map(|part| part.text.as_str()).collect();
        let span = rest.first().zip(rest.last()).map_or(written.span, |(a, b)| a.span.to(b.span));
        let wanted = Wanted { row, written, target: Ident { text: texts.join(":"), span }, cpp };
        if let Some((program, source)) = self.source_place(file) {
            return self.source_line(&wanted, &program, &source);
        }
        if is_wild(&file.text) || file.text.is_empty() {
            let files = self.user_files(file)?;
            return self.user_matches(&wanted, &files, &file.text);
        }
        if let Some(point) = self.flat_file(&wanted, file) {
            return Some(vec![point]);
        }
        let found = self.user_file(file)?;
        // an operator's name can hold a star
        if cpp || (is_wild(&wanted.target.text) && found.function(&wanted.target.text).is_none()) {
            return self.user_matches(&wanted, &[found], &file.text);
        }
        if let Some(address) = parse_number(&wanted.target.text) {
            return self.user_address(&wanted, &found, address);
        }
        self.one_user_function(&wanted, &found)
    }

    /// `FILE@SOURCE`, unless there is a file of that name.
    fn source_place(&self, file: &Ident) -> Option<(Ident, String)> {
        let (program, source) = file.text.rsplit_once('@')?;
        if source.is_empty() || program.is_empty() || matches!(self.kernel.user_file(&file.text), Ok(Some(_))) {
            return None;
        }
        Some((Ident { text: program.to_string(), span: file.span }, source.to_string()))
    }

    /// `FILE@SOURCE:LINE`, `FILE@SOURCE:LINE:COLUMN`: where the line begins in each function that has it.
    fn source_line(&mut self, wanted: &Wanted<'_>, program: &Ident, source: &str) -> Option<Vec<Point>> {
        let form = format!("{}:FILE@SOURCE:LINE or {0}:FILE@SOURCE:LINE:COLUMN", wanted.row.name);
        let text = wanted.target.text.as_str();
        let (line, column) = text.split_once(':').map_or((text, None), |(line, column)| (line, Some(column)));
        let column = column.map(parse_number);
        let (Some(line), Some(column), false) =
            (parse_number(line), column.map_or(Some(None), |c| c.map(Some)), wanted.is_return())
        else {
            return self.malformed(wanted.target.span, format!("`{text}` is no line of a source"), &form);
        };
        let file = self.user_file(program)?;
        let Some(addresses) = self.kernel.source_line(&file, source, line, column) else {
            let message = format!("`{}` has no debug information that lt can read", file.path);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(program.span, "needs it");
            return self.refuse(diagnostic.help("build it with -g, or name a function"));
        };
        let mut seen = std::collections::HashSet::new();
        let mut points = Vec::new();
        for address in addresses {
            let function = file.function_at(address).map_or("", |function| function.name.as_str());
            let Some(offset) = file.offset(address).filter(|_| seen.insert(function)) else { continue };
            let point = wanted.point(&file, text, function, offset);
            let text = format!("{}:{}@{source}:{text}", wanted.row.name, file.shown);
            points.push(Point { text, probes: u32::from(points.is_empty()), ..point });
        }
        if points.is_empty() {
            let message = format!("no statement of `{}` begins at {source}:{text}", file.path);
            return self.refuse(Diagnostic::error(Code::NoSuchProbe, message).at(wanted.target.span, "no code here"));
        }
        Some(points)
    }

    /// With `--unsafe`: an address in a file that is no program, which is where it lies in the file.
    fn flat_file(&self, wanted: &Wanted<'_>, file: &Ident) -> Option<Point> {
        let offset = parse_number(&wanted.target.text).filter(|_| self.options.allow_unsafe)?;
        match self.kernel.user_file(&file.text) {
            Err(KernelError::Unreadable(_)) => {}
            _ => return None,
        }
        let unread = UserFile { path: file.text.clone(), shown: file.text.clone(), ..UserFile::default() };
        Some(wanted.point(&unread, &wanted.target.text, "", offset))
    }

    pub(super) fn user_file(&mut self, file: &Ident) -> Option<Rc<UserFile>> {
        let why = match self.kernel.user_file(&file.text) {
            Ok(Some(found)) => return Some(found),
            Ok(None) => None,
            Err(KernelError::NoBtf(why) | KernelError::NoTracefs(why) | KernelError::Unreadable(why)) => Some(why),
        };
        let message = match &why {
            None => format!("no program or library `{}`", file.text),
            Some(_) => format!("the functions of `{}` cannot be read", file.text),
        };
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message);
        self.refuse(match why {
            Some(why) => diagnostic.at(file.span, "this file").note(why),
            None if file.text.contains('/') => diagnostic.at(file.span, "no such file"),
            None => diagnostic
                .at(file.span, "not in the folders of programs and libraries")
                .help("write its path, or the name of a library without its ending: uprobe:libc:malloc"),
        })
    }

    /// One point for each function that matches, or one for all; several names of one place are several points, but one
    /// program runs there once.
    fn user_matches(&mut self, wanted: &Wanted<'_>, files: &[Rc<UserFile>], written: &str) -> Option<Vec<Point>> {
        let mut points = Vec::new();
        for file in files {
            for function in self.matching(wanted, file) {
                let Some(offset) = file.offset(function.address) else { continue };
                points.push(Point { matched: true, ..wanted.point(file, &function.name, &function.name, offset) });
            }
        }
        if points.len() > self.options.max_probes as usize {
            self.count += points.len();
            self.too_many(wanted.written.span);
            return None;
        }
        if points.is_empty() {
            return match files {
                [file] if wanted.cpp && !is_wild(&wanted.target.text) => {
                    self.no_such_user_function(wanted, file, &wanted.target.text)
                }
                _ => {
                    let message = format!("no function of `{written}` matches `{}`", wanted.target.text);
                    let diagnostic = Diagnostic::error(Code::NoSuchProbe, message);
                    self.refuse(diagnostic.at(wanted.target.span, "matches nothing"))
                }
            };
        }
        if points.len() > 1 && self.share && self.kernel.has(Feature::UprobeMulti) {
            return Some(vec![together(wanted, written, points)]);
        }
        Some(points)
    }

    fn matching<'f>(&self, wanted: &Wanted<'_>, file: &'f UserFile) -> Vec<&'f UserFunction> {
        let pattern = wanted.target.text.as_str();
        if !wanted.cpp {
            return file.functions.iter().filter(|function| wildcard_match(pattern, &function.name)).collect();
        }
        let fits = |function: &&UserFunction| {
            let name = self.kernel.demangle(&function.name);
            name.is_some_and(|name| {
                wildcard_match(pattern, &name) || wildcard_match(pattern, without_parameters(&name))
            })
        };
        file.functions.iter().filter(fits).collect()
    }

    /// `FUNCTION`, `FUNCTION+OFFSET`
    fn one_user_function(&mut self, wanted: &Wanted<'_>, file: &UserFile) -> Option<Vec<Point>> {
        let text = wanted.target.text.as_str();
        let (name, offset) = match split_offset(text).filter(|_| file.function(text).is_none()) {
            Some(found) => found,
            None => (text, 0),
        };
        let Some(function) = file.function(name) else { return self.no_such_user_function(wanted, file, name) };
        self.check_offset(wanted, function, offset)?;
        self.check_instruction(wanted, file, function, offset)?;
        match file.offset(function.address.wrapping_add(offset)) {
            Some(at) => Some(vec![wanted.point(file, text, name, at)]),
            None => self.not_code(wanted.target.span, file),
        }
    }

    fn check_offset(&mut self, wanted: &Wanted<'_>, function: &UserFunction, offset: u64) -> Option<()> {
        let span = wanted.target.span;
        if offset > 0 && wanted.is_return() {
            let message = format!("a `{}` probe has no offset", wanted.row.name);
            return self.malformed(span, message, &format!("{}:FILE:FUNCTION", wanted.row.name));
        }
        if offset > 0 && offset >= function.size {
            let message = format!("`{}` has {} bytes; offset {offset} is outside", function.name, function.size);
            return self.refuse(Diagnostic::error(Code::BadProbeTarget, message).at(span, "outside of the function"));
        }
        Some(())
    }

    /// A breakpoint inside of an instruction would break the program.
    fn check_instruction(
        &mut self,
        wanted: &Wanted<'_>,
        file: &UserFile,
        function: &UserFunction,
        offset: u64,
    ) -> Option<()> {
        let diagnostic = match self.kernel.is_instruction(file, function, offset) {
            Some(true) => return Some(()),
            Some(false) => {
                let message = format!("no instruction of `{}` begins at offset {offset}", function.name);
                Diagnostic::error(Code::BadProbeTarget, message).at(wanted.target.span, "in the middle of one")
            }
            None if self.options.allow_unsafe => return Some(()),
            None => {
                let message = format!("whether an instruction of `{}` begins here cannot be told", function.name);
                let diagnostic = Diagnostic::error(Code::BadProbeTarget, message);
                let diagnostic = diagnostic.at(wanted.target.span, "a probe in the middle of one breaks the program");
                diagnostic.help("--unsafe sets it all the same")
            }
        };
        self.refuse(diagnostic.help("`objdump -d` shows where instructions begin"))
    }

    /// `ADDRESS`, virtual, as the file has it.
    fn user_address(&mut self, wanted: &Wanted<'_>, file: &UserFile, address: u64) -> Option<Vec<Point>> {
        if wanted.is_return() && file.functions.iter().all(|found| found.address != address) {
            let message = format!("no function of `{}` begins at {address:#x}", file.path);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message);
            return self.refuse(diagnostic.at(wanted.target.span, "returns are probed where functions begin"));
        }
        if let Some(function) = file.function_at(address) {
            self.check_instruction(wanted, file, function, address - function.address)?;
        }
        let function = file.function_at(address).map_or("", |function| function.name.as_str());
        match file.offset(address) {
            Some(offset) => Some(vec![wanted.point(file, &wanted.target.text, function, offset)]),
            None => self.not_code(wanted.target.span, file),
        }
    }

    fn not_code<T>(&mut self, span: Span, file: &UserFile) -> Option<T> {
        let message = format!("there is no code at this address of `{}`", file.path);
        self.refuse(Diagnostic::error(Code::NoSuchProbe, message).at(span, "outside of the file's code"))
    }

    fn no_such_user_function<T>(&mut self, wanted: &Wanted<'_>, file: &UserFile, name: &str) -> Option<T> {
        let message = format!("`{}` has no function `{name}`", file.path);
        let span = wanted.target.span;
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(span, "not in its symbol tables");
        let names = file.functions.iter().map(|function| function.name.as_str());
        let found = nearest_of_many(name, names).filter(|_| name == wanted.target.text);
        let diagnostic = match (found, file.functions.len()) {
            (Some(found), _) => diagnostic.suggest(span, Some(found)),
            (None, 0) => diagnostic.note("the file has no symbols: it is stripped").help("probe an address instead"),
            (None, count) => diagnostic.note(format!("it has {count} functions, but not this one")),
        };
        self.refuse(diagnostic.help(format!("`lt -l '{}:{}:*'` lists them", wanted.row.name, file.path)))
    }
}

/// One program for all the places of several points.
fn together(wanted: &Wanted<'_>, file: &str, points: Vec<Point>) -> Point {
    let (probes, mut places) = (points.len() as u32, Vec::with_capacity(points.len()));
    for point in points {
        let Attach::Uprobe { path, offset, .. } = point.attach else { continue };
        let place = UserPlace { path, offset };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let text = format!("{}:{file}:{}", wanted.row.name, wanted.target.text);
    let point =
        new_point(wanted.row, text, Attach::UprobeMulti { places, ret: wanted.is_return() }, wanted.written.span);
    Point { probes, matched: true, ..point }
}

/// `ns::f` of `ns::f(int)`; template arguments and operators can hold brackets too, so the last ones are meant.
fn without_parameters(name: &str) -> &str {
    let Some(end) = name.rfind(')') else { return name };
    let mut depth = 0;
    for (at, c) in name.char_indices().rev().skip_while(|(at, _)| *at > end) {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return name.get(..at).unwrap_or(name);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::without_parameters;

    #[test]
    fn parameters() {
        for (name, bare) in [
            ("ns::f(int)", "ns::f"),
            ("f", "f"),
            ("g(void (*)(int), char) const", "g"),
            ("operator()(int)", "operator()"),
            ("broken)", "broken)"),
        ] {
            assert_eq!(without_parameters(name), bare);
        }
    }
}

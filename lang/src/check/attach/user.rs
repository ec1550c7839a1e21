//! Functions of programs and libraries: `uprobe:FILE:FUNCTION`, `uprobe:FILE:FUNCTION+OFFSET`, `uprobe:FILE:ADDRESS`.

use super::{Expander, Point, is_wild, new_point};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest::nearest_of_many;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::{KernelError, UserFile, UserFunction};
use crate::manifest::Attach;
use crate::probes::{ProbeKind, ProbeRow};
use crate::source::Span;
use std::rc::Rc;

/// A probe as it is written: the kind's row, its place, and what stands behind the file's name.
struct Wanted<'a> {
    row: &'static ProbeRow,
    written: &'a AttachPoint,
    target: Ident,
}

impl Wanted<'_> {
    /// The point at an address, named after what was written or found there.
    fn point(&self, file: &UserFile, text: &str, function: &str, offset: u64) -> Point {
        let attach = Attach::Uprobe {
            path: file.path.clone(),
            function: function.to_string(),
            offset,
            ret: self.row.kind == ProbeKind::Uretprobe,
        };
        new_point(self.row, format!("{}:{}:{text}", self.row.name, file.path), attach, self.written.span)
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
        let texts: Vec<&str> = rest.iter().map(|part| part.text.as_str()).collect();
        let span = rest.first().zip(rest.last()).map_or(written.span, |(a, b)| a.span.to(b.span));
        let wanted = Wanted { row, written, target: Ident { text: texts.join(":"), span } };
        let file = self.user_file(file)?;
        if is_wild(&wanted.target.text) {
            return self.user_matches(&wanted, &file);
        }
        if let Some(address) = parse_number(&wanted.target.text) {
            return self.user_address(&wanted, &file, address);
        }
        self.one_user_function(&wanted, &file)
    }

    fn user_file(&mut self, file: &Ident) -> Option<Rc<UserFile>> {
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

    /// One point for each function that matches; several names of one place are several points.
    fn user_matches(&mut self, wanted: &Wanted<'_>, file: &UserFile) -> Option<Vec<Point>> {
        let functions: Vec<&UserFunction> = file.matching(&wanted.target.text).collect();
        if functions.len() > self.options.max_probes as usize {
            self.count += functions.len();
            self.too_many(wanted.written.span);
            return None;
        }
        let placed = functions.into_iter().filter_map(|function| Some((function, file.offset(function.address)?)));
        let points: Vec<Point> =
            placed.map(|(function, offset)| wanted.point(file, &function.name, &function.name, offset)).collect();
        if points.is_empty() {
            let message = format!("no function of `{}` matches `{}`", file.path, wanted.target.text);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message);
            return self.refuse(diagnostic.at(wanted.target.span, "matches nothing in this file"));
        }
        Some(points)
    }

    /// `FUNCTION`, `FUNCTION+OFFSET`
    fn one_user_function(&mut self, wanted: &Wanted<'_>, file: &UserFile) -> Option<Vec<Point>> {
        let text = wanted.target.text.as_str();
        let with_offset = text.rsplit_once('+').and_then(|(name, offset)| Some((name, parse_number(offset)?)));
        let (name, offset) = match with_offset.filter(|_| file.function(text).is_none()) {
            Some(found) => found,
            None => (text, 0),
        };
        let Some(function) = file.function(name) else { return self.no_such_user_function(wanted, file, name) };
        self.check_offset(wanted, function, offset)?;
        match file.offset(function.address.wrapping_add(offset)) {
            Some(at) => Some(vec![wanted.point(file, text, name, at)]),
            None => self.not_code(wanted.target.span, file),
        }
    }

    fn check_offset(&mut self, wanted: &Wanted<'_>, function: &UserFunction, offset: u64) -> Option<()> {
        let span = wanted.target.span;
        if offset > 0 && wanted.row.kind == ProbeKind::Uretprobe {
            let message = format!("a `{}` probe has no offset", wanted.row.name);
            return self.malformed(span, message, &format!("{}:FILE:FUNCTION", wanted.row.name));
        }
        if offset > 0 && offset >= function.size {
            let message = format!("`{}` has {} bytes; offset {offset} is outside", function.name, function.size);
            return self.refuse(Diagnostic::error(Code::BadProbeTarget, message).at(span, "outside of the function"));
        }
        Some(())
    }

    /// `ADDRESS`, virtual, as the file has it.
    fn user_address(&mut self, wanted: &Wanted<'_>, file: &UserFile, address: u64) -> Option<Vec<Point>> {
        if wanted.row.kind == ProbeKind::Uretprobe && file.functions.iter().all(|found| found.address != address) {
            let message = format!("no function of `{}` begins at {address:#x}", file.path);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message);
            return self.refuse(diagnostic.at(wanted.target.span, "returns are probed where functions begin"));
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

/// `42`, `0x2a`
fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok().filter(|_| text.bytes().all(|c| c.is_ascii_digit())),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_number;

    #[test]
    fn numbers() {
        assert_eq!(parse_number("0x2a"), Some(42));
        assert_eq!(parse_number("42"), Some(42));
        assert_eq!(parse_number("+1"), None);
        assert_eq!(parse_number("main"), None);
    }
}

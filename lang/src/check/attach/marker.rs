//! Markers that programs and libraries were built with: `usdt:FILE:PROVIDER:NAME`, `usdt:FILE:NAME`.

use super::{Expander, Point, is_wild, new_point};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest::nearest_of_many;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::{Marker, UserFile, wildcard_match};
use crate::manifest::{Attach, Operand};
use crate::probes::{ProbeRow, operands};
use crate::source::Span;
use std::rc::Rc;

/// Places of one marker that are told apart by where its arguments are.
struct Spec {
    arguments: Vec<Operand>,
    semaphore: u64,
    offsets: Vec<u64>,
}

impl Expander<'_> {
    pub(super) fn marker(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let (file, provider, name) = match parts {
            [file, name] => (file, "*", name),
            [file, provider, name] if provider.text.is_empty() => (file, "*", name),
            [file, provider, name] => (file, provider.text.as_str(), name),
            _ => {
                let message = format!("a `{}` probe needs a file and the name of a marker", row.name);
                let form = format!("{0}:FILE:NAME or {0}:FILE:PROVIDER:NAME", row.name);
                return self.malformed(written.span, message, &form);
            }
        };
        let files = self.user_files(file)?;
        let mut points = Vec::new();
        for found in &files {
            self.markers_of(row, written.span, found, (provider, &name.text), &mut points)?;
        }
        if points.is_empty() {
            return self.no_such_marker(row, file, name, &files);
        }
        let count: u32 = points.iter().map(|point| point.probes).sum();
        if count > self.options.max_probes {
            self.count += count as usize;
            self.too_many(written.span);
            return None;
        }
        Some(points)
    }

    /// The files that a target's first part means.
    pub(super) fn user_files(&mut self, file: &Ident) -> Option<Vec<Rc<UserFile>>> {
        if !is_wild(&file.text) && !file.text.is_empty() {
            return self.user_file(file).map(|found| vec![found]);
        }
        match self.kernel.user_files(&file.text) {
            Ok(found) if !found.is_empty() => Some(found),
            Ok(_) => {
                let message = format!("no program or library matches `{}`", file.text);
                self.refuse(Diagnostic::error(Code::NoSuchProbe, message).at(file.span, "matches no file"))
            }
            Err(error) => self.refuse(super::suggest::kernel_error(&error, file.span, "a list of files")),
        }
    }

    /// Markers with the same name and provider are one probe; those whose arguments are elsewhere are programs of it.
    fn markers_of(
        &mut self,
        row: &'static ProbeRow,
        span: Span,
        file: &UserFile,
        (provider, name): (&str, &str),
        points: &mut Vec<Point>,
    ) -> Option<()> {
        let fits = |marker: &&Marker| wildcard_match(provider, &marker.provider) && wildcard_match(name, &marker.name);
        let mut found: Vec<&Marker> = file.markers.iter().filter(fits).collect();
        found.sort_by(|a, b| (&a.provider, &a.name).cmp(&(&b.provider, &b.name)));
        for same in found.chunk_by(|a, b| a.provider == b.provider && a.name == b.name) {
            let Some(first) = same.first() else { continue };
            let text = format!("{}:{}:{}:{}", row.name, file.shown, first.provider, first.name);
            let matched = is_wild(name) || is_wild(provider);
            for (number, spec) in self.specs(file, same, span)?.into_iter().enumerate() {
                let Spec { arguments, semaphore, offsets } = spec;
                let attach = Attach::Usdt { path: file.path.clone(), offsets, semaphore, arguments };
                let point = new_point(row, text.clone(), attach, span);
                points.push(Point { probes: u32::from(number == 0), matched, ..point });
            }
        }
        Some(())
    }

    fn specs(&mut self, file: &UserFile, same: &[&Marker], span: Span) -> Option<Vec<Spec>> {
        let mut specs: Vec<Spec> = Vec::new();
        for marker in same {
            let arguments = match operands::parse(&marker.arguments) {
                Ok(arguments) => arguments,
                Err(operand) => {
                    let message = format!("the argument `{operand}` of `{}` cannot be read", marker.name);
                    let diagnostic = Diagnostic::error(Code::NotSupported, message).at(span, "in this marker");
                    return self.refuse(diagnostic);
                }
            };
            let Some(offset) = file.offset(marker.address) else { continue };
            let known = specs.iter_mut().find(|spec| spec.arguments == arguments && spec.semaphore == marker.semaphore);
            match known {
                Some(spec) => spec.offsets.push(offset),
                None => specs.push(Spec { arguments, semaphore: marker.semaphore, offsets: vec![offset] }),
            }
        }
        Some(specs)
    }

    fn no_such_marker(
        &mut self,
        row: &ProbeRow,
        file: &Ident,
        name: &Ident,
        files: &[Rc<UserFile>],
    ) -> Option<Vec<Point>> {
        let message = format!("no marker `{}` in `{}`", name.text, file.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(name.span, "not in the file's notes");
        let names = files.iter().flat_map(|file| &file.markers).map(|marker| marker.name.as_str());
        let diagnostic = match nearest_of_many(&name.text, names.clone()) {
            Some(near) => diagnostic.suggest(name.span, Some(near)),
            None if names.count() == 0 => diagnostic.note("it was built without markers"),
            None => diagnostic,
        };
        self.refuse(diagnostic.help(format!("`lt -l '{}:{}:*'` lists them", row.name, file.text)))
    }
}

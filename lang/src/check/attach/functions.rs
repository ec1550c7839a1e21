//! Kernel functions: `kprobe:FUNCTION`, `kprobe:MODULE:FUNCTION`, `kprobe:FUNCTION+OFFSET`, `kprobe:ADDRESS`, and the
//! same for the kinds that say less about the mechanism.

use super::{Expander, Point, is_wild, new_point, parse_number, split_offset};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::kernel::Feature;
use crate::manifest::Attach;
use crate::probes::{ProbeKind, ProbeRow};

/// A probe as it is written: the kind as written and the kind that does the work, its module and function.
struct Wanted<'a> {
    named: &'static ProbeRow,
    row: &'static ProbeRow,
    written: &'a AttachPoint,
    module: Option<&'a Ident>,
    function: &'a Ident,
}

impl Wanted<'_> {
    fn is_return(&self) -> bool {
        is_return(self.row.kind)
    }

    fn is_trampoline(&self) -> bool {
        is_trampoline(self.row.kind)
    }

    fn pattern(&self) -> String {
        match self.module {
            Some(module) => format!("{}:{}", module.text, self.function.text),
            None => self.function.text.clone(),
        }
    }

    /// The point at the entry (or return) of a function.
    fn point(&self, module: Option<&str>, name: &str) -> Point {
        let text = match module {
            Some(module) => format!("{}:{module}:{name}", self.named.name),
            None => format!("{}:{name}", self.named.name),
        };
        let (function, module, ret) = (name.to_string(), module.map(str::to_string), self.is_return());
        let attach = match self.is_trampoline() {
            true => Attach::Fentry { function, module, ret },
            false => Attach::Kprobe { function, module, offset: 0, address: None, ret },
        };
        new_point(self.row, text, attach, self.written.span)
    }
}

impl Expander<'_> {
    pub(super) fn function(
        &mut self,
        named: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let (module, function) = match parts {
            [function] => (None, function),
            [module, function] => (Some(module), function),
            _ => {
                let message = format!("a `{}` probe needs a function", named.name);
                let form = format!("{0}:FUNCTION or {0}:MODULE:FUNCTION", named.name);
                return self.malformed(written.span, message, &form);
            }
        };
        let wanted = Wanted { named, row: named, written, module, function };
        if let Some(address) = parse_number(&function.text) {
            return self.kernel_address(&wanted, address);
        }
        if let Some((name, offset)) = split_offset(&function.text) {
            return self.inside_function(&wanted, name, offset);
        }
        if is_wild(&function.text) || module.is_some_and(|module| is_wild(&module.text)) {
            return self.matching_functions(wanted);
        }
        self.one_function(wanted)
    }

    fn one_function(&mut self, mut wanted: Wanted<'_>) -> Option<Vec<Point>> {
        let found = match self.kernel.functions(&wanted.pattern()) {
            Ok(found) => found,
            Err(error) => return self.refuse(suggest::kernel_error(&error, wanted.function.span, "a function")),
        };
        let Some(name) = found.first() else { return self.no_such_function(&wanted) };
        wanted.row = self.mechanism(&wanted, Some(name))?;
        self.has_prototype(&wanted, name)?;
        Some(vec![wanted.point(wanted.module.map(|module| module.text.as_str()), name)])
    }

    /// All that match: one program for all of them where that is possible.
    fn matching_functions(&mut self, mut wanted: Wanted<'_>) -> Option<Vec<Point>> {
        let module = wanted.module.map_or("*", |module| &module.text);
        let found = match self.kernel.functions_of(module, &wanted.function.text) {
            Ok(found) => found,
            Err(error) => return self.refuse(suggest::kernel_error(&error, wanted.function.span, "a function")),
        };
        if found.is_empty() {
            return self.no_such_function(&wanted);
        }
        let only = found.first().filter(|_| found.len() == 1).map(|(_, name)| name.as_str());
        wanted.row = self.mechanism(&wanted, only)?;
        if found.len() > self.options.max_probes as usize {
            self.count += found.len();
            self.too_many(wanted.written.span);
            return None;
        }
        if self.share && found.len() > 1 && !wanted.is_trampoline() && self.kernel.has(Feature::KprobeMulti) {
            let text = format!("{}:{}", wanted.named.name, wanted.pattern());
            let functions: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
            let probes = functions.len() as u32;
            let attach = Attach::KprobeMulti { functions, ret: wanted.is_return() };
            let point = new_point(wanted.row, text, attach, wanted.written.span);
            return Some(vec![Point { probes, matched: true, ..point }]);
        }
        let mut points = Vec::with_capacity(found.len());
        for (module, name) in found {
            if wanted.is_trampoline() && !matches!(self.kernel.function(&name), Ok(Some(_))) {
                continue;
            }
            let module = wanted.module.map(|_| module.as_str());
            points.push(Point { matched: true, ..wanted.point(module, &name) });
        }
        if points.is_empty() {
            return self.nothing_matches(wanted.function.span, &wanted.pattern(), "function that BTF describes");
        }
        Some(points)
    }

    /// `FUNCTION+OFFSET`
    fn inside_function(&mut self, wanted: &Wanted<'_>, name: &str, offset: u64) -> Option<Vec<Point>> {
        let row = self.breakpoint(wanted, "offset")?;
        let named = Ident { text: name.to_string(), span: wanted.function.span };
        let wanted = Wanted { function: &named, row, ..*wanted };
        if is_wild(name) || wanted.module.is_some_and(|module| is_wild(&module.text)) {
            let message = format!("a `{}` probe with an offset needs one function", wanted.named.name);
            return self.malformed(named.span, message, &format!("{}:FUNCTION+OFFSET", wanted.named.name));
        }
        match self.kernel.functions(&wanted.pattern()) {
            Ok(found) if found.is_empty() => return self.no_such_function(&wanted),
            Ok(_) => {}
            Err(error) => return self.refuse(suggest::kernel_error(&error, named.span, "a function")),
        }
        let module = wanted.module.map(|module| module.text.as_str());
        let mut point = wanted.point(module, name);
        if let Attach::Kprobe { offset: place, .. } = &mut point.attach {
            *place = offset;
        }
        Some(vec![Point { text: format!("{}+{offset}", point.text), ..point }])
    }

    /// `ADDRESS`
    fn kernel_address(&mut self, wanted: &Wanted<'_>, address: u64) -> Option<Vec<Point>> {
        let row = self.breakpoint(wanted, "address")?;
        let (function, ret) = (String::new(), is_return(row.kind));
        let attach = Attach::Kprobe { function, module: None, offset: 0, address: Some(address), ret };
        let text = format!("{}:{}", wanted.named.name, wanted.function.text);
        Some(vec![new_point(row, text, attach, wanted.written.span)])
    }

    /// Only breakpoints can be set elsewhere than at the function's entry; and only at its entry returns are known.
    fn breakpoint(&mut self, wanted: &Wanted<'_>, what: &str) -> Option<&'static ProbeRow> {
        let row = match wanted.named.kind {
            ProbeKind::Function => ProbeKind::Kprobe.row(),
            ProbeKind::Kretprobe if what == "address" => wanted.named,
            ProbeKind::Kprobe => wanted.named,
            _ => {
                let message = format!("a `{}` probe has no {what}", wanted.named.name);
                let form = format!("{}:FUNCTION", wanted.named.name);
                return self.malformed(wanted.function.span, message, &form);
            }
        };
        self.check_feature(row, wanted)?;
        Some(row)
    }

    /// The kind that does the work: what is written, or for `function` the cheapest that this kernel has; with
    /// `--fallback` another one where the kernel lacks what is written. `None` after a message.
    fn mechanism(&mut self, wanted: &Wanted<'_>, name: Option<&str>) -> Option<&'static ProbeRow> {
        let kind = wanted.named.kind;
        let (trampoline, breakpoint) = match is_return(kind) {
            true => (ProbeKind::Fexit.row(), ProbeKind::Kretprobe.row()),
            false => (ProbeKind::Fentry.row(), ProbeKind::Kprobe.row()),
        };
        let has = |row: &ProbeRow| row.needs.is_none_or(|feature| self.kernel.has(feature));
        if matches!(kind, ProbeKind::Function | ProbeKind::FunctionReturn) {
            let many = name.is_none() && self.share && self.kernel.has(Feature::KprobeMulti);
            let typed = |name| matches!(self.kernel.function(name), Ok(Some(_)));
            if !many && has(trampoline) && name.is_none_or(typed) {
                return Some(trampoline);
            }
            return self.check_feature(breakpoint, wanted).map(|()| breakpoint);
        }
        let other = if is_trampoline(kind) { breakpoint } else { trampoline };
        if self.options.fallback && !has(wanted.named) && has(other) {
            let message = format!("`{}` is attached as {}", wanted.written_text(), other.name);
            let why = format!("this kernel has no {}", needed(wanted.named));
            self.out.push(Diagnostic::warning(Code::Fallback, message).at(wanted.written.span, why));
            return Some(other);
        }
        self.check_feature(wanted.named, wanted).map(|()| wanted.named)
    }

    /// Trampolines need the function's prototype in BTF; `None` after a message.
    fn has_prototype(&mut self, wanted: &Wanted<'_>, name: &str) -> Option<()> {
        if !wanted.is_trampoline() {
            return Some(());
        }
        match self.kernel.function(name) {
            Ok(Some(_)) => Some(()),
            Ok(None) => {
                let row = wanted.row;
                let message = format!("`{name}` is not described by the kernel's BTF, which {} needs", row.name);
                let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(wanted.function.span, "no prototype");
                self.refuse(diagnostic.help(format!("a kprobe can be set on it: kprobe:{name}")))
            }
            Err(error) => self.refuse(suggest::kernel_error(&error, wanted.function.span, wanted.row.name)),
        }
    }

    fn no_such_function(&mut self, wanted: &Wanted<'_>) -> Option<Vec<Point>> {
        let function = wanted.function;
        if is_wild(&wanted.pattern()) {
            return self.nothing_matches(function.span, &wanted.pattern(), "function");
        }
        if let Some(module) = wanted.module.filter(|module| self.has_no_functions(&module.text)) {
            let message = format!("no module `{}` with functions to trace", module.text);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(module.span, "not loaded");
            return self.refuse(diagnostic.help("the kernel itself is called vmlinux"));
        }
        let all = self.kernel.functions("*").unwrap_or_default();
        let message = format!("no function `{}` to trace", function.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(function.span, "not in this kernel");
        let owner = "the function may be inlined, closed to tracing, or part of a module that is not loaded";
        let kernel = self.kernel;
        self.refuse(suggest::or_lacking(diagnostic, function.span, &function.text, &all, kernel, owner))
    }

    fn has_no_functions(&self, module: &str) -> bool {
        self.kernel.functions(&format!("{module}:*")).is_ok_and(|found| found.is_empty())
    }

    fn check_feature(&mut self, row: &'static ProbeRow, wanted: &Wanted<'_>) -> Option<()> {
        let Some(feature) = row.needs.filter(|feature| !self.kernel.has(*feature)) else { return Some(()) };
        let feature = feature.row();
        let message = format!("this kernel has no {}", feature.doc);
        let diagnostic = Diagnostic::error(Code::MissingFeature, message)
            .at(wanted.written.span, format!("a {} probe needs them", wanted.named.name))
            .note(format!(
                "Linux has them since {} when they are configured; the kernel compiled for is {}",
                feature.since,
                self.kernel.version()
            ));
        self.refuse(diagnostic)
    }
}

impl Wanted<'_> {
    fn written_text(&self) -> String {
        format!("{}:{}", self.named.name, self.pattern())
    }
}

fn needed(row: &ProbeRow) -> &'static str {
    row.needs.map_or("such probes", |feature| feature.row().doc)
}

fn is_return(kind: ProbeKind) -> bool {
    matches!(kind, ProbeKind::Kretprobe | ProbeKind::Fexit | ProbeKind::FunctionReturn)
}

fn is_trampoline(kind: ProbeKind) -> bool {
    matches!(kind, ProbeKind::Fentry | ProbeKind::Fexit)
}

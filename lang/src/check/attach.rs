//! Attach points: kinds, targets, wildcards. Each expanded attach point becomes a program of its own.

mod events;
mod functions;
mod marker;
mod raw;
mod special;
mod user;

use super::suggest;
use crate::ast::{Ast, AttachPoint, Ident};
use crate::codes::{Code, ExitStatus};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::kernel::{FunctionProto, Kernel, KernelError, TracepointFormat};
use crate::manifest::{Attach, Refused, SampleRate};
use crate::probes::{self, ProbeKind, ProbeRow, TargetSyntax};
use crate::source::Span;
use std::collections::HashSet;
use std::rc::Rc;

use super::{MissingProbes, SessionOptions};

/// An attach point after expansion.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Its kind.
    pub(crate) row: &'static ProbeRow,
    /// False when something is wrong with it: what depends on the probe is then not reported again.
    pub(crate) known: bool,
    /// `kprobe:vfs_read`
    pub(crate) text: String,
    /// How it is run.
    pub(crate) attach: Attach,
    /// The tracepoint's record.
    pub(crate) format: Option<Rc<TracepointFormat>>,
    /// Probes that it stands for.
    pub(crate) probes: u32,
    /// It is one of those that a wildcard matches.
    pub(crate) matched: bool,
    /// The script runs without it too.
    pub(crate) optional: bool,
    /// In the source.
    pub(crate) span: Span,
}

impl Point {
    /// Stands for an attach point that could not be understood.
    pub(crate) fn unknown() -> Point {
        Point {
            row: ProbeKind::Begin.row(),
            known: false,
            text: String::new(),
            attach: Attach::Begin,
            format: None,
            probes: 1,
            matched: false,
            optional: false,
            span: Span::default(),
        }
    }

    /// The traced function.
    pub(crate) fn function(&self) -> Option<&str> {
        match &self.attach {
            Attach::Kprobe { function, .. } | Attach::Fentry { function, .. } | Attach::Uprobe { function, .. } => {
                Some(function)
            }
            _ => None,
        }
    }

    /// Name of the record that is the program's context in an iterator.
    pub(crate) fn context_record(&self) -> Option<String> {
        match &self.attach {
            Attach::Iterator { objects, .. } => Some(format!("bpf_iter__{objects}")),
            _ => None,
        }
    }

    /// Whether one program is attached to many places, and so knows nothing of any one of them.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.attach, Attach::KprobeMulti { .. } | Attach::UprobeMulti { .. })
    }

    /// What becomes of the program when it cannot be attached.
    pub(crate) fn refused(&self, options: &SessionOptions) -> Refused {
        match options.missing_probes {
            _ if self.optional => Refused::Ignore,
            _ if self.matched => Refused::Counted,
            MissingProbes::Error => Refused::Error,
            MissingProbes::Warn => Refused::Warn,
            MissingProbes::Ignore => Refused::Ignore,
        }
    }

    /// The tracepoint's category.
    pub(crate) fn category(&self) -> Option<&str> {
        match &self.attach {
            Attach::Tracepoint { category, .. } => Some(category),
            _ => None,
        }
    }

    /// The parameters of the traced function of a program.
    pub(crate) fn user_prototype(&self, kernel: &dyn Kernel) -> Option<FunctionProto> {
        match &self.attach {
            Attach::Uprobe { path, function, .. } => kernel.user_function(path, function),
            _ => None,
        }
    }

    /// The prototype of the traced function; `Ok(None)` when there is no function or no prototype.
    pub(crate) fn prototype(&self, kernel: &dyn Kernel) -> Result<Option<FunctionProto>, KernelError> {
        match &self.attach {
            Attach::Kprobe { function, offset: 0, .. } | Attach::Fentry { function, .. } => kernel.function(function),
            Attach::RawTracepoint { name } => raw::prototype(name, kernel),
            _ => Ok(None),
        }
    }
}

/// Expands all attach points of a script: the probe's index and the point, in source order. The probes in `single` need
/// to know each place that a wildcard matches, so that no program is shared among places.
pub(super) fn expand(
    ast: &Ast,
    kernel: &dyn Kernel,
    options: &SessionOptions,
    single: &HashSet<usize>,
) -> (Vec<(usize, Point)>, Diagnostics) {
    let mut expander = Expander {
        kernel,
        options,
        out: Diagnostics::default(),
        count: 0,
        too_many: false,
        tolerated: false,
        optional: false,
        share: true,
    };
    let mut all = Vec::new();
    for (at, probe) in ast.probes.iter().enumerate().filter(|(_, probe)| !probe.is_of_rows()) {
        let mut points: Vec<Point> = Vec::new();
        let mut seen = HashSet::new();
        expander.tolerated = false;
        expander.share = !single.contains(&at);
        for attach_point in &probe.attach_points {
            let mut fresh = false;
            for point in expander.first_of(attach_point) {
                // further programs of one probe go with its first
                fresh = if point.probes > 0 { seen.insert(point.text.clone()) } else { fresh };
                points.extend(fresh.then_some(point));
            }
        }
        once_each(&mut points);
        if points.is_empty() && expander.tolerated {
            continue;
        }
        if points.is_empty() {
            // The action is checked all the same, for the other mistakes in it.
            points.push(Point { span: probe.span, ..Point::unknown() });
        }
        expander.count += points.iter().map(|point| point.probes as usize).sum::<usize>();
        if expander.count > options.max_probes as usize {
            let span = probe.attach_points.first().map_or(probe.span, |first| first.span);
            expander.too_many(span);
            points.truncate(1);
        }
        all.extend(points.into_iter().map(|point| (at, point)));
    }
    if all.is_empty() && ast.probes.iter().any(|probe| !probe.is_of_rows()) && !expander.out.has_errors() {
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, "this kernel has none of the script's probes");
        expander.out.push(diagnostic.help("without `missing_probes` in the config block each missing one is an error"));
    }
    (all, expander.out)
}

struct Expander<'a> {
    kernel: &'a dyn Kernel,
    options: &'a SessionOptions,
    out: Diagnostics,
    count: usize,
    /// That there are too many was said.
    too_many: bool,
    /// An attach point of this probe is missing, and the settings allow it.
    tolerated: bool,
    /// The script runs without this attach point too.
    optional: bool,
    /// One program can stand for all matches of a wildcard.
    share: bool,
}

impl Expander<'_> {
    /// The points of the first alternative that this kernel has; none after a message.
    fn first_of(&mut self, written: &AttachPoint) -> Vec<Point> {
        self.optional = written.optional;
        if written.alternatives.is_empty() {
            let found = self.point(written).unwrap_or_default();
            return found.into_iter().map(|point| Point { optional: written.optional, ..point }).collect();
        }
        let before = std::mem::take(&mut self.out);
        let mut first: Option<Diagnostics> = None;
        for alternative in std::iter::once(written).chain(&written.alternatives) {
            let found = self.point(alternative).unwrap_or_default();
            let messages = std::mem::take(&mut self.out);
            if !found.is_empty() {
                self.out = before;
                self.out.extend(messages);
                return found.into_iter().map(|point| Point { optional: written.optional, ..point }).collect();
            }
            first = first.or(Some(messages));
        }
        self.out = before;
        self.out.extend(first.unwrap_or_default());
        Vec::new()
    }

    /// The points of one attach point; `None` after a message.
    fn point(&mut self, attach_point: &AttachPoint) -> Option<Vec<Point>> {
        let kind = &attach_point.kind;
        let Some(row) = probes::lookup(&kind.text) else {
            let message = format!("unknown probe kind `{}`", kind.text);
            let diagnostic = Diagnostic::error(Code::UnknownProbeKind, message).at(kind.span, "no such kind");
            let names: Vec<_> = probes::ALL.iter().map(|row| row.name).collect();
            let diagnostic = match suggest::probe_kind(&kind.text) {
                Some(name) => diagnostic.suggest(kind.span, Some(name)),
                None => diagnostic.help(format!("the kinds are: {}", names.join(", "))),
            };
            return self.refuse(diagnostic);
        };
        let parts: Vec<Ident> = attach_point.parts.iter().map(|part| self.positional(part)).collect();
        match row.target {
            TargetSyntax::None => self.no_target(row, attach_point),
            TargetSyntax::Period => self.period(row, attach_point, &parts),
            TargetSyntax::Tracepoint => self.tracepoint(row, attach_point, &parts),
            TargetSyntax::Function => self.function(row, attach_point, &parts),
            TargetSyntax::RawTracepoint => self.raw_tracepoint(row, attach_point, &parts),
            TargetSyntax::PerfEvent(events) => self.perf_event(row, events, attach_point, &parts),
            TargetSyntax::UserFunction => self.user_function(row, attach_point, &parts),
            TargetSyntax::Marker => self.marker(row, attach_point, &parts),
            TargetSyntax::Iterator => self.iterator(row, attach_point, &parts),
            TargetSyntax::Watchpoint => self.watchpoint(row, attach_point, &parts),
            TargetSyntax::Itself => self.itself(row, attach_point, &parts),
            TargetSyntax::Label => self.label(row, attach_point, &parts),
        }
    }

    fn refuse<T>(&mut self, mut diagnostic: Diagnostic) -> Option<T> {
        if self.optional && diagnostic.code.row().status == ExitStatus::Machine {
            self.tolerated = true;
            return None;
        }
        if diagnostic.code == Code::NoSuchProbe && self.options.missing_probes != MissingProbes::Error {
            self.tolerated = true;
            diagnostic.severity = Severity::Warning;
            if self.options.missing_probes == MissingProbes::Ignore {
                return None;
            }
        }
        self.out.push(diagnostic);
        None
    }

    /// `$1` in a target stands for the parameter's text.
    fn positional(&self, part: &Ident) -> Ident {
        let number = part.text.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let given = number.and_then(|number| self.options.positional.get(number.checked_sub(1)?));
        Ident { text: given.unwrap_or(&part.text).clone(), span: part.span }
    }

    fn malformed<T>(&mut self, span: Span, message: String, form: &str) -> Option<T> {
        let diagnostic = Diagnostic::error(Code::BadProbeTarget, message).at(span, "in this probe");
        self.refuse(diagnostic.help(format!("it is written {form}")))
    }

    fn too_many(&mut self, span: Span) {
        if std::mem::replace(&mut self.too_many, true) {
            return;
        }
        let limit = self.options.max_probes;
        let message = format!("the script has {} attach points, more than max_probes ({limit})", self.count);
        let diagnostic = Diagnostic::error(Code::TooManyProbes, message);
        self.out.push(diagnostic.at(span, "the limit is passed here").help("a narrower pattern matches fewer probes"));
    }

    fn no_target(&mut self, row: &'static ProbeRow, written: &AttachPoint) -> Option<Vec<Point>> {
        if !written.parts.is_empty() {
            return self.malformed(written.span, format!("a `{}` probe has no target", row.name), row.name);
        }
        let attach = if row.kind == ProbeKind::End { Attach::End } else { Attach::Begin };
        Some(vec![new_point(row, row.name.into(), attach, written.span)])
    }

    fn period(&mut self, row: &'static ProbeRow, written: &AttachPoint, parts: &[Ident]) -> Option<Vec<Point>> {
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let form = format!("{0}:s:1, {0}:ms:100, {0}:us:50, {0}:hz:99 or {0}:1s", row.name);
        let parsed = match texts.as_slice() {
            [unit, count] => parse_count(count).and_then(|count| parse_rate(unit, count)),
            [duration] => parse_duration(duration),
            _ => None,
        };
        let Some((rate, unit, count)) = parsed else {
            let span = parts.first().zip(parts.last()).map_or(written.span, |(a, b)| a.span.to(b.span));
            return self.malformed(span, format!("malformed period of a `{}` probe", row.name), &form);
        };
        let attach = match (row.kind, rate) {
            (ProbeKind::Interval, SampleRate::PeriodNs(period_ns)) => Attach::Interval { period_ns },
            (ProbeKind::Interval, SampleRate::Hertz(hertz)) => {
                Attach::Interval { period_ns: (1_000_000_000 / hertz.max(1)).max(1) }
            }
            (_, rate) => Attach::Profile { rate },
        };
        Some(vec![new_point(row, format!("{}:{unit}:{count}", row.name), attach, written.span)])
    }

    fn tracepoint(&mut self, row: &'static ProbeRow, written: &AttachPoint, parts: &[Ident]) -> Option<Vec<Point>> {
        let [category, name] = parts else {
            let message = format!("a `{}` probe needs a category and a name", row.name);
            return self.malformed(written.span, message, &format!("{}:CATEGORY:NAME", row.name));
        };
        if !is_wild(&category.text) && !is_wild(&name.text) {
            return self.one_tracepoint(row, written, category, name);
        }
        let found = match self.kernel.tracepoints(&category.text, &name.text) {
            Ok(found) => found,
            Err(error) => return self.refuse(suggest::kernel_error(&error, written.span, "a tracepoint")),
        };
        if found.is_empty() {
            let span = category.span.to(name.span);
            return self.nothing_matches(span, &format!("{}:{}", category.text, name.text), "tracepoint");
        }
        if found.len() > self.options.max_probes as usize {
            self.count += found.len();
            self.too_many(written.span);
            return None;
        }
        let mut points = Vec::with_capacity(found.len());
        for (category, name) in found {
            match self.kernel.tracepoint(&category, &name) {
                Ok(Some(format)) => points.push(tracepoint_point(row, &category, &name, format, written.span)),
                // Listed but without a description: it went away meanwhile.
                Ok(None) => {}
                Err(error) => return self.refuse(suggest::kernel_error(&error, written.span, "a tracepoint")),
            }
        }
        Some(points)
    }

    fn one_tracepoint(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        category: &Ident,
        name: &Ident,
    ) -> Option<Vec<Point>> {
        match self.kernel.tracepoint(&category.text, &name.text) {
            Ok(Some(format)) => Some(vec![tracepoint_point(row, &category.text, &name.text, format, written.span)]),
            Ok(None) => self.no_such_tracepoint(category, name),
            Err(error) => self.refuse(suggest::kernel_error(&error, written.span, "a tracepoint")),
        }
    }

    fn no_such_tracepoint(&mut self, category: &Ident, name: &Ident) -> Option<Vec<Point>> {
        let all = self.kernel.tracepoints("*", "*").unwrap_or_default();
        let siblings = all.iter().filter(|row| row.0 == category.text).map(|row| row.1.clone()).collect::<Vec<_>>();
        if siblings.is_empty() {
            let message = format!("no tracepoint category `{}`", category.text);
            let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(category.span, "not in this kernel");
            let mut names: Vec<String> = all.into_iter().map(|row| row.0).collect();
            names.dedup();
            let owner = "the category may belong to a module or an option that it lacks";
            let kernel = self.kernel;
            return self.refuse(suggest::or_lacking(diagnostic, category.span, &category.text, &names, kernel, owner));
        }
        let message = format!("no tracepoint `{}:{}`", category.text, name.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(name.span, "not in this kernel");
        let owner = format!("it has {} tracepoints in `{}`, but not this one", siblings.len(), category.text);
        let diagnostic = suggest::or_lacking(diagnostic, name.span, &name.text, &siblings, self.kernel, &owner);
        let diagnostic = diagnostic.help(format!("`lt -l 'tracepoint:{}:*'` lists them", category.text));
        self.refuse(diagnostic)
    }

    fn nothing_matches<T>(&mut self, span: Span, pattern: &str, what: &str) -> Option<T> {
        let message = format!("no {what} matches `{pattern}`");
        self.refuse(Diagnostic::error(Code::NoSuchProbe, message).at(span, "matches nothing in this kernel"))
    }
}

/// Takes the functions away from the shared programs of a probe that another of its attach points has already.
fn once_each(points: &mut Vec<Point>) {
    if points.len() < 2 || !points.iter().any(Point::is_shared) {
        return;
    }
    let mut seen: HashSet<(String, bool)> = HashSet::new();
    for point in points.iter_mut() {
        match &mut point.attach {
            Attach::KprobeMulti { functions, ret } => {
                functions.retain(|name| seen.insert((name.clone(), *ret)));
                point.probes = functions.len() as u32;
            }
            Attach::UprobeMulti { places, ret } => {
                places.retain(|place| seen.insert((format!("{}:{}", place.path, place.offset), *ret)));
                point.probes = point.probes.min(places.len() as u32);
            }
            Attach::Kprobe { function, offset: 0, address: None, ret, .. } => {
                point.probes = u32::from(seen.insert((function.clone(), *ret)));
            }
            Attach::Uprobe { path, offset, ret, .. } => {
                point.probes = u32::from(seen.insert((format!("{path}:{offset}"), *ret)));
            }
            _ => {}
        }
    }
    let many = |point: &Point| matches!(point.attach, Attach::Usdt { .. });
    points.retain(|point| point.probes > 0 || many(point));
}

fn new_point(row: &'static ProbeRow, text: String, attach: Attach, span: Span) -> Point {
    Point { row, known: true, text, attach, format: None, probes: 1, matched: false, optional: false, span }
}

fn tracepoint_point(row: &'static ProbeRow, category: &str, name: &str, format: TracepointFormat, span: Span) -> Point {
    let attach = Attach::Tracepoint { category: category.into(), name: name.into(), id: format.id };
    let point = new_point(row, format!("{}:{category}:{name}", row.name), attach, span);
    Point { format: Some(Rc::new(format)), ..point }
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// `42`, `0x2a`
fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok().filter(|_| text.bytes().all(|c| c.is_ascii_digit())),
    }
}

/// `42`, `1_000`, `1e6`
fn parse_count(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    match text.split_once(['e', 'E']) {
        Some((digits, zeros)) => parse_number(digits)?.checked_mul(10u64.checked_pow(zeros.parse().ok()?)?),
        None => parse_number(&text),
    }
}

/// `NAME+OFFSET`
fn split_offset(text: &str) -> Option<(&str, u64)> {
    let (name, offset) = text.rsplit_once('+')?;
    Some((name, parse_number(offset)?))
}

/// A rate with the unit and count that name it.
type Rate = (SampleRate, &'static str, u64);

/// Units of time with their nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

fn parse_rate(unit: &str, count: u64) -> Option<Rate> {
    if unit == "hz" {
        return (1..=1_000_000).contains(&count).then_some((SampleRate::Hertz(count), "hz", count));
    }
    let (unit, scale) = UNITS.iter().find(|row| row.0 == unit)?;
    let period = count.checked_mul(*scale).filter(|period| (1..=i64::MAX as u64).contains(period))?;
    Some((SampleRate::PeriodNs(period), unit, count))
}

/// `1s`, `100ms`, or nanoseconds; named in microseconds where they are whole, as bpftrace does.
fn parse_duration(text: &str) -> Option<Rate> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).filter(|unit| !unit.is_empty()).unwrap_or("ns");
    let (rate, ..) = parse_rate(unit, digits.replace('_', "").parse().ok()?)?;
    match rate {
        SampleRate::PeriodNs(period) if period % 1_000 == 0 => Some((rate, "us", period / 1_000)),
        SampleRate::PeriodNs(period) => Some((rate, "ns", period)),
        SampleRate::Hertz(hertz) => Some((rate, "hz", hertz)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(parse_number("0x2a"), Some(42));
        assert_eq!(parse_number("42"), Some(42));
        assert_eq!(parse_number("+1"), None);
        assert_eq!(parse_number("main"), None);
        assert_eq!(parse_count("1e6"), Some(1_000_000));
        assert_eq!(parse_count("1_000"), Some(1000));
        assert_eq!(parse_count("1e99"), None);
        assert_eq!(split_offset("main+0x10"), Some(("main", 16)));
        assert_eq!(split_offset("operator++"), None);
    }

    #[test]
    fn periods() {
        assert_eq!(parse_rate("hz", 99), Some((SampleRate::Hertz(99), "hz", 99)));
        assert_eq!(parse_rate("hz", 0), None);
        assert_eq!(parse_duration("1s"), Some((SampleRate::PeriodNs(1_000_000_000), "us", 1_000_000)));
        assert_eq!(parse_duration("1500"), Some((SampleRate::PeriodNs(1500), "ns", 1500)));
        assert_eq!(parse_duration("s"), None);
        assert_eq!(parse_rate("fortnight", 1), None);
    }
}

//! Events that the kernel or the processor counts: `software:EVENT:COUNT`, `hardware:EVENT:COUNT`.

use super::{Expander, Point, new_point, parse_count};
use crate::ast::{AttachPoint, Ident};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::manifest::Attach;
use crate::probes::{PerfEventRow, ProbeKind, ProbeRow};

impl Expander<'_> {
    pub(super) fn perf_event(
        &mut self,
        row: &'static ProbeRow,
        events: &'static [PerfEventRow],
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let form = format!("{0}:EVENT or {0}:EVENT:COUNT", row.name);
        let (name, count) = match parts {
            [name] => (name, None),
            [name, count] => (name, Some(count)),
            _ => {
                let message = format!("a `{}` probe needs the name of an event", row.name);
                return self.malformed(written.span, message, &form);
            }
        };
        let Some(event) = events.iter().find(|event| event.is_named(&name.text)) else {
            return self.no_such_event(row, events, name);
        };
        let given = count.map(|count| parse_count(&count.text));
        let wanted = match given {
            None => event.count,
            Some(Some(wanted)) if (1..=i64::MAX as u64).contains(&wanted) => wanted,
            Some(_) => {
                let span = count.map_or(name.span, |count| count.span);
                return self.malformed(span, format!("malformed count of a `{}` probe", row.name), &form);
            }
        };
        let texts: Vec<&str> = std::iter::once(row.name).chain(parts.iter().map(|part| part.text.as_str())).collect();
        let hardware = row.kind == ProbeKind::Hardware;
        let attach = Attach::PerfEvent { hardware, config: event.config, count: wanted };
        Some(vec![new_point(row, texts.join(":"), attach, written.span)])
    }

    fn no_such_event(&mut self, row: &ProbeRow, events: &'static [PerfEventRow], name: &Ident) -> Option<Vec<Point>> {
        let message = format!("no {} event `{}`", row.name, name.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(name.span, "no such event");
        let names = events.iter().flat_map(|event| std::iter::once(event.name).chain(event.alias));
        let diagnostic = match nearest(&name.text, names) {
            Some(found) => diagnostic.suggest(name.span, Some(found)),
            None => {
                let all: Vec<&str> = events.iter().map(|event| event.name).collect();
                diagnostic.help(format!("the events are: {}", all.join(", ")))
            }
        };
        self.refuse(diagnostic)
    }
}

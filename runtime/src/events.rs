//! Carrying out what programs request: printing, showing and clearing maps.

use crate::cuts::{Cuts, Request};
use crate::decode;
use crate::error::RunError;
use crate::error::words;
use crate::loss::Loss;
use crate::map_reader::{Entries, MapReader};
use crate::maps::{Screen, Selection, entry, show};
use crate::options::OutputFormat;
use crate::output::{BenchmarkRun, Message, Output, Sink, TestRun, format, output, shown_text};
use crate::rows::Rows;
use crate::symbolize::Symbolizer;
use crate::times;
use crate::value::Value;
use lt_lang::codes::Code;
use lt_lang::diagnostic::Diagnostic;
use lt_lang::format::Format;
use lt_lang::manifest::{Event, EventAction, Manifest, MapId, MapRole, MapView, TableId};
use lt_lang::source::Span;
use lt_lang::types::{Layout, Type};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

/// Moves to the first place of a terminal, and clears what is behind it.
const CLEAR: &[u8] = b"\x1b[H\x1b[J";

/// Carries out requests, one at a time, in the order of the event ring.
pub struct Requests<'m> {
    manifest: &'m Manifest,
    /// One for each map of the manifest.
    maps: Vec<MapReader<'m>>,
    /// Those of them that have two pages.
    pub cuts: Cuts<'m>,
    /// Scalar maps whose value was set to zero: they have one, which an aggregation does not show.
    zeroed: HashSet<MapId>,
    /// Names addresses.
    pub symbolizer: Symbolizer,
    output: Box<dyn Output>,
    /// The form that output has when it is not captured.
    kept: Option<Box<dyn Output>>,
    /// Where output goes.
    pub sink: Sink,
    rows: Rows<'m>,
    /// Maps that are shown as tables take the place of what is on the terminal.
    pub refresh: bool,
    /// The action that did so last.
    pub refreshed: Option<(u32, Option<u64>)>,
    text: Vec<u8>,
    /// What the script has to say to the user, in order.
    pub messages: Vec<Diagnostic>,
}

impl<'m> Requests<'m> {
    /// `maps`: one for each map of the manifest.
    pub fn new(
        manifest: &'m Manifest,
        maps: Vec<MapReader<'m>>,
        cuts: Cuts<'m>,
        symbolizer: Symbolizer,
        output: Box<dyn Output>,
        sink: Sink,
    ) -> Requests<'m> {
        Requests {
            manifest,
            maps,
            cuts,
            zeroed: HashSet::new(),
            symbolizer,
            output,
            kept: None,
            sink,
            rows: Rows::new(&manifest.tables),
            refresh: false,
            refreshed: None,
            text: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// Carries out the request in `record`, which ends at this position of the ring.
    pub fn carry_out(&mut self, record: &[u8], position: u64) -> Result<(), RunError> {
        let id = decode::unsigned(decode::part(record, 0, 4), 4);
        let program = decode::unsigned(decode::part(record, 4, 4), 4) as u32;
        let manifest = self.manifest;
        let Some(event) = manifest.events.get(id as usize) else {
            return Err(RunError::Inconsistent(format!("an event of an unknown kind ({id}) was sent")));
        };
        let stamp = event.offsets.first().map(|at| decode::unsigned(decode::part(record, *at, 8), 8));
        let request = Request { program, action: stamp, position };
        match &event.action {
            EventAction::Printf(pieces) => {
                let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
                self.printf(pieces, &values);
            }
            EventAction::PrintValue => {
                let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
                if let Some(value) = values.first() {
                    self.print_value(value);
                }
            }
            EventAction::PrintMap { map, top, div } => self.print_map(*map, request, *top, *div)?,
            EventAction::PrintEntry { map } => self.show_entry(*map, event, record)?,
            EventAction::ClearMap { map } => self.clear_map(*map, request)?,
            EventAction::ZeroMap { map } => self.zero_map(*map, request)?,
            EventAction::Message { error, format } => {
                let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
                self.message(*error, format, &values, event.span);
            }
            EventAction::Cat { format, most } => self.cat(event, record, format, *most),
            EventAction::System(format) => self.system(event, record, format)?,
            EventAction::Join(separator) => self.join(event, record, separator),
            EventAction::ProcessSeen => {
                self.symbolizer.process_seen(decode::unsigned(decode::part(record, 8, 8), 8));
            }
            EventAction::ShowMap { map, view } => self.show_as_table(*map, view, request)?,
            EventAction::Row { table, cells } => self.emitted_row(event, record, *table, cells)?,
            EventAction::Time(format) => self.time(format),
        }
        self.sink.event_done()
    }

    /// Shows a map as a table.
    pub fn show_as_table(&mut self, id: MapId, view: &MapView, request: Request) -> Result<(), RunError> {
        let cut = self.cut(id, request)?;
        let entries = match cut.and_then(|cut| self.cuts.entries(id, cut)) {
            Some(entries) => entries,
            None => self.map(id)?.read()?,
        };
        let missing = || RunError::Inconsistent(format!("map {} does not exist", id.0));
        let map = self.manifest.maps.get(id.0 as usize).ok_or_else(missing)?;
        let action = Some((request.program, request.action));
        if self.refresh && self.refreshed != action {
            self.sink.buffer().extend_from_slice(CLEAR);
            self.refreshed = action;
        }
        let mut screen =
            Screen { output: self.output.as_mut(), sink: &mut self.sink, symbolizer: &mut self.symbolizer };
        self.rows.show_map(map, &entries, view, &mut screen)
    }

    /// Nothing was printed yet.
    pub fn begin(&mut self) -> Result<(), RunError> {
        self.rows.begin(self.output.as_mut(), self.sink.buffer());
        self.sink.event_done()
    }

    /// Shows a row whose cells are fields.
    fn emitted_row(
        &mut self,
        event: &Event,
        record: &[u8],
        table: TableId,
        cells: &[Option<u32>],
    ) -> Result<(), RunError> {
        let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
        let mut values: Vec<_> = values.into_iter().map(Some).collect();
        let cells = cells.iter().map(|field| values.get_mut((*field)? as usize)?.take());
        self.row(table, &cells.collect::<Vec<_>>())
    }

    /// Shows a row of a table: a value for each column, or none where the row has none.
    pub fn row(&mut self, table: TableId, values: &[Option<Value<'_>>]) -> Result<(), RunError> {
        let mut screen =
            Screen { output: self.output.as_mut(), sink: &mut self.sink, symbolizer: &mut self.symbolizer };
        self.rows.show(table, values, &mut screen)
    }

    /// Formats and shows values.
    pub fn printf(&mut self, pieces: &Format, values: &[Value<'_>]) {
        self.text.clear();
        format(pieces, values, &mut self.text);
        self.output.printf(&self.text, self.sink.buffer());
    }

    /// Shows a value.
    pub fn print_value(&mut self, value: &Value<'_>) {
        self.output.value(value, self.sink.buffer());
    }

    /// Shows the time of day.
    pub fn time(&mut self, format: &[u8]) {
        self.output.time(&times::now(format), self.sink.buffer());
    }

    /// Shows a map.
    pub fn print_map(
        &mut self,
        map: MapId,
        request: Request,
        top: Option<u64>,
        div: Option<u64>,
    ) -> Result<(), RunError> {
        let zeroed = self.zeroed.contains(&map);
        let cut = self.cut(map, request)?;
        self.show_map(map, cut, Selection { top, div: div.unwrap_or(1), absent: true, zeroed })
    }

    /// Removes all entries of a map.
    pub fn clear_map(&mut self, map: MapId, request: Request) -> Result<(), RunError> {
        match self.cut(map, request)? {
            Some(cut) => self.cuts.clear(map, cut),
            None => self.map(map)?.clear()?,
        }
        self.zeroed.remove(&map);
        Ok(())
    }

    /// Sets all values of a map to zero.
    pub fn zero_map(&mut self, map: MapId, request: Request) -> Result<(), RunError> {
        let present = match self.cut(map, request)? {
            Some(cut) => self.cuts.zero(map, cut),
            None => self.map(map)?.zero()?,
        };
        if present {
            self.zeroed.insert(map);
        }
        Ok(())
    }

    /// What a map holds for a request.
    pub fn entries_at(&mut self, map: MapId, request: Request) -> Result<Entries, RunError> {
        match self.cut(map, request)?.and_then(|cut| self.cuts.entries(map, cut)) {
            Some(entries) => Ok(entries),
            None => self.map(map)?.read(),
        }
    }

    /// The maps, in the manifest's order.
    pub fn readers(&self) -> &[MapReader<'m>] {
        &self.maps
    }

    /// Formats the fields into `self.text`.
    fn format(&mut self, event: &Event, record: &[u8], pieces: &Format) {
        let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
        self.text.clear();
        format(pieces, &values, &mut self.text);
    }

    /// Formats values, and keeps them as a message with its place in the script.
    pub fn message(&mut self, error: bool, pieces: &Format, values: &[Value<'_>], span: Span) {
        self.text.clear();
        format(pieces, values, &mut self.text);
        self.output.message(&Message { error, text: &self.text }, self.sink.buffer());
        let text = String::from_utf8_lossy(&self.text).trim_end().to_string();
        let make = if error { Diagnostic::error } else { Diagnostic::warning };
        self.messages.push(make(Code::ScriptMessage, text).at(span, ""));
    }

    fn cat(&mut self, event: &Event, record: &[u8], pieces: &Format, most: u32) {
        self.format(event, record, pieces);
        let name = OsStr::from_bytes(&self.text).to_os_string();
        self.text.clear();
        let read = File::open(&name).and_then(|file| file.take(u64::from(most)).read_to_end(&mut self.text));
        if let Err(error) = read {
            let message = format!("cat() cannot read `{}`: {}", name.display(), words(&error));
            self.messages.push(Diagnostic::error(Code::ScriptMessage, message).at(event.span, ""));
        }
        self.text = shown_text(std::mem::take(&mut self.text));
        self.output.text("cat", &self.text, self.sink.buffer());
    }

    /// What was printed before stands before what the command prints.
    fn system(&mut self, event: &Event, record: &[u8], pieces: &Format) -> Result<(), RunError> {
        self.format(event, record, pieces);
        self.sink.flush()?;
        let command = OsStr::from_bytes(&self.text).to_os_string();
        let mut shell = std::process::Command::new("/bin/sh");
        let ran = shell.arg("-c").arg(&command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        match ran {
            Ok(ran) => self.output.text("syscall", &ran.stdout, self.sink.buffer()),
            Err(error) => {
                let message = format!("the shell cannot be started: {}", words(&error));
                self.messages.push(Diagnostic::error(Code::ScriptMessage, message).at(event.span, ""));
            }
        }
        Ok(())
    }

    /// Addresses and strings by turns, up to the address 0.
    fn join(&mut self, event: &Event, record: &[u8], separator: &[u8]) {
        let values = decode::values(&event.fields, &event.offsets, record, &mut self.symbolizer);
        self.text.clear();
        for (at, pair) in values.chunks_exact(2).enumerate() {
            let [Value::Int(address), text] = pair else { break };
            if address.raw == 0 {
                break;
            }
            if at > 0 {
                self.text.extend_from_slice(separator);
            }
            match text {
                Value::Str(text) => {
                    self.text.extend_from_slice(text);
                    // full: cut off, or just fits
                    let size = event.fields.get(2 * at + 1).map_or(0, Type::size);
                    if text.len() + 1 == size as usize {
                        self.text.extend_from_slice(self.manifest.cut_mark.as_bytes());
                    }
                }
                Value::Text(text) => self.text.extend_from_slice(text),
                _ => {}
            }
        }
        self.output.join(&self.text, self.sink.buffer());
    }

    /// A map.
    pub fn map(&self, id: MapId) -> Result<&MapReader<'m>, RunError> {
        let missing = || RunError::Inconsistent(format!("map {} does not exist", id.0));
        self.maps.get(id.0 as usize).ok_or_else(missing)
    }

    /// The cut at which a request is carried out; `None` for maps that are read in place.
    fn cut(&mut self, map: MapId, request: Request) -> Result<Option<u64>, RunError> {
        if self.cuts.has(map) { self.cuts.of(request).map(Some) } else { Ok(None) }
    }

    /// What a map held at the last cut, or holds now.
    pub fn held(&self, id: MapId) -> Result<Entries, RunError> {
        match self.cuts.entries(id, u64::MAX) {
            Some(entries) => Ok(entries),
            None => self.map(id)?.read(),
        }
    }

    fn show_map(&mut self, id: MapId, cut: Option<u64>, selection: Selection) -> Result<(), RunError> {
        let missing = || RunError::Inconsistent(format!("map {} does not exist", id.0));
        let reader = self.maps.get(id.0 as usize).ok_or_else(missing)?;
        let entries = match cut.and_then(|cut| self.cuts.entries(id, cut)) {
            Some(entries) => entries,
            None => reader.read()?,
        };
        let mut screen =
            Screen { output: self.output.as_mut(), sink: &mut self.sink, symbolizer: &mut self.symbolizer };
        show(reader.map, entries, selection, &mut screen)
    }

    fn show_entry(&mut self, id: MapId, event: &Event, record: &[u8]) -> Result<(), RunError> {
        let reader = self.map(id)?;
        let map = reader.map;
        let mut key = vec![0u8; map.key_size as usize];
        let places = Layout::of(&event.fields).offsets;
        for ((ty, from), to) in event.fields.iter().zip(&event.offsets).zip(places) {
            let bytes = decode::part(record, *from, ty.size());
            if let Some(place) = key.get_mut(to as usize..to as usize + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        let bytes = reader.look_up(&key).unwrap_or_else(|| vec![0; map.value_size as usize]);
        let value = entry(map, &bytes, &mut self.symbolizer);
        self.output.value(&value, self.sink.buffer());
        Ok(())
    }

    /// From here on what is printed is kept back, in the form for people.
    pub fn begin_capture(&mut self) -> Result<(), RunError> {
        self.sink.flush()?;
        self.sink.hold = true;
        self.kept = Some(std::mem::replace(&mut self.output, output(OutputFormat::Text)));
        Ok(())
    }

    /// What was printed since; from here on everything goes where it went before.
    pub fn end_capture(&mut self) -> Vec<u8> {
        if let Some(output) = self.kept.take() {
            self.output = output;
        }
        self.sink.hold = false;
        std::mem::take(self.sink.buffer())
    }

    /// A test has run.
    pub fn show_test(&mut self, run: &TestRun<'_>) {
        self.output.test_result(run, self.sink.buffer());
    }

    /// A benchmark has run.
    pub fn show_benchmark(&mut self, run: &BenchmarkRun<'_>) {
        self.output.benchmark_result(run, self.sink.buffer());
    }

    /// Tracing begins.
    pub fn announce(&mut self, probes: usize) {
        self.output.attached(probes, self.sink.buffer());
    }

    /// What machines are told about losses.
    pub fn report_lost(&mut self, losses: &[Loss<'_>]) {
        for loss in losses.iter().filter(|loss| loss.row.is_loss) {
            self.output.lost(loss, self.sink.buffer());
        }
    }

    /// The final maps, by name.
    pub fn show_final_maps(&mut self) -> Result<(), RunError> {
        self.output.finish(self.sink.buffer());
        let last = self.cuts.cut()?;
        if !self.manifest.print_maps {
            return Ok(());
        }
        let maps = self.manifest.maps.iter().enumerate();
        let mut users: Vec<_> = maps.filter(|(_, map)| map.role == MapRole::User).collect();
        users.sort_by(|left, right| left.1.name.cmp(&right.1.name));
        for (at, _) in users {
            let id = MapId(at as u32);
            let cut = self.cuts.has(id).then_some(last);
            self.show_map(id, cut, Selection { top: None, div: 1, absent: false, zeroed: self.zeroed.contains(&id) })?;
        }
        Ok(())
    }
}

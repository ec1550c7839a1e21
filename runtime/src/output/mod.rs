//! What a run prints, in the form that was asked for. Forms write into one buffer; the session writes the buffer out.

mod gfp;
mod histogram;
pub(crate) mod json;
pub(crate) mod plain;
mod printf;
mod rotate;
mod sink;
mod text;
mod trials;

pub use json::Json;
pub use plain::{guard, shown_text};
pub use printf::format;
pub use sink::Sink;
pub use text::Text;

use crate::loss::Loss;
use crate::options::OutputFormat;
use crate::rows::{Csv, Row};
use crate::value::Value;
use lt_lang::manifest::RowTable;

/// Groups of map values that look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapForm {
    /// One line a value.
    Plain,
    /// `avg()` and `stats()`: one line a value, of a type of their own in JSON.
    Stats,
    /// Several lines a value.
    Histogram,
}

/// How a map is announced.
#[derive(Clone, Copy, Debug)]
pub struct MapHead<'a> {
    /// With the sigil.
    pub name: &'a str,
    /// What its values look like.
    pub form: MapForm,
    /// Whether it has keys.
    pub keyed: bool,
}

/// A test that has run.
#[derive(Clone, Copy, Debug)]
pub struct TestRun<'a> {
    /// Names of all tests.
    pub names: &'a [&'a str],
    /// Whether those up to this one passed.
    pub passed: &'a [bool],
    /// Nanoseconds that it took.
    pub duration: u64,
    /// What it printed.
    pub output: &'a [u8],
}

/// A benchmark that has run.
#[derive(Clone, Copy, Debug)]
pub struct BenchmarkRun<'a> {
    /// Names of all benchmarks.
    pub names: &'a [&'a str],
    /// Which it is.
    pub at: usize,
    /// Nanoseconds of a run on average.
    pub average: u64,
    /// How often it was run.
    pub runs: u64,
}

/// A message that the script sends.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// `errorf`; else `warnf`.
    pub error: bool,
    /// What it says.
    pub text: &'a [u8],
}

/// A form of output. All of them append bytes to `out`; values come in the order in which they are shown.
pub trait Output {
    /// Tracing begins with so many probes attached.
    fn attached(&mut self, probes: usize, out: &mut Vec<u8>);
    /// Text that `printf` made.
    fn printf(&mut self, text: &[u8], out: &mut Vec<u8>);
    /// The time of day as `time()` shows it.
    fn time(&mut self, text: &[u8], out: &mut Vec<u8>);
    /// What a file holds or a command printed: `kind` says which, as bpftrace's JSON does.
    fn text(&mut self, kind: &str, text: &[u8], out: &mut Vec<u8>);
    /// Strings that `join` put together.
    fn join(&mut self, text: &[u8], out: &mut Vec<u8>);
    /// A message of the script with its place, for machines; people get a diagnostic.
    fn message(&mut self, message: &Message<'_>, out: &mut Vec<u8>);
    /// A value of `print(value)`, or of one entry of a map.
    fn value(&mut self, value: &Value<'_>, out: &mut Vec<u8>);
    /// A map follows.
    fn map_begin(&mut self, head: &MapHead<'_>, out: &mut Vec<u8>);
    /// An entry of it; no keys for a scalar map.
    fn map_entry(&mut self, head: &MapHead<'_>, keys: &[Value<'_>], value: &Value<'_>, out: &mut Vec<u8>);
    /// The map is complete.
    fn map_end(&mut self, head: &MapHead<'_>, out: &mut Vec<u8>);
    /// Rows of this table may follow, and of no other.
    fn heading(&mut self, _table: &RowTable, _out: &mut Vec<u8>) -> bool {
        false
    }
    /// A row of a table.
    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>);
    /// The run is over; the final maps follow.
    fn finish(&mut self, out: &mut Vec<u8>);
    /// A test has run.
    fn test_result(&mut self, run: &TestRun<'_>, out: &mut Vec<u8>);
    /// A benchmark has run.
    fn benchmark_result(&mut self, run: &BenchmarkRun<'_>, out: &mut Vec<u8>);
    /// So much was lost for one cause (in forms that machines read; people get a diagnostic).
    fn lost(&mut self, loss: &Loss<'_>, out: &mut Vec<u8>);
}

/// The output for `format`.
pub fn output(format: OutputFormat) -> Box<dyn Output> {
    match format {
        OutputFormat::Text => Box::new(Text),
        OutputFormat::Json => Box::new(Json::default()),
        OutputFormat::Csv => Box::new(Csv::new()),
    }
}

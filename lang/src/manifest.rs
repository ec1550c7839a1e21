//! What a loader must know beside the ELF object: programs, maps, event layouts, formats. It is complete before the
//! code generator runs; emitter and decoder read the same layouts and cannot drift. It can be written to a file.

mod action;
mod attach;
mod figures;
mod loss;
mod rows;
mod shapes;
pub mod state;

use crate::source::Span;
use crate::table::Table;
use crate::types::Type;
use crate::user::UserAction;
pub use action::EventAction;
pub use attach::{Attach, Operand, OperandPlace, SampleRate, UserPlace};
pub use figures::{Figure, Part, numbers};
use serde::{Deserialize, Serialize};
pub use shapes::{EnumShape, FieldShape, RecordShape, Shapes};

pub use loss::{LOSSES, LossCause, LossRow};
pub use rows::{ColumnKind, ColumnRole, MapView, RowColumn, RowPart, RowTable, TableId};

/// Version of the manifest's form; a loader refuses another.
pub const MANIFEST_VERSION: u32 = 1;

/// Index into [`Manifest::programs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProgramId(pub u32);

/// Index into [`Manifest::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MapId(pub u32);

/// Index into [`Manifest::events`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EventId(pub u32);

/// Everything about a compiled script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`]
    pub version: u32,
    /// One for each attach point, in source order.
    pub programs: Vec<Program>,
    /// The script's maps in order of first use, then the loader's own.
    pub maps: Vec<Map>,
    /// What programs send.
    pub events: Vec<Event>,
    /// Tables of rows, in source order.
    pub tables: Vec<RowTable>,
    /// Actions that run in user space, in source order.
    pub user: Vec<UserAction>,
    /// Bytes of scratch memory that each program needs on each CPU: the value size of the scratch map, 0 when none.
    pub scratch_size: u32,
    /// The script's maps are printed at the end.
    pub print_maps: bool,
    /// Records and enumerations that values hold.
    pub shapes: Shapes,
    /// Frames of stacks are shown with files, lines and inlined functions, where debug information tells them.
    pub debug_info: bool,
    /// Formats of times ([`Type::Timestamp`]), as strftime(3) takes them; `%f` is microseconds.
    pub time_formats: Vec<Vec<u8>>,
    /// Wildcards for the names of hierarchies of control groups ([`Type::GroupPath`]).
    pub group_filters: Vec<String>,
    /// Bytes of the strings that may have been cut off to fit.
    pub cut_size: u32,
    /// What is shown behind a string that was cut off.
    pub cut_mark: String,
}

impl Manifest {
    /// When programs and actions in user space run.
    pub fn attaches(&self) -> impl Iterator<Item = &Attach> {
        let programs = self.programs.iter().map(|program| &program.attach);
        programs.chain(self.user.iter().map(|action| &action.attach))
    }
}

/// A BPF program: one attach point with its action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Name in the ELF object, a C identifier, unique.
    pub symbol: String,
    /// The attach point as the user knows it: `kprobe:ip_rcv`. Value of the `probe` builtin.
    pub probe: String,
    /// How it is run.
    pub attach: Attach,
    /// Probes that it stands for: one program can be attached to many places, and a probe can need several programs.
    pub probes: u32,
    /// What becomes of it when it cannot be attached.
    pub refused: Refused,
    /// The attach point in the source.
    pub span: Span,
}

/// What becomes of a program that cannot be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refused {
    /// An error: nothing runs.
    #[default]
    Error,
    /// It is left out, and a message says so.
    Warn,
    /// It is left out.
    Ignore,
    /// It is one of those that a wildcard matches: it is left out, and a message says how many are.
    Counted,
}

/// A BPF map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// As the user wrote it, with the sigil (`@`, `@x`); a plain word for lt's own maps.
    pub name: String,
    /// Name in the ELF object, a C identifier: `AT_x`.
    pub symbol: String,
    /// What it is for.
    pub role: MapRole,
    /// The kernel's type of map.
    pub kind: MapKind,
    /// The user's keys as written (`@x[a, b]` has two), in stored form; empty for a scalar map.
    pub keys: Vec<Type>,
    /// Bytes of a key in the kernel (4 for arrays): the size of the tuple of `keys`.
    pub key_size: u32,
    /// Bytes of a value in the kernel (of one CPU's for per-CPU maps).
    pub value_size: u32,
    /// Capacity.
    pub max_entries: u32,
    /// Made with BPF_F_NO_PREALLOC.
    pub no_prealloc: bool,
    /// What a value means.
    pub value: MapValue,
    /// Scalar maps are arrays of one element, which always exists. In one that holds a plain value, the u64 at this
    /// offset of the element (behind the value) is non-zero once something was assigned; in one that holds an
    /// aggregation or several, [`Aggregate::presence_word`] says so. `None` for all other maps.
    pub presence: Option<u32>,
    /// The table of counters in front of it; in front of both pages where there are two.
    pub table: Option<Table>,
    /// Its second page, a map of role [`MapRole::Page`] of the same shape. Programs that aggregate into it read
    /// [`state::PAGE`] once and stay with the page that it names. So lt can turn to the other page, wait for the programs
    /// that still use this one, and have all of its values as they were at one moment.
    pub second: Option<MapId>,
}

/// What a map is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapRole {
    /// The script's: printed at the end.
    User,
    /// The second page of one of the script's, see [`Map::second`].
    Page,
    /// The ring buffer of events.
    Events,
    /// A tiny ring buffer that only wakes lt up (`exit()`); it carries no data.
    Wakeup,
    /// Stacks by their keys; see [`crate::stacks`].
    Stacks,
    /// The processes (u32) that lt was told of because they have user stacks or symbols.
    Processes,
    /// Per-CPU scratch memory; the element with index [`ProgramId`] belongs to that program.
    Scratch,
}

/// The kernel's types of maps that lt uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapKind {
    /// BPF_MAP_TYPE_HASH
    Hash = 1,
    /// BPF_MAP_TYPE_ARRAY
    Array = 2,
    /// BPF_MAP_TYPE_PERCPU_HASH
    PerCpuHash = 5,
    /// BPF_MAP_TYPE_PERCPU_ARRAY
    PerCpuArray = 6,
    /// BPF_MAP_TYPE_LRU_HASH
    LruHash = 9,
    /// BPF_MAP_TYPE_LRU_PERCPU_HASH
    LruPerCpuHash = 10,
    /// BPF_MAP_TYPE_RINGBUF
    RingBuffer = 27,
}

impl MapKind {
    /// Whether a look-up from user space gives one value for each possible CPU.
    pub fn is_per_cpu(self) -> bool {
        matches!(self, MapKind::PerCpuHash | MapKind::LruPerCpuHash | MapKind::PerCpuArray)
    }

    /// Whether its elements are made and deleted.
    pub fn is_hash(self) -> bool {
        matches!(self, MapKind::Hash | MapKind::PerCpuHash) || self.is_lru()
    }

    /// Whether a full map makes room for a new element by removing one that was not used for long.
    pub fn is_lru(self) -> bool {
        matches!(self, MapKind::LruHash | MapKind::LruPerCpuHash)
    }
}

impl Map {
    /// Whether its keys or values refer to the map of stacks.
    pub fn has_stacks(&self) -> bool {
        let in_value = matches!(&self.value, MapValue::Plain(ty) if ty.has_stack());
        in_value || self.keys.iter().any(Type::has_stack)
    }
}

/// What the value bytes of a map mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MapValue {
    /// A value of a type, in stored form.
    Plain(Type),
    /// An aggregation; see [`crate::aggregations`] for the layout of its words.
    Aggregate(Aggregate),
    /// Several aggregations, one behind the other.
    Figures(Vec<Figure>),
    /// lt's own maps.
    Opaque,
}

/// An aggregation with the literals that shape it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregate {
    /// Number of calls.
    Count,
    /// Sum of values.
    Sum {
        /// Shown as a signed number.
        signed: bool,
    },
    /// Average.
    Avg {
        /// Shown as a signed number.
        signed: bool,
    },
    /// Smallest.
    Min {
        /// Compared and shown as signed.
        signed: bool,
    },
    /// Largest.
    Max {
        /// Compared and shown as signed.
        signed: bool,
    },
    /// Count, average and total.
    Stats {
        /// Shown as a signed number.
        signed: bool,
    },
    /// Log2 histogram with 2^k buckets for each power of two.
    Hist {
        /// 0 to 5.
        k: u8,
    },
    /// Linear histogram.
    LinearHist {
        /// Lower bound of the first bucket.
        min: i64,
        /// Upper bound of the last.
        max: i64,
        /// Width of a bucket, above 0.
        step: i64,
    },
}

/// Every record in the event ring begins with this many bytes: event id (u32), program id (u32).
pub const EVENT_HEADER: u32 = 8;

/// A record that programs send through the event ring, and what user space does with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What to do.
    pub action: EventAction,
    /// The fields behind the header.
    pub fields: Vec<Type>,
    /// Offset of each field from the start of the record.
    pub offsets: Vec<u32>,
    /// Bytes of the whole record, a multiple of 8. A record whose last-placed field is a long string may be cut off
    /// behind that string's NUL (`trimmed`).
    pub size: u32,
    /// See `size`.
    pub trimmed: bool,
    /// The call in the source.
    pub span: Span,
}

/// An ELF object and its manifest: all that the runtime gets.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The BPF ELF object, with BTF.
    pub elf: Vec<u8>,
    /// What it holds.
    pub manifest: Manifest,
}

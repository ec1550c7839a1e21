//! What is done with events.

use super::{MapId, MapView, TableId};
use crate::format::Format;
use serde::{Deserialize, Serialize};

/// What user space does with an event. Those that name a whole map have a field in probes that the kernel runs: a u64
/// that tells the program's actions apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum EventAction {
    /// Format the fields.
    Printf(Format),
    /// Print the only field as a value.
    PrintValue,
    /// Print a map as it is when the request is carried out.
    PrintMap {
        /// Which.
        map: MapId,
        /// Only the entries with the largest values.
        top: Option<u64>,
        /// Values are divided by this.
        div: Option<u64>,
    },
    /// Print one entry of a map: the fields are the key, in the map's stored form.
    PrintEntry {
        /// Which.
        map: MapId,
    },
    /// Remove all entries.
    ClearMap {
        /// Which.
        map: MapId,
    },
    /// Set the values of all entries to zero.
    ZeroMap {
        /// Which.
        map: MapId,
    },
    /// The only field is a process (u64) whose addresses will have to be named: its memory map is to be read while it lives.
    ProcessSeen,
    /// Print the time of day at which the request is carried out, as strftime(3) does with this format.
    Time(Vec<u8>),
    /// Format the fields, and report them as a message with its place in the script.
    Message {
        /// As an error; else as a warning.
        error: bool,
        /// How.
        format: Format,
    },
    /// Print the file whose name the fields make.
    Cat {
        /// How.
        format: Format,
        /// At most so many bytes.
        most: u32,
    },
    /// Run the command of the shell that the fields make, and print its output.
    System(Format),
    /// The fields are addresses and strings by turns: print the strings up to the address 0, with this between them.
    Join(Vec<u8>),
    /// Show a map as a table, as it is when the request is carried out.
    ShowMap {
        /// Which.
        map: MapId,
        /// How.
        view: MapView,
    },
    /// Show a row of a table.
    Row {
        /// Which.
        table: TableId,
        /// For each column the field that is its value, if the row has one.
        cells: Vec<Option<u32>>,
    },
}

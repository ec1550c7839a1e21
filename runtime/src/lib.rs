//! The runtime of lt: reads what the kernel is ([`KernelProfile`]), takes an artifact (ELF object and manifest), loads and
//! attaches its programs, carries out what they request, and prints. It sees of the compiler only the manifest and the
//! types it is written in, never AST or HIR.
//!
//! A run is a chain of types, each of which allows the next step only:
//! [`load`] → [`Loaded`] → [`Loaded::attach`] → [`Attached`] → [`Attached::run`] → [`Outcome`].

mod actors;
mod attach;
mod btf;
pub mod bundle;
mod cuts;
mod decode;
mod detach;
mod error;
mod events;
mod existing;
mod features;
mod grace;
mod kept;
mod kernel_files;
pub mod list;
mod load;
mod log;
mod loss;
mod map_reader;
mod maps;
mod missed;
mod names;
mod options;
mod output;
mod perf;
mod poller;
mod privilege;
mod processes;
pub mod profile;
mod ring;
mod rows;
mod session;
mod shapes;
mod signals;
mod state;
mod symbolize;
mod table;
mod targets;
mod times;
pub mod tracefs;
mod trials;
mod user;
mod user_files;
mod value;
mod verifier;

pub use attach::Attached;
pub use detach::exit_now;
pub use existing::{is_process, is_thread};
pub use kept::KeptMaps;
pub use list::list;
pub use load::{Loaded, load, load_with};
pub use options::{Buffering, ChildStatus, Outcome, OutputFormat, Rotation, RunMode, RunOptions};
pub use profile::KernelProfile;
pub use signals::survive_interrupts;

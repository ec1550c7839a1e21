//! Perf events that programs are attached to: tracepoints and timers.

use libbpf_sys::{
    PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_DUMMY, PERF_SAMPLE_TID, PERF_SAMPLE_TIME, PERF_TYPE_BREAKPOINT,
    PERF_TYPE_HARDWARE, PERF_TYPE_SOFTWARE, PERF_TYPE_TRACEPOINT, perf_event_attr,
};
use lt_lang::manifest::SampleRate;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// The part of the attribute that all supported kernels know (PERF_ATTR_SIZE_VER1).
const ATTRIBUTE_SIZE: u32 = 72;

/// The same up to the clock (PERF_ATTR_SIZE_VER4).
const CLOCK_SIZE: u32 = 104;

/// Opens the perf event of tracepoint `id` for all CPUs and processes: a program attached to it sees every hit, wherever
/// it happens; tracefs need not be mounted.
pub fn open_tracepoint(id: u64) -> io::Result<RawFd> {
    let mut attribute = perf_event_attr { type_: PERF_TYPE_TRACEPOINT, config: id, ..Default::default() };
    attribute.__bindgen_anon_1.sample_period = 1;
    attribute.__bindgen_anon_2.wakeup_events = 1;
    open(attribute, -1, 0)
}

/// Opens a timer on `cpu`, or one that follows process `pid` over all CPUs.
pub fn open_timer(rate: SampleRate, target: TimerTarget) -> io::Result<RawFd> {
    let mut attribute =
        perf_event_attr { type_: PERF_TYPE_SOFTWARE, config: u64::from(PERF_COUNT_SW_CPU_CLOCK), ..Default::default() };
    match rate {
        SampleRate::Hertz(hertz) => {
            attribute.set_freq(1);
            attribute.__bindgen_anon_1.sample_freq = hertz;
        }
        SampleRate::PeriodNs(period) => attribute.__bindgen_anon_1.sample_period = period,
    }
    match target {
        TimerTarget::Cpu(cpu) => open(attribute, -1, cpu),
        TimerTarget::Process(pid) => open(attribute, pid, -1),
    }
}

/// Opens a counter that fires each `count`-th time that event `config` happens, on a CPU or in a process.
pub fn open_counter(hardware: bool, config: u64, count: u64, target: TimerTarget) -> io::Result<RawFd> {
    let type_ = if hardware { PERF_TYPE_HARDWARE } else { PERF_TYPE_SOFTWARE };
    let mut attribute = perf_event_attr { type_, config, ..Default::default() };
    attribute.__bindgen_anon_1.sample_period = count;
    match target {
        TimerTarget::Cpu(cpu) => open(attribute, -1, cpu),
        TimerTarget::Process(pid) => open(attribute, pid, -1),
    }
}

/// Opens the event of accesses to `length` bytes at `address`; the bits of `mode` are 1 reading, 2 writing, 4 executing.
pub fn open_breakpoint(address: u64, length: u8, mode: u8, target: TimerTarget) -> io::Result<RawFd> {
    let mut attribute = perf_event_attr { type_: PERF_TYPE_BREAKPOINT, bp_type: u32::from(mode), ..Default::default() };
    attribute.__bindgen_anon_3.bp_addr = address;
    // the processor wants to be told the size of a word for code
    let length = if mode & 4 == 0 { u64::from(length) } else { size_of::<libc::c_long>() as u64 };
    attribute.__bindgen_anon_4.bp_len = length;
    attribute.__bindgen_anon_1.sample_period = 1;
    match target {
        TimerTarget::Cpu(cpu) => open(attribute, -1, cpu),
        TimerTarget::Process(pid) => {
            let mut with_later = attribute;
            with_later.set_inherit(1);
            with_later.set_inherit_thread(1);
            // before 5.13 threads to come cannot be had without processes to come
            open(with_later, pid, -1).or_else(|error| match error.raw_os_error() {
                Some(libc::EINVAL) => open(attribute, pid, -1),
                _ => Err(error),
            })
        }
    }
}

/// Where the kernel shows the number that events of kprobes have, and which bit of them means returns.
const KPROBE_TYPE: &str = "/sys/bus/event_source/devices/kprobe/type";
const KPROBE_RETURN_BIT: &str = "/sys/bus/event_source/devices/kprobe/format/retprobe";

/// Opens the event of a place in the kernel: `offset` bytes behind a function's entry (`FUNCTION` or `MODULE:FUNCTION`),
/// or without a function an address.
pub fn open_kprobe(function: Option<&str>, offset: u64, ret: bool) -> io::Result<RawFd> {
    let missing = || io::Error::from_raw_os_error(libc::EOPNOTSUPP);
    let text = std::fs::read_to_string(KPROBE_TYPE).map_err(|_| missing())?;
    let type_ = text.trim().parse().map_err(|_| missing())?;
    let bit = std::fs::read_to_string(KPROBE_RETURN_BIT).unwrap_or_default();
    let bit: u32 = bit.trim().strip_prefix("config:").and_then(|bit| bit.parse().ok()).unwrap_or(0);
    let config = if ret { 1u64 << bit } else { 0 };
    let name = function.map(std::ffi::CString::new).transpose()?;
    let mut attribute = perf_event_attr { type_, config, ..Default::default() };
    attribute.__bindgen_anon_1.sample_period = 1;
    attribute.__bindgen_anon_2.wakeup_events = 1;
    attribute.__bindgen_anon_3.config1 = name.as_ref().map_or(0, |name| name.as_ptr() as u64);
    attribute.__bindgen_anon_4.config2 = offset;
    open(attribute, -1, 0)
}

/// Opens what tells of the processes on `cpu`: code that they map, forks, other programs, ends. Readable once `wakeup` bytes
/// of records are waiting.
pub fn open_sideband(cpu: i32, wakeup: u32) -> io::Result<OwnedFd> {
    let mut attribute = perf_event_attr {
        type_: PERF_TYPE_SOFTWARE,
        config: u64::from(PERF_COUNT_SW_DUMMY),
        sample_type: u64::from(PERF_SAMPLE_TID | PERF_SAMPLE_TIME),
        clockid: libc::CLOCK_MONOTONIC,
        ..Default::default()
    };
    attribute.set_mmap(1);
    attribute.set_mmap2(1);
    attribute.set_comm(1);
    attribute.set_comm_exec(1);
    attribute.set_task(1);
    attribute.set_sample_id_all(1);
    attribute.set_use_clockid(1);
    attribute.set_watermark(1);
    attribute.__bindgen_anon_2.wakeup_watermark = wakeup;
    let event = open_sized(attribute, CLOCK_SIZE, -1, cpu)?;
    // SAFETY: the call just made gave us this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(event) })
}

/// What a timer or counter samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerTarget {
    /// Whatever runs on this CPU.
    Cpu(i32),
    /// This process, wherever it runs.
    Process(i32),
}

fn open(attribute: perf_event_attr, pid: i32, cpu: i32) -> io::Result<RawFd> {
    open_sized(attribute, ATTRIBUTE_SIZE, pid, cpu)
}

fn open_sized(mut attribute: perf_event_attr, size: u32, pid: i32, cpu: i32) -> io::Result<RawFd> {
    attribute.size = size;
    let (group, flags) = (-1, libbpf_sys::PERF_FLAG_FD_CLOEXEC);
    // SAFETY: the attribute is initialized and longer than its size says.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, &raw const attribute, pid, cpu, group, flags) };
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(fd as RawFd) }
}

/// Numbers of the CPUs that are online.
pub fn online_cpus() -> Vec<i32> {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let cpus = parse_cpu_list(&list);
    if cpus.is_empty() { vec![0] } else { cpus }
}

/// `0-3,5`
fn parse_cpu_list(list: &str) -> Vec<i32> {
    let mut cpus = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
            cpus.extend(first..=last);
        }
    }
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpu_list("0-3,5\n"), [0, 1, 2, 3, 5]);
        assert_eq!(parse_cpu_list("0\n"), [0]);
        assert!(parse_cpu_list("").is_empty());
    }
}

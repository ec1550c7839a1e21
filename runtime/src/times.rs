//! Times of day: clocks become text by the C library's strftime, in the local time zone.

use std::ffi::CString;
use std::mem::MaybeUninit;

/// Longest text of a time.
const MOST: usize = 4096;
/// Nanoseconds of a day.
const DAY: i128 = 86_400_000_000_000;

/// Shows times since boot.
#[derive(Debug, Default)]
pub struct Times {
    formats: Vec<Vec<u8>>,
    /// Nanoseconds since the epoch when the machine booted.
    boot: i128,
}

impl Times {
    /// `formats`: those of the manifest.
    pub fn new(formats: Vec<Vec<u8>>) -> Times {
        let boot = clock(libc::CLOCK_REALTIME) - clock(libc::CLOCK_BOOTTIME);
        Times { formats, boot }
    }

    /// A number of nanoseconds since boot in format number `format`; `%f` is its microseconds.
    pub fn show(&self, format: u64, nanoseconds: u64) -> Vec<u8> {
        let format = usize::try_from(format).ok().and_then(|at| self.formats.get(at));
        format.map_or_else(Vec::new, |format| self.in_format(format, nanoseconds))
    }

    /// The same in a format that is given.
    pub fn in_format(&self, format: &[u8], nanoseconds: u64) -> Vec<u8> {
        let time = self.boot + i128::from(nanoseconds);
        let micros = (time.rem_euclid(1_000_000_000) / 1000) as u32;
        local(&with_micros(format, micros), seconds(time))
    }

    /// The same in UTC, as RFC 3339 has it: `2026-11-21T16:19:36.000000001Z`.
    pub fn utc(&self, nanoseconds: u64) -> String {
        let time = self.boot + i128::from(nanoseconds);
        let (days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
        let (year, month, day) = date(days);
        let (second, nanos) = (rest / 1_000_000_000, rest % 1_000_000_000);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

/// The date that lies so many days behind 1970-01-01. Years are counted from March, so that the day that some years have
/// more is the last one, and from the year 0, whose 400 years have the same days as every 400 after it.
fn date(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

/// A number of nanoseconds since boot in this format, as [`Times::show`] has it.
pub fn since_boot(format: &[u8], nanoseconds: u64) -> Vec<u8> {
    Times::new(vec![format.to_vec()]).show(0, nanoseconds)
}

/// Nanoseconds on a clock, as far as 64 bits reach.
pub fn nanoseconds(id: libc::clockid_t) -> u64 {
    clock(id) as u64
}

/// Nanoseconds from the clock of boot to that of atomic time.
pub fn tai_offset() -> u64 {
    (clock(libc::CLOCK_TAI) - clock(libc::CLOCK_BOOTTIME)) as u64
}

/// The time of day in this format.
pub fn now(format: &[u8]) -> Vec<u8> {
    local(format, seconds(clock(libc::CLOCK_REALTIME)))
}

fn seconds(nanoseconds: i128) -> libc::time_t {
    nanoseconds.div_euclid(1_000_000_000) as libc::time_t
}

/// Nanoseconds on a clock.
fn clock(id: libc::clockid_t) -> i128 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec; without such a clock it stays zero.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// Puts microseconds in the places of `%f`.
fn with_micros(format: &[u8], micros: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len());
    let mut rest = format;
    while let Some((first, after)) = rest.split_first() {
        match (first, after.split_first()) {
            (b'%', Some((b'f', after))) => {
                out.extend_from_slice(format!("{micros:06}").as_bytes());
                rest = after;
            }
            (b'%', Some((letter, after))) => {
                out.extend_from_slice(&[b'%', *letter]);
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// Seconds since the epoch as local time; empty when the text is too long.
fn local(format: &[u8], time: libc::time_t) -> Vec<u8> {
    let format = format.split(|byte| *byte == 0).next().unwrap_or(format);
    let Ok(format) = CString::new(format) else { return Vec::new() };
    let mut parts = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both point to what they are said to; the result is checked before it is used.
    let known = unsafe { !libc::localtime_r(&raw const time, parts.as_mut_ptr()).is_null() };
    if !known {
        return Vec::new();
    }
    let mut text = vec![0u8; MOST];
    // SAFETY: the format ends with a NUL, the text has room for what its length says, localtime_r filled the parts.
    let used = unsafe { libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), parts.as_ptr()) };
    text.truncate(used);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_stand_where_the_format_says() {
        assert_eq!(with_micros(b"%S.%f %%f %", 42), b"%S.000042 %%f %");
        let times = Times { formats: vec![b"%s.%f".to_vec()], boot: 1_000_000_000_000 };
        assert_eq!(times.show(0, 5_000_001_999), b"1005.000001");
        assert_eq!(times.show(1, 0), b"");
    }

    #[test]
    fn dates_of_the_calendar() {
        // as `date -u` has them
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (20_778, (2026, 11, 21)),
        ] {
            assert_eq!(date(days), expected);
        }
        let times = Times { formats: Vec::new(), boot: 1_795_277_976_000_000_000 };
        assert_eq!(times.utc(5), "2026-11-21T16:19:36.000000005Z");
    }

    #[test]
    fn an_empty_format_is_empty() {
        assert_eq!(now(b""), b"");
        assert_eq!(now(b"a%%\0b"), b"a%");
    }
}

//! The table of settings: `config = { name = value; ... }` in a script, and environment variables of the same names with
//! `BPFTRACE_` before them, which win.

use crate::ast::{ConfigEntry, ConfigValue, Ident};
use crate::check::{MissingProbes, SessionOptions};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::types::StackMode;
use std::borrow::Cow;

/// A row of the table.
#[derive(Debug)]
pub struct Setting {
    /// Its name in a config block.
    pub name: &'static str,
    /// Older names.
    pub aliases: &'static [&'static str],
    /// What it takes, and what becomes of it.
    pub kind: SettingKind,
    /// For the reference page.
    pub doc: &'static str,
}

/// What a setting takes.
#[derive(Debug)]
pub enum SettingKind {
    /// A number in a range (ends included).
    Number {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// Where it goes.
        field: fn(&mut SessionOptions) -> &mut u32,
    },
    /// `true` or `false`, `1` or `0`.
    Flag(fn(&mut SessionOptions) -> &mut bool),
    /// `bpftrace`, `perf`, `raw` or `build_id`.
    StackMode(fn(&mut SessionOptions) -> &mut StackMode),
    /// `error`, `warn` or `ignore`.
    MissingProbes(fn(&mut SessionOptions) -> &mut MissingProbes),
    /// Any text.
    Text(fn(&mut SessionOptions) -> &mut String),
    /// One of these words: it tunes a mechanism of bpftrace that lt does not have, or has in one way only.
    Words(&'static [&'static str]),
    /// Any value: the same. It reads as this.
    NoEffect(SettingValue),
}

/// What a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// A number.
    Number(u64),
    /// On or off.
    Flag(bool),
    /// A word.
    Word(Cow<'static, str>),
}

/// Shortest way to a row without effect.
const fn without_effect(name: &'static str, value: SettingValue, doc: &'static str) -> Setting {
    Setting { name, aliases: &[], kind: SettingKind::NoEffect(value), doc }
}

/// What may become of a construct that bpftrace calls unstable; lt has it all the same.
const fn unstable(name: &'static str) -> Setting {
    let doc = "Whether bpftrace takes a construct; lt always does.";
    Setting { name, aliases: &[], kind: SettingKind::Words(&["enable", "warn", "error"]), doc }
}

/// All settings.
pub const ALL: &[Setting] = &[
    Setting {
        name: "max_map_keys",
        aliases: &["map_keys_max"],
        kind: SettingKind::Number { min: 1, max: 1 << 24, field: |options| &mut options.max_map_keys },
        doc: "Most keys of a map; updates beyond are counted as lost.",
    },
    Setting {
        name: "max_strlen",
        aliases: &["strlen"],
        kind: SettingKind::Number { min: 1, max: 16384, field: |options| &mut options.max_strlen },
        doc: "Bytes of the strings that str() makes, NUL included.",
    },
    Setting {
        name: "max_probes",
        aliases: &["probes_max"],
        kind: SettingKind::Number { min: 1, max: 1 << 16, field: |options| &mut options.max_probes },
        doc: "Most attach points that wildcards may match.",
    },
    Setting {
        name: "stack_mode",
        aliases: &[],
        kind: SettingKind::StackMode(|options| &mut options.stack_mode),
        doc: "How stacks are shown that do not say it themselves.",
    },
    Setting {
        name: "show_debug_info",
        aliases: &[],
        kind: SettingKind::Flag(|options| &mut options.show_debug_info),
        doc: "Whether stacks have files, lines and inlined functions, where debug information tells them.",
    },
    Setting {
        name: "print_maps_on_exit",
        aliases: &[],
        kind: SettingKind::Flag(|options| &mut options.print_maps_on_exit),
        doc: "Whether maps are printed at the end.",
    },
    Setting {
        name: "missing_probes",
        aliases: &[],
        kind: SettingKind::MissingProbes(|options| &mut options.missing_probes),
        doc: "What becomes of attach points that the kernel lacks: error, warn or ignore.",
    },
    Setting {
        name: "max_cat_bytes",
        aliases: &["cat_bytes_max"],
        kind: SettingKind::Number { min: 1, max: 1 << 30, field: |options| &mut options.max_cat_bytes },
        doc: "Most bytes of a file that cat() prints.",
    },
    Setting {
        name: "str_trunc_trailer",
        aliases: &[],
        kind: SettingKind::Text(|options| &mut options.cut_mark),
        doc: "What is shown behind a string that str() cut off.",
    },
    Setting {
        name: "perf_rb_pages",
        aliases: &[],
        kind: SettingKind::Number { min: 0, max: 1 << 18, field: |options| &mut options.ring_pages },
        doc: "Size of the ring buffer of events in pages of 4096 bytes, up to a power of two; 0 for lt's own choice.",
    },
    Setting {
        name: "cache_user_symbols",
        aliases: &[],
        kind: SettingKind::Words(&["PER_PID", "PER_PROGRAM", "NONE", "1", "0"]),
        doc: "lt caches symbols as it needs.",
    },
    Setting {
        name: "license",
        aliases: &[],
        kind: SettingKind::Words(&[
            "GPL",
            "GPL v2",
            "GPL and additional rights",
            "Dual BSD/GPL",
            "Dual MIT/GPL",
            "Dual MPL/GPL",
        ]),
        doc: "The license of the programs; the kernel treats all of these the same.",
    },
    without_effect("cpp_demangle", SettingValue::Flag(true), "lt always shows the names of C++ as they are written."),
    without_effect(
        "lazy_symbolication",
        SettingValue::Flag(false),
        "lt always looks symbols up when they are printed.",
    ),
    without_effect("log_size", SettingValue::Number(1_000_000), "lt keeps the verifier's log whole."),
    without_effect("max_bpf_progs", SettingValue::Number(1024), "max_probes is the limit."),
    without_effect("on_stack_limit", SettingValue::Number(32), "lt places values itself."),
    without_effect("use_blazesym", SettingValue::Flag(true), "lt always does."),
    without_effect(
        "no_cpp_demangle",
        SettingValue::Flag(false),
        "lt always shows the names of C++ as they are written.",
    ),
    unstable("unstable_import"),
    unstable("unstable_import_statement"),
    unstable("unstable_map_decl"),
    unstable("unstable_tseries"),
    unstable("unstable_dw_ustack"),
    unstable("unstable_typeinfo"),
    unstable("unstable_macro"),
    unstable("unstable_addr"),
];

/// Applies a script's settings, then the environment's (name, value), to the options of a session.
pub fn configure(
    entries: &[ConfigEntry],
    environment: &[(String, String)],
    mut options: SessionOptions,
) -> (SessionOptions, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    for entry in entries {
        if let Err(diagnostic) = apply(&entry.name, &entry.value, &mut options) {
            let value = matches!(diagnostic.code, Code::BadArgument);
            diagnostics.push(if value { diagnostic.at(entry.value_span, "this value") } else { diagnostic });
        }
    }
    for (name, text) in environment {
        let Some(setting) = lookup(name) else { continue };
        if let Err(why) = set(setting, &ConfigValue::of_text(text), &mut options) {
            diagnostics.push(Diagnostic::error(Code::BadArgument, format!("{name} in the environment: {why}")));
        }
    }
    (options, diagnostics)
}

fn apply(name: &Ident, value: &ConfigValue, options: &mut SessionOptions) -> Result<(), Diagnostic> {
    let Some(setting) = lookup(&name.text) else {
        let names = ALL.iter().map(|setting| setting.name);
        let near = nearest(&canonical(&name.text), names);
        let message = format!("there is no setting `{}`", name.text);
        return Err(Diagnostic::error(Code::UnknownName, message).at(name.span, "unknown").suggest(name.span, near));
    };
    set(setting, value, options)
        .map_err(|why| Diagnostic::error(Code::BadArgument, format!("`{}` {why}", setting.name)))
}

/// Case does not matter, nor the prefix of the environment's names.
fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix("bpftrace_").map_or(name.clone(), String::from)
}

fn lookup(name: &str) -> Option<&'static Setting> {
    let name = canonical(name);
    ALL.iter().find(|setting| setting.name == name || setting.aliases.contains(&name.as_str()))
}

/// What a setting is in a session; `None` when there is none of this name.
pub fn value_of(name: &str, options: &SessionOptions) -> Option<SettingValue> {
    let mut options = options.clone();
    Some(match &lookup(name)?.kind {
        SettingKind::NoEffect(value) => value.clone(),
        SettingKind::Number { field, .. } => SettingValue::Number(u64::from(*field(&mut options))),
        SettingKind::Flag(field) => SettingValue::Flag(*field(&mut options)),
        SettingKind::Text(field) => SettingValue::Word(field(&mut options).clone().into()),
        SettingKind::Words(words) => SettingValue::Word((*words.first()?).into()),
        SettingKind::StackMode(field) => {
            let mode = *field(&mut options);
            SettingValue::Word(StackMode::WORDS.iter().find(|row| row.1 == mode)?.0.into())
        }
        SettingKind::MissingProbes(field) => SettingValue::Word(
            match field(&mut options) {
                MissingProbes::Error => "error",
                MissingProbes::Warn => "warn",
                MissingProbes::Ignore => "ignore",
            }
            .into(),
        ),
    })
}

/// The names under which settings are looked for in the environment.
pub fn environment_names() -> impl Iterator<Item = String> {
    let names = ALL.iter().flat_map(|setting| std::iter::once(&setting.name).chain(setting.aliases));
    names.map(|name| format!("BPFTRACE_{}", name.to_ascii_uppercase()))
}

fn set(setting: &Setting, value: &ConfigValue, options: &mut SessionOptions) -> Result<(), String> {
    match (&setting.kind, value) {
        (SettingKind::NoEffect(_), _) => {}
        (SettingKind::Text(field), ConfigValue::Word(word)) => field(options).clone_from(word),
        (SettingKind::Text(field), ConfigValue::Int(number)) => *field(options) = number.to_string(),
        (SettingKind::Words(words), value) => {
            let given = match value {
                ConfigValue::Word(word) => word.clone(),
                ConfigValue::Int(number) => number.to_string(),
            };
            if !words.contains(&given.as_str()) {
                return Err(format!("takes one of: {}", words.join(", ")));
            }
        }
        (SettingKind::Number { min, max, field }, ConfigValue::Int(number)) if (min..=max).contains(&number) => {
            *field(options) = u32::try_from(*number).unwrap_or(u32::MAX);
        }
        (SettingKind::Number { min, max, .. }, _) => return Err(format!("takes a number from {min} to {max}")),
        (SettingKind::Flag(field), value) => {
            *field(options) = value.as_flag().ok_or("takes true or false")?;
        }
        (SettingKind::StackMode(field), ConfigValue::Word(word)) => {
            *field(options) = StackMode::of_word(word).ok_or("takes bpftrace, perf, raw or build_id")?;
        }
        (SettingKind::MissingProbes(field), ConfigValue::Word(word)) => {
            *field(options) = MissingProbes::of_word(word).ok_or("takes error, warn or ignore")?;
        }
        (SettingKind::MissingProbes(_), ConfigValue::Int(_)) => return Err("takes error, warn or ignore".into()),
        (SettingKind::StackMode(_), ConfigValue::Int(_)) => return Err("takes bpftrace, perf, raw or build_id".into()),
    }
    Ok(())
}

impl MissingProbes {
    fn of_word(word: &str) -> Option<MissingProbes> {
        Some(match word {
            "error" => MissingProbes::Error,
            "warn" => MissingProbes::Warn,
            "ignore" => MissingProbes::Ignore,
            _ => return None,
        })
    }
}

impl ConfigValue {
    fn of_text(text: &str) -> ConfigValue {
        text.parse().map_or_else(|_| ConfigValue::Word(text.to_string()), ConfigValue::Int)
    }

    fn as_flag(&self) -> Option<bool> {
        match self {
            ConfigValue::Int(0) => Some(false),
            ConfigValue::Int(1) => Some(true),
            ConfigValue::Int(_) => None,
            ConfigValue::Word(word) => word.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn configured(script: &str, environment: &[(&str, &str)]) -> (SessionOptions, Vec<String>) {
        let mut sources = SourceMap::default();
        let file = sources.add("test", format!("config = {{ {script} }} begin {{ }}"));
        let (ast, mut messages) = crate::parse(&sources, file);
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let (options, found) = configure(&ast.config, &environment, SessionOptions::default());
        messages.extend(found);
        let shown = |d: &Diagnostic| format!("{} {}", d.code, d.span().map_or("", |span| sources.slice(span)));
        (options, messages.iter().map(shown).collect())
    }

    #[test]
    fn settings_of_scripts_and_environment() {
        let (options, messages) = configured(
            "MAX_MAP_KEYS = 7; stack_mode=perf; print_maps_on_exit=false; BPFTRACE_STRLEN=64; log_size=1",
            &[],
        );
        assert_eq!((options.max_map_keys, options.max_strlen), (7, 64));
        assert_eq!((options.stack_mode, options.print_maps_on_exit), (StackMode::Perf, false));
        assert!(messages.is_empty(), "{messages:?}");
        let (options, _) = configured("max_strlen = 64", &[("BPFTRACE_MAX_STRLEN", "32")]);
        assert_eq!(options.max_strlen, 32, "the environment wins");
    }

    #[test]
    fn bad_settings() {
        let script = "max_map_key = 5; max_strlen = 0; stack_mode = nice; print_maps_on_exit = 2; max_probes";
        let (_, messages) = configured(script, &[("BPFTRACE_MAX_PROBES", "many")]);
        assert_eq!(messages, ["LT0101 }", "LT0201 max_map_key", "LT0311 0", "LT0311 nice", "LT0311 2", "LT0311 "]);
    }
}

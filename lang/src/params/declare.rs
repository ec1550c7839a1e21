//! What a script declares about its command line, from the tree.

use super::Values;
use super::kind::{Kind, Value};
use crate::ast::{Ast, Expr, ExprKind, Ident, Param, ParamPlace, ParamType, ScriptItem};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::source::{SourceMap, Span};

/// What a script says about its command line and about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// In source order.
    pub parameters: Vec<Parameter>,
    /// Indices of parameters of which at most one may be given.
    pub exclusive: Vec<Vec<usize>>,
    /// Of its use.
    pub examples: Vec<Example>,
    /// The `//!` lines.
    pub about: Vec<String>,
}

/// `example "lt x -m 5" "what it shows";`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The command line.
    pub command: String,
    /// What it shows; may be empty.
    pub text: String,
}

/// How a parameter is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// As an option.
    Option,
    /// By its place.
    Positional,
}

/// A parameter of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// In the script.
    pub name: String,
    /// The long option, without its dashes.
    pub long: String,
    /// The short option.
    pub short: Option<char>,
    /// The type of a value.
    pub kind: Kind,
    /// It has any number of values, with commas between them.
    pub list: bool,
    /// It has any number of values, one each time that it is given.
    pub repeated: bool,
    /// `?`: it can be left out and has no value then.
    pub optional: bool,
    /// `const param`: its values may shape the code.
    pub constant: bool,
    /// Its values when it is left out.
    pub default: Option<Vec<Value>>,
    /// The lowest and the highest value.
    pub range: Option<(Value, Value)>,
    /// How it is given.
    pub place: Place,
    /// The `///` lines.
    pub doc: Vec<String>,
    /// Of its name.
    pub span: Span,
}

impl Parameter {
    /// Whether it has any number of values.
    pub fn is_many(&self) -> bool {
        self.list || self.repeated
    }

    /// Whether it must be given.
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none() && !self.is_many() && self.kind != Kind::Bool
    }

    /// How a message calls it: `-m`, `--sort`, `DURATION`.
    pub fn shown(&self) -> String {
        match (self.place, self.short) {
            (Place::Positional, _) => self.long.to_uppercase(),
            (Place::Option, Some(short)) => format!("-{short}, --{}", self.long),
            (Place::Option, None) => format!("--{}", self.long),
        }
    }

    /// The values that a text stands for; else what is wrong with it: `'abc' is not a duration`.
    pub fn read(&self, text: &str) -> Result<Vec<Value>, String> {
        let parts: Vec<&str> = if self.list { text.split(',').map(str::trim).collect() } else { vec![text] };
        parts.into_iter().map(|part| self.read_one(part)).collect()
    }

    fn read_one(&self, text: &str) -> Result<Value, String> {
        let value = self.kind.read(text).map_err(|why| format!("'{}' {why}", text.escape_debug()))?;
        match &self.range {
            Some((low, high)) if !value.is_between(low, high) => {
                let (low, high) = (self.kind.show(low), self.kind.show(high));
                Err(format!("'{}' is not between {low} and {high}", text.escape_debug()))
            }
            _ => Ok(value),
        }
    }

    /// A text that it takes.
    pub fn example(&self) -> String {
        let plain = self.kind.example();
        match &self.range {
            Some((low, high)) if self.kind.read(&plain).is_ok_and(|value| !value.is_between(low, high)) => {
                self.kind.show(if self.kind.show(low).starts_with('0') { high } else { low })
            }
            _ => plain,
        }
    }

    /// Its type and what is allowed, in words.
    pub fn takes(&self) -> String {
        let list = if self.list { ", or several with commas between them" } else { "" };
        let range = self.range.as_ref().map_or(String::new(), |(low, high)| {
            format!(", between {} and {}", self.kind.show(low), self.kind.show(high))
        });
        format!("{}{range}{list}", self.kind.article())
    }

    /// Its values without a command line; of one that must be given, its example.
    pub fn value_without(&self) -> Option<Vec<Value>> {
        match &self.default {
            Some(values) => Some(values.clone()),
            None if self.is_many() => Some(Vec::new()),
            None if self.optional => None,
            None if self.kind == Kind::Bool => Some(vec![Value::Bool(false)]),
            None => self.kind.read(&self.example()).ok().map(|value| vec![value]),
        }
    }
}

impl Declared {
    /// Whether the command line behind the script's name is the script's own.
    pub fn has_parameters(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// Whether there is anything to say of the script.
    pub fn is_described(&self) -> bool {
        self.has_parameters() || !self.examples.is_empty() || !self.about.is_empty()
    }

    /// The values that a script has when nothing is given to it.
    pub fn values_without(&self) -> Values {
        let value = |one: &Parameter| Some((one.name.clone(), one.value_without()?));
        self.parameters.iter().filter_map(value).collect()
    }
}

/// Reads what a script declares. The texts of defaults and ranges are read as values of the command line are.
pub fn declared(ast: &Ast, sources: &SourceMap) -> (Declared, Diagnostics) {
    let mut reader =
        Reader { ast, sources, out: Diagnostics::default(), declared: Declared::default(), previous: None };
    let own = ast.docs.iter().filter(|doc| doc.of_script);
    reader.declared.about = own.map(|doc| doc.text.clone()).collect();
    for (item, span) in &ast.script {
        match item {
            ScriptItem::Param(param) => reader.param(param, *span),
            ScriptItem::Example { command, text } => reader.declared.examples.push(Example {
                command: String::from_utf8_lossy(command).into_owned(),
                text: text.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned(),
            }),
            _ => {}
        }
        reader.previous = Some(*span);
    }
    for (item, _) in &ast.script {
        if let ScriptItem::Exclusive(names) = item {
            reader.exclusive(names);
        }
    }
    (reader.declared, reader.out)
}

/// Options that mean the same before and behind a script's name.
pub const COMMON: &[&str] = &["help", "format", "output", "logsize", "logbackup", "verbose"];

struct Reader<'a> {
    ast: &'a Ast,
    sources: &'a SourceMap,
    out: Diagnostics,
    declared: Declared,
    /// The item of the script that was read last.
    previous: Option<Span>,
}

impl Reader<'_> {
    fn error(&mut self, span: Span, message: String) {
        self.out.push(Diagnostic::error(Code::BadParameter, message).at(span, ""));
    }

    fn param(&mut self, param: &Param, item: Span) {
        let (list, ty) = match &param.ty {
            ParamType::List(inner) => (true, &**inner),
            ty => (false, ty),
        };
        let kind = match kind_of(ty) {
            Ok(kind) => kind,
            Err((span, message)) => return self.error(span.unwrap_or(param.name.span), message),
        };
        let mut one = Parameter {
            name: param.name.text.clone(),
            long: param.long.as_ref().map_or_else(|| param.name.text.replace('_', "-"), |long| long.text.clone()),
            short: None,
            kind,
            list,
            repeated: param.place == ParamPlace::Repeated,
            optional: param.optional,
            constant: param.constant,
            default: None,
            range: None,
            place: if param.place == ParamPlace::Positional { Place::Positional } else { Place::Option },
            doc: self.docs_before(item),
            span: param.name.span,
        };
        if let Some(short) = &param.short {
            let mut letters = short.text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => one.short = Some(letter),
                _ => {
                    self.error(short.span, format!("`-{}` has more than one letter; `--` begins long ones", short.text))
                }
            }
        }
        self.range(param, &mut one);
        self.default(param, &mut one);
        self.clashes(param, &one);
        self.declared.parameters.push(one);
    }

    fn range(&mut self, param: &Param, one: &mut Parameter) {
        let Some((low, high)) = &param.range else { return };
        if !one.kind.is_ordered() {
            return self.error(low.span.to(high.span), format!("{} has no range", one.kind.article()));
        }
        let (Some(first), Some(last)) = (self.value(low, one), self.value(high, one)) else { return };
        if !first.is_between(&first, &last) {
            return self.error(low.span.to(high.span), "the range is empty: it ends before it begins".to_string());
        }
        one.range = Some((first, last));
    }

    fn default(&mut self, param: &Param, one: &mut Parameter) {
        let Some(default) = &param.default else { return };
        if one.optional {
            let message = format!("`{}` has a default: it is never without a value", one.name);
            return self.error(default.span, message);
        }
        let text = self.text_of(default);
        match one.read(&text) {
            Ok(values) => one.default = Some(values),
            Err(why) => self.error(default.span, format!("the default {why}")),
        }
    }

    /// An end of a range.
    fn value(&mut self, expr: &Expr, one: &Parameter) -> Option<Value> {
        let text = self.text_of(expr);
        let found = one.kind.read(&text);
        found.map_err(|why| self.error(expr.span, format!("'{}' {why}", text.escape_debug()))).ok()
    }

    /// What stands there, as a command line would have it.
    fn text_of(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Str(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => self.sources.slice(expr.span).replace('_', ""),
        }
    }

    /// Reports names and options that are taken.
    fn clashes(&mut self, param: &Param, one: &Parameter) {
        let earlier = self.declared.parameters.clone();
        let mut report = |span: Span, message: String, other: Option<&Parameter>| {
            let mut diagnostic = Diagnostic::error(Code::BadParameter, message).at(span, "");
            if let Some(other) = other {
                diagnostic = diagnostic.at(other.span, "declared here");
            }
            self.out.push(diagnostic);
        };
        if let Some(other) = earlier.iter().find(|other| other.name == one.name) {
            return report(param.name.span, format!("parameter `{}` is declared twice", one.name), Some(other));
        }
        if one.place == Place::Positional {
            let last = earlier.iter().rev().find(|other| other.place == Place::Positional);
            let message = match last {
                Some(last) if last.is_many() => format!("nothing is left for it behind `{}`", last.name),
                Some(last) if !last.is_required() && one.is_required() => {
                    format!("`{}` must be given, but `{}` before it can be left out", one.name, last.name)
                }
                _ => return,
            };
            return report(param.name.span, message, last);
        }
        let span = param.long.as_ref().map_or(param.name.span, |long| long.span);
        if COMMON.contains(&one.long.as_str()) {
            report(span, format!("`--{}` is an option of every script; name another with `--NAME`", one.long), None);
        }
        let options = || earlier.iter().filter(|other| other.place == Place::Option);
        if let Some(other) = options().find(|other| other.long == one.long) {
            report(span, format!("`--{}` is taken", one.long), Some(other));
        }
        if let Some(other) = one.short.and_then(|short| options().find(|other| other.short == Some(short))) {
            let span = param.short.as_ref().map_or(param.name.span, |short| short.span);
            report(span, format!("`-{}` is taken", one.short.unwrap_or_default()), Some(other));
        }
    }

    /// The `///` lines between the item before and this one, which begins at `item`.
    fn docs_before(&self, item: Span) -> Vec<String> {
        let from = self.previous.filter(|previous| previous.file == item.file).map_or(0, |previous| previous.end);
        let docs = self.ast.docs.iter().filter(|doc| {
            !doc.of_script && doc.span.file == item.file && doc.span.start >= from && doc.span.end <= item.start
        });
        docs.map(|doc| doc.text.clone()).collect()
    }

    fn exclusive(&mut self, names: &[Ident]) {
        let mut group = Vec::new();
        for name in names {
            let known: Vec<&str> = self.declared.parameters.iter().map(|one| one.name.as_str()).collect();
            match known.iter().position(|known| *known == name.text) {
                Some(at) => group.push(at),
                None => {
                    let message = format!("there is no parameter `{}`", name.text);
                    let near = nearest(&name.text, known.iter().copied());
                    let diagnostic = Diagnostic::error(Code::BadParameter, message).at(name.span, "");
                    self.out.push(diagnostic.suggest(name.span, near));
                }
            }
        }
        self.declared.exclusive.push(group);
    }
}

/// The type, or what is wrong with it.
fn kind_of(ty: &ParamType) -> Result<Kind, (Option<Span>, String)> {
    match ty {
        ParamType::Name { name, unit } => {
            let unit = unit.as_ref().map(|unit| unit.text.as_str());
            Kind::named(&name.text, unit).map_err(|message| (Some(name.span), message))
        }
        ParamType::Choice(words) => Ok(Kind::Choice(words.iter().map(|word| word.text.clone()).collect())),
        ParamType::List(_) => Err((None, "a list of lists is no type of parameters".to_string())),
    }
}

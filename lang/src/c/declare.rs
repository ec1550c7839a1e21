//! Definitions: records, enumerations, names of types.

use super::constant::evaluate;
use super::declarator::Declarator;
use super::token::{Macros, Token, token_at};
use super::{CType, Declared, Definitions, Enum, Record};
use crate::source::{FileId, Span};
use crate::types::RecordKind;

/// What is wrong, and at which byte.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
}

pub(super) type Parsed<T> = Result<T, Wrong>;

/// What attributes say.
#[derive(Clone, Copy, Default)]
pub(super) struct Attributes {
    pub(super) packed: bool,
    pub(super) aligned: Option<u32>,
}

/// So deep may records nest.
const MAX_DEPTH: u32 = 32;

/// Words of C that change nothing about a layout.
const QUALIFIERS: &[&str] =
    &["const", "volatile", "restrict", "__restrict", "__extension__", "static", "extern", "inline"];

/// Reads definitions from a text.
pub(super) struct Parser<'t, 'd> {
    text: &'t str,
    pub(super) at: usize,
    file: FileId,
    macros: &'t Macros,
    into: &'d mut Definitions,
    depth: u32,
}

impl<'t, 'd> Parser<'t, 'd> {
    pub(super) fn new(text: &'t str, at: usize, file: FileId, macros: &'t Macros, into: &'d mut Definitions) -> Self {
        Parser { text, at, file, macros, into, depth: 0 }
    }

    /// `struct X { ... }`, `enum { ... }`, `typedef ... name;`
    pub(super) fn definition(&mut self) -> Parsed<()> {
        if !self.word("typedef") {
            let (_, defined) = self.tagged_type()?;
            if !defined && self.peek() != Some(Token::Sign(";")) {
                return self.wrong("`{` is missing");
            }
            return Ok(());
        }
        let base = self.base_type()?;
        loop {
            let declared = self.declarator(base.clone())?;
            if declared.name.is_empty() {
                return self.wrong("the name of the type is missing");
            }
            self.into.typedefs.insert(declared.name, declared.ty);
            if !self.sign(",") {
                break;
            }
        }
        self.attributes()?;
        if self.peek() == Some(Token::Sign(";")) { Ok(()) } else { self.wrong("`;` is missing") }
    }

    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Wrong { at: self.at, message: message.into() })
    }

    pub(super) fn peek(&self) -> Option<Token<'t>> {
        token_at(self.text, self.at).map(|found| found.token)
    }

    /// Takes the next token when it is this one.
    fn take(&mut self, wanted: Token<'_>) -> bool {
        match token_at(self.text, self.at) {
            Some(found) if found.token == wanted => {
                self.at = found.end;
                true
            }
            _ => false,
        }
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        self.take(Token::Sign(sign))
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        self.take(Token::Word(word))
    }

    /// Any word.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        let found = token_at(self.text, self.at)?;
        let Token::Word(name) = found.token else { return None };
        self.at = found.end;
        Some(name)
    }

    /// The place from a byte to what was read last.
    pub(super) fn span_from(&self, start: usize) -> Span {
        Span::new(self.file, start, self.at)
    }

    /// Where the next token begins.
    pub(super) fn start(&self) -> usize {
        token_at(self.text, self.at).map_or(self.at, |found| found.start)
    }

    /// Any number of `__attribute__((...))`.
    pub(super) fn attributes(&mut self) -> Parsed<Attributes> {
        let mut found = Attributes::default();
        while self.word("__attribute__") || self.word("__attribute") {
            if !self.sign("(") || !self.sign("(") {
                return self.wrong("`((` is missing");
            }
            while !self.sign(")") {
                self.attribute(&mut found)?;
            }
            if !self.sign(")") {
                return self.wrong("`)` is missing");
            }
        }
        Ok(found)
    }

    fn attribute(&mut self, found: &mut Attributes) -> Parsed<()> {
        if self.sign(",") {
            return Ok(());
        }
        let Some(name) = self.name() else { return self.wrong("the name of an attribute is missing") };
        let argument = if self.sign("(") { Some(self.until_closing(")")?) } else { None };
        match name.trim_matches('_') {
            "packed" => found.packed = true,
            "aligned" => {
                let bytes = argument.map_or(Some(16), |text| self.constant(text));
                match bytes.and_then(|bytes| u32::try_from(bytes).ok()).filter(|bytes| bytes.is_power_of_two()) {
                    Some(bytes) if bytes <= 4096 => found.aligned = Some(bytes),
                    _ => return self.wrong("an alignment that is no power of two"),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The text up to a closing sign, which is passed over.
    pub(super) fn until_closing(&mut self, closing: &str) -> Parsed<&'t str> {
        let (from, mut open) = (self.at, 0u32);
        while let Some(found) = token_at(self.text, self.at) {
            self.at = found.end;
            match found.token {
                Token::Sign(sign) if sign == closing && open == 0 => {
                    return Ok(self.text.get(from..found.start).unwrap_or_default());
                }
                Token::Sign("(" | "[" | "{") => open += 1,
                Token::Sign(")" | "]" | "}") => open = open.saturating_sub(1),
                _ => {}
            }
        }
        self.wrong(format!("`{closing}` is missing"))
    }

    /// The value of a constant expression.
    pub(super) fn constant(&self, text: &str) -> Option<i128> {
        evaluate(text, self.macros, &|name| self.into.enumerator(name).map(|found| i128::from(found.1)))
    }

    /// What stands before the declarators: `const unsigned long`, `struct x { ... }`, `u32`.
    pub(super) fn base_type(&mut self) -> Parsed<CType> {
        let start = self.start();
        let (mut words, mut other) = (Vec::new(), None);
        while let Some(Token::Word(word)) = self.peek() {
            match word {
                "struct" | "union" | "enum" if words.is_empty() && other.is_none() => {
                    other = Some(self.tagged_type()?.0)
                }
                "__attribute__" | "__attribute" => drop(self.attributes()?),
                word if QUALIFIERS.contains(&word) => drop(self.name()),
                word if super::bits::is_number_word(word) && other.is_none() => {
                    self.name();
                    words.push(word);
                }
                name if words.is_empty() && other.is_none() => {
                    self.name();
                    let named = || CType::Named(name.to_string(), self.span_from(start));
                    other = Some(
                        self.into
                            .typedefs
                            .get(name)
                            .cloned()
                            .or_else(|| super::bits::named(name))
                            .unwrap_or_else(named),
                    );
                }
                _ => break,
            }
        }
        match other {
            Some(ty) => Ok(ty),
            None if words.is_empty() => self.wrong("a type is missing"),
            None => match super::bits::number_type(&words) {
                Some(ty) => Ok(ty),
                None => self.wrong(format!("`{}` is no type", words.join(" "))),
            },
        }
    }

    /// `struct NAME`, `struct { ... }`, `enum NAME { ... }`; whether it is defined here.
    fn tagged_type(&mut self) -> Parsed<(CType, bool)> {
        let start = self.start();
        let kind = match self.name() {
            Some("struct") => RecordKind::Struct,
            Some("union") => RecordKind::Union,
            _ => return self.enumeration(),
        };
        let before = self.attributes()?;
        let name = self.name().unwrap_or_default().to_string();
        if !self.sign("{") {
            if name.is_empty() {
                return self.wrong("`{` is missing");
            }
            let known = self.into.tags.get(&(kind, name.clone())).map(|at| CType::Record(*at));
            return Ok((known.unwrap_or(CType::Tagged(kind, name)), false));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.wrong("records that are nested too deeply");
        }
        let members = self.members()?;
        self.depth -= 1;
        let behind = self.attributes()?;
        let (packed, aligned) = (before.packed || behind.packed, before.aligned.max(behind.aligned));
        let record = Record { kind, name: name.clone(), members, packed, aligned, span: self.span_from(start) };
        let at = self.into.records.len();
        self.into.records.push(record);
        if !name.is_empty() {
            self.into.tags.insert((kind, name), at);
        }
        Ok((CType::Record(at), true))
    }

    fn members(&mut self) -> Parsed<Vec<Declared>> {
        let mut members = Vec::new();
        while !self.sign("}") {
            if self.sign(";") {
                continue;
            }
            let start = self.start();
            let base = self.base_type()?;
            if matches!(base, CType::Record(_)) && matches!(self.peek(), Some(Token::Sign(";" | "}"))) {
                let span = self.span_from(start);
                members.push(Declared {
                    name: String::new(),
                    ty: base,
                    bits: None,
                    packed: false,
                    aligned: None,
                    span,
                });
            } else {
                self.declarators(&base, start, &mut members)?;
            }
            // the last one may go without
            if !self.sign(";") && self.peek() != Some(Token::Sign("}")) {
                return self.wrong("`;` is missing");
            }
        }
        Ok(members)
    }

    fn declarators(&mut self, base: &CType, start: usize, members: &mut Vec<Declared>) -> Parsed<()> {
        loop {
            let Declarator { name, ty } = self.declarator(base.clone())?;
            let bits = if self.sign(":") { Some(self.width()?) } else { None };
            let attributes = self.attributes()?;
            let span = self.span_from(start);
            let (packed, aligned) = (attributes.packed, attributes.aligned);
            members.push(Declared { name, ty, bits, packed, aligned, span });
            if !self.sign(",") {
                return Ok(());
            }
        }
    }

    /// The width of a bit-field: everything up to `,`, `;`, `}` or an attribute.
    fn width(&mut self) -> Parsed<u32> {
        let from = self.at;
        while let Some(found) = token_at(self.text, self.at) {
            match found.token {
                Token::Sign("," | ";" | "}") | Token::Word("__attribute__") => break,
                _ => self.at = found.end,
            }
        }
        let width = self.constant(self.text.get(from..self.at).unwrap_or_default());
        match width.and_then(|width| u32::try_from(width).ok()).filter(|width| *width <= 64) {
            Some(width) => Ok(width),
            None => Err(Wrong { at: from, message: "a width that is no constant up to 64".into() }),
        }
    }

    fn enumeration(&mut self) -> Parsed<(CType, bool)> {
        self.attributes()?;
        let name = self.name().unwrap_or_default().to_string();
        if !self.sign("{") {
            let known = self.into.enums.iter().position(|known| known.name == name);
            return match known {
                Some(at) if !name.is_empty() => Ok((CType::Enum(at), false)),
                _ if !name.is_empty() => Ok((CType::TaggedEnum(name), false)),
                _ => self.wrong("`{` is missing"),
            };
        }
        // Later members may be computed from earlier ones: it is known from the start.
        let at = self.into.enums.len();
        self.into.enums.push(Enum { name, members: Vec::new() });
        let mut next = 0;
        while !self.sign("}") {
            let Some(member) = self.name() else { return self.wrong("the name of an enumerator is missing") };
            self.attributes()?;
            let value = if self.sign("=") { self.enumerator_value()? } else { next };
            next = value.wrapping_add(1);
            if let Some(found) = self.into.enums.get_mut(at) {
                found.members.push((member.to_string(), value));
            }
            if !self.sign(",") && self.peek() != Some(Token::Sign("}")) {
                return self.wrong("`,` or `}` is missing");
            }
        }
        self.attributes()?;
        Ok((CType::Enum(at), true))
    }

    fn enumerator_value(&mut self) -> Parsed<i64> {
        let (from, mut open) = (self.at, 0u32);
        while let Some(found) = token_at(self.text, self.at) {
            match found.token {
                Token::Sign("," | "}") if open == 0 => break,
                Token::Sign("(") => open += 1,
                Token::Sign(")") => open = open.saturating_sub(1),
                _ => {}
            }
            self.at = found.end;
        }
        let value = self.constant(self.text.get(from..self.at).unwrap_or_default());
        match value.and_then(|value| i64::try_from(value).or(u64::try_from(value).map(|value| value as i64)).ok()) {
            Some(value) => Ok(value),
            None => Err(Wrong { at: from, message: "a value that is no constant".into() }),
        }
    }
}

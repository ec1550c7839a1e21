//! Declarators: names with their stars, brackets and parameters.

use super::CType;
use super::declare::{Parsed, Parser};
use super::token::Token;

/// A name and its type.
pub(super) struct Declarator {
    /// Empty when there is none.
    pub(super) name: String,
    pub(super) ty: CType,
}

/// Words between stars that change nothing.
const QUALIFIERS: &[&str] = &["const", "volatile", "restrict", "__restrict"];

/// So many elements may an array have.
const MAX_LEN: i128 = 1 << 24;

impl Parser<'_, '_> {
    /// `*name`, `name[4][2]`, `(*name)(int)`
    pub(super) fn declarator(&mut self, base: CType) -> Parsed<Declarator> {
        let mut ty = base;
        while self.sign("*") {
            ty = CType::Pointer(Box::new(ty));
            while let Some(Token::Word(word)) = self.peek()
                && QUALIFIERS.contains(&word)
            {
                self.name();
            }
        }
        if self.sign("(") {
            return self.inner_declarator(ty);
        }
        self.attributes()?;
        let name = match self.peek() {
            Some(Token::Word(_)) => self.name().unwrap_or_default().to_string(),
            _ => String::new(),
        };
        let ty = self.suffixes(ty)?;
        Ok(Declarator { name, ty })
    }

    /// `*name)(int)`, behind the parenthesis: a pointer to a function, or to an array.
    fn inner_declarator(&mut self, base: CType) -> Parsed<Declarator> {
        let (mut stars, mut name) = (0u32, String::new());
        while self.sign("*") {
            stars += 1;
        }
        if let Some(Token::Word(_)) = self.peek() {
            name = self.name().unwrap_or_default().to_string();
        }
        let inner = self.lengths()?;
        if !self.sign(")") {
            return self.wrong("`)` is missing");
        }
        let mut ty = self.suffixes(base)?;
        for _ in 0..stars {
            ty = CType::Pointer(Box::new(ty));
        }
        Ok(Declarator { name, ty: arrays(ty, &inner) })
    }

    fn suffixes(&mut self, ty: CType) -> Parsed<CType> {
        if self.sign("(") {
            self.until_closing(")")?;
            return Ok(CType::Function);
        }
        let lengths = self.lengths()?;
        Ok(arrays(ty, &lengths))
    }

    /// `[4][2]`; without a length 0.
    fn lengths(&mut self) -> Parsed<Vec<u32>> {
        let mut lengths = Vec::new();
        while self.sign("[") {
            if self.sign("]") {
                lengths.push(0);
                continue;
            }
            let at = self.at;
            let text = self.until_closing("]")?;
            match self.constant(text).filter(|length| (0..=MAX_LEN).contains(length)) {
                Some(length) => lengths.push(length as u32),
                None => {
                    self.at = at;
                    return self.wrong("a length that is no constant");
                }
            }
        }
        Ok(lengths)
    }
}

fn arrays(ty: CType, lengths: &[u32]) -> CType {
    lengths.iter().rev().fold(ty, |ty, length| CType::Array(Box::new(ty), *length))
}

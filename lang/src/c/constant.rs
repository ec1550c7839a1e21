//! Constant expressions: sizes of arrays, widths of bit-fields, values of enumerators and macros.

use super::token::{Macros, Token, token_at};

/// So deep may expressions and macros nest.
const MAX_DEPTH: u32 = 32;

/// What a name that is no macro stands for.
pub(crate) type Names<'n> = &'n dyn Fn(&str) -> Option<i128>;

/// The value of a whole text; `None` when it is no constant expression.
pub(crate) fn evaluate(text: &str, macros: &Macros, names: Names<'_>) -> Option<i128> {
    evaluate_to_depth(text, macros, names, MAX_DEPTH)
}

fn evaluate_to_depth(text: &str, macros: &Macros, names: Names<'_>, depth: u32) -> Option<i128> {
    let mut reader = Reader { text, at: 0, macros, names, depth };
    let value = reader.choice()?;
    token_at(text, reader.at).is_none().then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    macros: &'a Macros,
    names: Names<'a>,
    depth: u32,
}

/// Operators by how tightly they bind, loosest first.
const TIERS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<", ">", "<=", ">="],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl<'a> Reader<'a> {
    fn sign(&mut self, sign: &str) -> bool {
        match token_at(self.text, self.at) {
            Some(found) if found.token == Token::Sign(sign) => {
                self.at = found.end;
                true
            }
            _ => false,
        }
    }

    fn choice(&mut self) -> Option<i128> {
        let condition = self.tier(0)?;
        if !self.sign("?") {
            return Some(condition);
        }
        let then = self.deeper(Reader::choice)?;
        let otherwise = if self.sign(":") { self.deeper(Reader::choice)? } else { return None };
        Some(if condition != 0 { then } else { otherwise })
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Option<i128>) -> Option<i128> {
        self.depth = self.depth.checked_sub(1)?;
        let value = read(self);
        self.depth += 1;
        value
    }

    fn tier(&mut self, tier: usize) -> Option<i128> {
        let Some(signs) = TIERS.get(tier) else { return self.unary() };
        let mut left = self.tier(tier + 1)?;
        while let Some(sign) = signs.iter().find(|sign| self.sign(sign)) {
            let right = self.tier(tier + 1)?;
            left = operate(sign, left, right)?;
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<i128> {
        for (sign, act) in UNARY {
            if self.sign(sign) {
                return self.deeper(Reader::unary).and_then(act);
            }
        }
        self.primary()
    }

    fn primary(&mut self) -> Option<i128> {
        let found = token_at(self.text, self.at)?;
        self.at = found.end;
        match found.token {
            Token::Number(value) => Some(i128::from(value)),
            Token::Sign("(") => {
                let value = self.deeper(Reader::choice)?;
                self.sign(")").then_some(value)
            }
            Token::Text(text) if text.len() == 3 && text.starts_with('\'') => {
                text.as_bytes().get(1).copied().map(i128::from)
            }
            Token::Word(name) => self.named(name),
            _ => None,
        }
    }

    fn named(&mut self, name: &'a str) -> Option<i128> {
        let depth = self.depth.checked_sub(1)?;
        let Some(found) = self.macros.get(name) else { return (self.names)(name) };
        let Some(params) = &found.params else {
            return evaluate_to_depth(&found.body, self.macros, self.names, depth);
        };
        let mut values = Vec::new();
        if !self.sign("(") {
            return None;
        }
        while !self.sign(")") {
            values.push(self.deeper(Reader::choice)?);
            if !self.sign(",") && token_at(self.text, self.at)?.token != Token::Sign(")") {
                return None;
            }
        }
        if values.len() != params.len() {
            return None;
        }
        let outer = self.names;
        let names = |name: &str| match params.iter().position(|param| param == name) {
            Some(at) => values.get(at).copied(),
            None => outer(name),
        };
        evaluate_to_depth(&found.body, self.macros, &names, depth)
    }
}

type Unary = fn(i128) -> Option<i128>;

const UNARY: &[(&str, Unary)] = &[
    ("-", |value| value.checked_neg()),
    ("+", Some),
    ("~", |value| Some(!value)),
    ("!", |value| Some(i128::from(value == 0))),
];

fn operate(sign: &str, left: i128, right: i128) -> Option<i128> {
    let truth = |flag| Some(i128::from(flag));
    let shift = u32::try_from(right).ok().filter(|count| *count < 64);
    match sign {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        "<<" => shift.and_then(|count| left.checked_mul(1 << count)),
        ">>" => shift.map(|count| left >> count),
        "&" => Some(left & right),
        "|" => Some(left | right),
        "^" => Some(left ^ right),
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "&&" => truth(left != 0 && right != 0),
        _ => truth(left != 0 || right != 0),
    }
}

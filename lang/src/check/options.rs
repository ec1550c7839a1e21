//! Options of scripts: `getopt(name, default, help)`, given as `--name=value` behind `--`.

use super::{Checker, Constant, SessionOptions, positional_number};
use crate::ast::{Expr, ExprKind};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::types::Type;

/// An option that the script asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScriptOption {
    /// Without the dashes.
    name: String,
    /// What it is, for `--help`.
    help: String,
}

/// The value of an option of the script: the one given, or `default` (a bool when there is none). `Err` says what it
/// should have been.
pub(crate) fn script_option(
    name: &[u8],
    default: Option<(Constant, Type)>,
    options: &SessionOptions,
) -> Result<(Constant, Type), &'static str> {
    let name = String::from_utf8_lossy(name);
    let given = options.named.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.as_deref());
    let (default, ty) = default.unwrap_or((Constant::Int(0), Type::Bool));
    let Some(given) = given else { return Ok((default, ty)) };
    match (&ty, given) {
        (Type::Bool, None) => Ok((Constant::Int(1), ty)),
        (Type::Bool, Some(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok((Constant::Int(1), ty)),
            "false" | "0" => Ok((Constant::Int(0), ty)),
            _ => Err("true or false"),
        },
        (Type::String { .. }, Some(text)) => {
            let size = text.len() as u32 + 1;
            Ok((Constant::Text(text.as_bytes().to_vec()), Type::String { size }))
        }
        (Type::String { .. }, None) => Err("a value: --NAME=TEXT"),
        (_, text) => {
            let text = text.unwrap_or_default();
            let value = positional_number(text).ok_or("an integer")?;
            let unsigned = value < 0 && !text.starts_with('-');
            Ok((Constant::Int(value), if unsigned { Type::U64 } else { Type::I64 }))
        }
    }
}

impl Checker<'_> {
    /// The type of an option of the script.
    pub(super) fn option_type(&mut self, args: &[Expr]) -> Type {
        let Some(ExprKind::Str(name)) = args.first().map(|first| &first.kind) else { return Type::Error };
        let default = match args.get(1) {
            None => None,
            Some(expr) => {
                let ty = self.program.ty(expr).clone();
                let folded =
                    self.constant(expr).filter(|_| matches!(ty, Type::Bool | Type::Int(_) | Type::String { .. }));
                let Some(folded) = folded else {
                    let message = "the default of `getopt` must be known when the script is compiled";
                    return self.error(Code::NotALiteral, expr.span, message, "not a literal");
                };
                Some((folded, if let Type::Int(_) = ty { Type::I64 } else { ty }))
            }
        };
        let help = match args.get(2).map(|help| &help.kind) {
            Some(ExprKind::Str(help)) => String::from_utf8_lossy(help).into_owned(),
            _ => String::new(),
        };
        let text = String::from_utf8_lossy(name).into_owned();
        if !self.wanted.iter().any(|option| option.name == text) {
            self.wanted.push(ScriptOption { name: text.clone(), help });
        }
        match script_option(name, default, self.options) {
            Ok((_, ty)) => ty,
            Err(wanted) => {
                let span = args.first().map_or_else(Default::default, |first| first.span);
                self.error(Code::Usage, span, format!("the script's option --{text} takes {wanted}"), "asked for here")
            }
        }
    }

    /// Reports options of the script that it does not ask for; `--help` lists those that it does.
    pub(super) fn unexpected_options(&mut self) {
        let known = |name: &str| self.wanted.iter().any(|option| option.name == name);
        let unknown: Vec<&String> =
            self.options.named.iter().map(|(name, _)| name).filter(|name| !known(name)).collect();
        let Some(first) = unknown.first() else { return };
        let message = match first.as_str() {
            "help" => "the script's options are listed below".to_string(),
            name => format!("the script has no option --{name}"),
        };
        let mut diagnostic = Diagnostic::error(Code::Usage, message);
        for option in &self.wanted {
            let help = if option.help.is_empty() { String::new() } else { format!(": {}", option.help) };
            diagnostic = diagnostic.help(format!("--{}{help}", option.name));
        }
        if self.wanted.is_empty() {
            diagnostic = diagnostic.help("it asks for none: getopt(\"NAME\") does");
        }
        self.report(diagnostic);
    }
}

//! What the user side shows and does.

use super::UserChecker;
use super::kind::Kind;
use crate::ast::{Expr, ExprKind, Ident};
use crate::builtins::{self, UserForm, UserRequest};
use crate::check::literal_int;
use crate::codes::Code;
use crate::source::Span;
use crate::user::{self, Request};

impl UserChecker<'_, '_> {
    /// What a builtin that is a statement does.
    pub(super) fn request_form(&self, name: &Ident) -> Option<UserRequest> {
        match builtins::lookup(&name.text)?.lowering.in_user_space()? {
            UserForm::Request(request) => Some(request),
            _ => None,
        }
    }

    pub(super) fn request(
        &mut self,
        form: UserRequest,
        name: &Ident,
        args: &[Expr],
        span: Span,
        out: &mut Vec<user::Stmt>,
    ) {
        let params = builtins::lookup(&name.text).map_or(&[][..], |row| row.params);
        if !self.fits(params, name, args) {
            return;
        }
        let request = match form {
            UserRequest::Printf => self.format(args, span).map(|(format, values)| Request::Printf { format, values }),
            UserRequest::Message { error } => {
                self.format(args, span).map(|(format, values)| Request::Message { error, format, values, span })
            }
            UserRequest::Clear => self.whole(name, args).map(Request::Clear),
            UserRequest::Zero => self.whole(name, args).map(Request::Zero),
            UserRequest::Time => self.time(args),
            UserRequest::Exit => self.exit(args),
            UserRequest::Print => self.print(name, args),
        };
        out.extend(request.map(user::Stmt::Request));
    }

    fn time(&mut self, args: &[Expr]) -> Option<Request> {
        match args.first().map(|arg| (&arg.kind, arg.span)) {
            None => Some(Request::Time(b"%H:%M:%S\n".to_vec())),
            Some((ExprKind::Str(format), _)) => Some(Request::Time(format.clone())),
            Some((_, span)) => {
                self.error(Code::NotALiteral, span, "a format of times is a string literal", "not a literal");
                None
            }
        }
    }

    fn exit(&mut self, args: &[Expr]) -> Option<Request> {
        let Some(code) = args.first() else { return Some(Request::Exit(user::Expr::Int { bits: 0, signed: true })) };
        let (value, kind) = self.value(code);
        if kind != Kind::Error && (!kind.is_number() || kind == Kind::Float) {
            self.error(Code::TypeMismatch, code.span, "an exit status is an integer", format!("this is `{kind}`"));
        }
        Some(Request::Exit(value))
    }

    /// `print(@map[, top[, div]])`, `print(value)`
    fn print(&mut self, name: &Ident, args: &[Expr]) -> Option<Request> {
        let (first, rest) = args.split_first()?;
        let whole = matches!(&first.kind, ExprKind::Map { keys, .. } if keys.is_empty());
        if !whole {
            let (value, kind) = self.value(first);
            if let (Some(extra), true) = (rest.first(), kind != Kind::Error) {
                let message = "only a map as a whole is printed with a limit and a divisor";
                self.error(Code::TypeMismatch, extra.span, message, "not for a value");
            }
            return Some(Request::PrintValue(value));
        }
        let map = self.whole(name, std::slice::from_ref(first))?;
        let mut limits = [None, None];
        for (limit, arg) in limits.iter_mut().zip(rest) {
            match literal_int(arg) {
                Some(number @ 1..) => *limit = Some(number as u64),
                _ => {
                    self.error(Code::NotALiteral, arg.span, "this must be an integer literal of at least 1", "not one");
                }
            }
        }
        let [top, div] = limits;
        Some(Request::PrintMap { map, top, div })
    }
}

//! Statements.

use crate::emitter::Emitter;
use crate::error::Emit;
use crate::helpers::{FORCE_WAKEUP, Helper};
use crate::llvm::Memory;
use lt_lang::hir::{Expr, ExprKind, Stmt, StmtKind};
use lt_lang::manifest::{MapRole, state};

impl Emitter<'_, '_> {
    /// Statements in a row.
    pub(crate) fn block(&self, statements: &[Stmt]) -> Emit {
        for statement in statements {
            self.at(statement.span)?;
            self.statement(statement).map_err(|failure| failure.at(statement.span))?;
        }
        Ok(())
    }

    fn statement(&self, statement: &Stmt) -> Emit {
        match &statement.kind {
            StmtKind::Eval(value) => self.evaluate(value),
            StmtKind::SetVar { var, value } => {
                // Variables of memory values are always zeroed behind the value, so that a copy is, too.
                self.place(value, self.var(*var)?, true, true)?;
                Ok(())
            }
            StmtKind::SetMap { map, key, value } => self.set_map(*map, key.as_ref(), value),
            StmtKind::Aggregate { map, key, part, value } => self.aggregate(*map, key.as_ref(), *part, value.as_ref()),
            StmtKind::Emit { event, fields, buffer } => self.emit_event(*event, fields, *buffer),
            StmtKind::SetResult { value } => {
                let value = self.scalar(value)?;
                self.llvm.store_volatile(self.state_word(state::RESULT)?, value, 8)
            }
            StmtKind::Trace { format, values } => self.trace(format, values),
            StmtKind::Exit { code } => self.exit_session(code),
            StmtKind::Return => self.leave(),
            StmtKind::Loop(inner) => self.steps(inner),
            StmtKind::MapLoop { map, var, body } => self.map_loop(*map, *var, body),
            StmtKind::Break => self.jump(true),
            StmtKind::Continue => self.jump(false),
            StmtKind::If { condition, then, otherwise } => self.conditional(condition, then, otherwise),
        }
    }

    /// For what it does; its value is not needed.
    fn evaluate(&self, value: &Expr) -> Emit {
        match &value.kind {
            ExprKind::MapAdd { map, key, delta, .. } => self.map_add(*map, key.as_ref(), delta, None).map(drop),
            _ => self.scalar(value).map(drop),
        }
    }

    fn conditional(&self, condition: &Expr, then: &[Stmt], otherwise: &[Stmt]) -> Emit {
        let llvm = self.llvm;
        let flag = llvm.is_true(self.scalar(condition)?)?;
        let rest = llvm.new_block("after")?;
        let then_block = llvm.new_block("then")?;
        let else_block = if otherwise.is_empty() { rest } else { llvm.new_block("else")? };
        llvm.branch_if(flag, then_block, else_block)?;
        llvm.position(then_block);
        self.block(then)?;
        llvm.branch(rest)?;
        if !otherwise.is_empty() {
            llvm.position(else_block);
            self.block(otherwise)?;
            llvm.branch(rest)?;
        }
        llvm.position(rest);
        Ok(())
    }

    /// Ends the action; what follows is never reached.
    fn leave(&self) -> Emit {
        self.llvm.branch(self.exit)?;
        self.llvm.position(self.llvm.new_block("unreachable")?);
        Ok(())
    }

    fn exit_session(&self, code: &Expr) -> Emit {
        let llvm = self.llvm;
        let code = self.scalar(code)?;
        llvm.store_volatile(self.state_word(state::EXIT_CODE)?, code, 8)?;
        llvm.store_volatile(self.state_word(state::EXIT_CALLED)?, llvm.int(1), 8)?;
        llvm.store_volatile(self.state_word(state::STOPPED)?, llvm.int(1), 8)?;
        if let Some(map) = self.map_with_role(MapRole::Wakeup) {
            let ring = self.map_address(map)?;
            let arguments = [ring.into(), llvm.int(8).into(), llvm.int(0).into()];
            let record = llvm.call_for_pointer(Helper::RingbufReserve, &arguments)?;
            // A full ring has woken lt up already.
            llvm.leave_if(llvm.is_null(record)?, self.exit, "wake")?;
            llvm.store(Memory::aligned(record), llvm.int(0), 8)?;
            llvm.call(Helper::RingbufSubmit, &[record.into(), llvm.uint(FORCE_WAKEUP).into()])?;
        }
        self.leave()
    }
}

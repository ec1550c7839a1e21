//! Debug information. LLVM makes all BTF from it: maps, variables, functions, and line information with the script's
//! own lines.

use crate::error::{Emit, Failure};
use crate::llvm::{Llvm, as_file};
use inkwell::AddressSpace;
use inkwell::debug_info::{
    AsDIScope, DIFile, DIFlags, DIFlagsConstants, DILocation, DIScope, DISubprogram, DIType, DWARFEmissionKind,
    DWARFSourceLanguage, DebugInfoBuilder,
};
use inkwell::module::FlagBehavior;
use inkwell::values::{FunctionValue, GlobalValue};
use lt_lang::source::{SourceMap, Span};
use std::fmt::Write;

/// DWARF encodings.
const SIGNED: u32 = 5;
const UNSIGNED: u32 = 7;
/// The kernel's line records have ten bits for the column and 22 for the line.
const MAX_COLUMN: u32 = 1023;
const MAX_LINE: u32 = (1 << 22) - 1;

/// The builder of debug information with the types that everything uses.
pub(crate) struct Debug<'c> {
    builder: DebugInfoBuilder<'c>,
    files: Vec<DIFile<'c>>,
    int: DIType<'c>,
    byte: DIType<'c>,
    word: DIType<'c>,
}

/// What a function takes (addresses) and gives.
struct Shape<'s, 'c> {
    returns: DIType<'c>,
    parameters: &'s [&'s str],
    /// Static.
    local: bool,
}

impl<'c> Debug<'c> {
    /// Prepares the module; all sources become files with their text inside.
    pub(crate) fn new(llvm: &Llvm<'c>, sources: &SourceMap) -> Emit<Self> {
        let version = llvm.context.i32_type().const_int(3, false);
        llvm.module.add_basic_value_flag("Debug Info Version", FlagBehavior::Warning, version);
        let name = sources.files().first().map_or("lt", |file| file.name.as_str());
        let (builder, _) = llvm.module.create_debug_info_builder(
            true,
            DWARFSourceLanguage::C,
            name,
            "",
            "lt",
            true,
            "",
            0,
            "",
            DWARFEmissionKind::Full,
            0,
            false,
            false,
            "",
            "",
        );
        let basic = |name, bits, encoding| {
            let made = builder.create_basic_type(name, bits, encoding, DIFlags::ZERO);
            made.map(|ty| ty.as_type()).map_err(Failure::internal)
        };
        let (int, byte, word) =
            (basic("int", 32, SIGNED)?, basic("char", 8, UNSIGNED)?, basic("unsigned long long", 64, UNSIGNED)?);
        Ok(Debug { files: source_files(llvm, sources)?, builder, int, byte, word })
    }

    fn file(&self, span: Span) -> Emit<DIFile<'c>> {
        let file = self.files.get(span.file.0 as usize).or(self.files.first());
        file.copied().ok_or_else(|| Failure::internal("no source file"))
    }

    /// Names a function and its parameter; gives the scope for locations in it.
    pub(crate) fn function(
        &self,
        function: FunctionValue<'c>,
        name: &str,
        span: Span,
        sources: &SourceMap,
    ) -> Emit<DISubprogram<'c>> {
        let shape = Shape { returns: self.int, parameters: &["ctx"], local: false };
        self.describe(function, name, &shape, span, sources)
    }

    /// The same for a static function `long name(pointer, ...)`. Helpers call only what BTF says is static.
    pub(crate) fn callback(
        &self,
        function: FunctionValue<'c>,
        name: &str,
        parameters: &[&str],
        span: Span,
        sources: &SourceMap,
    ) -> Emit<DISubprogram<'c>> {
        let shape = Shape { returns: self.word, parameters, local: true };
        self.describe(function, name, &shape, span, sources)
    }

    fn describe(
        &self,
        function: FunctionValue<'c>,
        name: &str,
        shape: &Shape<'_, 'c>,
        span: Span,
        sources: &SourceMap,
    ) -> Emit<DISubprogram<'c>> {
        let (file, (line, _)) = (self.file(sources.real(span))?, line_column(sources, span));
        let pointer = self.builder.create_pointer_type("", self.word, 64, 64, AddressSpace::default()).as_type();
        let types = vec![pointer; shape.parameters.len()];
        let ty = self.builder.create_subroutine_type(file, Some(shape.returns), &types, DIFlags::ZERO);
        let scope = self.builder.create_function(
            file.as_debug_info_scope(),
            name,
            None,
            file,
            line,
            ty,
            shape.local,
            true,
            line,
            DIFlags::ZERO,
            true,
        );
        // Unnamed parameters make the kernel refuse the whole BTF.
        let parent = scope.as_debug_info_scope();
        for (at, name) in (1..).zip(shape.parameters) {
            self.builder.create_parameter_variable(parent, name, at, file, line, pointer, true, DIFlags::ZERO);
        }
        function.set_subprogram(scope);
        Ok(scope)
    }

    /// The location of a span in a function; `home` is the span of the function itself.
    pub(crate) fn location(
        &self,
        llvm: &Llvm<'c>,
        scope: DISubprogram<'c>,
        home: Span,
        span: Span,
        sources: &SourceMap,
    ) -> Emit<DILocation<'c>> {
        let (span, home) = (sources.real(span), sources.real(home));
        let (line, column) = line_column(sources, span);
        let scope: DIScope<'c> = if span.file == home.file {
            scope.as_debug_info_scope()
        } else {
            let parent = scope.as_debug_info_scope();
            self.builder.create_lexical_block(parent, self.file(span)?, line, column).as_debug_info_scope()
        };
        Ok(self.builder.create_debug_location(llvm.context, line, column, scope, None))
    }

    /// Describes a variable that is a row of u64 words or, when `words` is 0, of `bytes` bytes.
    pub(crate) fn variable(&self, llvm: &Llvm<'c>, global: GlobalValue<'c>, words: u32, bytes: u32) -> Emit {
        let array = |element, count: u32, bits: u32| {
            let size = u64::from(count) * u64::from(bits);
            let length = 0..i64::from(count);
            self.builder.create_array_type(element, size, bits, &[length]).as_type()
        };
        let ty = match words {
            0 => array(self.byte, bytes, 8),
            1 => self.word,
            _ => array(self.word, words, 64),
        };
        self.global(llvm, global, ty)
    }

    /// Describes a map as libbpf wants it: a struct of pointers to arrays whose lengths are the parameters.
    pub(crate) fn map(&self, llvm: &Llvm<'c>, global: GlobalValue<'c>, parameters: &[(&str, u32)]) -> Emit {
        let file = self.file(Span::default())?;
        let scope = file.as_debug_info_scope();
        let mut members = Vec::with_capacity(parameters.len());
        for (at, (name, value)) in parameters.iter().enumerate() {
            let length = 0..i64::from(*value);
            let array = self.builder.create_array_type(self.int, u64::from(*value) * 32, 32, &[length]).as_type();
            let pointer = self.builder.create_pointer_type("", array, 64, 64, AddressSpace::default()).as_type();
            let offset = at as u64 * 64;
            let member = self.builder.create_member_type(scope, name, file, 1, 64, 64, offset, DIFlags::ZERO, pointer);
            members.push(member.as_type());
        }
        let bits = parameters.len() as u64 * 64;
        let map =
            self.builder.create_struct_type(scope, "", file, 1, bits, 64, DIFlags::ZERO, None, &members, 0, None, "");
        self.global(llvm, global, map.as_type())
    }

    fn global(&self, llvm: &Llvm<'c>, global: GlobalValue<'c>, ty: DIType<'c>) -> Emit {
        let file = self.file(Span::default())?;
        let name = global.get_name().to_string_lossy();
        let scope = file.as_debug_info_scope();
        let described =
            self.builder.create_global_variable_expression(scope, &name, "", file, 1, ty, false, None, None, 64);
        // Kind 0 is `dbg` in every context.
        global.set_metadata(described.as_metadata_value(llvm.context), 0);
        Ok(())
    }

    /// To be called when everything is described.
    pub(crate) fn finish(&self) {
        self.builder.finalize();
    }
}

fn line_column(sources: &SourceMap, span: Span) -> (u32, u32) {
    let (line, column) = sources.get(span.file).map_or((1, 1), |file| file.line_column(span.start));
    (line.min(MAX_LINE), column.min(MAX_COLUMN))
}

/// LLVM takes a file's text only from textual IR (from C it would open the file itself, which may be a pipe).
fn source_files<'c>(llvm: &Llvm<'c>, sources: &SourceMap) -> Emit<Vec<DIFile<'c>>> {
    if sources.files().is_empty() {
        return source_files(llvm, &{
            let mut empty = SourceMap::default();
            empty.add("lt", "");
            empty
        });
    }
    let (mut list, mut nodes) = (String::new(), String::new());
    for (at, file) in sources.files().iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let (name, text) = (escape(&file.name), escape(&file.text));
        let _ = write!(list, "{comma}!{at}");
        let _ = writeln!(nodes, "!{at} = !DIFile(filename: \"{name}\", directory: \"\", source: \"{text}\")");
    }
    let nodes = llvm.parse_metadata(&format!("!f = !{{{list}}}\n{nodes}"), "f")?;
    nodes.into_iter().map(as_file).collect()
}

/// The text inside quotes of textual IR.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b' ' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "\\{byte:02X}");
        }
    }
    out
}

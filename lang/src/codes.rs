//! The table of diagnostic codes: id, exit status, title, explanation and the smallest example. Wording of messages
//! lives in the phase that reports them; `lt explain` and the reference page print this table.
//!
//! Ids by room: LT00 lexing, 01 parsing, 02 names, 03 types, 04 probes, 05 kernel, BTF or feature missing, 06 limits
//! and internal, 07 load and verifier, 08 attach, 09 run time.

/// What `lt` exits with when a diagnostic stops it (language reference, exit status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// The script does not compile.
    Compile = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The machine refused or lacks something.
    Machine = 3,
    /// The command of `-c` could not be started.
    Command = 4,
    /// Data was lost and `--strict` was given.
    Lost = 5,
    /// Failed while running.
    Runtime = 6,
}

/// A row of the table.
#[derive(Debug)]
pub struct CodeRow {
    /// The code itself.
    pub code: Code,
    /// Shown as `LT0203`.
    pub number: u16,
    /// Exit status when an error of this code stops `lt`.
    pub status: ExitStatus,
    /// A few words.
    pub title: &'static str,
    /// One paragraph: what it means and what to do.
    pub explanation: &'static str,
    /// The smallest script (or command line, starting with `lt `) that provokes it.
    pub example: &'static str,
}

macro_rules! codes {
    ($($name:ident = $number:literal, $status:ident, $title:literal, $explanation:literal, $example:literal;)*) => {
        /// A stable diagnostic code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)* }

        /// All codes, in the order of their numbers.
        pub const ALL: &[CodeRow] = &[$(CodeRow {
            code: Code::$name, number: $number, status: ExitStatus::$status,
            title: $title, explanation: $explanation, example: $example,
        },)*];
    };
}

codes! {
    BadCharacter = 1, Compile, "unexpected character", "The source holds a character that no part of the language starts with. Control characters and bytes that are not UTF-8 are refused too.", "begin { § }";
    UnterminatedString = 2, Compile, "unterminated string", "A string literal has no closing quote before the end of its line.", "begin { printf(\"hi) }";
    UnterminatedComment = 3, Compile, "unterminated comment", "A `/*` comment is never closed with `*/`.", "begin { } /* x";
    BadEscape = 4, Compile, "unknown escape", "String literals know \\n \\t \\r \\\\ \\\" \\0 to \\377 (octal) and \\xNN (hexadecimal).", "begin { print(\"\\q\") }";
    BadNumber = 5, Compile, "malformed number", "A number is decimal, octal (010) or hexadecimal (0x1f), with an optional exponent (1e6), separators (1_000) or a unit of time (ns us ms s m h d), and fits in 64 bits.", "begin { print(0x) }";
    SourceTooLarge = 6, Compile, "source too large", "A script has at most 1 MiB of source text.", "lt -e \"$(yes | head -c 2000000)\"";
    NotText = 7, Compile, "source is not text", "The source is not UTF-8 text (is it a binary file?).", "lt /bin/true";

    UnexpectedToken = 101, Compile, "unexpected token", "The parser met a word or sign that cannot stand there; the message lists what could.", "begin { @x = = 1 }";
    UnexpectedEnd = 102, Compile, "unexpected end", "The script ends in the middle of a construct; often a closing brace, bracket or `>` is missing.", "begin { print(1)";
    AngleComparison = 103, Compile, "`>` closes the angle block", "In an action written as `< ... >` a bare `>` closes the action. To compare inside it, put the comparison in parentheses.", "begin < print(nsecs > 5) ; $a = nsecs > 5; print($a) >";
    EmptyProgram = 104, Compile, "no probe in the script", "A script needs at least one probe with an action.", "lt -e ''";
    MissingProbeTarget = 105, Compile, "malformed probe", "A probe is written as its kind and its target, separated by colons: kprobe:FUNCTION, tracepoint:CATEGORY:NAME, interval:s:1.", "kprobe: vfs_read { }";
    TooDeep = 106, Compile, "nested too deeply", "Expressions and blocks nest at most 128 levels.", "begin { print((((...1...)))) }";
    ConditionParentheses = 107, Compile, "a condition needs parentheses", "The condition of `if` is written in parentheses: if (a > b) { ... }.", "begin { if nsecs > 5 { exit() } }";
    BadDefinition = 108, Compile, "malformed C definition", "The structures, enumerations and names of types at the head of a script are written as in C. What they use is defined before them, or known to the kernel.", "struct x { int a[n]; }; begin { }";

    UnknownName = 201, Compile, "unknown name", "No builtin has this name. Scratch variables start with `$`, maps with `@`.", "begin { print(pidd) }";
    UnknownFunction = 202, Compile, "unknown function", "No function has this name.", "begin { exti() }";
    UndefinedVariable = 203, Compile, "undefined scratch variable", "A scratch variable is read before anything was assigned to it in an enclosing block.", "begin { print($x) }";
    UndefinedMap = 204, Compile, "undefined map", "A map is read, but nothing in the script ever assigns to it.", "begin { print(@x) }";
    UnknownField = 205, Compile, "unknown field", "The struct, union or argument list has no field of this name on this kernel.", "tracepoint:syscalls:sys_enter_read { print(args.cuont) }";
    UnknownProbeKind = 206, Compile, "unknown probe kind", "No kind of probe has this name.", "kprob:vfs_read { }";
    DuplicateVariable = 207, Compile, "variable declared twice", "A block declares the same scratch variable twice, or one that an enclosing block has.", "begin { let $a = 1; let $a = 2; }";
    NotInThisProbe = 208, Compile, "not available in this probe", "The builtin or function exists, but not in this kind of probe.", "begin { print(retval) }";
    MacroMisused = 209, Compile, "macro cannot be used like this", "A macro calls itself, is defined twice with the same parameters, or makes the script too large.", "macro m(x) { m(x) } begin { print(m(1)) }";
    BadImport = 210, Compile, "file cannot be imported", "What is imported is a script, found from the folder of the script that imports it. It imports itself on no way, and has no config block.", "import \"nothing.lt\"; begin { }";

    BadParameter = 211, Compile, "malformed parameter", "A script's parameter is declared with a type, default, range or option that does not fit, or under a name that is taken.", "param p: int = x; begin { print(p) }";

    WrongSide = 212, Compile, "not on this side", "Probe actions are programs in the kernel, actions marked `user` run in user space. Each side has names of its own: the kernel's arguments, stacks and memory here, files, paths and fractions there. `lt doc NAME` tells where a name is.", "begin user { print(kstack) }";

    UnusedMap = 220, Compile, "unused map", "A declared map is used nowhere in the script.", "let @x = hash(10); begin { }";
    UnusedParameter = 221, Compile, "unused parameter", "A parameter of the script is used nowhere in it. A parameter that has the name of a builtin is written `param.NAME`.", "param pid: pid?; begin { print(pid) }";
    UnknownTable = 231, Compile, "unknown table", "`emit` and `show` name a table that the script declares with `table`.", "table t { a: int; } begin { emit u(1) }";
    BadTable = 232, Compile, "malformed table", "A table has at least one column, each with a name of its own, a type, and perhaps a title in quotes, `width N`, `left` or `right`, and a role: `label`, `counter`, `gauge` or `histogram`.", "table t { a: integer; } begin { emit t(1) }";
    UnknownColumn = 233, Compile, "unknown column", "The table has no column of this name.", "table t { a: int; } begin { emit t(b = 1) }";

    TypeMismatch = 301, Compile, "types do not fit", "A value of one type stands where another is needed.", "begin { @x = 1; @x = \"a\" }";
    WrongArgumentCount = 302, Compile, "wrong number of arguments", "The function takes more or fewer arguments.", "begin { printf() }";
    FormatMismatch = 303, Compile, "format does not fit its values", "A printf format has a different number of conversions than values, or a conversion that cannot show its value.", "begin { printf(\"%d\", \"a\") }";
    BadFormat = 304, Compile, "malformed format", "The format string has a conversion that printf does not know.", "begin { printf(\"%y\", 1) }";
    NotALiteral = 305, Compile, "a literal is needed", "This argument shapes the program and has to be written as a literal.", "begin { $f = \"x\"; printf($f) }";
    NotARecord = 306, Compile, "no fields here", "A field is asked of a value that is no struct, union or pointer to one.", "begin { print(pid.x) }";
    BadOperand = 307, Compile, "operator does not take this", "The operator is not defined for a value of this type.", "begin { print(\"a\" * 2) }";
    KeyMismatch = 308, Compile, "map key does not fit", "A map is used with keys of different shapes, or with and without a key.", "begin { @x[1] = 1; @x[\"a\", 2] = 1 }";
    AggregationMisused = 309, Compile, "aggregation out of place", "count(), sum() and the like are assigned to a map: @x = count(). A map that holds an aggregation takes only that one.", "begin { $x = count() }";
    NotAssignable = 310, Compile, "cannot be assigned to", "Only maps and scratch variables can be assigned to.", "begin { pid = 5 }";
    BadArgument = 311, Compile, "argument out of range", "The literal is outside what the function accepts.", "begin { @ = lhist(1, 10, 0, 1) }";
    NoValue = 312, Compile, "has no value", "The function does something but gives no value that could be used.", "begin { $x = exit() }";
    Unsafe = 320, Compile, "not allowed without --unsafe", "The function changes the system that is traced: it runs commands, sends signals, writes to memory. The option --unsafe allows it.", "begin { system(\"true\") }";
    ScriptFailed = 321, Compile, "the script refuses to be compiled", "static_assert() found its condition false, or fail() stands where it is reached.", "begin { static_assert(1 == 2, \"no\") }";

    NoSuchProbe = 401, Machine, "no such probe on this kernel", "The kernel has no function, tracepoint or event of this name; a wildcard matched nothing.", "kprobe:vfs_raed { }";
    BadProbeTarget = 402, Compile, "target does not fit the probe kind", "The target of the probe has the wrong number of parts or a value out of range.", "profile:hz:0 { }";
    TooManyProbes = 403, Compile, "too many probes", "The wildcards of the script match more probes than max_probes allows.", "kprobe:* { }";
    Fallback = 404, Machine, "attached in another way", "With --fallback a probe on a kernel function is attached by another mechanism when the kernel lacks the one that the script names.", "lt --fallback -e 'fentry:vfs_read { }'   (on a kernel without trampolines)";

    NoBtf = 501, Machine, "kernel type information is missing", "Fields of kernel structures and arguments by name need BTF: a kernel built with CONFIG_DEBUG_INFO_BTF, readable at /sys/kernel/btf/vmlinux.", "lt --kernel-profile no-btf.profile -e 'kprobe:vfs_read { print(args.count) }'";
    NoPrivilege = 502, Machine, "not permitted", "Loading programs into the kernel needs root, or CAP_BPF and CAP_PERFMON; a kernel locked down to confidentiality refuses it to everyone.", "lt -e 'begin { }'   (as an ordinary user)";
    MissingFeature = 503, Machine, "this kernel cannot do that", "The kernel that runs lacks a feature that the script needs; the message names the version that has it.", "fentry:vfs_read { }";
    NoTracefs = 504, Machine, "tracefs is not available", "Tracepoints are described by files of tracefs, which this kernel lacks or does not let lt mount.", "tracepoint:sched:sched_switch { }";
    NoSuchProcess = 505, Machine, "no such process", "The process given with -p does not exist.", "lt -p 999999999 -e 'begin { }'";

    Internal = 601, Runtime, "internal error", "lt met a state that it should never be in. Please report it with the script.", "(none is known)";
    NotSupported = 602, Compile, "not supported yet", "The construct is part of the language, but this version of lt cannot run it.", "actor echo = icmp(size = 64); begin { }";
    LimitExceeded = 603, Compile, "limit exceeded", "The program would exceed a limit of the kernel's BPF machine.", "begin { printf(\"%s...\", ...) }";

    VerifierRejected = 701, Runtime, "the kernel refused the program", "The kernel's verifier did not accept a program that lt made. Unless a limit of the kernel is named, this is a defect of lt: please report it with the script and the output of -v.", "(none is known)";
    LoadFailed = 702, Machine, "loading failed", "The kernel refused to create a map or to load a program for want of memory, privilege or support.", "lt -e 'begin { }'   (memory limit of the container reached)";

    AttachFailed = 801, Machine, "attaching failed", "The program was loaded but the kernel refused to attach it to its probe.", "kprobe:notrace_function { }";

    LostEvents = 901, Lost, "events were lost", "A ring buffer, map or stack table was full when an event came, memory could not be read, a string was longer than max_strlen, or the kernel did not run the program. The counts tell per probe and cause how many; the warning says what can be done. With --strict the exit status is 5; -f json has an object for each.", "tracepoint:raw_syscalls:sys_enter { print(nsecs) }";
    CommandFailed = 902, Command, "the command could not be started", "The command given with -c does not exist or cannot be executed.", "lt -e 'begin { }' -c /nonexistent";
    OutputFailed = 903, Runtime, "output cannot be written", "Writing the output failed (disk full, reader gone).", "lt -o /dev/full -e 'begin { printf(\"x\") }'";
    UnreadableFile = 904, Usage, "file cannot be read", "The script file named on the command line cannot be read.", "lt /nonexistent.lt";
    Usage = 905, Usage, "wrong command line", "An option is unknown, lacks its value or has a malformed one.", "lt --nonsense";
    RunFailed = 906, Runtime, "the run failed", "Something that lt needs while it runs went away: a kernel object, a descriptor, memory.", "(none is known)";
    DividedByZero = 907, Runtime, "a number was divided by zero", "Division and remainder by zero give 1. The count tells how often it happened; test the divisor before.", "begin { $z = pid - pid; print(5 / $z) }";
    LoopBound = 908, Lost, "a loop was ended at its bound", "No loop runs for ever in the kernel: it is ended after 8,388,608 steps, on kernels before 5.17 after 4096 or, when its body is large or holds loops of its own, fewer. What it would have done then is lost. The count tells how often it happened.", "begin { while (1) { @n++ } }";
    OutOfBounds = 909, Runtime, "an index was outside of its array", "An element was asked for that the array does not have: what was read is something else, or zero. The count tells how often it happened. An index that is a literal is checked when the script is compiled.", "begin { $a = (uint8[4])(uint32)7; $i = pid; print($a[$i]) }";
    ScriptMessage = 910, Runtime, "a message of the script", "The script itself says this with errorf(), warnf() or assert(). Only assert() ends the session.", "begin { errorf(\"so it is\") }";
}

impl Code {
    /// The row of this code.
    pub fn row(self) -> &'static CodeRow {
        // `Code` is numbered in table order by the macro above.
        ALL.get(self as usize).unwrap_or(&ALL[0])
    }

    /// Finds a code by its shown form, `LT0203` (case and the prefix do not matter).
    pub fn lookup(text: &str) -> Option<Code> {
        let digits = text.trim_start_matches(['L', 'l', 'T', 't']);
        let number: u16 = digits.parse().ok()?;
        ALL.iter().find(|row| row.number == number).map(|row| row.code)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LT{:04}", self.row().number)
    }
}

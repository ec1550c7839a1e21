//! BTF made by hand, for tests.

/// Builds raw BTF; every method that adds a type returns its id.
pub(crate) struct Builder {
    types: Vec<u32>,
    strings: Vec<u8>,
    next: u32,
}

pub(crate) const SIGNED: u32 = 1;
pub(crate) const BOOL: u32 = 4;

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder { types: Vec::new(), strings: vec![0], next: 1 }
    }

    fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// A type of any kind: its `vlen`, its kind flag, its size or type, and the words that follow.
    fn add(&mut self, name: &str, kind: u32, vlen: usize, flag: bool, size: u32, words: &[u32]) -> u32 {
        let name = self.string(name);
        self.types.extend([name, (u32::from(flag) << 31) | (kind << 24) | vlen as u32, size]);
        self.types.extend(words);
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn int(&mut self, name: &str, size: u32, encoding: u32) -> u32 {
        self.add(name, 1, 0, false, size, &[(encoding << 24) | (size * 8)])
    }

    pub(crate) fn pointer(&mut self, to: u32) -> u32 {
        self.add("", 2, 0, false, to, &[])
    }

    pub(crate) fn array(&mut self, element: u32, len: u32) -> u32 {
        self.add("", 3, 0, false, 0, &[element, element, len])
    }

    /// Members are name, type, bit offset, bits (0 for an ordinary member).
    pub(crate) fn record(&mut self, union: bool, name: &str, size: u32, members: &[(&str, u32, u32, u32)]) -> u32 {
        let mut words = Vec::new();
        for (name, ty, offset, bits) in members {
            words.extend([self.string(name), *ty, (bits << 24) | offset]);
        }
        self.add(name, if union { 5 } else { 4 }, members.len(), true, size, &words)
    }

    pub(crate) fn enumeration(&mut self, name: &str, size: u32, signed: bool, members: &[&str]) -> u32 {
        let mut words = Vec::new();
        for (value, name) in members.iter().enumerate() {
            words.extend([self.string(name), value as u32]);
        }
        self.add(name, 6, members.len(), signed, size, &words)
    }

    pub(crate) fn forward(&mut self, union: bool, name: &str) -> u32 {
        self.add(name, 7, 0, union, 0, &[])
    }

    pub(crate) fn typedef(&mut self, name: &str, ty: u32) -> u32 {
        self.add(name, 8, 0, false, ty, &[])
    }

    pub(crate) fn constant(&mut self, ty: u32) -> u32 {
        self.add("", 10, 0, false, ty, &[])
    }

    pub(crate) fn tag(&mut self, name: &str, ty: u32) -> u32 {
        self.add(name, 18, 0, false, ty, &[])
    }

    pub(crate) fn prototype(&mut self, returns: u32, params: &[(&str, u32)]) -> u32 {
        let mut words = Vec::new();
        for (name, ty) in params {
            words.extend([self.string(name), *ty]);
        }
        self.add("", 13, params.len(), false, returns, &words)
    }

    pub(crate) fn function(&mut self, name: &str, prototype: u32) -> u32 {
        self.add(name, 12, 1, false, prototype, &[])
    }

    /// The bytes of a whole BTF file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let types = self.types.len() as u32 * 4;
        let header = [0x0001_eb9f, 24, 0, types, types, self.strings.len() as u32];
        let words = header.iter().chain(&self.types);
        let mut bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.strings);
        bytes
    }
}

/// A kernel of a few types: `struct task` with strings, bit-fields, anonymous members, a forward declaration, and
/// functions.
pub(crate) fn small_kernel() -> Vec<u8> {
    let mut btf = Builder::new();
    let char_ = btf.int("char", 1, SIGNED);
    let int = btf.int("int", 4, SIGNED);
    let uint = btf.int("unsigned int", 4, 0);
    let bool_ = btf.int("_Bool", 1, BOOL);
    let long = btf.int("long unsigned int", 8, 0);
    let wide = btf.int("__int128", 16, SIGNED);
    let comm = btf.array(char_, 16);
    let names = btf.array(comm, 4);
    let flexible = btf.array(char_, 0);
    let declared = btf.forward(false, "inner");
    let to_declared = btf.pointer(declared);
    let color = btf.enumeration("color", 4, true, &["RED", "GREEN"]);
    let pid_t = btf.typedef("pid_t", int);
    let const_pid = btf.constant(pid_t);
    let low = btf.record(false, "", 8, &[("low", uint, 0, 0), ("high", uint, 32, 0)]);
    let both = btf.record(true, "", 8, &[("both", long, 0, 0), ("", low, 0, 0)]);
    let user_char = btf.tag("user", char_);
    let to_user = btf.pointer(user_char);
    let to_nothing = btf.pointer(0);
    let callback = btf.prototype(0, &[]);
    let to_function = btf.pointer(callback);
    let members = [
        ("pid", const_pid, 0, 0),
        ("comm", comm, 32, 0),
        ("flag", uint, 160, 1),
        ("mode", uint, 161, 3),
        ("live", bool_, 168, 0),
        ("inner", to_declared, 192, 0),
        ("", both, 256, 0),
        ("names", names, 320, 0),
        ("color", color, 832, 0),
        ("buffer", to_user, 896, 0),
        ("any", to_nothing, 960, 0),
        ("call", to_function, 1024, 0),
        ("wide", wide, 1088, 0),
        ("rest", flexible, 1216, 0),
    ];
    let task = btf.record(false, "task", 152, &members);
    btf.record(false, "inner", 4, &[("x", int, 0, 0)]);
    let to_task = btf.pointer(task);
    let prototype = btf.prototype(pid_t, &[("task", to_task), ("count", long), ("", 0)]);
    btf.function("probe_me", prototype);
    let to_char = btf.pointer(char_);
    let to_names = btf.pointer(to_char);
    let callback = btf.prototype(0, &[("", pid_t), ("", to_names)]);
    let to_callback = btf.pointer(callback);
    let prototype = btf.prototype(0, &[("callback", to_callback), ("names", to_names)]);
    btf.function("call_me", prototype);
    btf.enumeration("bpf_func_id", 4, false, &["BPF_FUNC_unspec", "BPF_FUNC_get_current_task_btf"]);
    btf.bytes()
}

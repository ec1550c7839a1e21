use super::*;
use std::io::Write;

fn opened(bytes: &[u8]) -> Result<KernelBtf, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    KernelBtf::from_file(file.path())
}

fn record_id(btf: &KernelBtf, name: &str) -> KernelTypeId {
    match btf.record(RecordKind::Struct, name) {
        Some(Type::Record(record)) => record.id,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn members_have_places_and_types() {
    let btf = opened(&made_up::small_kernel()).unwrap();
    let task = record_id(&btf, "task");
    assert_eq!(btf.record_size(task), 152);
    for (name, ty, bit_offset, bit_size) in [
        ("pid", "int32", 0, None),
        ("comm", "string[16]", 32, None),
        ("flag", "uint32", 160, Some(1)),
        ("mode", "uint32", 161, Some(3)),
        ("live", "bool", 168, None),
        ("inner", "struct inner *", 192, None),
        ("both", "uint64", 256, None),
        ("low", "uint32", 256, None),
        ("high", "uint32", 288, None),
        ("names", "string[16][4]", 320, None),
        ("color", "enum color", 832, None),
        ("buffer", "int8 *", 896, None),
        ("any", "void *", 960, None),
        ("call", "void *", 1024, None),
        ("wide", "uint8[16]", 1088, None),
        ("rest", "int8[0]", 1216, None),
    ] {
        let member = btf.member(task, name).unwrap();
        assert_eq!(
            (member.ty.to_string().as_str(), member.bit_offset, member.bit_size),
            (ty, bit_offset, bit_size),
            "{name}"
        );
    }
    assert_eq!(btf.member(task, "none"), None);
    let names: Vec<String> = btf.members(task).into_iter().map(|member| member.name).collect();
    assert_eq!(names.len(), 16);
    assert!(names.contains(&"high".to_string()) && !names.contains(&String::new()));
}

#[test]
fn pointers_know_their_space() {
    let btf = opened(&made_up::small_kernel()).unwrap();
    let task = record_id(&btf, "task");
    let space = |name: &str| match btf.member(task, name).unwrap().ty {
        Type::Pointer { space, .. } => space,
        other => panic!("{other}"),
    };
    assert_eq!(space("buffer"), lt_lang::types::AddressSpace::User);
    assert_eq!(space("any"), lt_lang::types::AddressSpace::Kernel);
}

#[test]
fn forward_declarations_are_completed() {
    let btf = opened(&made_up::small_kernel()).unwrap();
    let Type::Pointer { to, .. } = btf.member(record_id(&btf, "task"), "inner").unwrap().ty else { panic!() };
    let Type::Record(inner) = *to else { panic!() };
    assert_eq!(btf.record_size(inner.id), 4);
    assert_eq!(btf.member(inner.id, "x").unwrap().ty, Type::I32);
}

#[test]
fn functions_have_prototypes_and_declarations() {
    let btf = opened(&made_up::small_kernel()).unwrap();
    let proto = btf.function("probe_me").unwrap();
    let params: Vec<String> = proto.params.iter().map(|it| format!("{} {}", it.ty, it.name)).collect();
    assert_eq!(params, ["struct task * task", "uint64 count"]);
    assert_eq!(proto.returns, Type::I32);
    let declaration = btf.declaration("probe_me").unwrap();
    assert_eq!(declaration.params, ["struct task * task", "long unsigned int count", "..."]);
    assert_eq!(declaration.returns, "pid_t");
    let call = btf.declaration("call_me").unwrap().params;
    assert_eq!(call, ["void (*)(pid_t, char **) callback", "char ** names"]);
    assert_eq!(btf.module_of_function("probe_me").as_deref(), Some("vmlinux"));
    assert!(btf.function("task").is_none() && btf.function("").is_none());
    assert!(btf.enum_has("bpf_func_id", "BPF_FUNC_get_current_task_btf") && !btf.enum_has("bpf_func_id", "x"));
}

#[test]
fn the_index_gives_the_same_answers() {
    let (scanning, indexed) = (opened(&made_up::small_kernel()).unwrap(), opened(&made_up::small_kernel()).unwrap());
    indexed.expect_many();
    for name in ["task", "inner", "probe_me", "color", "none"] {
        for space in [NameSpace::Struct, NameSpace::Union, NameSpace::Function, NameSpace::Enum] {
            assert_eq!(scanning.find(space, name), indexed.find(space, name), "{name}");
        }
    }
}

#[test]
fn circles_end() {
    let mut made = made_up::Builder::new();
    // A record whose two anonymous members are itself, a typedef of itself, a pointer to itself.
    made.record(false, "ring", 8, &[("", 1, 0, 0), ("", 1, 0, 0), ("t", 2, 0, 0), ("p", 3, 0, 0), ("a", 4, 0, 0)]);
    made.typedef("self", 2);
    made.pointer(3);
    made.array(4, 2);
    let prototype = made.prototype(3, &[("p", 3), ("t", 2), ("g", 6), ("g", 6), ("g", 6)]);
    made.pointer(prototype);
    made.function("f", prototype);
    let btf = opened(&made.bytes()).unwrap();
    exercise(&btf, &["ring", "f"]);
}

#[test]
fn broken_btf_is_an_error_and_never_a_panic() {
    let good = made_up::small_kernel();
    for len in 0..good.len() {
        assert!(opened(&good[..len]).is_err(), "{len}");
    }
    assert!(opened(b"\x7fELF and more bytes than a header has").is_err());
    let mut random: u64 = 1;
    for _ in 0..3000 {
        let mut bytes = good.clone();
        for _ in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (random >> 33) as usize % bytes.len();
            bytes[at] = (random >> 24) as u8;
        }
        if let Ok(btf) = opened(&bytes) {
            exercise(&btf, &["task", "inner", "probe_me"]);
        }
    }
}

/// Asks everything.
fn exercise(btf: &KernelBtf, names: &[&str]) {
    for name in names {
        for kind in [RecordKind::Struct, RecordKind::Union] {
            if let Some(Type::Record(record)) = btf.record(kind, name) {
                btf.record_size(record.id);
                btf.members(record.id);
                btf.member(record.id, "high");
            }
        }
        btf.function(name);
        btf.declaration(name);
        btf.enum_has("bpf_func_id", name);
    }
    btf.expect_many();
    btf.find(NameSpace::Union, "nothing");
    for id in 0..40 {
        btf.members(KernelTypeId(id));
    }
    btf.record_size(KernelTypeId(u64::MAX));
}

#[test]
fn the_running_kernel_has_its_first_types() {
    let Ok(btf) = KernelBtf::running() else { return };
    let task = record_id(&btf, "task_struct");
    assert_eq!(btf.member(task, "comm").unwrap().ty, Type::String { size: 16 });
    assert_eq!(btf.member(task, "tgid").unwrap().ty, Type::I32);
    let read = btf.function("vfs_read").unwrap();
    assert_eq!(read.params[0].ty.to_string(), "struct file *");
}

#[test]
fn enumerators_of_all_enumerations() {
    let mut kernel = made_up::Builder::new();
    kernel.enumeration("color", 4, true, &["RED", "GREEN"]);
    kernel.int("GREEN", 4, 0);
    kernel.enumeration("", 4, false, &["ZERO", "GREEN", "BLUE"]);
    let btf = opened(&kernel.bytes()).unwrap();
    assert_eq!(btf.enumerator("GREEN"), Some(1));
    assert_eq!(btf.enumerator("BLUE"), Some(2));
    assert_eq!(btf.enumerator("color"), None);
    assert_eq!(btf.enumerator(""), None);
}

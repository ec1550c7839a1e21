use super::*;
use lt_lang::types::KernelTypeId;

fn surroundings(system_call: bool) -> Surroundings<'static> {
    Surroundings {
        system_call,
        space: if system_call { AddressSpace::User } else { AddressSpace::Kernel },
        max_strlen: 1024,
        record: &|kind, name| RecordRef { kind, name: name.to_string(), id: KernelTypeId(7), size: 8 },
    }
}

/// Name, C type, type and `data_loc` of the only field.
fn one(line: &str, system_call: bool) -> (String, String, String, bool) {
    let text = format!("name: x\nID: 7\nformat:\n\t{line}\n\nprint fmt: \"field:int no;\"\n");
    let format = parse(&text, &surroundings(system_call)).unwrap();
    assert_eq!((format.id, format.fields.len()), (7, 1), "{line}");
    let field = format.fields.into_iter().next().unwrap();
    (field.name, field.c_type, field.ty.to_string(), field.data_loc)
}

#[test]
fn fields_of_events() {
    for (line, name, c_type, ty, data_loc) in [
        ("field:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;", "pid", "pid_t", "int32", false),
        ("field:char comm[16];\toffset:8;\tsize:16;\tsigned:0;", "comm", "char[16]", "string[16]", false),
        (
            "field:char comm[TASK_COMM_LEN];\toffset:8;\tsize:16;\tsigned:1;",
            "comm",
            "char[TASK_COMM_LEN]",
            "string[16]",
            false,
        ),
        (
            "field:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;",
            "name",
            "__data_loc char[]",
            "string[1024]",
            true,
        ),
        ("field:__data_loc u64[] v;\toffset:8;\tsize:4;\tsigned:0;", "v", "__data_loc u64[]", "uint32", false),
        ("field:__data_loc cpumask_t m;\toffset:8;\tsize:4;\tsigned:0;", "m", "__data_loc cpumask_t", "uint32", false),
        ("field:__rel_loc char[] r;\toffset:8;\tsize:4;\tsigned:0;", "r", "__rel_loc char[]", "uint32", false),
        ("field:bool ok;\toffset:8;\tsize:1;\tsigned:0;", "ok", "bool", "bool", false),
        ("field:char c;\toffset:8;\tsize:1;\tsigned:0;", "c", "char", "uint8", false),
        ("field:umode_t mode;\toffset:8;\tsize:2;\tsigned:0;", "mode", "umode_t", "uint16", false),
        ("field:enum zone_type z;\toffset:8;\tsize:4;\tsigned:0;", "z", "enum zone_type", "uint32", false),
        (
            "field:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;",
            "args",
            "unsigned long[6]",
            "uint64[6]",
            false,
        ),
        ("field:my_t v[4];\toffset:16;\tsize:8;\tsigned:1;", "v", "my_t[4]", "int16[4]", false),
        (
            "field:__u8 a[sizeof(struct in6)];\toffset:8;\tsize:28;\tsigned:0;",
            "a",
            "__u8[sizeof(struct in6)]",
            "uint8[28]",
            false,
        ),
        ("field:u32 buf[];\toffset:16;\tsize:0;\tsigned:0;", "buf", "u32[]", "uint32[0]", false),
        ("field:struct file *filp;\toffset:8;\tsize:8;\tsigned:0;", "filp", "struct file *", "struct file *", false),
        ("field:const char * fn;\toffset:8;\tsize:8;\tsigned:0;", "fn", "const char *", "int8 *", false),
        ("field:void __seg_gs * p;\toffset:8;\tsize:8;\tsigned:0;", "p", "void __seg_gs *", "void *", false),
        (
            "field:void (*func)(struct work *);\toffset:8;\tsize:8;\tsigned:0;",
            "func",
            "void (*)(struct work *)",
            "void *",
            false,
        ),
        ("field:struct key k;\toffset:8;\tsize:12;\tsigned:0;", "k", "struct key", "struct key", false),
        ("field:blob_t b;\toffset:8;\tsize:20;\tsigned:0;", "b", "blob_t", "uint8[20]", false),
    ] {
        assert_eq!(one(line, false), (name.to_string(), c_type.to_string(), ty.to_string(), data_loc), "{line}");
    }
}

#[test]
fn arguments_of_system_calls_have_the_width_of_their_type() {
    for (declaration, ty) in [
        ("int dfd", "int32"),
        ("unsigned int fd", "uint32"),
        ("umode_t mode", "uint16"),
        ("pid_t pid", "int32"),
        ("long n", "int64"),
        ("loff_t at", "int64"),
        ("size_t count", "uint64"),
        ("__sighandler_t handler", "uint64"),
        ("const char *const * argv", "int8 * *"),
        ("struct sockaddr * addr", "struct sockaddr *"),
    ] {
        let line = format!("field:{declaration};\toffset:16;\tsize:8;\tsigned:0;");
        assert_eq!(one(&line, true).2, ty, "{declaration}");
    }
}

#[test]
fn common_fields_and_other_lines_are_no_fields() {
    let text = "name: x\nID: 300\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\
                \tfield:int a;\toffset:8;\tsize:4;\tsigned:1;\n\tfield:;\n\tfield:int;\toffset:1;\tsize:1;\n\tnothing\n\
                \tfield:int b;\toffset:x;\tsize:4;\tsigned:1;\nprint fmt: \"\"\n\tfield:int c;\toffset:8;\tsize:4;\tsigned:1;\n";
    let format = parse(text, &surroundings(false)).unwrap();
    let names: Vec<&str> = format.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!((format.id, names), (300, vec!["a"]));
    assert_eq!(parse("format:\n", &surroundings(false)), None);
    assert_eq!(parse("ID: many\n", &surroundings(false)), None);
}

#[test]
fn no_text_makes_it_panic() {
    let good = "ID: 1\n\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n\
                \tfield:void (*fn)(int);\toffset:8;\tsize:8;\tsigned:0;\n\tfield:struct a *b[3];\toffset:8;\tsize:24;\tsigned:0;\n";
    let odd = ["[", "]", "(", ")", "*", ";", " ", "\t", "é", ":", "0", "4294967296", "_", ""];
    for (at, _) in good.char_indices() {
        for with in odd {
            for skip in [0, 1, 5] {
                let rest = good.get(at + skip..).unwrap_or_default();
                let _ = parse(&format!("{}{with}{rest}", &good[..at]), &surroundings(at % 2 == 0));
            }
        }
    }
}

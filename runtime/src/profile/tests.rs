use super::*;
use crate::btf::made_up;
use std::fs;
use std::ops::ControlFlow;

/// Writes a profile of a made-up kernel through the writer that `save` uses.
fn made_up_profile(path: &Path) {
    let header = container::Header {
        release: "6.1.7-test".to_string(),
        possible_cpus: 3,
        features: [("Kprobes".to_string(), true), ("Trampolines".to_string(), false), ("Later".to_string(), true)]
            .into(),
        ..Default::default()
    };
    let format = "name: open\nID: 12\nformat:\n\tfield:struct task * task;\toffset:8;\tsize:8;\tsigned:0;\n\
                  \tfield:__data_loc char[] name;\toffset:16;\tsize:4;\tsigned:0;\n";
    let tracepoints = format!("fs open {}\n{format}", format.len());
    let sections = [
        ("btf", made_up::small_kernel()),
        ("functions", b"probe_me\nprobe_too [mod]\n".to_vec()),
        ("tracepoints", tracepoints.into_bytes()),
    ];
    container::write(path, header, &sections).unwrap();
}

fn with_profile(test: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kernel.ltk");
    made_up_profile(&path);
    test(&path);
}

fn check_made_up(kernel: &KernelProfile) {
    assert_eq!(kernel.release(), "6.1.7-test");
    assert_eq!(kernel.version(), KernelVersion { major: 6, minor: 1, patch: 7 });
    assert_eq!(kernel.possible_cpus(), 3);
    assert!(kernel.has(Feature::Kprobes) && !kernel.has(Feature::Trampolines));
    assert_eq!(kernel.functions("probe*").unwrap(), ["probe_me", "probe_too"]);
    assert_eq!(kernel.functions("mod:probe_too").unwrap(), ["probe_too"]);
    assert_eq!(kernel.tracepoints("f?", "*").unwrap(), [("fs".to_string(), "open".to_string())]);
    assert_eq!(kernel.function("probe_me").unwrap().unwrap().params.len(), 2);
    assert_eq!(kernel.tracepoint("fs", "close"), Ok(None));
}

#[test]
fn a_saved_kernel_answers_and_can_be_saved_again() {
    with_profile(|path| {
        let kernel = KernelProfile::from_file(path).unwrap();
        check_made_up(&kernel);
        // Features that the file does not mention follow from the version.
        assert!(kernel.has(Feature::AtomicFetch));
        let again = path.with_extension("again");
        kernel.save(&again).unwrap();
        check_made_up(&KernelProfile::from_file(&again).unwrap());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    });
}

#[test]
fn a_tracepoint_opens_no_btf_until_its_record_is_looked_into() {
    with_profile(|path| {
        let kernel = KernelProfile::from_file(path).unwrap().with_max_strlen(64);
        let format = kernel.tracepoint("fs", "open").unwrap().unwrap();
        assert!(kernel.btf.get().is_none());
        assert_eq!((format.id, format.fields.len()), (12, 2));
        assert_eq!(format.fields[1].ty, Type::String { size: 64 });
        let Type::Pointer { to, .. } = &format.fields[0].ty else { panic!() };
        let Type::Record(task) = &**to else { panic!() };
        assert_eq!(kernel.record_size(task.id), 152);
        assert_eq!(kernel.member(task.id, "comm").unwrap().ty, Type::String { size: 16 });
        assert_eq!(kernel.members(task.id).len(), 16);
        assert!(kernel.btf.get().is_some());
    });
}

#[test]
fn an_absent_section_is_said_to_be_absent() {
    with_profile(|path| {
        container::write(path, container::Header::default(), &[]).unwrap();
        let kernel = KernelProfile::from_file(path).unwrap();
        assert!(matches!(kernel.function("f"), Err(KernelError::NoBtf(why)) if why.contains("holds no BTF")));
        assert!(matches!(kernel.tracepoint("a", "b"), Err(KernelError::NoTracefs(_))));
        assert!(matches!(kernel.functions("f"), Err(KernelError::Unreadable(_))));
        assert_eq!((kernel.possible_cpus(), kernel.version()), (1, KernelVersion::default()));
        assert!(matches!(kernel.tracefs(), Err(KernelError::NoTracefs(_))));
    });
}

fn why(path: &Path) -> String {
    match KernelProfile::from_file(path) {
        Err(KernelError::Unreadable(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("opened"),
    }
}

#[test]
fn other_files_are_refused() {
    with_profile(|path| {
        let good = fs::read(path).unwrap();
        let refused = |bytes: &[u8], text: &str| {
            fs::write(path, bytes).unwrap();
            let why = why(path);
            assert!(why.contains(text), "{why}");
        };
        refused(b"", "no kernel profile");
        refused(b"#!/bin/sh\necho\n", "no kernel profile");
        refused(b"lt kernel profile 2\n{}\n", "version 2, this lt reads version 1");
        refused(b"lt kernel profile 1\n{\n", "header");
        refused(b"lt kernel profile 1\n{}", "cut off");
        refused(&good[..good.len() - 1], "cut off");
        refused(&[good.as_slice(), b"x"].concat(), "has grown");
        assert!(why(&path.with_extension("none")).contains("No such file"));
    });
}

#[test]
fn damage_is_found_and_nothing_panics() {
    with_profile(|path| {
        let good = fs::read(path).unwrap();
        let start = good.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
        for at in (0..good.len()).step_by(3) {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(path, &bytes).unwrap();
            let Ok(kernel) = KernelProfile::from_file(path) else { continue };
            let answers = [
                kernel.function("probe_me").is_err(),
                kernel.functions("*").is_err(),
                kernel.tracepoint("fs", "open").is_err(),
            ];
            assert!(at < start || answers.contains(&true), "byte {at}");
        }
    });
}

#[test]
fn the_running_kernel_is_read_when_asked() {
    let kernel = KernelProfile::running();
    assert!(kernel.btf.get().is_none() && kernel.tracefs.get().is_none() && kernel.release.get().is_none());
    assert!(kernel.version() >= KernelVersion::new(5, 0));
    assert!(kernel.has(Feature::AtomicFetch) || kernel.version() < KernelVersion::new(5, 12));
    assert!(kernel.btf.get().is_none());
    let mut count = 0;
    kernel
        .each_function(&mut |_, _| {
            count += 1;
            if count < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .unwrap();
    assert_eq!(count, 100);
}

#[test]
fn missing_names_are_none() {
    let kernel = KernelProfile::running();
    let none = |category: &str, name: &str| match kernel.tracepoint(category, name) {
        Ok(found) => assert_eq!(found, None),
        Err(error) => assert!(matches!(error, KernelError::NoTracefs(_)), "{error:?}"),
    };
    none("nonesuch", "nothing");
    none("..", "..");
    none("syscalls/sys_enter_read", "..");
}

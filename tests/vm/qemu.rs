//! The processes of a machine: QEMU, and virtiofsd, which serves the host's files to it.
//!
//! Nothing is put into the file system: sockets are pairs or abstract, the initramfs and the logs are memory files. So
//! nothing is left behind, however the test process ends, and both processes die with the thread that started them.

use super::guest;
use super::kernels::Kernel;
use std::ffi::CString;
use std::fs::File;
use std::io::{Error, Result, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The emulator's program.
pub const QEMU: &str = "qemu-system-x86_64";
/// Where distributions put virtiofsd: it is in no PATH.
const VIRTIOFSD: [&str; 3] = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd"];
const MEMORY: &str = "2G";
const KVM: [&str; 4] = ["-accel", "kvm", "-cpu", "host"];
/// QEMU 7.2's emulation leaves rubbish in the flags after cmpxchg16b, and an interrupt there kills the guest.
const EMULATION: [&str; 4] = ["-accel", "tcg,thread=multi", "-cpu", "max,-cx16"];

/// A file in memory: for what a child reads by path, or writes for us to look at later.
pub struct MemoryFile(File);

impl MemoryFile {
    /// A new one with these contents.
    pub fn new(contents: &[u8]) -> Result<MemoryFile> {
        // SAFETY: the name is NUL-ended; the descriptor that comes back is ours alone.
        let mut file = unsafe {
            let fd = libc::memfd_create(c"lt-vm".as_ptr(), libc::MFD_CLOEXEC);
            if fd < 0 {
                return Err(Error::last_os_error());
            }
            File::from_raw_fd(fd)
        };
        file.write_all(contents)?;
        Ok(MemoryFile(file))
    }

    /// The path under which a child that inherits the descriptor finds the file.
    fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    /// The last `lines` lines.
    pub fn tail(&self, lines: usize) -> String {
        let length = self.0.metadata().map_or(0, |m| m.len());
        let start = length.saturating_sub(64 << 10);
        let mut bytes = vec![0; (length - start) as usize];
        let got = self.0.read_at(&mut bytes, start).unwrap_or(0);
        let text = String::from_utf8_lossy(&bytes[..got]).replace('\r', "");
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn stdio(&self) -> Result<Stdio> {
        Ok(self.0.try_clone()?.into())
    }
}

/// Starts `command` so that it dies with the calling thread, with `inherited` descriptors kept open, after `prepare` has
/// run in the child (async-signal-safe calls only).
fn spawn(
    command: &mut Command,
    inherited: Vec<RawFd>,
    prepare: impl Fn() -> Result<()> + Send + Sync + 'static,
) -> Result<Child> {
    let parent = std::process::id();
    command.process_group(0);
    // SAFETY: only async-signal-safe system calls are made, on memory that was allocated before the fork.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() as u32 != parent {
                return Err(Error::from_raw_os_error(libc::ESRCH));
            }
            for fd in &inherited {
                libc::fcntl(*fd, libc::F_SETFD, 0);
            }
            prepare()
        });
    }
    command.spawn()
}

/// The running file server.
pub struct FileServer {
    /// The process.
    pub process: Child,
    /// What it said.
    pub log: MemoryFile,
    /// The connection to give to QEMU.
    pub connection: UnixStream,
}

/// Starts virtiofsd on a read-only view of this machine's root file system. The view is a bind mount in a mount
/// namespace of virtiofsd's own: the C version has no read-only mode.
pub fn serve_files(kernel: &Kernel) -> std::result::Result<FileServer, String> {
    let program = virtiofsd()?;
    let told = |e: Error| format!("{}: {e}", program.display());
    let (listener, connection) = listen().map_err(told)?;
    let log = MemoryFile::new(&[]).map_err(told)?;
    let mut command = Command::new(&program);
    let fd = format!("--fd={}", listener.as_raw_fd());
    if is_rust_version(&program) {
        command.args([&fd, "--shared-dir=/tmp", "--sandbox=chroot", "--cache=always", "--log-level=error"]);
    } else {
        command.args(["-f", &fd, "-o", "source=/tmp,sandbox=chroot,cache=always,log_level=err,no_posix_lock"]);
    }
    command.stdin(Stdio::null()).stdout(log.stdio().map_err(told)?).stderr(log.stdio().map_err(told)?);
    let view = View::new(kernel);
    let process = spawn(&mut command, vec![listener.as_raw_fd()], move || view.enter()).map_err(told)?;
    Ok(FileServer { process, log, connection })
}

/// The program that serves files; the error names the package.
pub fn virtiofsd() -> std::result::Result<PathBuf, String> {
    let found = VIRTIOFSD.iter().map(PathBuf::from).find(|p| p.is_file());
    found.ok_or_else(|| "virtiofsd is not installed (`make setup` installs it)".to_owned())
}

/// The one in C (QEMU up to 7) and the one in Rust take different options.
fn is_rust_version(program: &Path) -> bool {
    let help = Command::new(program).arg("--help").stdin(Stdio::null()).output();
    help.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("--shared-dir"))
}

/// A listening socket for virtiofsd and a connection to it for QEMU. The address is abstract and used only here.
fn listen() -> Result<(UnixListener, UnixStream)> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("lt-vm-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let address = SocketAddr::from_abstract_name(name)?;
    let listener = UnixListener::bind_addr(&address)?;
    let connection = UnixStream::connect_addr(&address)?;
    Ok((listener, connection))
}

/// The read-only view of this machine's files, put over /tmp in a private mount namespace.
struct View {
    /// Directories that the guest needs and that are not on the root file system, and their places in the view.
    others: Vec<(CString, CString)>,
}

impl View {
    fn new(kernel: &Kernel) -> View {
        let mounts = mount_points();
        let on_root = |d: &PathBuf| mounts.iter().filter(|m| d.starts_with(m)).all(|m| m == Path::new("/"));
        let overlays = guest::overlays().into_iter().map(PathBuf::from);
        let build = guest::lt().parent().unwrap_or(Path::new("/"));
        let fixed = [Path::new("/usr"), guest::checkout(), build, &kernel.modules].map(PathBuf::from);
        let mut wanted: Vec<PathBuf> = overlays.chain(fixed).filter_map(|d| d.canonicalize().ok()).collect();
        // Outer ones are mounted first.
        wanted.sort();
        wanted.dedup();
        wanted.retain(|d| !on_root(d));
        let pairs = wanted.iter().map(|d| {
            let path = d.as_os_str().as_bytes();
            (CString::new(path).unwrap_or_default(), CString::new([b"/tmp", path].concat()).unwrap_or_default())
        });
        View { others: pairs.collect() }
    }

    /// Makes the view. Runs between fork and exec.
    fn enter(&self) -> Result<()> {
        let check = |result: libc::c_int| if result < 0 { Err(Error::last_os_error()) } else { Ok(()) };
        let bind = |source: &std::ffi::CStr, target: &std::ffi::CStr| {
            let null = std::ptr::null();
            // SAFETY: both strings are NUL-ended; the other pointers may be null for these flags.
            unsafe {
                check(libc::mount(source.as_ptr(), target.as_ptr(), null, libc::MS_BIND, null.cast()))?;
                let flags = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY;
                check(libc::mount(null, target.as_ptr(), null, flags, null.cast()))
            }
        };
        // SAFETY: as above.
        unsafe {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            let flags = libc::MS_REC | libc::MS_PRIVATE;
            check(libc::mount(std::ptr::null(), c"/".as_ptr(), std::ptr::null(), flags, std::ptr::null()))?;
        }
        // The root goes over /tmp last but must be there for the others, so they are held by descriptor meanwhile.
        let mut held = [-1; 32];
        for (slot, (source, _)) in held.iter_mut().zip(&self.others) {
            // SAFETY: the path is NUL-ended.
            *slot = unsafe { libc::open(source.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
        }
        bind(c"/", c"/tmp")?;
        for (fd, (_, target)) in held.iter().zip(&self.others) {
            let mut path = [0u8; 32];
            // SAFETY: the buffer is larger than any such path and stays NUL-ended.
            unsafe { libc::snprintf(path.as_mut_ptr().cast(), path.len(), c"/proc/self/fd/%d".as_ptr(), *fd) };
            let path = std::ffi::CStr::from_bytes_until_nul(&path).unwrap_or(c"");
            bind(path, target)?;
        }
        Ok(())
    }
}

/// Where file systems are mounted on this machine.
fn mount_points() -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let fields = text.lines().filter_map(|l| l.split(' ').nth(4));
    // Spaces are written as octal escapes there.
    fields.map(|f| PathBuf::from(f.replace("\\040", " "))).collect()
}

/// The running emulator.
pub struct Emulator {
    /// The process.
    pub process: Child,
    /// The guest's console.
    pub console: MemoryFile,
    /// What QEMU itself said.
    pub log: MemoryFile,
    /// The host's end of the agent's port.
    pub port: UnixStream,
}

/// Starts QEMU on `kernel` with this initramfs and the connection to its file server, by KVM (`accelerated`) or by software
/// emulation.
pub fn start(kernel: &Kernel, initramfs: &[u8], files: &UnixStream, accelerated: bool) -> Result<Emulator> {
    let (port, guest_port) = UnixStream::pair()?;
    let (console, log, initrd) = (MemoryFile::new(&[])?, MemoryFile::new(&[])?, MemoryFile::new(initramfs)?);
    let mut command = Command::new(QEMU);
    command.args(if accelerated { KVM } else { EMULATION });
    command.args(["-smp", "2", "-m", MEMORY, "-object"]);
    command.arg(format!("memory-backend-memfd,id=mem,size={MEMORY},share=on"));
    command.args(["-machine", "q35,memory-backend=mem,usb=off,vmport=off,hpet=off"]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none"]);
    command.arg("-kernel").arg(&kernel.image).args(["-initrd", &initrd.path()]);
    command.args(["-append", &kernel_arguments(accelerated)]);
    command.args(["-chardev", &format!("file,id=console,path={}", console.path()), "-serial", "chardev:console"]);
    command.args(["-device", "virtio-rng-pci", "-device", "virtio-serial-pci,max_ports=2"]);
    command.args(["-chardev", &format!("socket,id=agent,fd={}", guest_port.as_raw_fd())]);
    command.args(["-device", &format!("virtserialport,nr=1,chardev=agent,name={}", super::wire::PORT)]);
    command.args(["-chardev", &format!("socket,id=root,fd={}", files.as_raw_fd())]);
    command.args(["-device", "vhost-user-fs-pci,queue-size=1024,chardev=root,tag=root"]);
    command.stdin(Stdio::null()).stdout(log.stdio()?).stderr(log.stdio()?);
    let inherited = vec![guest_port.as_raw_fd(), files.as_raw_fd(), initrd.0.as_raw_fd(), console.0.as_raw_fd()];
    let process = spawn(&mut command, inherited, || Ok(()))?;
    Ok(Emulator { process, console, log, port })
}

fn kernel_arguments(accelerated: bool) -> String {
    let mut arguments = "console=ttyS0 panic=-1 loglevel=4 quiet random.trust_cpu=on mitigations=off audit=0 \
                         cryptomgr.notests cgroup_no_v1=all psi=1 lsm=landlock,lockdown,yama,apparmor,bpf"
        .to_owned();
    if !accelerated {
        arguments += " tsc=reliable no_timer_check";
        arguments += &clock_arguments();
    }
    arguments
}

/// The guest's time stamp counter is the host's under emulation: telling its rate spares the guest two calibrations (0.5
/// to 1 s). Only virtual hosts show the counter's own rate here; others show the processor's current clock.
fn clock_arguments() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        text.lines().find(|l| l.starts_with(name)).and_then(|l| l.split_once(':')).map(|(_, v)| v.trim().to_owned())
    };
    let virtual_host = field("flags").is_some_and(|f| f.split(' ').any(|w| w == "hypervisor"));
    match field("cpu MHz").and_then(|f| f.parse::<f64>().ok()) {
        Some(mhz) if virtual_host => {
            let khz = (mhz * 1000.0).round() as u64;
            // Jiffies of these kernels are 1/250 s.
            format!(" tsc_early_khz={khz} lpj={}", khz * 4)
        }
        _ => String::new(),
    }
}

/// Whether KVM can really make a machine like ours: /dev/kvm may be there and refuse. QEMU itself is asked, with a
/// machine that is set up and not started; the answer is kept.
pub fn kvm_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| File::options().read(true).write(true).open("/dev/kvm").is_ok() && try_kvm().unwrap_or(false))
}

fn try_kvm() -> Result<bool> {
    let orders = MemoryFile::new(b"quit\n")?;
    (&orders.0).seek(SeekFrom::Start(0))?;
    let mut command = Command::new(QEMU);
    command.args(KVM).args(["-machine", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none"]);
    command.args(["-S", "-monitor", "stdio"]);
    command.stdin(orders.stdio()?).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = spawn(&mut command, Vec::new(), || Ok(()))?;
    let give_up = Instant::now() + Duration::from_secs(5);
    while process.try_wait()?.is_none() && Instant::now() < give_up {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Fails when it has ended, as it should.
    let _ = process.kill();
    Ok(process.wait()?.success())
}

//! The thread that owns the machine. There is one machine at a time, booted when the first job for its kernel comes and
//! kept for all jobs that follow, until one for another kernel comes.
//!
//! It is a thread of its own, alive as long as the process, because the machine's processes die with the thread that
//! started them, and the test harness's threads come and go.

use super::boot::Machine;
use super::jobs::{Job, Output, VmError};
use super::kernels::Kernel;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

struct Request {
    kernel: String,
    job: Job,
    reply: Sender<Result<Output, VmError>>,
}

/// Runs `job` on the kernel of this name, after the jobs that were asked for earlier. A machine that is lost under a job
/// gives it a second try on a fresh one: emulated processors now and then trip over a kernel that patches its own code
/// (an `int3` oops). What the job itself does to a kernel it does twice.
pub fn run(kernel: &str, job: Job) -> Result<Output, VmError> {
    match run_once(kernel, job.clone()) {
        Err(VmError::Broken(why)) => {
            eprintln!("vm: {why}\nvm: the job is tried once more on a fresh machine");
            run_once(kernel, job)
        }
        result => result,
    }
}

fn run_once(kernel: &str, job: Job) -> Result<Output, VmError> {
    static SERVER: OnceLock<Sender<Request>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let (sender, requests) = channel();
        std::thread::spawn(move || serve(requests));
        sender
    });
    let (reply, answer) = channel();
    let lost = || VmError::Broken("the thread that runs the machines ended".to_owned());
    server.send(Request { kernel: kernel.to_owned(), job, reply }).map_err(|_| lost())?;
    answer.recv().map_err(|_| lost())?
}

fn serve(requests: Receiver<Request>) {
    let mut machine: Option<(String, Machine)> = None;
    // A kernel that does not boot is not tried again for each of its jobs.
    let mut hopeless: HashMap<String, VmError> = HashMap::new();
    for request in requests {
        let result = match hopeless.get(&request.kernel) {
            Some(error) => Err(error.clone()),
            None => attend(&mut machine, &request, &mut hopeless),
        };
        // The one who asked waits for the answer.
        let _ = request.reply.send(result);
    }
}

fn attend(
    slot: &mut Option<(String, Machine)>,
    request: &Request,
    hopeless: &mut HashMap<String, VmError>,
) -> Result<Output, VmError> {
    if slot.as_ref().is_none_or(|(name, _)| *name != request.kernel) {
        // Two machines at once would double the time of both.
        *slot = None;
        let booted = Kernel::find(&request.kernel).map_err(VmError::Missing).and_then(|k| Machine::boot(&k));
        let booted = booted.inspect_err(|error| {
            hopeless.insert(request.kernel.clone(), error.clone());
        })?;
        *slot = Some((request.kernel.clone(), booted));
    }
    let Some((_, machine)) = slot else { return Err(VmError::Broken("no machine".to_owned())) };
    let result = machine.run(&request.job);
    if result.is_err() {
        *slot = None;
    }
    result
}

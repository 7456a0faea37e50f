//! A program that is started without a shell, and ended with everything that it started when its time is over.

use core::time::Duration;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use ecmo_core::time::SampleTime;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::clock;

/// Time between two looks at a program that runs.
const LOOK: Duration = Duration::from_millis(10);

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    name: String,
    deadline: SampleTime,
}

/// How a look found it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    Runs,
    Ended(Result<(), String>),
}

impl Running {
    /// Starts it with an environment, writes `input` to it, and gives it so much time.
    pub(super) fn start(
        words: &[String],
        environment: &[(&str, String)],
        input: &[u8],
        timeout: Duration,
    ) -> Result<Self, String> {
        let (program, arguments) = words.split_first().ok_or("no program is named")?;
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().map(|(key, value)| (key, value)));
        command.stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child =
            command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A pipe takes it whole, so this does not wait. A program that does not read says so by its exit code.
            let _unread = stdin.write_all(input);
        }
        Ok(Self { child, name: program.clone(), deadline: clock::now().plus(timeout) })
    }

    /// Gives it less time: no longer than so from now on.
    pub(super) fn hurry(&mut self, patience: Duration) {
        self.deadline = self.deadline.min(clock::now().plus(patience));
    }

    /// Looks, after a moment.
    pub(super) fn look(&mut self) -> Look {
        match self.child.try_wait() {
            Ok(Some(status)) if status.success() => return Look::Ended(Ok(())),
            Ok(Some(status)) => {
                return Look::Ended(Err(format!("{} ended with {status}", self.name)));
            }
            Err(error) => return Look::Ended(Err(format!("{}: {error}", self.name))),
            Ok(None) => {}
        }
        let now = clock::now();
        if now >= self.deadline {
            return Look::Ended(Err(format!("{} took too long and was killed", self.name)));
        }
        clock::sleep_until(now.plus(LOOK));
        Look::Runs
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            && matches!(self.child.try_wait(), Ok(None))
        {
            // It may have ended in between, which is what was wanted.
            let _ended_already = kill_process_group(group, Signal::KILL);
            let _status = self.child.wait();
        }
    }
}

//! What happened, step by step: a digest over all of it, the last of it in words, and the whole of it in a file if asked for.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};

use crate::dice::mixed;
use crate::time::{HOUR, MINUTE, MS, Nanos, SECOND};

/// Steps that are told when a run fails.
const LAST: usize = 120;

macro_rules! steps {
    ($($variant:ident: $words:literal;)*) => {
        /// What a step is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each has its words")]
        pub enum Step {
            $($variant,)*
        }

        impl Step {
            const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }
    };
}

steps! {
    Sample: "agent {0} samples; next frame {1}";
    Beat: "agent {0} beats";
    AtBroker: "broker {0} gets a message of kind {1} from {2}";
    AtGateway: "gateway {0} gets a message of kind {1} by path {2}";
    AtAgent: "agent {0} gets a message of kind {1} by path {2}";
    Timer: "timer at gateway {0}, pump {1}";
    Round: "round of gateway {0}";
    Judged: "gateway {0} judges pump {1}, frame {2}";
    Alarm: "gateway {0}: alarm {1} of pump {2}";
    ToDisplay: "display {0} gets a message of kind {2} from gateway {1}";
    FromDisplay: "gateway {1} gets a request of kind {2} from display {0}";
    Paint: "display {0} paints";
    Person: "person at display {0} does {1}: {2}";
    Turn: "signal {1} of pump {0} turns; beyond {2}";
    Sensor: "sensor {1} of pump {0} turns; silent {2}";
    FaultBegins: "fault {0} begins at {1}, {2}";
    FaultEnds: "fault {0} ends at {1}, {2}";
    Restart: "gateway {0} starts anew, life {1}; kept {2}";
    Boot: "agent {0} starts anew, run {1}";
    Wire: "frame {1} of pump {0} over the wire format; {2}";
    Store: "gateway {0} keeps; {1} actions";
}

/// One step.
#[derive(Debug, Clone, Copy)]
struct Note {
    at: Nanos,
    step: Step,
    numbers: [u64; 3],
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, step, numbers: [one, two, three] } = *self;
        let (hours, minutes) = (at / HOUR, at % HOUR / MINUTE);
        let (seconds, nanos) = (at % MINUTE / SECOND, at % SECOND);
        write!(formatter, "{hours}:{minutes:02}:{seconds:02}.{:06} ", nanos * 1_000 / MS)?;
        let words = step.words().replace("{0}", &one.to_string());
        let words = words.replace("{1}", &two.to_string()).replace("{2}", &three.to_string());
        formatter.write_str(&words)
    }
}

/// What happened so far.
pub struct Trace {
    digest: u64,
    steps: u64,
    last: VecDeque<Note>,
    file: Option<Box<dyn Write>>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Trace({} steps, {:016x})", self.steps, self.digest)
    }
}

impl Trace {
    /// Nothing yet; every step goes to `file` too.
    #[must_use]
    pub fn new(file: Option<Box<dyn Write>>) -> Self {
        Self { digest: 0, steps: 0, last: VecDeque::with_capacity(LAST), file }
    }

    /// A step was made.
    pub fn note(&mut self, at: Nanos, step: Step, numbers: [u64; 3]) {
        self.steps += 1;
        let [one, two, three] = numbers;
        let head = at ^ ((step as u64) << 56);
        self.digest = mixed(self.digest ^ head).wrapping_add(mixed(one ^ two.rotate_left(24)));
        self.digest = mixed(self.digest ^ three.rotate_left(48));
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        let note = Note { at, step, numbers };
        self.last.push_back(note);
        if let Some(file) = &mut self.file
            && writeln!(file, "{note}").is_err()
        {
            // The run goes on; what is in the file tells where it ends.
            self.file = None;
        }
    }

    /// Digest over every step so far.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Steps so far.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The last steps in words, the oldest first.
    #[must_use]
    pub fn last(&self) -> Vec<String> {
        self.last.iter().map(ToString::to_string).collect()
    }

    /// Writes out what is still held.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

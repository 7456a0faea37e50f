//! The ways to the outside, each on a thread of its own: a command at each change, a GPIO line, a tone.
//!
//! Each waits at a mailbox that holds the newest sound only. One that hangs or fails holds up neither the others nor who
//! decides; it says so, and tries again every [`RETRY`].

mod mailbox;

mod child;

mod command;

mod gpio;

mod tone;

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread;

use super::sound::Sound;
use crate::config::LocalAlarmSettings;

use mailbox::Mailbox;

/// How long after a failure it is tried again (own proposal).
pub const RETRY: Duration = Duration::from_secs(2);

/// All configured outputs.
#[derive(Debug, Default)]
pub struct Outputs {
    mailboxes: Vec<Arc<Mailbox>>,
}

impl Outputs {
    /// Starts what is configured.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(settings: &LocalAlarmSettings, pump: &str) -> io::Result<Self> {
        let mut outputs = Self::default();
        if !settings.command.is_empty() {
            let command = command::Command {
                words: settings.command.clone(),
                timeout: settings.command_timeout,
                pump: pump.to_owned(),
            };
            outputs.add("ecmo-command", move |mailbox| command.run(mailbox))?;
        }
        if let Some(line) = settings.gpio.clone() {
            outputs.add("ecmo-gpio", move |mailbox| gpio::run(mailbox, &mut gpio::opener(line)))?;
        }
        if !settings.tone.is_empty() {
            let player = settings.tone.clone();
            outputs.add("ecmo-tone", move |mailbox| tone::run(mailbox, &player))?;
        }
        Ok(outputs)
    }

    fn add(&mut self, name: &str, run: impl FnOnce(&Mailbox) + Send + 'static) -> io::Result<()> {
        let mailbox = Arc::new(Mailbox::default());
        let shared = Arc::clone(&mailbox);
        thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared))?;
        self.mailboxes.push(mailbox);
        Ok(())
    }

    /// Tells what sounds now; never waits.
    pub fn tell(&self, sound: Option<Sound>) {
        self.mailboxes.iter().for_each(|mailbox| mailbox.put(sound));
    }

    /// Whether one of them failed the last time.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.mailboxes.iter().any(|mailbox| mailbox.has_failed())
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        // An agent that stops on purpose is quiet: its threads say that last, and end.
        self.mailboxes.iter().for_each(|mailbox| mailbox.close());
    }
}

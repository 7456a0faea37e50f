//! A GPIO line that is active while something sounds, for a lamp, a horn or a nurse call.

use std::path::Path;

use gpiocdev::Request;
use gpiocdev::line::Value;

use super::RETRY;
use super::mailbox::{Mailbox, Word};
use crate::config::GpioSettings;

/// A line that can be set.
pub(super) trait Line {
    /// Sets it.
    ///
    /// # Errors
    /// The chip is gone or refuses, in words.
    fn set(&mut self, is_active: bool) -> Result<(), String>;
}

/// Opens a line; asked again after each failure.
pub(super) type LineOpener = dyn FnMut() -> Result<Box<dyn Line>, String>;

struct ChipLine {
    request: Request,
    line: u32,
}

impl Line for ChipLine {
    fn set(&mut self, is_active: bool) -> Result<(), String> {
        let value = if is_active { Value::Active } else { Value::Inactive };
        self.request.set_value(self.line, value).map(|_set| ()).map_err(|error| error.to_string())
    }
}

fn open(path: &Path, line: u32, active_low: bool) -> Result<Box<dyn Line>, String> {
    let mut builder = Request::builder();
    builder.on_chip(path).with_consumer("ecmo-agent").with_line(line).as_output(Value::Inactive);
    if active_low {
        builder.as_active_low();
    }
    let request =
        builder.request().map_err(|error| format!("{} line {line}: {error}", path.display()))?;
    Ok(Box::new(ChipLine { request, line }))
}

/// Opens the configured line.
pub(super) fn opener(settings: GpioSettings) -> impl FnMut() -> Result<Box<dyn Line>, String> {
    move || open(&settings.chip, settings.line, settings.active_low)
}

/// Sets the line at each change until the last word; opened at once, so that a wrong setting is told before it matters.
pub(super) fn run(mailbox: &Mailbox, opener: &mut LineOpener) {
    let mut line: Option<Box<dyn Line>> = None;
    let mut word = Word::default();
    loop {
        let is_active = word.sound.is_some();
        let set = match &mut line {
            Some(line) => line.set(is_active),
            None => opener().and_then(|new| line.insert(new).set(is_active)),
        };
        if set.is_err() {
            line = None;
        }
        mailbox.note("gpio", set);
        if word.is_last {
            return;
        }
        // The line is set again from time to time: a chip that was unplugged is noticed before it matters.
        word = mailbox.wait(word.number, RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_alarm::sound::{Reason, Sound};
    use ecmo_core::alarm::condition::Priority;
    use ecmo_testkit::eventually_sync;
    use std::sync::{Arc, Mutex};

    const SOON: core::time::Duration = core::time::Duration::from_secs(10);

    /// The line as a test sees it: what it was set to; `None` while it is unplugged.
    #[derive(Clone, Default)]
    struct Probe(Arc<Mutex<Option<bool>>>, Arc<Mutex<bool>>);

    impl Line for Probe {
        fn set(&mut self, is_active: bool) -> Result<(), String> {
            if !*self.1.lock().unwrap() {
                return Err("unplugged".to_owned());
            }
            *self.0.lock().unwrap() = Some(is_active);
            Ok(())
        }
    }

    #[test]
    fn the_line_follows_the_sound_and_comes_back_after_it_was_unplugged() {
        let probe = Probe::default();
        let mailbox = Arc::new(Mailbox::default());
        let (shared, line) = (Arc::clone(&mailbox), probe.clone());
        std::thread::spawn(move || {
            run(&shared, &mut move || Ok(Box::new(line.clone()) as Box<dyn Line>));
        });
        let await_line = |expected, failed| {
            eventually_sync(SOON, "the line", || {
                let seen = (*probe.0.lock().unwrap(), mailbox.has_failed());
                if seen == (expected, failed) { Ok(()) } else { Err(format!("{seen:?}")) }
            })
            .unwrap();
        };
        await_line(None, true);
        *probe.1.lock().unwrap() = true;
        await_line(Some(false), false);
        mailbox.put(Some(Sound { priority: Priority::Low, reason: Reason::Unattended }));
        await_line(Some(true), false);
        mailbox.close();
        await_line(Some(false), false);
    }

    #[test]
    fn a_chip_that_does_not_exist_is_told_by_its_path() {
        let error = open(Path::new("/dev/no-such-chip"), 3, true).err().unwrap();
        assert!(error.contains("/dev/no-such-chip line 3"), "{error}");
    }
}

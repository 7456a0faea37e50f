//! The flow meter over a real terminal: every vector, garbage, torn lines, silence, unplugging.

use std::path::Path;
use std::time::Duration;

use ecmo_agent::Settings;
use ecmo_agent::config::{EmtecSettings, PortAddress, SourceSettings};
use ecmo_proto::v1::Validity;
use ecmo_testkit::{EmbeddedBroker, Pty};
use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::time::Instant;

use crate::ward::{Agent, Listener, Sample, address, samples};

const GOOD: &str = "00 00 100 0.99 7195 7193 6897 +41\r\n";

/// An agent with a flow meter on a port, and somebody who listens.
struct Bedside {
    _broker: EmbeddedBroker,
    listener: Listener,
    agent: Agent,
}

impl Bedside {
    async fn start(port: &Path) -> Self {
        let broker = EmbeddedBroker::start(None).unwrap();
        let listener = Listener::start(broker.addr()).await;
        let source =
            SourceSettings::Emtec(EmtecSettings { port: PortAddress::Serial(port.to_owned()) });
        let url = format!("mqtt://{}", broker.addr()).parse().unwrap();
        let agent = Agent::start(Settings::new(address("p1"), url, source));
        listener.await_frames(3).await;
        Self { _broker: broker, listener, agent }
    }

    fn samples(&self, parameter: &str) -> Vec<Sample> {
        match self.listener.births().first() {
            Some(birth) => samples(&self.listener.frames(), birth, parameter),
            None => Vec::new(),
        }
    }

    /// Waits for a sample after the first `skip` ones.
    async fn await_sample(
        &self,
        parameter: &str,
        skip: usize,
        what: &str,
        is_it: impl Fn(&Sample) -> bool,
    ) -> Sample {
        self.listener
            .await_that(what, |_| {
                let samples = self.samples(parameter);
                let found = samples.iter().skip(skip).find(|sample| is_it(sample));
                found.copied().ok_or_else(|| format!("{:?}", samples.last()))
            })
            .await
    }

    /// Feeds a line and waits for what it says of the flow.
    async fn flow_of(&self, pty: &Pty, line: &str) -> (Validity, f64) {
        let before = self.samples("flow.blood").len();
        pty.write(line.as_bytes()).await.unwrap();
        // Silence told in between is not the line's word.
        let is_it = |sample: &Sample| sample.validity != Validity::CommLost;
        let sample = self.await_sample("flow.blood", before, line, is_it).await;
        (sample.validity, sample.value)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_vector_arrives_as_documented() {
    let pty = Pty::open().unwrap();
    let bedside = Bedside::start(pty.path()).await;
    // The first line may be half a line and is dropped.
    pty.write(b"\r\n").await.unwrap();
    for (line, validity, value) in [
        (GOOD, Validity::Valid, 7195.0),
        ("00 04 100 1.00 -3588 -3590 -3589 +43\n\r", Validity::Valid, -3588.0),
        ("00 40 100 1.00 0 0 0 +43\r\n", Validity::Questionable, 0.0),
        ("00 24 34 0.99 ------- ------- ------- +43\r", Validity::NotMeasured, 0.0),
        ("00 E0 --- ---- ------- ------- ------- +35\n", Validity::SensorOff, 0.0),
        ("00 40 75 1.01 ^^^^^^ ^^^^^^ ^^^^^^ +29\r\n", Validity::AboveRange, 0.0),
        ("00 40 75 1.01 vvvvvvv vvvvvvv vvvvvvv +29\r\n", Validity::BelowRange, 0.0),
        ("1A 41 --- ---- ------- ------- ------- +77\r\n", Validity::SensorFault, 0.0),
        ("                                        \r\n", Validity::NotMeasured, 0.0),
        (GOOD, Validity::Valid, 7195.0),
    ] {
        assert_eq!(bedside.flow_of(&pty, line).await, (validity, value), "{line:?}");
    }
    let hot = bedside
        .await_sample("board.temp", 0, "the temperature of the hot board", |sample| {
            sample.validity == Validity::Questionable
        })
        .await;
    assert!((hot.value - 77.0).abs() < 0.01);
    bedside.agent.stop().await;
    // The agent has not sent a single byte to the device.
    assert_eq!(pty.try_read(100).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_and_torn_lines_are_counted_and_never_become_a_flow() {
    let pty = Pty::open().unwrap();
    let bedside = Bedside::start(pty.path()).await;
    pty.write(b" 7777 7777 7777 +41\r\n").await.unwrap();
    assert_eq!(bedside.flow_of(&pty, GOOD).await, (Validity::Valid, 7195.0));
    let mut garbage: Vec<u8> = (0..=255).cycle().take(3000).collect();
    garbage.extend(b"\r\n00 00 100 0.99 71\r\n95 7193 6897 +41\r\n00 00 100 0.99 55");
    pty.write(&garbage).await.unwrap();
    // The rest of the last half line comes later, and the whole counts.
    assert_eq!(bedside.flow_of(&pty, "50 5550 5550 +41\r\n").await, (Validity::Valid, 5550.0));
    let flows: Vec<_> = bedside.samples("flow.blood");
    let valid = flows.iter().filter(|sample| sample.validity == Validity::Valid);
    let known = [7195.0, 5550.0];
    assert!(valid.clone().count() >= 2);
    assert!(valid.clone().all(|sample| known.contains(&sample.value)), "{flows:?}");
    let summary = bedside.agent.stop().await;
    assert!(summary.lines_refused > 10, "{summary:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_of_an_open_port_is_told_within_a_second() {
    let pty = Pty::open().unwrap();
    let bedside = Bedside::start(pty.path()).await;
    pty.write(b"\r\n").await.unwrap();
    bedside.flow_of(&pty, GOOD).await;
    let good = bedside.samples("flow.blood");
    let last = good.iter().rfind(|sample| sample.validity == Validity::Valid).unwrap();
    let is_lost = |sample: &Sample| sample.validity == Validity::CommLost;
    let after = usize::try_from(last.index).unwrap();
    let lost = bedside.await_sample("flow.blood", after, "the loss", is_lost).await;
    assert!(lost.time_us - last.time_us < 1_000_000, "{} us", lost.time_us - last.time_us);
    // And it goes on being told, ten times a second.
    let later = usize::try_from(lost.index).unwrap() + 5;
    let again = bedside.await_sample("flow.blood", later, "more of it", is_lost).await;
    let steps = again.index - lost.index;
    let mean_us = (again.time_us - lost.time_us) / steps;
    assert!((90_000..=150_000).contains(&mean_us), "{mean_us} us");
    bedside.flow_of(&pty, GOOD).await;
    bedside.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unplugged_meter_is_off_at_once_and_comes_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("flow-meter");
    let pty = Pty::open_at(&link).unwrap();
    let bedside = Bedside::start(&link).await;
    pty.write(b"\r\n").await.unwrap();
    // Unplugged in the middle of a line, whose first half the agent has read together with the line before.
    bedside.flow_of(&pty, &format!("{GOOD}00 00 100 0.99 71")).await;
    let last = *bedside.samples("flow.blood").last().unwrap();
    let before = usize::try_from(last.index).unwrap();
    let unplugged = Instant::now();
    pty.unplug().unwrap();
    let is_off = |sample: &Sample| sample.validity == Validity::SensorOff;
    bedside.await_sample("flow.blood", before, "off", is_off).await;
    assert!(unplugged.elapsed() < Duration::from_secs(1));

    let again = Pty::open_at(&link).unwrap();
    // What follows the half line after plugging in is not added to it.
    let good = format!("77 7193 6897 +41\r\n{GOOD}");
    let back = bedside
        .listener
        .await_that("a value from the new line", |_| {
            again.write_sync(good.as_bytes()).map_err(|error| error.to_string())?;
            let samples = bedside.samples("flow.blood");
            let is_back = |sample: &&Sample| sample.validity == Validity::Valid;
            samples.iter().skip(before + 1).find(is_back).copied().ok_or_else(String::new)
        })
        .await;
    assert!((back.value - 7195.0).abs() < 0.01);
    let flows = bedside.samples("flow.blood");
    bedside.agent.stop().await;
    let mut valid = flows.iter().filter(|sample| sample.validity == Validity::Valid);
    assert!(valid.all(|sample| (sample.value - 7195.0).abs() < 0.01), "7177 is put together");
    assert!(flows.windows(2).all(|pair| pair[1].time_us > pair[0].time_us), "times rise");
    assert!((0..).zip(&flows).all(|(expected, sample)| sample.index == expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_not_there_or_no_terminal_is_a_sensor_that_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, GOOD).unwrap();
    for port in [folder.path().join("gone"), plain] {
        let bedside = Bedside::start(&port).await;
        for parameter in ["flow.blood", "flow.acoustic_quality", "board.temp"] {
            let is_any = |_: &Sample| true;
            let sample = bedside.await_sample(parameter, 5, "a word", is_any).await;
            assert_eq!(sample.validity, Validity::SensorOff, "{parameter}");
        }
        bedside.agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_echoes_and_edits_is_made_raw_so_that_nothing_is_sent_back() {
    let pty = Pty::open().unwrap();
    // As the system hands out a serial port that nobody has used: cooked, with echo and flow control.
    let line = std::fs::File::open(pty.path()).unwrap();
    let mut settings = tcgetattr(&line).unwrap();
    let echoes = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let sends = InputModes::IXOFF | InputModes::IXON | InputModes::ICRNL;
    settings.local_modes |= echoes;
    settings.input_modes |= sends;
    tcsetattr(&line, OptionalActions::Now, &settings).unwrap();

    let bedside = Bedside::start(pty.path()).await;
    bedside
        .listener
        .await_that("a raw line", |_| {
            let now = tcgetattr(&line).unwrap();
            let is_raw = !now.local_modes.intersects(echoes) && !now.input_modes.intersects(sends);
            if is_raw { Ok(()) } else { Err(format!("{:?}", now.local_modes)) }
        })
        .await;
    assert_eq!(tcgetattr(&line).unwrap().input_speed(), 38_400);
    pty.write(b"\r\n").await.unwrap();
    // Among others: interrupt, stop, erase and end of file, which a cooked line would act upon.
    pty.write(b"\x03\x13\x7f\x04\r\n").await.unwrap();
    assert_eq!(bedside.flow_of(&pty, GOOD).await, (Validity::Valid, 7195.0));
    bedside.agent.stop().await;
    assert_eq!(pty.try_read(100).unwrap(), None, "not a byte came back");
}

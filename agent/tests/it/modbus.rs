//! The Modbus source against pymodbus, with a tap on the wire that keeps every byte sent and spoils answers on demand.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ecmo_agent::{Settings, clock, sensor};
use ecmo_core::reading::{NoData, Reading};
use ecmo_testkit::{Pty, eventually_sync};

use crate::ward::SOON;

/// The Python that has pymodbus: named by the environment, or made by `cargo xtask ci --only tools`.
fn python() -> PathBuf {
    std::env::var_os("ECMO_PYMODBUS_PYTHON").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let target = std::env::var_os("CARGO_TARGET_DIR");
            let target = target.map_or_else(|| root.join("target"), PathBuf::from);
            target.join("tools/pymodbus/bin/python")
        },
        PathBuf::from,
    )
}

/// A slave as a process of its own.
struct Slave(Child);

impl Slave {
    fn start(kind: &str, place: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/slave.py");
        let child = Command::new(python())
            .arg(script)
            .args([kind, place])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python with pymodbus: cargo xtask ci --only tools");
        Self(child)
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Slave {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What a tap does to answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spoil {
    Nothing,
    FlipBit,
    Half,
    Garbage,
}

fn spoilt(answer: &[u8], how: Spoil) -> Vec<u8> {
    let mut answer = answer.to_vec();
    match how {
        Spoil::Nothing => {}
        Spoil::FlipBit => *answer.last_mut().unwrap() ^= 0x10,
        Spoil::Half => answer.truncate(answer.len() / 2),
        Spoil::Garbage => answer = (0..200).map(|number: u8| number.wrapping_mul(37)).collect(),
    }
    answer
}

/// Stands between master and slave.
struct Tap {
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    spoil: Arc<Mutex<Spoil>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    fn start(run: impl FnOnce(Wire) + Send + 'static) -> Self {
        let wire = Wire {
            sent: Arc::default(),
            spoil: Arc::new(Mutex::new(Spoil::Nothing)),
            stop: Arc::default(),
        };
        let (sent, spoil, stop) =
            (Arc::clone(&wire.sent), Arc::clone(&wire.spoil), Arc::clone(&wire.stop));
        Self { sent, spoil, stop, thread: Some(std::thread::spawn(move || run(wire))) }
    }

    fn spoil(&self, how: Spoil) {
        *self.spoil.lock().unwrap() = how;
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let end = self.thread.take().unwrap().join();
        assert!(end.is_ok() || std::thread::panicking());
    }
}

/// The tap's own side.
struct Wire {
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    spoil: Arc<Mutex<Spoil>>,
    stop: Arc<AtomicBool>,
}

impl Wire {
    fn goes_on(&self) -> bool {
        std::thread::sleep(Duration::from_millis(1));
        !self.stop.load(Ordering::Relaxed)
    }

    fn requests(&self, bytes: &[u8]) {
        self.sent.lock().unwrap().push(bytes.to_vec());
    }

    fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        spoilt(bytes, *self.spoil.lock().unwrap())
    }

    /// Passes connections on to a port until the tap is stopped. A slave that is gone closes the connection.
    fn relay_tcp(self, listener: &TcpListener, slave: u16) {
        listener.set_nonblocking(true).unwrap();
        while self.goes_on() {
            let Ok((mut master, _)) = listener.accept() else { continue };
            let Ok(mut slave) = TcpStream::connect(("127.0.0.1", slave)) else { continue };
            master.set_nonblocking(true).unwrap();
            slave.set_nonblocking(true).unwrap();
            while self.goes_on() {
                let (Some(asked), Some(answered)) = (take(&mut master), take(&mut slave)) else {
                    break;
                };
                if !asked.is_empty() {
                    self.requests(&asked);
                    if slave.write_all(&asked).is_err() {
                        break;
                    }
                }
                if !answered.is_empty() && master.write_all(&self.answer(&answered)).is_err() {
                    break;
                }
            }
            // Either may be gone already.
            master.shutdown(Shutdown::Both).ok();
        }
    }

    /// Bridges two lines.
    fn bridge(self, master: &Pty, slave: &Pty) {
        while self.goes_on() {
            if let Some(asked) = master.try_read(300).unwrap_or_default() {
                self.requests(&asked);
                slave.write_sync(&asked).unwrap();
            }
            if let Some(answered) = slave.try_read(300).unwrap_or_default() {
                // Whole answers come in one piece: pymodbus writes them at once.
                master.write_sync(&self.answer(&answered)).unwrap();
            }
        }
    }
}

/// What has arrived; `None` at the end.
fn take(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 1024];
    match stream.read(&mut bytes) {
        Ok(0) => None,
        Ok(count) => {
            bytes.truncate(count);
            Some(bytes)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(Vec::new()),
        Err(_) => None,
    }
}

const MAP: &str = r#"
unit = 1
rate_hz = 10
timeout_ms = 100
gap = 0
[[source.channel]]
parameter = "press.drain"
register = 2
type = "i16"
[[source.channel]]
parameter = "flow.blood"
register = 1
type = "u16"
[[source.channel]]
parameter = "pump.speed"
register = 3
type = "u32"
scale = 0.01
[[source.channel]]
parameter = "press.pre"
register = 5
type = "i32"
words = "low-first"
scale = 0.001
[[source.channel]]
parameter = "press.post"
register = 7
type = "f32"
[[source.channel]]
parameter = "gas.sweep"
register = 1
function = "input"
type = "u16"
[[source.channel]]
parameter = "air.bubble"
register = 2
function = "discrete"
on_change = true
[[source.channel]]
parameter = "power.mains"
register = 1
function = "coil"
on_change = true
[[source.channel]]
parameter = "hb"
register = 500
type = "u16"
"#;

/// What pymodbus holds, as readings; the last register does not exist.
fn expected() -> Vec<(&'static str, Reading)> {
    let value = Reading::Value;
    vec![
        ("press.drain", value(-45.0)),
        ("flow.blood", value(350.0)),
        ("pump.speed", value(1000.0)),
        ("press.pre", value(-100.0)),
        ("press.post", value(123.456)),
        ("gas.sweep", value(778.0)),
        ("air.bubble", value(1.0)),
        ("power.mains", value(1.0)),
        ("hb", Reading::NoData(NoData::SensorFault)),
    ]
}

/// The source on its own thread, as an agent runs it.
struct Master {
    sensor: Box<dyn sensor::Sensor>,
    newest: HashMap<&'static str, Reading>,
    heard: Vec<(&'static str, Reading)>,
    refused: u64,
}

impl Master {
    fn start(link: &str, keys: &str) -> Self {
        let text = format!(
            "ward = \"w\"\npump = \"p\"\nbroker = \"mqtt://127.0.0.1:1\"\n[[source]]\nkind = \"modbus\"\n\
             link = \"{link}\"\n{keys}{MAP}"
        );
        let settings = Settings::parse(&text, "t").unwrap();
        let mut sensor = sensor::build(&settings.sources).unwrap().remove(0);
        sensor.start().unwrap();
        Self { sensor, newest: HashMap::new(), heard: Vec::new(), refused: 0 }
    }

    fn poll(&mut self) {
        let mut batch = sensor::Batch::default();
        self.sensor.poll(clock::now(), &mut batch);
        for sample in batch.samples {
            let id = self.sensor.channels()[sample.channel].parameter.info().id;
            self.newest.insert(id, sample.reading);
            self.heard.push((id, sample.reading));
        }
        self.refused += batch.refused;
    }

    fn await_that(&mut self, what: &str, is_it: impl Fn(&Self) -> bool) -> Duration {
        let begun = clock::now();
        eventually_sync(SOON, what, || {
            self.poll();
            if is_it(self) { Ok(()) } else { Err(format!("{:?}", self.newest)) }
        })
        .unwrap();
        clock::now().since(begun)
    }

    fn await_values(&mut self) {
        self.newest.clear();
        self.await_that("every value of the slave", |master| {
            expected().iter().all(|(id, reading)| {
                master.newest.get(id).is_some_and(|newest| is_near(*newest, *reading))
            })
        });
    }

    fn await_reason(&mut self, reason: NoData) -> Duration {
        self.newest.clear();
        self.await_that(reason.word(), |master| {
            let told = master.newest.values().filter(|one| **one == Reading::NoData(reason));
            told.count() == master.sensor.channels().len()
        })
    }

    /// No value was ever heard that the slave does not hold.
    fn assert_no_invention(&self) {
        for (id, reading) in &self.heard {
            let known = expected().into_iter().find(|(known, _)| known == id).unwrap().1;
            assert!(reading.value().is_none() || is_near(*reading, known), "{id}: {reading:?}");
        }
    }
}

fn is_near(one: Reading, other: Reading) -> bool {
    match (one.value(), other.value()) {
        (Some(one), Some(other)) => (one - other).abs() < 0.001,
        _ => one == other,
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Every request that was sent reads, and has the length of a request.
fn assert_only_reads(sent: &[Vec<u8>], code_at: usize, length: usize) {
    assert!(sent.len() > 10);
    for bytes in sent {
        assert_eq!(bytes.len() % length, 0, "{bytes:?}");
        for request in bytes.chunks(length) {
            assert!((1..=4).contains(&request[code_at]), "{request:?}");
        }
    }
}

#[test]
#[ignore = "needs pymodbus: cargo xtask ci --only tools"]
fn every_kind_of_register_arrives_over_tcp_and_nothing_but_reads_is_sent() {
    let port = free_port();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = format!("tcp://{}", listener.local_addr().unwrap());
    let slave = Slave::start("tcp", &port.to_string());
    let tap = Tap::start(move |wire| wire.relay_tcp(&listener, port));
    let mut master = Master::start(&link, "");
    master.await_values();

    // A slave that stands still is not heard; one that goes on is.
    slave.signal(rustix::process::Signal::STOP);
    let silent = master.await_reason(NoData::CommLost);
    assert!(silent < Duration::from_secs(2), "{silent:?}");
    slave.signal(rustix::process::Signal::CONT);
    master.await_values();

    // What is no answer is never a value.
    for how in [Spoil::Half, Spoil::Garbage] {
        tap.spoil(how);
        let before = master.refused;
        master.await_that("refused answers", |master| master.refused > before + 3);
        tap.spoil(Spoil::Nothing);
        master.await_values();
    }

    // Killed: off within a second. Restarted: back by itself.
    drop(slave);
    let off = master.await_reason(NoData::SensorOff);
    assert!(off < Duration::from_secs(1), "{off:?}");
    let _again = Slave::start("tcp", &port.to_string());
    master.await_values();
    master.assert_no_invention();
    assert_only_reads(&tap.sent.lock().unwrap(), 7, 12);
}

#[test]
#[ignore = "needs pymodbus: cargo xtask ci --only tools"]
fn every_kind_of_register_arrives_over_a_line_and_flipped_bits_never_become_a_value() {
    let (ours, theirs) = (Pty::open().unwrap(), Pty::open().unwrap());
    let link = ours.path().display().to_string();
    let slave = Slave::start("rtu", &theirs.path().display().to_string());
    let tap = Tap::start(move |wire| wire.bridge(&ours, &theirs));
    let mut master = Master::start(&link, "baud = 19200\nparity = \"none\"\n");
    master.await_values();
    for how in [Spoil::FlipBit, Spoil::Half, Spoil::Garbage] {
        tap.spoil(how);
        let before = master.refused;
        master.await_that("refused answers", |master| master.refused > before + 3);
        master.await_reason(NoData::CommLost);
        tap.spoil(Spoil::Nothing);
        master.await_values();
    }
    slave.signal(rustix::process::Signal::STOP);
    master.await_reason(NoData::CommLost);
    slave.signal(rustix::process::Signal::CONT);
    master.await_values();
    master.assert_no_invention();
    assert_only_reads(&tap.sent.lock().unwrap(), 1, 8);
    // The line is unplugged.
    drop(tap);
    let off = master.await_reason(NoData::SensorOff);
    assert!(off < Duration::from_secs(1), "{off:?}");
}

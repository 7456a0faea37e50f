//! The blood parameter monitor beside a flow meter, over real terminals and through socat as a terminal server.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecmo_agent::Settings;
use ecmo_agent::sensor::cdi::packet::Packet;
use ecmo_proto::v1::Validity;
use ecmo_testkit::{EmbeddedBroker, Pty};
use tokio::time::Instant;

use crate::ward::{Agent, Listener, Sample, samples};

const FLOW: &str = "00 00 100 0.99 450 451 452 +41\r\n";

/// A packet as the monitor sends it, with an arterial and a venous saturation.
fn packet(sequence: u8, arterial: &str, venous: &str) -> Vec<u8> {
    let field = |index: u8| match index {
        0x04 => format!("04  {arterial}"),
        0x0D => format!("0D  {venous}"),
        other => format!("{other:02X}  "),
    };
    let fields: Vec<_> = (0..18).map(field).collect();
    let data = format!("123456 10:20:{sequence:02}\t{}", fields.join("\t"));
    let packet =
        Packet { device: b'X', sequence, command: b'A', subcommand: b'0', data: data.as_bytes() };
    packet.encode().unwrap()
}

/// An agent with both instruments, and somebody who listens.
struct Bedside {
    _broker: EmbeddedBroker,
    listener: Listener,
    agent: Agent,
}

impl Bedside {
    async fn start(cdi: &str, flow_meter: &str) -> Self {
        let broker = EmbeddedBroker::start(None).unwrap();
        let listener = Listener::start(broker.addr()).await;
        let text = format!(
            "ward = \"nicu\"\npump = \"p1\"\nbroker = \"mqtt://{}\"\n\
             [[source]]\nkind = \"cdi\"\nmode = \"packet\"\nport = \"{cdi}\"\n\
             channels = {{ 04 = \"sat.post\", \"0D\" = \"sat.drain\" }}\n\
             [[source]]\nkind = \"emtec\"\nport = \"{flow_meter}\"\n",
            broker.addr()
        );
        let agent = Agent::start(Settings::parse(&text, "test.toml").unwrap());
        listener.await_frames(3).await;
        Self { _broker: broker, listener, agent }
    }

    fn samples(&self, parameter: &str) -> Vec<Sample> {
        match self.listener.births().first() {
            Some(birth) => samples(&self.listener.frames(), birth, parameter),
            None => Vec::new(),
        }
    }

    /// Waits for a sample after the first `skip` ones; does something at each look.
    async fn await_sample(
        &self,
        parameter: &str,
        skip: usize,
        mut each_look: impl FnMut(),
        is_it: impl Fn(&Sample) -> bool,
    ) -> Sample {
        self.listener
            .await_that(parameter, |_| {
                each_look();
                let samples = self.samples(parameter);
                let found = samples.iter().skip(skip).find(|sample| is_it(sample));
                found.copied().ok_or_else(|| format!("{:?}", samples.last()))
            })
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unplugged_monitor_is_off_within_a_second_and_the_flow_meter_does_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("monitor");
    let monitor = Pty::open_at(&link).unwrap();
    let meter = Pty::open().unwrap();
    let bedside = Bedside::start(link.to_str().unwrap(), meter.path().to_str().unwrap()).await;
    monitor.write(&packet(1, "98", "--.-")).await.unwrap();
    let is_valid = |sample: &Sample| sample.validity == Validity::Valid;
    let arterial = bedside.await_sample("sat.post", 0, || {}, is_valid).await;
    assert!((arterial.value - 98.0).abs() < 0.06);
    let is_fault = |sample: &Sample| sample.validity == Validity::SensorFault;
    bedside.await_sample("sat.drain", 0, || {}, is_fault).await;

    // The flow meter sends all the time from here on; the monitor is unplugged in the middle of a packet.
    let feed = || meter.write_sync(FLOW.as_bytes()).unwrap();
    bedside.await_sample("flow.blood", 0, feed, is_valid).await;
    monitor.write(&packet(2, "12", "34")[..50]).await.unwrap();
    let before = bedside.samples("sat.post").len();
    let unplugged = Instant::now();
    monitor.unplug().unwrap();
    let is_off = |sample: &Sample| sample.validity == Validity::SensorOff;
    let off = bedside.await_sample("sat.post", before, feed, is_off).await;
    assert!(unplugged.elapsed() < Duration::from_secs(1));
    let is_after = |sample: &Sample| is_valid(sample) && sample.time_us > off.time_us + 500_000;
    bedside.await_sample("flow.blood", 0, feed, is_after).await;
    let flows = bedside.samples("flow.blood");
    let fed = flows.iter().skip_while(|sample| !is_valid(sample));
    assert!(fed.clone().all(is_valid), "the flow meter is never disturbed");

    let again = Pty::open_at(&link).unwrap();
    let replug = || again.write_sync(&packet(3, "97", "70")).unwrap();
    let back = bedside.await_sample("sat.post", before, replug, is_valid).await;
    assert!((back.value - 97.0).abs() < 0.06);
    let all = bedside.samples("sat.post");
    assert!(all.windows(2).all(|pair| pair[1].time_us > pair[0].time_us), "times rise");
    assert!(all.iter().filter(|s| is_valid(s)).all(|s| s.value > 90.0), "12 is half a packet");
    bedside.agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs socat; cargo xtask ci runs it"]
async fn a_terminal_server_is_as_good_as_a_port_and_its_end_is_noticed() {
    let port = ecmo_testkit::free_port().unwrap();
    let serve = || {
        Command::new("socat")
            .args(["-", &format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("socat")
    };
    let mut server = serve();
    let bedside = Bedside::start(&format!("tcp://127.0.0.1:{port}"), "/nowhere").await;
    let mut input = server.stdin.take().unwrap();
    input.write_all(&packet(1, "98", "71")).unwrap();
    input.flush().unwrap();
    let is_valid = |sample: &Sample| sample.validity == Validity::Valid;
    let first = bedside.await_sample("sat.drain", 0, || {}, is_valid).await;
    assert!((first.value - 71.0).abs() < 0.06);

    let before = bedside.samples("sat.drain").len();
    server.kill().unwrap();
    server.wait().unwrap();
    let is_off = |sample: &Sample| sample.validity == Validity::SensorOff;
    bedside.await_sample("sat.drain", before, || {}, is_off).await;
    let mut server = serve();
    let mut input = server.stdin.take().unwrap();
    input.write_all(&packet(2, "98", "72")).unwrap();
    input.flush().unwrap();
    bedside.await_sample("sat.drain", before, || {}, is_valid).await;
    bedside.agent.stop().await;
    // The agent closed its side; not a byte came from it.
    drop(input);
    assert_eq!(server.wait_with_output().unwrap().stdout, b"");
}

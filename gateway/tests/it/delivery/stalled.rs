//! One display stands still: a process that was stopped, and a browser that reads nothing. The others notice nothing.
#![cfg(test)]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_testkit::{Program, eventually};
use prost::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tonic::Streaming;

use super::slow::{send_bubbles, stormy_site};
use super::ward::{Follower, request, watch};
use crate::display::{Display, SOON};
use crate::hand::HandAgent;

/// Tells the test below where the gateway is.
const GATEWAY: &str = "ECMO_TEST_DISPLAY_OF";

/// Alarms that are timed between two changes of the stalled display's state, at most.
const ROUNDS: usize = 60;

/// For so long at most: the gateway lets a silent connection live for some 4 s.
const ROUNDS_LAST: Duration = Duration::from_secs(1);

/// How often it is stopped.
const STOPS: usize = 5;

/// The display that is stopped: this test in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_until_it_is_killed() {
    let Ok(gateway) = std::env::var(GATEWAY) else { return };
    let display = Display::connect(gateway.parse().unwrap()).await;
    let mut alarms = display.alarm_stream("").await;
    let mut ward = watch(&display, request(&["p1"])).await.unwrap();
    println!("reads");
    let ended = loop {
        tokio::select! {
            read = alarms.message() => if let Err(status) = read { break status },
            read = ward.message() => if let Err(status) = read { break status },
        }
    };
    println!("was cut off: {ended}");
}

async fn display_process(gateway: SocketAddr, folder: &std::path::Path) -> Program {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "delivery::stalled::reads_until_it_is_killed", "--nocapture"]);
    command.env(GATEWAY, gateway.to_string());
    let program = Program::start(command, "display", folder).unwrap();
    says(&program, "reads").await;
    program
}

async fn says(program: &Program, word: &str) {
    eventually(SOON, word, async || {
        let log = program.log();
        if log.contains(word) { Ok(()) } else { Err(log) }
    })
    .await
    .unwrap();
}

/// A browser with the smallest buffer, which asks for everything and reads nothing.
async fn deaf_browser(gateway: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(gateway).await.unwrap();
    let body = request(&["p1"]).encode_to_vec();
    let head = format!(
        "POST /ecmo.v1.PumpService/WatchWard HTTP/1.1\r\nhost: x\r\nx-grpc-web: 1\r\n\
         content-type: application/grpc-web+proto\r\ncontent-length: {}\r\n\r\n",
        5 + body.len()
    );
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    stream.write_all(&[head.as_bytes(), &[0], &length, &body].concat()).await.unwrap();
    stream
}

/// One display that reads, and checks that it misses nothing.
struct Healthy {
    alarms: Streaming<v1::WatchAlarmsResponse>,
    sequence: u64,
    revision: u32,
}

impl Healthy {
    /// The next change; panics at a gap.
    async fn change(&mut self) {
        loop {
            let message = timeout(SOON, self.alarms.message()).await.unwrap().unwrap().unwrap();
            assert_eq!(message.sequence, self.sequence);
            self.sequence += 1;
            let Some(Update::Alarm(alarm)) = message.update else { continue };
            if alarm.condition == "air.arterial" {
                assert_eq!(alarm.revision, self.revision + 1);
                self.revision = alarm.revision;
                return;
            }
        }
    }

    /// How long each of some alarms took from its frame to this display.
    async fn time(&mut self, agent: &HandAgent, took: &mut Vec<Duration>) {
        let began = Instant::now();
        for _round in 0..ROUNDS {
            let sent = Instant::now();
            if sent - began > ROUNDS_LAST {
                return;
            }
            send_bubbles(agent, 2).await;
            self.change().await;
            took.push(sent.elapsed());
            self.change().await;
        }
    }
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_f16_trap_06_a_display_that_is_stopped_costs_the_others_nothing_and_is_cut_off() {
    let site = stormy_site().await;
    let mut agent = site.agent("p1").await;
    agent.pause();
    let folder = tempfile::tempdir().unwrap();
    let mut stopped = display_process(site.gateway.address(), folder.path()).await;
    let near = Display::connect(site.gateway.address()).await;
    let mut ward = watch(&near, request(&["p1"])).await.unwrap();
    let (tell_all, mut all) = tokio::sync::watch::channel(u64::MAX);
    let reads = tokio::spawn(async move {
        let mut follower = Follower::default();
        while follower.frames.get("p1").is_none_or(|frames| *frames < *all.borrow_and_update()) {
            follower.next(&mut ward).await;
            assert_eq!(follower.lost, 0, "a display that reads loses nothing");
        }
    });
    let alarms = near.alarm_stream("").await;
    let mut healthy = Healthy { alarms, sequence: 0, revision: 0 };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _stop in 0..STOPS {
        healthy.time(&agent, &mut without).await;
        let deaf = deaf_browser(site.gateway.address()).await;
        stopped.freeze().unwrap();
        healthy.time(&agent, &mut with).await;
        stopped.thaw().unwrap();
        drop(deaf);
    }
    let alarms = without.len() + with.len();
    tell_all.send(u64::try_from(alarms).unwrap()).unwrap();
    let (without, with) = (p99(&mut without), p99(&mut with));
    println!("p99 of {alarms} alarms: {without:?}, with a display that stands still {with:?}");
    // A stall that reached the others would cost seconds; a busy machine costs milliseconds.
    assert!(with <= 2 * without + Duration::from_millis(50), "{with:?} instead of {without:?}");
    reads.await.unwrap();

    // Stopped for longer than a connection may be silent, it is cut off, and knows it once it goes on.
    let watching = ["kind=\"alarm\""];
    let active = "ecmo_gateway_subscriptions_active";
    site.await_counted(active, &watching, 2.0).await;
    stopped.freeze().unwrap();
    site.await_counted(active, &watching, 1.0).await;
    send_bubbles(&agent, 2).await;
    healthy.change().await;
    stopped.thaw().unwrap();
    says(&stopped, "was cut off").await;
}
